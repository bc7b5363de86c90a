// SPDX-License-Identifier: Apache-2.0
#include "harness/scenario/value_reader.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>

namespace lab::scenario {
namespace {

using Wrong = std::unexpected<std::string>;

std::string found(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::string:
      return "a text";
    case toml::node_type::integer:
      return "a whole number";
    case toml::node_type::floating_point:
      return "a decimal number";
    case toml::node_type::boolean:
      return "true or false";
    case toml::node_type::array:
      return "an array";
    case toml::node_type::table:
      return "a table";
    default:
      return "a date or time";
  }
}

Wrong mismatch(Kind kind, const toml::node& node) {
  return Wrong("expected " + describe(kind) + ", found " + found(node));
}

const std::string* text_of(const toml::node& node) {
  const auto* text = node.as_string();
  return text == nullptr ? nullptr : &text->get();
}

template <class T>
Read<Data> wrap(Read<T> value) {
  if (!value) return Wrong(value.error());
  return Data(*value);
}

/// A number that was written as TOML number, in digits: shortest form, which is how it was typed.
Read<Ratio> ratio_of(const toml::node& node) {
  if (const auto* text = text_of(node)) return read_ratio(*text);
  char digits[64];
  if (const auto* number = node.as_floating_point()) {
    const auto end =
        std::to_chars(digits, digits + sizeof digits, number->get(), std::chars_format::fixed);
    if (end.ec != std::errc{}) return Wrong("a number from 0 to 1 is needed");
    return read_ratio(std::string_view(digits, end.ptr));
  }
  if (const auto* number = node.as_integer()) return read_ratio(std::to_string(number->get()));
  return mismatch(Kind::ratio, node);
}

Read<Duration> duration_of(const toml::node& node, Kind kind) {
  if (const auto* text = text_of(node)) return read_duration(*text, kind == Kind::signed_duration);
  return mismatch(kind, node);
}

/// Refuses keys of an inline table that are not among these.
std::optional<Wrong> strange_key(const toml::table& table, const Words& allowed) {
  for (const auto& [key, node] : table) {
    const std::string name(key.str());
    if (std::ranges::find(allowed, name) == allowed.end())
      return Wrong("unknown key '" + name + "'" + suggestion(name, allowed));
  }
  return std::nullopt;
}

Read<Duration> part(const toml::table& table, const char* key,
                    std::optional<Duration> preset = {}) {
  const toml::node* node = table.get(key);
  if (node != nullptr) {
    auto out = duration_of(*node, Kind::duration);
    if (!out) return Wrong("'" + std::string(key) + "': " + out.error());
    return out;
  }
  if (preset) return *preset;
  return Wrong("'" + std::string(key) + "' is missing");
}

Read<Data> latency_of(const toml::node& node) {
  if (const auto* text = text_of(node)) {
    const auto mean = read_duration(*text);
    if (!mean) return Wrong(mean.error());
    return Data(Latency{Latency::Law::constant, *mean, {}, {}, {}});
  }
  const toml::table* table = node.as_table();
  if (table == nullptr) return mismatch(Kind::latency, node);
  const toml::node* dist = table->get("dist");
  const std::string* law = dist == nullptr ? nullptr : text_of(*dist);
  const Words laws{"uniform", "normal", "exponential"};
  if (law == nullptr) return Wrong("'dist' is missing (uniform, normal or exponential)");
  if (std::ranges::find(laws, *law) == laws.end())
    return Wrong("unknown dist '" + *law + "'" + suggestion(*law, laws));
  Latency out;
  const bool uniform = *law == "uniform", normal = *law == "normal";
  const Words keys = uniform  ? Words{"dist", "min", "max"}
                     : normal ? Words{"dist", "mean", "sd", "min"}
                              : Words{"dist", "mean", "min"};
  if (auto wrong = strange_key(*table, keys)) return *wrong;
  const auto min = part(*table, "min", uniform ? std::nullopt : std::optional(Duration{}));
  if (!min) return Wrong(min.error());
  const auto top = part(*table, uniform ? "max" : "mean");
  if (!top) return Wrong(top.error());
  const auto sd = normal ? part(*table, "sd") : Read<Duration>(Duration{});
  if (!sd) return Wrong(sd.error());
  if (*min > *top) return Wrong(std::string("'min' is above '") + (uniform ? "max'" : "mean'"));
  out.law = uniform  ? Latency::Law::uniform
            : normal ? Latency::Law::normal
                     : Latency::Law::exponential;
  out.min = *min;
  out.sd = *sd;
  out.max = uniform ? *top : Duration{};
  out.mean = uniform ? *min + (*top - *min) / 2 : *top;
  return Data(out);
}

Read<Ratio> ratio_part(const toml::table& table, const char* key) {
  const toml::node* node = table.get(key);
  if (node == nullptr) return Wrong("'" + std::string(key) + "' is missing");
  auto out = ratio_of(*node);
  if (!out) return Wrong("'" + std::string(key) + "': " + out.error());
  return out;
}

Read<Data> loss_of(const toml::node& node) {
  const toml::table* table = node.as_table();
  if (table == nullptr) {
    const auto ratio = ratio_of(node);
    if (!ratio)
      return text_of(node) || node.is_number() ? Wrong(ratio.error()) : mismatch(Kind::loss, node);
    return Data(Loss{false, {}, {}, *ratio, {}});
  }
  if (auto wrong = strange_key(*table, {"good_to_bad", "bad_to_good", "loss_good", "loss_bad"}))
    return *wrong;
  Loss out;
  out.bursts = true;
  for (auto [key, to] : {std::pair{"good_to_bad", &out.good_to_bad},
                         {"bad_to_good", &out.bad_to_good},
                         {"loss_good", &out.loss_good},
                         {"loss_bad", &out.loss_bad}}) {
    const auto value = ratio_part(*table, key);
    if (!value) return Wrong(value.error());
    *to = *value;
  }
  return Data(out);
}

Read<Data> reorder_of(const toml::node& node) {
  const toml::table* table = node.as_table();
  if (table == nullptr) return mismatch(Kind::reorder, node);
  if (auto wrong = strange_key(*table, {"ratio", "delay"})) return *wrong;
  const auto ratio = ratio_part(*table, "ratio");
  if (!ratio) return Wrong(ratio.error());
  const auto delay = part(*table, "delay");
  if (!delay) return Wrong(delay.error());
  return Data(Reorder{*ratio, *delay});
}

Read<Data> window_of(const toml::node& node) {
  const toml::array* array = node.as_array();
  if (array == nullptr || array->size() != 2) return mismatch(Kind::window, node);
  const auto begin = duration_of(*array->get(0), Kind::duration);
  const auto end = duration_of(*array->get(1), Kind::duration);
  if (!begin) return Wrong(begin.error());
  if (!end) return Wrong(end.error());
  if (*begin >= *end) return Wrong("a window ends after it begins");
  return Data(Window{kStart + *begin, kStart + *end});
}

Read<Words> words_in(Kind kind, const toml::node& node) {
  const toml::array* array = node.as_array();
  if (array == nullptr) return mismatch(kind, node);
  Words out;
  for (const toml::node& item : *array) {
    const std::string* text = text_of(item);
    if (text == nullptr) return Wrong("expected texts in the array, found " + found(item));
    out.push_back(*text);
  }
  if (out.empty()) return Wrong("the array is empty");
  return out;
}

Read<Data> commands_of(const toml::node& node) {
  const toml::table* table = node.as_table();
  if (table == nullptr) return mismatch(Kind::commands, node);
  Commands out;
  for (const auto& [key, item] : *table) {
    const std::string name(key.str());
    auto words = words_in(Kind::command, item);
    if (!words) return Wrong("'" + name + "': " + words.error());
    out[name] = std::move(*words);
  }
  return Data(out);
}

Read<Data> files_of(const toml::node& node) {
  const toml::table* table = node.as_table();
  if (table == nullptr) return mismatch(Kind::files, node);
  Files out;
  for (const auto& [key, item] : *table) {
    const std::string path(key.str());
    const std::string* source = text_of(item);
    if (source == nullptr) return Wrong("'" + path + "': expected a path, found " + found(item));
    if (path.empty() || path.starts_with('/') ||
        ("/" + path + "/").find("/../") != std::string::npos)
      return Wrong("'" + path + "' is not a path inside the folder");
    out[path] = *source;
  }
  return Data(out);
}

Read<Data> integer_of(const Key& key, const toml::node& node) {
  const auto* number = node.as_integer();
  if (number == nullptr) return mismatch(Kind::integer, node);
  const auto bounds = split(key.choices);
  if (!bounds.empty() &&
      (number->get() < std::stoll(bounds[0]) || number->get() > std::stoll(bounds[1])))
    return Wrong(std::to_string(number->get()) + " is not from " + bounds[0] + " to " + bounds[1]);
  return Data(number->get());
}

bool is_word(std::string_view text) {
  return !text.empty() && text.size() <= 64 && text.front() != '.' &&
         text.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") ==
             std::string_view::npos;
}

bool is_address(const std::string& text) {
  unsigned a = 0, b = 0, c = 0, d = 0;
  int read = 0;
  return std::sscanf(text.c_str(), "%3u.%3u.%3u.%3u%n", &a, &b, &c, &d, &read) == 4 &&
         static_cast<std::size_t>(read) == text.size() && a < 224 && a != 127 && a != 0 &&
         b < 256 && c < 256 && d < 256;
}

Read<Data> text_value(const Key& key, const toml::node& node) {
  const std::string* text = text_of(node);
  if (text == nullptr) return Wrong("expected " + describe(key) + ", found " + found(node));
  switch (key.kind) {
    case Kind::word:
    case Kind::host_name:
    case Kind::program_name:
      if (!is_word(*text)) return Wrong("'" + *text + "' is not " + describe(Kind::word));
      break;
    case Kind::address:
      if (!is_address(*text)) return Wrong("'" + *text + "' is not " + describe(key.kind));
      break;
    case Kind::choice:
      if (!among(key.choices, *text)) {
        std::string list;
        for (const std::string& word : split(key.choices))
          list += (list.empty() ? "" : ", ") + word;
        return Wrong("'" + *text + "' is not one of " + list +
                     suggestion(*text, split(key.choices)));
      }
      break;
    case Kind::epoch: {
      if (const auto epoch = read_epoch(*text); !epoch) return Wrong(epoch.error());
      break;
    }
    default:
      break;
  }
  return Data(*text);
}

}  // namespace

Read<Data> read_value(const Key& key, const toml::node& node) {
  const auto needs_text = [&]() { return text_of(node) == nullptr; };
  switch (key.kind) {
    case Kind::boolean:
      if (const auto* value = node.as_boolean()) return Data(value->get());
      return mismatch(key.kind, node);
    case Kind::integer:
      return integer_of(key, node);
    case Kind::duration:
    case Kind::signed_duration:
      return wrap(duration_of(node, key.kind));
    case Kind::ratio:
      return wrap(ratio_of(node));
    case Kind::rate:
      return needs_text() ? mismatch(key.kind, node) : wrap(read_rate(*text_of(node)));
    case Kind::size:
      return needs_text() ? mismatch(key.kind, node) : wrap(read_size(*text_of(node)));
    case Kind::bandwidth:
      return needs_text() ? mismatch(key.kind, node) : wrap(read_bandwidth(*text_of(node)));
    case Kind::command:
    case Kind::words:
      return wrap(words_in(key.kind, node));
    case Kind::commands:
      return commands_of(node);
    case Kind::files:
      return files_of(node);
    case Kind::latency:
      return latency_of(node);
    case Kind::loss:
      return loss_of(node);
    case Kind::reorder:
      return reorder_of(node);
    case Kind::window:
      return window_of(node);
    default:
      return text_value(key, node);
  }
}

}  // namespace lab::scenario
