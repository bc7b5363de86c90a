// SPDX-License-Identifier: Apache-2.0
#include "harness/runner/folders.h"

#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "src/prelude/cursor.h"

namespace lab::runner {
namespace {

namespace fs = std::filesystem;
using Wrong = std::unexpected<std::string>;

/// What the lab puts into a folder has the modes that a program's own files have (it runs with
/// 022), whatever the caller's umask.
class FixedUmask {
 public:
  FixedUmask() : x_before(::umask(022)) {}
  ~FixedUmask() { ::umask(x_before); }
  FixedUmask(const FixedUmask&) = delete;

 private:
  mode_t x_before;
};

/// Nor does it matter what the folder around it would hand down.
void forget_inherited(const fs::path& folder) {
  ::removexattr(folder.c_str(), "system.posix_acl_default");
}

std::expected<void, std::string> make_parent(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  if (error) return Wrong(path.parent_path().string() + ": " + error.message());
  return {};
}

std::expected<void, std::string> put(const fs::path& from, const fs::path& to) {
  if (auto made = make_parent(to); !made) return made;
  std::error_code error;
  fs::copy(from, to, fs::copy_options::recursive | fs::copy_options::overwrite_existing, error);
  if (error) return Wrong(from.string() + ": " + error.message());
  return {};
}

/// One file, as it is; a folder's with all that is below it.
std::string read_source(const fs::path& from, const std::string& program, const fs::path& path,
                        std::vector<recorder::Source>& out) {
  std::error_code error;
  if (fs::is_directory(from, error)) {
    std::vector<fs::path> below;
    for (const auto& entry : fs::directory_iterator(from, error))
      below.push_back(entry.path().filename());
    std::ranges::sort(below);
    std::string problem;
    for (std::size_t i = 0; i < below.size() && problem.empty(); ++i)
      problem = read_source(from / below[i], program, path / below[i], out);
    return problem;
  }
  std::ifstream in(from, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  const auto mode = fs::status(from, error).permissions();
  if (!in || error) return from.string() + ": " + (error ? error.message() : "cannot be read");
  const std::string bytes = text.str();
  out.push_back({program, path.lexically_normal().string(),
                 static_cast<std::int64_t>(mode & fs::perms::all),
                 mix::Bytes(bytes.begin(), bytes.end())});
  return {};
}

bool stays_inside(const fs::path& path) {
  return !path.empty() && path.is_relative() && std::ranges::find(path, "..") == path.end();
}

bool runs(const fs::path& path) {
  return ::access(path.c_str(), X_OK) == 0 && fs::is_regular_file(path);
}

}  // namespace

std::string folder_of(const scenario::Plan& plan, const std::string& work, HostId host) {
  return work + "/" + plan.hosts[index(host)].name;
}

std::expected<std::vector<recorder::Source>, std::string> read_sources(const scenario::Plan& plan) {
  std::vector<recorder::Source> out;
  for (const scenario::Program& program : plan.programs)
    for (const auto& [path, source] : program.files)
      if (const std::string problem =
              read_source(fs::path(plan.file).parent_path() / source, program.name, path, out);
          !problem.empty())
        return Wrong("[[program]] " + program.name + ", files: " + problem);
  return out;
}

std::expected<void, std::string> prepare(const scenario::Plan& plan, const std::string& work,
                                         const scenario::Program& program,
                                         const std::vector<recorder::Source>& sources) {
  const fs::path folder = folder_of(plan, work, program.host);
  const FixedUmask fixed;
  std::error_code error;
  fs::create_directories(folder, error);
  if (!error) fs::permissions(folder, fs::perms::owner_all, error);
  if (error) return Wrong(folder.string() + ": " + error.message());
  forget_inherited(folder);
  for (const recorder::Source& source : sources) {
    if (source.program != program.name) continue;
    if (!stays_inside(source.path))  // a recording may come from anybody
      return Wrong("[[program]] " + program.name + ", files: '" + source.path +
                   "' leaves its folder");
    if (auto done = make_parent(folder / source.path); !done) return done;
    std::ofstream out(folder / source.path, std::ios::binary);
    out << mix::as_text(source.bytes);
    if (out.flush())
      fs::permissions(folder / source.path, static_cast<fs::perms>(source.mode), error);
    if (!out || error) return Wrong((folder / source.path).string() + ": cannot be written");
  }
  for (const auto& [path, text] : program.contents) {
    if (auto done = make_parent(folder / path); !done) return done;
    std::ofstream out(folder / path, std::ios::binary);
    out << text;
    if (!out.flush()) return Wrong((folder / path).string() + ": cannot be written");
  }
  return {};
}

std::expected<void, std::string> fetch(const scenario::Plan& plan, const std::string& work,
                                       const scenario::Program& program) {
  const FixedUmask fixed;
  for (const auto& [path, from] : program.fetch) {
    const scenario::Program& other = plan.programs[index(from)];
    const fs::path source = fs::path(folder_of(plan, work, other.host)) / other.public_key_file;
    if (auto done = put(source, fs::path(folder_of(plan, work, program.host)) / path); !done)
      return Wrong(program.name + " needs what " + other.name + " writes: " + done.error());
  }
  return {};
}

FolderDigest digest_folder(const std::string& folder) {
  std::vector<std::string> paths;
  std::error_code error;
  for (const auto& entry : fs::recursive_directory_iterator(folder, error))
    if (entry.is_regular_file(error) && !entry.is_symlink(error))
      paths.push_back(fs::relative(entry.path(), folder, error).string());
  std::ranges::sort(paths);
  Hasher hasher(sizeof(Digest32));
  for (const std::string& path : paths) {
    std::ifstream in(fs::path(folder) / path, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    const std::string bytes = text.str();
    mix::Bytes frame;
    mix::Writer(frame)
        .u32(static_cast<std::uint32_t>(path.size()))
        .bytes(mix::as_bytes(path))
        .u64(bytes.size())
        .bytes(mix::as_bytes(bytes));
    hasher.add(frame);
  }
  FolderDigest out;
  out.files = paths.size();
  hasher.digest(out.digest);
  return out;
}

std::expected<std::string, std::string> find_program(const std::string& word,
                                                     const std::string& bin,
                                                     const std::string& scenario_file) {
  std::vector<fs::path> places{fs::path(bin) / word,
                               fs::path(bin).parent_path() / "mutants" / word};
  if (word.find('/') != std::string::npos) {
    places = {word.starts_with('/') ? fs::path(word)
                                    : fs::path(scenario_file).parent_path() / word};
  } else if (const char* path = std::getenv("PATH")) {
    std::istringstream folders(path);
    for (std::string folder; std::getline(folders, folder, ':');)
      if (!folder.empty()) places.push_back(fs::path(folder) / word);
  }
  for (const fs::path& place : places) {
    std::error_code error;
    if (runs(place)) return fs::canonical(place, error).string();
  }
  for (const fs::path& place : places) {
    std::error_code error;
    if (fs::is_regular_file(place, error)) return Wrong(place.string() + " may not be executed");
  }
  return Wrong("there is no program '" + word + "' (looked in " +
               places.front().parent_path().string() +
               (word.find('/') == std::string::npos ? " and on PATH)" : ")"));
}

std::vector<std::string> missing(const scenario::Plan& plan, const std::string& bin) {
  std::vector<std::string> out;
  std::set<std::string> said;  // of [mixnet]'s programs: not once for each of its mixes
  for (const scenario::Program& program : plan.programs) {
    const auto found = find_program(program.command[0], bin, plan.file);
    const bool ours = program.command_place.empty();
    if (!found && (!ours || said.insert(program.command[0]).second))
      out.push_back((ours ? program.name : program.command_place) + ": " + found.error());
    for (const auto& [path, source] : program.files) {
      const fs::path from = fs::path(plan.file).parent_path() / source;
      if (::access(from.c_str(), R_OK) != 0)
        out.push_back(program.files_place + ": '" + path + "' is to be " + from.string() + ": " +
                      std::strerror(errno));
    }
  }
  return out;
}

}  // namespace lab::runner
