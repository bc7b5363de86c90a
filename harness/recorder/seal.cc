// SPDX-License-Identifier: Apache-2.0
#include "harness/recorder/seal.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <vector>

#include "harness/model/sha256.h"
#include "src/sqlite/database.h"

namespace lab::recorder {
namespace {

using mix::sqlite::Database;

constexpr std::string_view kMark = "mixlab-seal:";
constexpr std::size_t kSum = 32, kPiece = 1 << 20;
using Sum = mix::ByteArray<kSum>;

class File {
 public:
  File(const std::string& path, int flags) : x_fd(::open(path.c_str(), flags | O_CLOEXEC)) {}
  ~File() {
    if (x_fd >= 0) ::close(x_fd);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  explicit operator bool() const { return x_fd >= 0; }
  int fd() const { return x_fd; }

 private:
  int x_fd;
};

struct Sealed {
  Sum sum{};      // of all bytes, those in its own place taken as zeros
  Sum written{};  // those 32
  off_t at = -1;  // where they are
};

/// Where the digest's place in the file is, after the mark in the only page of the table `seal`;
/// -1: nowhere. A mark elsewhere, in somebody's log line, is none.
off_t find_place(const std::string& path, const File& file) {
  std::int64_t page = 0, size = 0;
  {
    auto db = Database::open(path, Database::Mode::read_only);
    if (!db) return -1;
    page = db->integer("SELECT rootpage FROM sqlite_master WHERE name = 'seal'").value_or(0);
    size = db->integer("PRAGMA page_size").value_or(0);
  }
  if (page <= 0 || size <= 0) return -1;
  std::vector<char> bytes(static_cast<std::size_t>(size));
  const off_t start = (page - 1) * size;
  const ssize_t n = ::pread(file.fd(), bytes.data(), bytes.size(), start);
  if (n <= 0) return -1;
  const std::size_t at = std::string_view(bytes.data(), static_cast<std::size_t>(n)).rfind(kMark);
  return at == std::string_view::npos ? -1 : start + static_cast<off_t>(at + kMark.size());
}

std::optional<Sealed> read(const std::string& path, const File& file) {
  Sealed out;
  out.at = find_place(path, file);
  if (out.at < 0) return out;
  Sha256 hash;
  std::vector<std::uint8_t> piece(kPiece);
  for (off_t at = 0;;) {
    const ssize_t n = ::pread(file.fd(), piece.data(), piece.size(), at);
    if (n < 0) return std::nullopt;
    if (n == 0) break;
    for (std::size_t i = 0; i < kSum; ++i) {
      const off_t place = out.at + static_cast<off_t>(i) - at;
      if (place < 0 || place >= n) continue;
      out.written[i] = piece[static_cast<std::size_t>(place)];
      piece[static_cast<std::size_t>(place)] = 0;
    }
    hash.add({piece.data(), static_cast<std::size_t>(n)});
    at += n;
  }
  out.sum = hash.digest();
  return out;
}

}  // namespace

std::expected<void, std::string> seal(const std::string& path) {
  {
    auto db = Database::open(path, Database::Mode::read_write);
    if (!db) return std::unexpected(path + ": " + db.error().text);
    const std::string sql = "DELETE FROM seal; INSERT INTO seal (mark) VALUES (CAST('" +
                            std::string(kMark) + std::string(kSum, '0') + "' AS BLOB))";
    if (auto done = db->run(sql); !done) return std::unexpected(path + ": " + done.error().text);
  }
  const File file(path, O_RDWR);
  const auto read_back = file ? read(path, file) : std::nullopt;
  if (!read_back) return std::unexpected(path + ": " + std::strerror(errno));
  if (read_back->at < 0) return std::unexpected(path + ": its seal was not written");
  if (::pwrite(file.fd(), read_back->sum.data(), kSum, read_back->at) != static_cast<ssize_t>(kSum))
    return std::unexpected(path + ": " + std::strerror(errno));
  return {};
}

std::expected<void, Broken> check_seal(const std::string& path) {
  const File file(path, O_RDONLY);
  const auto found = file ? read(path, file) : std::nullopt;
  if (!found) return std::unexpected(Broken::unreadable);
  if (found->at < 0) return std::unexpected(Broken::unsealed);
  if (found->sum != found->written) return std::unexpected(Broken::changed);
  return {};
}

}  // namespace lab::recorder
