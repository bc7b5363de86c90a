// SPDX-License-Identifier: Apache-2.0
// The one table of the scenario language: every table and key, its kind, its default, whom it
// concerns and what it means. The parser, `mixlab check --reference` and the canonical form all
// read this table, so none of them can know a key that another does not.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lab::scenario {

enum class Kind {
  text,
  word,
  address,
  boolean,
  integer,
  duration,
  signed_duration,
  ratio,
  rate,
  size,
  bandwidth,
  epoch,
  selector,
  host_name,
  program_name,
  link_name,
  command,
  files,
  commands,
  latency,
  loss,
  reorder,
  window,
  choice,
  words
};

struct Key {
  const char* name;
  Kind kind;
  const char* preset;  // default, as written in TOML; nullptr: none
  const char* about;
  const char* choices = nullptr;  // of a choice or of words: "a|b|c"; of an integer: "least|most"
  const char* only = nullptr;    // "a|b": has a meaning only where the table's selector key says so
  const char* needed = nullptr;  // "*": always required; "a|b": where the selector key says so
};

enum class Shape { single, named, list };  // [mixnet], [host.X], [[at]]

struct Table {
  const char* name;
  Shape shape;
  const char* selector;  // the key that decides which others have a meaning, or nullptr
  const char* about;
  std::span<const Key> keys;

  const Key* find(std::string_view key) const;
};

std::span<const Table> tables();
const Table* find_table(std::string_view name);
/// `[mixnet]`, `[host.X]`, `[[at]]`.
std::string heading(const Table& table, std::string_view name = "X");
/// Whether `word` is one of "a|b|c".
bool among(const char* list, std::string_view word);
std::vector<std::string> split(const char* list);

/// What a value of this kind looks like, for messages and the reference: `a duration ("20 ms")`.
std::string describe(Kind kind);
std::string describe(const Key& key);
/// "; did you mean 'x'?", or nothing when no candidate is near.
std::string suggestion(std::string_view word, const std::vector<std::string>& candidates);
/// The key reference: Markdown.
std::string reference();

}  // namespace lab::scenario
