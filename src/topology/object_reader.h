// SPDX-License-Identifier: Apache-2.0
// Reading the fields of one JSON object, remembering the first that is wrong. Internal to this
// folder.
#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/crypto/keys.h"

namespace mix::topology {

/// The whole text as one value, which lives in `memory`; nesting at most 32. The error is for
/// people.
std::expected<boost::json::value, std::string> parse_json(std::string_view text,
                                                          boost::json::storage_ptr memory = {});
/// "lastSeen" if it is there and a number that fits, else 0.
std::int64_t last_seen_of(const boost::json::value& entry);

/// After the first problem every read answers an empty value.
class ObjectReader {
 public:
  /// Strict: an element of a list that is wrong is a problem. Tolerant: it is skipped and counted.
  enum class Mode { strict, tolerant };

  ObjectReader(const boost::json::value& value, Mode mode);

  /// Must be there and not empty.
  std::string text(std::string_view field);
  /// May be missing or null, but not of another type.
  std::string optional_text(std::string_view field);
  /// A whole number from 0 to `most`.
  std::uint64_t number(std::string_view field, std::uint64_t most);
  /// As number(), but may be missing.
  std::optional<std::uint64_t> optional_number(std::string_view field, std::uint64_t most);
  /// [1,2,..]; may be missing; at most `many` whole numbers, each at most `most`.
  std::vector<std::uint64_t> optional_numbers(std::string_view field, std::size_t many,
                                              std::uint64_t most);
  /// 32 bytes in base58.
  crypto::PublicKey key(std::string_view field);
  /// [{"pubKey":".."},..]; must be there, at most `most` of them.
  std::vector<crypto::PublicKey> keys(std::string_view field, std::size_t most);
  /// As keys(), without looking at the elements.
  void skip_keys(std::string_view field, std::size_t most);
  /// {"a":1,..}; must be there, at most `most` names.
  std::map<std::string, std::uint64_t> counts(std::string_view field, std::size_t most);

  const std::optional<std::string>& problem() const { return x_problem; }
  std::size_t skipped() const { return x_skipped; }
  /// Elements of the lists that keys() and skip_keys() saw.
  std::size_t listed() const { return x_listed; }

 private:
  const boost::json::value* find(std::string_view field);
  const boost::json::array* find_array(std::string_view field, std::size_t most);
  void wrong(std::string_view field, std::string_view what);

  const boost::json::object* x_object = nullptr;
  Mode x_mode;
  std::optional<std::string> x_problem;
  std::size_t x_skipped = 0;
  std::size_t x_listed = 0;
};

}  // namespace mix::topology
