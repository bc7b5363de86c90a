// SPDX-License-Identifier: Apache-2.0
#include "harness/replay/solo_folder.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "harness/judge/query.h"

namespace lab::replay {
namespace {

namespace fs = std::filesystem;
using Wrong = std::unexpected<std::string>;

/// A recording may come from a stranger: nothing outside the folder.
bool inside(const fs::path& path) {
  if (path.is_absolute()) return false;
  for (const fs::path& part : path)
    if (part == "..") return false;
  return true;
}

}  // namespace

std::expected<std::vector<FileNumber>, std::string> restore_folder(mix::sqlite::Database& db,
                                                                   std::int64_t life,
                                                                   const std::string& folder) {
  std::vector<FileNumber> out;
  std::vector<std::pair<fs::path, mode_t>> folders;  // their modes come last: one may be read-only
  std::error_code error;
  fs::remove_all(folder, error);
  fs::create_directories(folder, error);
  if (error) return Wrong(folder + ": " + error.message());
  judge::Query files(db,
                     "SELECT path, mode, number, digest, (SELECT bytes FROM blob b WHERE b.digest "
                     "= f.digest) FROM folder_file f WHERE life = ? ORDER BY path",
                     life);
  while (files.next()) {
    const fs::path name = files.text(0);
    if (!inside(name)) return Wrong("it has a file outside its folder: " + name.string());
    const fs::path path = name.empty() ? fs::path(folder) : fs::path(folder) / name;
    const auto mode = static_cast<mode_t>(files.integer(1) & 07777);
    if (files.is_null(3)) {
      fs::create_directories(path, error);
      folders.emplace_back(path, mode);
    } else {
      if (files.is_null(4)) return Wrong("the bytes of " + name.string() + " are not in it");
      const mix::BytesView bytes = files.blob(4);
      std::ofstream file(path, std::ios::binary);
      file.write(reinterpret_cast<const char*>(bytes.data()),
                 static_cast<std::streamsize>(bytes.size()));
      if (!file.flush()) return Wrong(path.string() + ": cannot be written");
      file.close();
      ::chmod(path.c_str(), mode);
    }
    struct stat s{};
    if (error || ::stat(path.c_str(), &s) != 0) return Wrong(path.string() + ": cannot be made");
    if (const std::int64_t number = files.integer(2); number != 0)
      out.push_back({s.st_dev, s.st_ino, static_cast<std::uint64_t>(number)});
  }
  for (const auto& [path, mode] : folders)
    ::chmod(path.c_str(), mode);
  return out;
}

}  // namespace lab::replay
