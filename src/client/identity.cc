// SPDX-License-Identifier: Apache-2.0
#include "src/client/identity.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "src/crypto/pem.h"
#include "src/crypto/secret.h"
#include "src/wire/limits.h"

namespace mix::client {
namespace {

namespace fs = std::filesystem;
constexpr const char* kPrivateName = "private.pem";
constexpr const char* kPublicName = "public.pem";

std::unexpected<std::string> failed(const fs::path& file, std::string_view what,
                                    int error = errno) {
  return std::unexpected(file.string() + ": " + std::string(what) + ": " + std::strerror(error));
}

/// A descriptor that closes itself.
class File {
 public:
  File(const fs::path& path, int flags, mode_t mode = 0)
      : x_descriptor(::open(path.c_str(), flags | O_CLOEXEC, mode)) {}
  ~File() {
    if (x_descriptor >= 0) ::close(x_descriptor);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  explicit operator bool() const { return x_descriptor >= 0; }
  int get() const { return x_descriptor; }

 private:
  int x_descriptor;
};

bool write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(descriptor, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

/// Beside its final place first, so that a full disk or a kill leaves no half key behind.
std::expected<void, std::string> write_file(const fs::path& path, std::string_view text,
                                            mode_t mode) {
  const fs::path draft = path.string() + ".new";
  ::unlink(draft.c_str());
  {
    File file(draft, O_WRONLY | O_CREAT | O_EXCL, mode);
    if (!file) return failed(draft, "creating");
    if (!write_all(file.get(), text) || ::fsync(file.get()) != 0) return failed(draft, "writing");
  }
  if (::rename(draft.c_str(), path.c_str()) != 0) return failed(path, "writing");
  return {};
}

std::expected<std::string, std::string> read_file(const fs::path& path) {
  File file(path, O_RDONLY);
  if (!file) return failed(path, "opening");
  std::string text(crypto::kPemMaxText + 1, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t n = ::read(file.get(), text.data() + size, text.size() - size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return failed(path, "reading");
    if (n == 0) break;
    size += static_cast<std::size_t>(n);
  }
  text.resize(size);
  return text;
}

void wipe(std::string& text) {
  crypto::wipe({reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
}

std::string warning_about(const fs::path& private_file) {
  struct stat status{};
  if (::stat(private_file.c_str(), &status) != 0 || (status.st_mode & 077) == 0) return {};
  return private_file.string() + ": other users may read this key (chmod 600 it)";
}

}  // namespace

std::string check_id(const std::string& id) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_';
  };
  if (id.empty()) return "an id may not be empty";
  if (id.size() > wire::kMaxIdLength)
    return "an id is at most " + std::to_string(wire::kMaxIdLength) + " characters";
  if (!std::ranges::all_of(id, allowed) || id.front() == '.' || id.front() == '-')
    return "'" + id +
           "' is no id: letters, digits, '.', '-' and '_', and neither '.' nor '-' first";
  return {};
}

std::expected<fs::path, std::string> config_dir() {
  // An XDG path that is not absolute is to be ignored, says its specification.
  if (const char* xdg = std::getenv("XDG_CONFIG_HOME"); xdg != nullptr && xdg[0] == '/') return xdg;
  if (const char* home = std::getenv("HOME"); home != nullptr && home[0] != '\0')
    return fs::path(home) / ".config";
  return std::unexpected("neither XDG_CONFIG_HOME nor HOME says where key files belong");
}

fs::path identity_dir(const fs::path& config, std::string_view id) {
  return config / "nym" / "clients" / id;
}

std::expected<void, std::string> save_identity(const fs::path& dir, const crypto::KeyPair& pair,
                                               bool overwrite) {
  std::error_code problem;
  fs::create_directories(dir, problem);
  if (problem) return failed(dir, "creating the folder", problem.value());
  const fs::path private_file = dir / kPrivateName;
  if (!overwrite) {
    for (const fs::path& file : {private_file, dir / kPublicName})
      if (fs::exists(file, problem))
        return std::unexpected(file.string() + " exists; --force replaces the keys of this id");
  }
  std::string secret = crypto::to_pem(pair.secret);
  const auto written = write_file(private_file, secret, 0600);
  wipe(secret);
  if (!written) return written;
  return write_file(dir / kPublicName, crypto::to_pem(pair.public_key), 0644);
}

std::expected<LoadedIdentity, std::string> load_identity(const fs::path& dir) {
  const fs::path private_file = dir / kPrivateName;
  const fs::path public_file = dir / kPublicName;
  auto secret_text = read_file(private_file);
  if (!secret_text) return std::unexpected(secret_text.error());
  const auto secret = crypto::private_key_from_pem(*secret_text);
  wipe(*secret_text);
  if (!secret) return std::unexpected(private_file.string() + ": " + secret.error());
  const auto public_text = read_file(public_file);
  if (!public_text) return std::unexpected(public_text.error());
  const auto public_key = crypto::public_key_from_pem(*public_text);
  if (!public_key) return std::unexpected(public_file.string() + ": " + public_key.error());
  const auto pair = crypto::KeyPair::from_secret(*secret);
  if (pair.public_key != *public_key)
    return std::unexpected(public_file.string() + " does not belong to " + private_file.string());
  return LoadedIdentity{pair, warning_about(private_file)};
}

}  // namespace mix::client
