// SPDX-License-Identifier: Apache-2.0
// A scenario file read and checked against the table of keys, before anything is looked up or
// drawn: sections with typed values, each with its place, defaults filled in. What is wrong is
// collected as problems that name file, line, column and key; a document with problems is not to be
// used. Pure: the file's text comes in as an argument.
#pragma once

#include <map>
#include <variant>

#include "harness/scenario/keys.h"
#include "harness/scenario/plan.h"

namespace lab::scenario {

struct Place {
  std::string file;  // or "--set mixnet.width=0"
  int line = 0;      // 0: not a place in a file
  int column = 0;
};

struct Problem {
  Place place;
  std::string text;  // "[mixnet] widht: unknown key; did you mean 'width'?"
};
/// "loop.toml:12:1: [mixnet] widht: unknown key; did you mean 'width'?"
std::string to_text(const Problem& problem);

struct Reorder {
  Ratio ratio;
  Duration delay{};
};
using Words = std::vector<std::string>;
using Files = std::map<std::string, std::string>;
using Commands = std::map<std::string, Words>;
using Data = std::variant<std::monostate, bool, std::int64_t, std::uint64_t, std::string, Duration,
                          Ratio, Latency, Loss, Reorder, Window, Words, Files, Commands>;

struct Value {
  Data data;
  Place place;
  bool given = false;  // written in the file or by --set; else the default
};

struct Section {
  const Table* table = nullptr;
  std::string name;        // of [host.X] and [link.X]
  std::size_t number = 0;  // of a list's entry, from 0
  Place place;
  std::map<std::string, Value, std::less<>> values;

  bool has(std::string_view key) const { return values.contains(key); }
  bool given(std::string_view key) const;
  template <class T>
  const T& get(std::string_view key) const {
    return std::get<T>(values.find(key)->second.data);
  }
  template <class T>
  T get_or(std::string_view key, T otherwise) const {
    return has(key) ? get<T>(key) : otherwise;
  }
  const Place& place_of(std::string_view key) const;
  /// "[mixnet]", "[host.mix-0]", "[[at]]".
  std::string heading() const { return scenario::heading(*table, name); }
};

struct Document {
  std::string file;
  std::vector<Section> sections;  // in the order of the key table, then of the file

  std::vector<const Section*> all(std::string_view table) const;
  /// The section of a single table, or of a named one; nullptr when there is none.
  const Section* find(std::string_view table, std::string_view name = {}) const;
};

/// `settings` are "key=value" of --set, applied before anything is checked.
Document read_document(const std::string& file, std::string_view text, const Words& settings,
                       std::vector<Problem>& problems);

/// The document as TOML, every key with a meaning written out.
std::string write_document(const Document& document);
/// The TOML of one value of this kind.
std::string write_value(Kind kind, const Data& data);
/// A TOML basic string.
std::string quote(std::string_view text);

}  // namespace lab::scenario
