// SPDX-License-Identifier: Apache-2.0
// RAII over sqlite3: connections, statements, transactions. Errors are values.
//
// Not an object mapper, and it knows no schema. Bounds: whatever SQLite's are. Threads: a Database
// and its statements belong to one thread at a time. Every connection has a busy time-out, checks
// foreign keys, and (unless read-only) creates files with mode 0600.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "src/prelude/bytes.h"
#include "src/prelude/instant.h"

struct sqlite3;
struct sqlite3_stmt;

namespace mix::sqlite {

struct Error {
  int code = 0;  ///< SQLite's extended result code
  std::string text;

  /// The disk (or a quota) has no room; later attempts may succeed.
  bool disk_full() const;
  /// Another connection held the lock for longer than the busy time-out.
  bool busy() const;
};
template <class T>
using Result = std::expected<T, Error>;

/// A compiled statement. Values are bound by position, all of them each time.
class Statement {
 public:
  /// Binds all parameters, runs to the end, and makes the statement ready again.
  template <class... Values>
  Result<void> run(const Values&... values) {
    bind_all(Keep::while_called, values...);
    return finish();
  }
  /// Binds all parameters; rows then come by next().
  template <class... Values>
  void start(const Values&... values) {
    bind_all(Keep::copied, values...);
  }
  /// True: a row is there. False: no more, and the statement is ready again.
  Result<bool> next();
  /// Gives up the remaining rows.
  void reset();

  // The current row; columns count from 0. NULL reads as 0 or empty.
  bool is_null(int column) const;
  std::int64_t integer(int column) const;
  std::string text(int column) const;
  /// Valid until the next call of next() or reset().
  BytesView blob(int column) const;

 private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  explicit Statement(sqlite3_stmt* statement) : x_statement(statement) {}

  /// What becomes of bound bytes: SQLite reads the caller's during run(), or makes a copy.
  enum class Keep : std::uint8_t { while_called, copied };
  template <class... Values>
  void bind_all([[maybe_unused]] Keep keep, const Values&... values) {
    begin(sizeof...(values));
    int at = 0;
    (bind(++at, values, keep), ...);
  }
  void begin(std::size_t values);
  void bind(int at, std::int64_t value, Keep keep);
  void bind(int at, std::string_view value, Keep keep);
  void bind(int at, BytesView value, Keep keep);
  void bind_null(int at);
  template <std::size_t N>
  void bind(int at, const ByteArray<N>& value, Keep keep) {
    bind(at, BytesView(value), keep);
  }
  template <class Value>
  void bind(int at, const std::optional<Value>& value, Keep keep) {
    value ? bind(at, *value, keep) : bind_null(at);
  }
  Result<void> finish();

  std::unique_ptr<sqlite3_stmt, Finalize> x_statement;
};

class Database {
 public:
  enum class Mode { read_only, read_write, create };

  /// `create` makes a missing file (0600); `read_write` does not.
  static Result<Database> open(const std::string& path, Mode mode, Duration busy_timeout = 5s);

  /// Runs a script of any number of statements without parameters; rows are ignored.
  Result<void> run(const std::string& script);
  Result<Statement> prepare(std::string_view sql);
  /// The first column of the first row of a query without parameters; 0 when there is no row.
  Result<std::int64_t> integer(std::string_view sql);
  Result<std::string> text(std::string_view sql);

  std::int64_t last_insert_id() const;
  /// Rows changed by the last INSERT, UPDATE or DELETE.
  std::int64_t changes() const;
  /// Inside BEGIN ... COMMIT.
  bool in_transaction() const;

 private:
  struct Close {
    void operator()(sqlite3* connection) const;
  };
  explicit Database(sqlite3* connection) : x_connection(connection) {}

  std::unique_ptr<sqlite3, Close> x_connection;
};

/// BEGIN IMMEDIATE at birth; ROLLBACK at death unless committed.
class Transaction {
 public:
  static Result<Transaction> begin(Database& database);
  Transaction(Transaction&& other) noexcept;
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();
  Result<void> commit();

 private:
  explicit Transaction(Database* database) : x_database(database) {}
  Database* x_database;
};

}  // namespace mix::sqlite
