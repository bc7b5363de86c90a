// SPDX-License-Identifier: Apache-2.0
#include "src/topology/key_counter.h"

#include <boost/json/basic_parser_impl.hpp>
#include <cstdint>
#include <vector>

namespace mix::topology {
namespace json = boost::json;

namespace {

/// Counts the keys of each object before any is stored: Boost's table has a hash that a stranger
/// can foresee, and keys that all fall into one bucket cost the square of their number.
class KeyCounter {
 public:
  static constexpr std::size_t max_object_size = SIZE_MAX, max_array_size = SIZE_MAX,
                               max_key_size = SIZE_MAX, max_string_size = SIZE_MAX;

  explicit KeyCounter(std::size_t most) : x_most(most) {}
  bool too_many() const { return x_too_many; }

  bool on_object_begin(boost::system::error_code&) {
    x_keys.push_back(0);
    return true;
  }
  bool on_key(json::string_view, std::size_t, boost::system::error_code& failure) {
    const std::size_t keys = ++x_keys.back();
    if (keys == kFewKeys + 1 && ++x_large > 1) x_too_many = true;
    if (keys > x_most) x_too_many = true;
    if (x_too_many) failure = json::make_error_code(json::error::object_too_large);
    return !x_too_many;
  }
  bool on_object_end(std::size_t, boost::system::error_code&) {
    x_keys.pop_back();
    return true;
  }
  bool on_document_begin(boost::system::error_code&) { return true; }
  bool on_document_end(boost::system::error_code&) { return true; }
  bool on_array_begin(boost::system::error_code&) { return true; }
  bool on_array_end(std::size_t, boost::system::error_code&) { return true; }
  bool on_key_part(json::string_view, std::size_t, boost::system::error_code&) { return true; }
  bool on_string_part(json::string_view, std::size_t, boost::system::error_code&) { return true; }
  bool on_string(json::string_view, std::size_t, boost::system::error_code&) { return true; }
  bool on_number_part(json::string_view, boost::system::error_code&) { return true; }
  bool on_int64(std::int64_t, json::string_view, boost::system::error_code&) { return true; }
  bool on_uint64(std::uint64_t, json::string_view, boost::system::error_code&) { return true; }
  bool on_double(double, json::string_view, boost::system::error_code&) { return true; }
  bool on_bool(bool, boost::system::error_code&) { return true; }
  bool on_null(boost::system::error_code&) { return true; }
  bool on_comment_part(json::string_view, boost::system::error_code&) { return true; }
  bool on_comment(json::string_view, boost::system::error_code&) { return true; }

 private:
  std::size_t x_most;
  std::vector<std::size_t> x_keys;  // of the objects that are open
  std::size_t x_large = 0;
  bool x_too_many = false;
};

}  // namespace

std::optional<std::string> too_many_keys(std::string_view text, std::size_t most) {
  boost::system::error_code failure;
  json::basic_parser<KeyCounter> counter(json::parse_options(), most);
  counter.write_some(false, text.data(), text.size(), failure);
  if (!counter.handler().too_many()) return std::nullopt;
  std::string out = "too many keys: at most " + std::to_string(most) + " in one object";
  if (most > kFewKeys) out += " and " + std::to_string(kFewKeys) + " in each other";
  return out;
}

}  // namespace mix::topology
