// SPDX-License-Identifier: Apache-2.0
#include "harness/scenario/document.h"

#include <algorithm>

#include "harness/scenario/value_reader.h"

namespace lab::scenario {
namespace {

Place place_of_source(const toml::source_region& source, const std::string& file) {
  const std::string path = source.path ? *source.path : file;
  return {path, static_cast<int>(source.begin.line), static_cast<int>(source.begin.column)};
}

/// Which keys of which tables a --set has written: what it was, for the place of a problem.
using Settings = std::map<std::pair<const toml::table*, std::string>, std::string>;

/// Turns the tables of one file into sections.
class Checker {
 public:
  Checker(std::string file, const Settings& settings, std::vector<Problem>& problems)
      : x_settings(settings), x_problems(problems) {
    x_document.file = std::move(file);
  }

  Document check(const toml::table& root) {
    for (const auto& [key, node] : root)
      if (find_table(key.str()) == nullptr) unknown_table(key, node);
    for (const Table& table : tables())
      if (const toml::node* node = root.get(table.name)) add(table, *node);
    for (const char* name : {"scenario", "record"})
      if (x_document.find(name) == nullptr) missing(*find_table(name), "");
    if (x_document.find("link", "default") == nullptr) missing(*find_table("link"), "default");
    std::ranges::stable_sort(x_document.sections, [](const Section& a, const Section& b) {
      return std::pair(a.table - tables().data(), a.name) <
             std::pair(b.table - tables().data(), b.name);
    });
    return std::move(x_document);
  }

 private:
  void problem(const Place& place, std::string text) {
    x_problems.push_back({place, std::move(text)});
  }
  Place place(const toml::source_region& source) const {
    return place_of_source(source, x_document.file);
  }

  void unknown_table(const toml::key& key, const toml::node& node) {
    Words names;
    for (const Table& table : tables())
      names.emplace_back(table.name);
    const std::string name(key.str());
    const bool later = name == "adversary" || name == "sweep";
    const bool is_table = node.is_table() || node.is_array_of_tables();
    problem(place(key.source()),
            !is_table ? name + ": a key must be inside a table, such as [scenario]"
                      : "[" + name + "]: " + (later ? "not in this version" : "unknown table") +
                            suggestion(name, names));
  }

  void missing(const Table& table, const std::string& name) {
    Section section;
    section.table = &table;
    section.name = name;
    section.place = {x_document.file, 1, 1};
    finish(section);
  }

  void add(const Table& table, const toml::node& node) {
    if (table.shape == Shape::list) {
      const toml::array* array = node.as_array();
      if (array == nullptr)
        return problem(place(node.source()),
                       heading(table) + ": write it with double brackets, one for each entry");
      std::size_t number = 0;
      for (const toml::node& item : *array)
        add_section(table, "", number++, item);
      return;
    }
    const toml::table* content = node.as_table();
    if (content == nullptr)
      return problem(place(node.source()),
                     heading(table) + ": write it with single brackets, once");
    if (table.shape == Shape::single) return add_section(table, "", 0, node);
    for (const auto& [name, item] : *content) {
      if (!item.is_table()) {
        problem(place(name.source()), "[" + std::string(table.name) + "] " +
                                          std::string(name.str()) + ": give it a name, as in " +
                                          heading(table));
        continue;
      }
      add_section(table, std::string(name.str()), 0, item);
    }
  }

  void add_section(const Table& table, const std::string& name, std::size_t number,
                   const toml::node& node) {
    Section section;
    section.table = &table;
    section.name = name;
    section.number = number;
    section.place = place(node.source());
    const toml::table* content = node.as_table();
    if (content == nullptr)
      return problem(section.place, heading(table, name) + ": expected a table");
    for (const auto& [key, item] : *content)
      read_key(section, *content, key, item);
    finish(section);
  }

  void read_key(Section& section, const toml::table& table, const toml::key& key,
                const toml::node& node) {
    const std::string name(key.str());
    const std::string where = section.heading() + " " + name + ": ";
    const Key* known = section.table->find(name);
    Place at = place(key.source());
    if (const auto set = x_settings.find({&table, name}); set != x_settings.end())
      at = {"--set " + set->second, 0, 0};
    if (known == nullptr) {
      Words names;
      for (const Key& k : section.table->keys)
        names.emplace_back(k.name);
      return problem(at, where + "unknown key" + suggestion(name, names));
    }
    auto value = read_value(*known, node);
    if (!value) {
      section.values[name] = {Data{}, at, true};
      return problem(at, where + value.error());
    }
    section.values[name] = {std::move(*value), at, true};
  }

  /// Keys that are required, that have no effect here, or that take their default.
  void finish(Section& section) {
    const Table& table = *section.table;
    std::string which;
    if (table.selector != nullptr && section.has(table.selector))
      if (const auto* text =
              std::get_if<std::string>(&section.values.find(table.selector)->second.data))
        which = *text;
    for (const Key& key : table.keys) {
      const bool meant = key.only == nullptr || among(key.only, which);
      const bool needed =
          key.needed != nullptr && (key.needed[0] == '*' || among(key.needed, which));
      if (section.has(key.name) && !meant && !which.empty()) {
        problem(section.place_of(key.name), section.heading() + " " + key.name +
                                                ": has no effect with " + table.selector + " = \"" +
                                                which + "\"");
      } else if (!section.has(key.name) && needed) {
        problem(section.place,
                section.heading() + ": '" + key.name + "' is missing, " + describe(key));
      } else if (!section.has(key.name) && meant && key.preset != nullptr &&
                 (std::string_view(key.name) != "queue" || section.has("bandwidth"))) {
        const toml::table preset = toml::parse(std::string("x = ") + key.preset);
        section.values[key.name] = {*read_value(key, *preset.get("x")), section.place, false};
      }
    }
    if (section.given("queue") && !section.has("bandwidth"))
      problem(section.place_of("queue"),
              section.heading() + " queue: has no effect without 'bandwidth'");
    x_document.sections.push_back(std::move(section));
  }

  const Settings& x_settings;
  std::vector<Problem>& x_problems;
  Document x_document;
};

// ---- --set ----

/// The node an assignment's path names, made where it is missing; nullptr when the path is wrong.
toml::table* walk(toml::table& root, const Words& path) {
  toml::table* at = &root;
  for (const std::string& step : path) {
    const std::size_t bracket = step.find('[');
    if (bracket != std::string::npos) {
      toml::node* list = at->get(step.substr(0, bracket));
      if (list == nullptr || !list->is_array() || step.back() != ']') return nullptr;
      const std::string digits = step.substr(bracket + 1, step.size() - bracket - 2);
      if (digits.empty() || digits.size() > 6 ||
          digits.find_first_not_of("0123456789") != std::string::npos)
        return nullptr;
      toml::node* item = list->as_array()->get(std::stoul(digits));
      at = item == nullptr ? nullptr : item->as_table();
    } else {
      toml::node* next = at->get(step);
      if (next == nullptr) next = &at->insert(step, toml::table{}).first->second;
      at = next->as_table();
    }
    if (at == nullptr) return nullptr;
  }
  return at;
}

toml::table parse_setting(const std::string& value, const std::string& source) {
  try {
    return toml::parse("x = " + value, source);
  } catch (const toml::parse_error&) {  // not TOML as it stands: a text without its quotes
    return toml::parse("x = " + quote(value), source);
  }
}

void apply_setting(toml::table& root, const std::string& setting, Settings& settings,
                   std::vector<Problem>& problems) {
  const std::string source = "--set " + setting;
  const std::size_t equals = setting.find('=');
  Words path;
  std::string_view rest = std::string_view(setting).substr(0, std::min(equals, setting.size()));
  while (equals != std::string::npos) {
    const std::size_t dot = rest.find('.');
    path.emplace_back(rest.substr(0, dot));
    if (dot == std::string_view::npos) break;
    rest = rest.substr(dot + 1);
  }
  if (path.size() < 2 || path.back().empty()) {
    problems.push_back(
        {{source, 0, 0},
         "write table.key=value (mixnet.width=3, link.default.latency=50 ms, at[0].t=5 s)"});
    return;
  }
  const std::string key = path.back();
  path.pop_back();
  toml::table* table = walk(root, path);
  if (table == nullptr) {
    problems.push_back({{source, 0, 0}, "there is no such table in the scenario"});
    return;
  }
  const toml::table parsed = parse_setting(setting.substr(equals + 1), source);
  parsed.get("x")->visit([&](const auto& node) { table->insert_or_assign(key, node); });
  settings[{table, key}] = setting;
}

}  // namespace

std::string to_text(const Problem& problem) {
  std::string out = problem.place.file;
  if (problem.place.line > 0)
    out += ":" + std::to_string(problem.place.line) + ":" + std::to_string(problem.place.column);
  return out + ": " + problem.text;
}

bool Section::given(std::string_view key) const {
  const auto found = values.find(key);
  return found != values.end() && found->second.given;
}

const Place& Section::place_of(std::string_view key) const {
  const auto found = values.find(key);
  return found == values.end() ? place : found->second.place;
}

std::vector<const Section*> Document::all(std::string_view table) const {
  std::vector<const Section*> out;
  for (const Section& section : sections)
    if (section.table->name == table) out.push_back(&section);
  return out;
}

const Section* Document::find(std::string_view table, std::string_view name) const {
  for (const Section& section : sections)
    if (section.table->name == table && section.name == name) return &section;
  return nullptr;
}

Document read_document(const std::string& file, std::string_view text, const Words& settings,
                       std::vector<Problem>& problems) {
  try {
    toml::table root = toml::parse(text, file);
    Settings applied;
    for (const std::string& setting : settings)
      apply_setting(root, setting, applied, problems);
    Document out = Checker(file, applied, problems).check(root);
    std::ranges::stable_sort(
        problems, {}, [](const Problem& p) { return std::pair(p.place.line, p.place.column); });
    return out;
  } catch (const toml::parse_error& error) {
    problems.push_back(
        {place_of_source(error.source(), file), "not TOML: " + std::string(error.description())});
    return {};
  }
}

}  // namespace lab::scenario
