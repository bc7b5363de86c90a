// SPDX-License-Identifier: Apache-2.0
#include "src/topology/object_reader.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <limits>

#include "src/topology/key_counter.h"
#include "src/topology/metrics.h"

namespace mix::topology {
namespace json = boost::json;

namespace {

json::string_view to_boost(std::string_view text) {
  return {text.data(), text.size()};
}
std::string to_std(const json::string& text) {
  return {text.data(), text.size()};
}

/// Whole, not negative, at most `most`.
std::optional<std::uint64_t> read_number(const json::value& value, std::uint64_t most) {
  std::uint64_t number = 0;
  if (const std::uint64_t* big = value.if_uint64())
    number = *big;
  else if (const std::int64_t* small = value.if_int64(); small && *small >= 0)
    number = static_cast<std::uint64_t>(*small);
  else
    return std::nullopt;
  return number <= most ? std::optional(number) : std::nullopt;
}

std::optional<crypto::PublicKey> read_key(const json::value& value) {
  const json::string* text = value.if_string();
  if (!text) return std::nullopt;
  return crypto::PublicKey::from_base58(std::string_view(text->data(), text->size()));
}

}  // namespace

std::expected<json::value, std::string> parse_json(std::string_view text,
                                                   json::storage_ptr memory) {
  if (auto problem = too_many_keys(text, kMaxMetricsPeers)) return std::unexpected(*problem);
  boost::system::error_code failure;
  json::value value = json::parse(to_boost(text), failure, std::move(memory));
  if (failure) return std::unexpected("not JSON: " + failure.message());
  return value;
}

std::int64_t last_seen_of(const json::value& entry) {
  const json::object* object = entry.if_object();
  const json::value* value = object ? object->if_contains("lastSeen") : nullptr;
  if (!value) return 0;
  return static_cast<std::int64_t>(
      read_number(*value, std::numeric_limits<std::int64_t>::max()).value_or(0));
}

ObjectReader::ObjectReader(const json::value& value, Mode mode)
    : x_object(value.if_object()), x_mode(mode) {
  if (!x_object) x_problem = "must be a JSON object";
}

void ObjectReader::wrong(std::string_view field, std::string_view what) {
  if (!x_problem) x_problem = std::string(field) + ": " + std::string(what);
}

const json::value* ObjectReader::find(std::string_view field) {
  if (x_problem) return nullptr;
  const json::value* value = x_object->if_contains(to_boost(field));
  return value && !value->is_null() ? value : nullptr;
}

std::string ObjectReader::text(std::string_view field) {
  std::string out = optional_text(field);
  if (out.empty()) wrong(field, "must be a text and not empty");
  return out;
}

std::string ObjectReader::optional_text(std::string_view field) {
  const json::value* value = find(field);
  if (!value) return {};
  if (const json::string* text = value->if_string()) return to_std(*text);
  wrong(field, "must be a text");
  return {};
}

std::uint64_t ObjectReader::number(std::string_view field, std::uint64_t most) {
  const json::value* value = find(field);
  const auto number = value ? read_number(*value, most) : std::nullopt;
  if (!number) wrong(field, "must be a whole number, 0 to " + std::to_string(most));
  return number.value_or(0);
}

std::optional<std::uint64_t> ObjectReader::optional_number(std::string_view field,
                                                           std::uint64_t most) {
  if (!find(field)) return std::nullopt;
  return number(field, most);
}

std::vector<std::uint64_t> ObjectReader::optional_numbers(std::string_view field, std::size_t many,
                                                          std::uint64_t most) {
  std::vector<std::uint64_t> out;
  const json::value* value = find(field);
  if (!value) return out;
  const json::array* array = value->if_array();
  if (!array || array->size() > many) {
    wrong(field, "must be an array of at most " + std::to_string(many) + " whole numbers");
    return out;
  }
  for (const json::value& one : *array) {
    const auto number = read_number(one, most);
    if (!number) {
      wrong(field, "every value must be a whole number, 0 to " + std::to_string(most));
      return {};
    }
    out.push_back(*number);
  }
  return out;
}

crypto::PublicKey ObjectReader::key(std::string_view field) {
  const json::value* value = find(field);
  const auto key = value ? read_key(*value) : std::nullopt;
  if (!key) wrong(field, "must be 32 bytes in base58");
  return key.value_or(crypto::PublicKey());
}

/// Null, and a problem, when it is none or too long.
const json::array* ObjectReader::find_array(std::string_view field, std::size_t most) {
  const json::value* value = find(field);
  const json::array* array = value ? value->if_array() : nullptr;
  if (!array)
    wrong(field, "must be an array");
  else if (array->size() > most)
    wrong(field, "at most " + std::to_string(most) + " entries");
  if (x_problem) return nullptr;
  x_listed += array->size();
  return array;
}

void ObjectReader::skip_keys(std::string_view field, std::size_t most) {
  find_array(field, most);
}

std::vector<crypto::PublicKey> ObjectReader::keys(std::string_view field, std::size_t most) {
  const json::array* array = find_array(field, most);
  std::vector<crypto::PublicKey> out;
  if (!array) return out;
  out.reserve(array->size());
  for (std::size_t at = 0; at < array->size(); ++at) {
    const json::object* one = (*array)[at].if_object();
    const json::value* text = one ? one->if_contains("pubKey") : nullptr;
    if (const auto key = text ? read_key(*text) : std::nullopt) {
      out.push_back(*key);
    } else if (x_mode == Mode::tolerant) {
      ++x_skipped;
    } else {
      wrong(std::string(field) + "[" + std::to_string(at) + "].pubKey",
            "must be 32 bytes in base58");
      return out;
    }
  }
  return out;
}

std::map<std::string, std::uint64_t> ObjectReader::counts(std::string_view field,
                                                          std::size_t most) {
  const json::value* value = find(field);
  const json::object* object = value ? value->if_object() : nullptr;
  std::map<std::string, std::uint64_t> out;
  if (!object) {
    wrong(field, "must be an object of whole numbers");
    return out;
  }
  if (object->size() > most) {
    wrong(field, "at most " + std::to_string(most) + " names");
    return out;
  }
  for (const json::key_value_pair& one : *object) {
    const auto number = read_number(one.value(), std::numeric_limits<std::uint64_t>::max());
    if (!number) {
      wrong(field, "every value must be a whole number");
      return out;
    }
    out.emplace(std::string(one.key().data(), one.key().size()), *number);
  }
  return out;
}

}  // namespace mix::topology
