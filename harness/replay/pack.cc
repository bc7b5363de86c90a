// SPDX-License-Identifier: Apache-2.0
#include "harness/replay/pack.h"

#include <boost/json.hpp>
#include <filesystem>

#include "harness/model/sha256.h"
#include "harness/protocol/contract.h"
#include "harness/replay/elf.h"
#include "harness/runner/folders.h"
#include "harness/runner/manifest.h"

namespace lab::replay {
namespace {

namespace fs = std::filesystem;
using Wrong = std::unexpected<std::string>;

std::string name_of(const std::string& path) {
  return fs::path(path).filename().string();
}

/// Where an own file lies in `bin` or beside it; else its path.
std::string present(const std::string& path, const std::string& bin) {
  if (!is_own(name_of(path))) return path;
  for (const fs::path& place :
       {fs::path(bin) / name_of(path), fs::path(bin).parent_path() / "mutants" / name_of(path)})
    if (fs::exists(place)) return place.string();
  return path;
}

/// The loader is the one library whose name says so on every Linux of this machine's kind.
bool is_loader(const std::string& name) {
  return name.starts_with("ld-linux") || name.starts_with("ld-2.") || name.starts_with("ld.so");
}

}  // namespace

bool is_own(const std::string& name) {
  return name.starts_with("nym-") || name.starts_with("mixlab") ||
         name.starts_with("libmixlab-shim");
}

std::map<std::string, std::string> sums_of(const Recorded& recorded, const char* key) {
  std::map<std::string, std::string> out;
  const boost::json::value* list = recorded.manifest.if_contains(key);
  if (list == nullptr || !list->is_object()) return out;
  for (const auto& [path, sum] : list->as_object())
    if (sum.is_string()) out[std::string(path)] = std::string(sum.as_string());
  return out;
}

std::optional<std::string> recorded_path(const Recorded& recorded, const std::string& program) {
  const auto all = sums_of(recorded, "programs");
  const auto found = all.find(program);
  if (found == all.end()) return std::nullopt;
  return found->second;
}

void Pack::add(const Recorded& recorded) {
  std::map<std::string, bool> programs;
  for (const auto& [name, path] : sums_of(recorded, "programs"))
    programs[path] = true;
  auto all = sums_of(recorded, "binaries");
  all.merge(sums_of(recorded, "lab"));
  for (const auto& [path, sum] : all) {
    const bool program = programs.contains(path) || is_own(name_of(path));
    const fs::path folder = fs::path(x_folder) / (program ? "bin" : "lib");
    if (fs::exists(folder / name_of(path))) x_files[path] = (folder / name_of(path)).string();
  }
}

std::expected<Pack, std::string> Pack::make(const Recorded& recorded, const std::string& bin) {
  Pack out(recorded.file + ".pack");
  std::map<std::string, bool> programs;
  for (const auto& [name, path] : sums_of(recorded, "programs"))
    programs[path] = true;
  auto all = sums_of(recorded, "binaries");
  all.merge(sums_of(recorded, "lab"));
  if (all.empty()) return Wrong(recorded.file + ": its manifest lists no binaries");
  for (const auto& [path, sum] : all) {
    const bool program = programs.contains(path) || is_own(name_of(path));
    std::string from = path;
    if (sha256_of_file(from) != sum) from = present(path, bin);
    const auto is = sha256_of_file(from);
    if (!is) return Wrong(path + ": cannot be read, so it cannot be packed");
    if (*is != sum)
      return Wrong(from + " is another than the recorded one (SHA-256 " + is->substr(0, 12) +
                   "..., recorded " + sum.substr(0, 12) + "...): it cannot be packed");
    const fs::path folder = fs::path(out.x_folder) / (program ? "bin" : "lib");
    std::error_code error;
    fs::create_directories(folder, error);
    fs::permissions(out.x_folder, fs::perms::owner_all, error);
    const fs::path to = folder / name_of(path);
    if (fs::exists(to) && sha256_of_file(to.string()) != sum && fs::is_regular_file(to))
      fs::remove(to, error);
    if (!fs::exists(to)) fs::copy_file(from, to, error);
    if (error) return Wrong(to.string() + ": " + error.message());
    // Programs ask for a library by its soname; the file may have a longer name.
    if (const auto soname = program ? std::nullopt : soname_of(to.string());
        soname && *soname != name_of(path) && !fs::exists(folder / *soname)) {
      fs::create_symlink(name_of(path), folder / *soname, error);
      if (error) return Wrong((folder / *soname).string() + ": " + error.message());
    }
  }
  out.add(recorded);
  return out;
}

std::optional<Pack> Pack::beside(const Recorded& recorded) {
  Pack out(recorded.file + ".pack");
  if (!fs::is_directory(out.x_folder)) return std::nullopt;
  out.add(recorded);
  return out;
}

std::optional<std::string> Pack::file(const std::string& manifest_path) const {
  const auto found = x_files.find(manifest_path);
  if (found == x_files.end()) return std::nullopt;
  return found->second;
}

std::expected<runner::Binary, std::string> Pack::binary(const Recorded& recorded,
                                                        const std::string& program,
                                                        const std::string& work) const {
  const auto path = recorded_path(recorded, program);
  const auto packed = path ? file(*path) : std::nullopt;
  if (!packed) return Wrong("the pack " + x_folder + " has no binary for it");
  runner::Binary out{*path, {}, {}, fs::absolute(x_folder).string() + "/lib"};
  for (const auto& [recorded_as, here] : x_files)
    if (is_loader(name_of(recorded_as))) out.loader = here;
  if (out.loader.empty()) return Wrong("the pack " + x_folder + " has no dynamic loader");
  std::error_code error;
  fs::create_directories(work, error);
  out.file = work + "/" + name_of(*path);
  const std::string loader = "/proc/self/fd/" + std::to_string(LAB_FD_LOADER);
  if (const auto problem = copy_with_loader(*packed, loader, out.file)) return Wrong(*problem);
  return out;
}

// ---- what is not as it was ----

namespace {

void compare_files(const Recorded& recorded, const std::optional<Pack>& pack,
                   const std::string& bin, std::vector<Fact>& out) {
  for (const char* key : {"binaries", "files"})
    for (const auto& [path, sum] : sums_of(recorded, key)) {
      std::string now = present(path, bin);
      if (pack && !name_of(path).starts_with("libmixlab"))
        if (const auto packed = pack->file(path)) now = *packed;
      const auto is = sha256_of_file(now);
      if (is == sum) continue;
      const std::string what = std::string(key) == "files" ? path : name_of(path);
      out.push_back({!is ? what + " was used by the recorded run and is not here (" + now + ")"
                         : what + " is another than the recorded one: SHA-256 " +
                               is->substr(0, 12) + "... in " + now + ", recorded " +
                               sum.substr(0, 12) + "...",
                     true});
    }
  for (const auto& [path, sum] : sums_of(recorded, "lab"))
    if (const auto is = sha256_of_file("/proc/self/exe"); is && *is != sum) {
      std::string text = "mixlab itself is another build than the one that recorded";
      if (const auto packed = pack ? pack->file(path) : std::nullopt)
        text += "; that one is " + *packed;
      out.push_back({text, false});
    }
}

void compare_values(const std::string& name, const boost::json::value& then,
                    const boost::json::value& now, bool matters, std::vector<Fact>& out) {
  if (then == now) return;
  if (then.is_object() && now.is_object()) {
    for (const auto& [key, value] : then.as_object()) {
      const boost::json::value* other = now.as_object().if_contains(key);
      // Which CPUs and limits a run was allowed to use: the lab gives its nodes others.
      const bool own = key == "cpus" || key == "rlimits" || key == "detail";
      compare_values(name + (name.empty() ? "" : ", ") + std::string(key), value,
                     other != nullptr ? *other : boost::json::value(), matters && !own, out);
    }
    return;
  }
  out.push_back({name + ": recorded " + boost::json::serialize(then) + ", here " +
                     boost::json::serialize(now),
                 matters});
}

}  // namespace

std::vector<Fact> differences(const Recorded& recorded, const std::optional<Pack>& pack,
                              const std::string& bin, const controller::Options& options) {
  std::vector<Fact> out;
  compare_files(recorded, pack, bin, out);
  const boost::json::object now = runner::surroundings(options);
  for (const auto& [key, value] : now)
    if (const boost::json::value* then = recorded.manifest.if_contains(key))
      compare_values(std::string(key), *then, value, true, out);
  return out;
}

std::expected<runner::Binary, std::string> find_binary(const Recorded& recorded,
                                                       const std::optional<Pack>& pack,
                                                       const scenario::Program& program,
                                                       const std::string& bin,
                                                       const std::string& work) {
  if (pack) return pack->binary(recorded, program.name, work);
  const auto path = recorded_path(recorded, program.name);
  std::error_code error;
  if (path && !is_own(name_of(*path)) && fs::exists(*path, error))
    return runner::Binary{*path, {}, {}, {}};
  auto found = runner::find_program(program.command[0], bin, recorded.file);
  if (!found) return Wrong(found.error());
  return runner::Binary{std::move(*found), {}, {}, {}};
}

}  // namespace lab::replay
