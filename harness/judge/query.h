// SPDX-License-Identifier: Apache-2.0
// Short words for asking a recording: a prepared query whose errors end the judging (they mean that
// the file is no recording, or broken), and the views as tables that can be asked more than once.
#pragma once

#include <optional>
#include <string>

#include "src/sqlite/database.h"

namespace lab::judge {

struct QueryFailed {
  std::string text;
};

class Query {
 public:
  template <class... Values>
  Query(mix::sqlite::Database& db, const std::string& sql, const Values&... values)
      : x_statement(prepared(db, sql)) {
    x_statement.start(values...);
  }
  bool next() {
    const auto row = x_statement.next();
    if (!row) throw QueryFailed{row.error().text};
    return *row;
  }
  bool is_null(int column) const { return x_statement.is_null(column); }
  std::int64_t integer(int column) const { return x_statement.integer(column); }
  std::string text(int column) const { return x_statement.text(column); }
  std::string text_or(int column, const char* otherwise) const {
    return is_null(column) ? otherwise : text(column);
  }
  std::optional<std::int64_t> integer_or_null(int column) const {
    return is_null(column) ? std::nullopt : std::optional(integer(column));
  }
  mix::BytesView blob(int column) const { return x_statement.blob(column); }

  /// The first column of the first row.
  static std::int64_t value(mix::sqlite::Database& db, const std::string& sql) {
    Query query(db, sql);
    return query.next() ? query.integer(0) : 0;
  }

 private:
  static mix::sqlite::Statement prepared(mix::sqlite::Database& db, const std::string& sql) {
    auto statement = db.prepare(sql);
    if (!statement) throw QueryFailed{statement.error().text + " in: " + sql};
    return std::move(*statement);
  }
  mix::sqlite::Statement x_statement;
};

/// temp.j_hop and temp.j_packet: the views `hop` and `packet`, computed once.
mix::sqlite::Result<void> materialize(mix::sqlite::Database& db);

}  // namespace lab::judge
