// SPDX-License-Identifier: Apache-2.0
// The canonical form: every key that has a meaning, in the order of the key table, in one spelling.
#include "harness/scenario/document.h"
#include "harness/scenario/units.h"

namespace lab::scenario {
namespace {

std::string write_words(const Words& words) {
  std::string out = "[";
  for (const std::string& word : words)
    out += (out.size() == 1 ? "" : ", ") + quote(word);
  return out + "]";
}

std::string write_files(const Files& files) {
  std::string out = "{";
  for (const auto& [path, source] : files)
    out += (out.size() == 1 ? " " : ", ") + quote(path) + " = " + quote(source);
  return out + (files.empty() ? "}" : " }");
}

std::string write_commands(const Commands& commands) {
  std::string out = "{";
  for (const auto& [name, words] : commands)
    out += (out.size() == 1 ? " " : ", ") + quote(name) + " = " + write_words(words);
  return out + (commands.empty() ? "}" : " }");
}

std::string write_latency(const Latency& latency) {
  const auto text = [](Duration d) { return quote(write_duration(d)); };
  switch (latency.law) {
    case Latency::Law::constant:
      return text(latency.mean);
    case Latency::Law::uniform:
      return "{ dist = \"uniform\", min = " + text(latency.min) + ", max = " + text(latency.max) +
             " }";
    case Latency::Law::normal:
      return "{ dist = \"normal\", mean = " + text(latency.mean) + ", sd = " + text(latency.sd) +
             ", min = " + text(latency.min) + " }";
    case Latency::Law::exponential:
      return "{ dist = \"exponential\", mean = " + text(latency.mean) +
             ", min = " + text(latency.min) + " }";
  }
  return "";
}

std::string write_loss(const Loss& loss) {
  const auto text = [](Ratio r) { return quote(write_ratio(r)); };
  if (!loss.bursts) return text(loss.loss_good);
  return "{ good_to_bad = " + text(loss.good_to_bad) + ", bad_to_good = " + text(loss.bad_to_good) +
         ", loss_good = " + text(loss.loss_good) + ", loss_bad = " + text(loss.loss_bad) + " }";
}

}  // namespace

std::string quote(std::string_view text) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out = "\"";
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (byte < 0x20 || byte == 0x7f) {
      out += "\\u00";
      out += kDigits[byte >> 4];
      out += kDigits[byte & 15];
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string write_value(Kind kind, const Data& data) {
  switch (kind) {
    case Kind::boolean:
      return std::get<bool>(data) ? "true" : "false";
    case Kind::integer:
      return std::to_string(std::get<std::int64_t>(data));
    case Kind::duration:
    case Kind::signed_duration:
      return quote(write_duration(std::get<Duration>(data)));
    case Kind::ratio:
      return quote(write_ratio(std::get<Ratio>(data)));
    case Kind::rate:
      return quote(write_rate(std::get<Ratio>(data)));
    case Kind::size:
      return quote(write_size(std::get<std::uint64_t>(data)));
    case Kind::bandwidth:
      return quote(write_bandwidth(std::get<std::uint64_t>(data)));
    case Kind::command:
    case Kind::words:
      return write_words(std::get<Words>(data));
    case Kind::files:
      return write_files(std::get<Files>(data));
    case Kind::commands:
      return write_commands(std::get<Commands>(data));
    case Kind::latency:
      return write_latency(std::get<Latency>(data));
    case Kind::loss:
      return write_loss(std::get<Loss>(data));
    case Kind::reorder: {
      const auto& reorder = std::get<Reorder>(data);
      return "{ ratio = " + quote(write_ratio(reorder.ratio)) +
             ", delay = " + quote(write_duration(reorder.delay)) + " }";
    }
    case Kind::window: {
      const auto& window = std::get<Window>(data);
      return write_words(
          {write_duration(window.begin - kStart), write_duration(window.end - kStart)});
    }
    default:
      return quote(std::get<std::string>(data));
  }
}

std::string write_document(const Document& document) {
  std::string out;
  for (const Section& section : document.sections) {
    out += (out.empty() ? "" : "\n") + section.heading() + "\n";
    for (const Key& key : section.table->keys) {
      const auto value = section.values.find(key.name);
      if (value != section.values.end())
        out += std::string(key.name) + " = " + write_value(key.kind, value->second.data) + "\n";
    }
  }
  return out;
}

}  // namespace lab::scenario
