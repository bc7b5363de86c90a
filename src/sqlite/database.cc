// SPDX-License-Identifier: Apache-2.0
#include "src/sqlite/database.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "src/prelude/check.h"

namespace mix::sqlite {
namespace {

Error error_of(sqlite3* connection) {
  return {sqlite3_extended_errcode(connection), sqlite3_errmsg(connection)};
}

/// SQLite would create with 0644; its journals then take over the mode of the file.
std::optional<Error> create_private(const std::string& path) {
  const int fd = ::open(path.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
  if (fd >= 0) {
    ::close(fd);
    return std::nullopt;
  }
  if (errno == EEXIST) return std::nullopt;
  const int code = errno == ENOSPC || errno == EDQUOT ? SQLITE_FULL : SQLITE_CANTOPEN;
  return Error{code, "cannot create: " + std::string(std::strerror(errno))};
}

}  // namespace

bool Error::disk_full() const {
  return (code & 0xff) == SQLITE_FULL;
}
bool Error::busy() const {
  return (code & 0xff) == SQLITE_BUSY || (code & 0xff) == SQLITE_LOCKED;
}

void Statement::Finalize::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}
void Database::Close::operator()(sqlite3* connection) const {
  sqlite3_close_v2(connection);
}

Result<bool> Statement::next() {
  switch (sqlite3_step(x_statement.get())) {
    case SQLITE_ROW:
      return true;
    case SQLITE_DONE:
      reset();
      return false;
    default: {
      Error error = error_of(sqlite3_db_handle(x_statement.get()));
      reset();
      return std::unexpected(std::move(error));
    }
  }
}

Result<void> Statement::finish() {
  while (true) {
    Result<bool> row = next();
    if (!row) return std::unexpected(std::move(row.error()));
    if (!*row) return {};
  }
}

void Statement::reset() {
  sqlite3_reset(x_statement.get());
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(x_statement.get(), column) == SQLITE_NULL;
}
std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(x_statement.get(), column);
}
std::string Statement::text(int column) const {
  const unsigned char* text = sqlite3_column_text(x_statement.get(), column);
  const int size = sqlite3_column_bytes(x_statement.get(), column);
  return text ? std::string(reinterpret_cast<const char*>(text), static_cast<std::size_t>(size))
              : std::string();
}
BytesView Statement::blob(int column) const {
  const void* blob = sqlite3_column_blob(x_statement.get(), column);
  const int size = sqlite3_column_bytes(x_statement.get(), column);
  return {static_cast<const std::uint8_t*>(blob), static_cast<std::size_t>(size)};
}

namespace {
sqlite3_destructor_type life_of(bool copied) {
  return copied ? SQLITE_TRANSIENT : SQLITE_STATIC;
}
}  // namespace

// A position that the statement does not have, or a value above SQLite's limit, is our mistake.
void Statement::begin(std::size_t values) {
  const int parameters = sqlite3_bind_parameter_count(x_statement.get());
  CHECK(values == static_cast<std::size_t>(parameters), values, parameters);
  reset();
}
void Statement::bind(int at, std::int64_t value, Keep) {
  const int code = sqlite3_bind_int64(x_statement.get(), at, value);
  CHECK(code == SQLITE_OK, at, code);
}
void Statement::bind(int at, std::string_view value, Keep keep) {
  // A null pointer would bind NULL.
  const int code = sqlite3_bind_text64(x_statement.get(), at, value.empty() ? "" : value.data(),
                                       value.size(), life_of(keep == Keep::copied), SQLITE_UTF8);
  CHECK(code == SQLITE_OK, at, code);
}
void Statement::bind(int at, BytesView value, Keep keep) {
  const void* data = value.empty() ? static_cast<const void*>("") : value.data();
  const int code =
      sqlite3_bind_blob64(x_statement.get(), at, data, value.size(), life_of(keep == Keep::copied));
  CHECK(code == SQLITE_OK, at, code);
}
void Statement::bind_null(int at) {
  const int code = sqlite3_bind_null(x_statement.get(), at);
  CHECK(code == SQLITE_OK, at, code);
}

Result<Database> Database::open(const std::string& path, Mode mode, Duration busy_timeout) {
  if (mode == Mode::create)
    if (std::optional<Error> error = create_private(path)) return std::unexpected(*error);
  const int flags = mode == Mode::read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &raw, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  Database database(raw);
  if (code != SQLITE_OK)
    return std::unexpected(raw ? error_of(raw) : Error{code, sqlite3_errstr(code)});
  sqlite3_extended_result_codes(raw, 1);
  sqlite3_busy_timeout(
      raw, static_cast<int>(
               std::chrono::duration_cast<std::chrono::milliseconds>(busy_timeout).count()));
  if (auto done = database.run("PRAGMA foreign_keys = ON"); !done)
    return std::unexpected(done.error());
  return database;
}

Result<void> Database::run(const std::string& script) {
  if (sqlite3_exec(x_connection.get(), script.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
    return std::unexpected(error_of(x_connection.get()));
  return {};
}

Result<Statement> Database::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(x_connection.get(), sql.data(), static_cast<int>(sql.size()), &statement,
                         nullptr) != SQLITE_OK)
    return std::unexpected(error_of(x_connection.get()));
  CHECK(statement != nullptr, "an empty statement", sql);
  return Statement(statement);
}

Result<std::int64_t> Database::integer(std::string_view sql) {
  Result<Statement> query = prepare(sql);
  if (!query) return std::unexpected(query.error());
  Result<bool> row = query->next();
  if (!row) return std::unexpected(row.error());
  return *row ? query->integer(0) : 0;
}

Result<std::string> Database::text(std::string_view sql) {
  Result<Statement> query = prepare(sql);
  if (!query) return std::unexpected(query.error());
  Result<bool> row = query->next();
  if (!row) return std::unexpected(row.error());
  return *row ? query->text(0) : std::string();
}

std::int64_t Database::last_insert_id() const {
  return sqlite3_last_insert_rowid(x_connection.get());
}
std::int64_t Database::changes() const {
  return sqlite3_changes64(x_connection.get());
}
bool Database::in_transaction() const {
  return sqlite3_get_autocommit(x_connection.get()) == 0;
}

Result<Transaction> Transaction::begin(Database& database) {
  if (Result<void> begun = database.run("BEGIN IMMEDIATE"); !begun)
    return std::unexpected(begun.error());
  return Transaction(&database);
}

Transaction::Transaction(Transaction&& other) noexcept : x_database(other.x_database) {
  other.x_database = nullptr;
}

Transaction::~Transaction() {
  // SQLite rolls some errors back by itself (a full disk); a second ROLLBACK would be an error.
  if (x_database && x_database->in_transaction()) (void)x_database->run("ROLLBACK");
}

Result<void> Transaction::commit() {
  CHECK(x_database != nullptr, "committed twice");
  Result<void> done = x_database->run("COMMIT");
  if (done) x_database = nullptr;
  return done;
}

}  // namespace mix::sqlite
