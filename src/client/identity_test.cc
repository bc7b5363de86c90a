// SPDX-License-Identifier: Apache-2.0
#include "src/client/identity.h"

#include <stdlib.h>
#include <sys/stat.h>

#include <boost/test/unit_test.hpp>
#include <fstream>
#include <sstream>

#include "src/client/test_world.h"

using namespace mix;
using namespace mix::client;
namespace fs = std::filesystem;

namespace {

struct Folder {
  Folder() {
    std::string name = (fs::temp_directory_path() / "mixlab-identity-XXXXXX").string();
    BOOST_REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~Folder() { fs::remove_all(path); }
  fs::path path;
};

crypto::KeyPair pair(std::uint8_t seed) {
  auto chance = test::generator(seed, "keys");
  return crypto::KeyPair::generate(chance);
}
std::string contents(const fs::path& file) {
  std::ostringstream out;
  out << std::ifstream(file, std::ios::binary).rdbuf();
  return out.str();
}
unsigned mode(const fs::path& file) {
  struct stat status{};
  BOOST_REQUIRE(::stat(file.c_str(), &status) == 0);
  return status.st_mode & 0777;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_saved_identity_is_loaded_again) {
  Folder folder;
  const fs::path dir = identity_dir(folder.path / "config", "zorro");
  BOOST_TEST(dir == folder.path / "config/nym/clients/zorro");
  const auto keys = pair(1);
  BOOST_REQUIRE(save_identity(dir, keys, false).has_value());
  const auto loaded = load_identity(dir);
  BOOST_REQUIRE(loaded.has_value());
  BOOST_TEST((loaded->pair.public_key == keys.public_key));
  BOOST_TEST(equal(loaded->pair.secret.bytes(), keys.secret.bytes()));
  BOOST_TEST(loaded->warning == "");
}

BOOST_AUTO_TEST_CASE(key_files_look_as_the_original_client_has_them) {
  Folder folder;
  ::umask(0);
  BOOST_REQUIRE(save_identity(folder.path / "a", pair(1), false).has_value());
  ::umask(022);
  const std::string secret = contents(folder.path / "a/private.pem");
  BOOST_TEST(secret.starts_with("-----BEGIN DUMMY KEY BASED ON X25519 PRIVATE KEY-----\r\n"));
  BOOST_TEST(contents(folder.path / "a/public.pem")
                 .starts_with("-----BEGIN DUMMY KEY BASED ON X25519 PUBLIC KEY-----\r\n"));
  BOOST_TEST(mode(folder.path / "a/private.pem") == 0600u);
  BOOST_TEST(!fs::exists(folder.path / "a/private.pem.new"));
}

BOOST_AUTO_TEST_CASE(an_identity_is_not_overwritten_unless_asked) {
  Folder folder;
  BOOST_REQUIRE(save_identity(folder.path, pair(1), false).has_value());
  const auto refused = save_identity(folder.path, pair(2), false);
  BOOST_REQUIRE(!refused.has_value());
  BOOST_TEST(refused.error() == (folder.path / "private.pem").string() +
                                    " exists; --force replaces the keys of this id");
  BOOST_TEST((load_identity(folder.path)->pair.public_key == pair(1).public_key));
  BOOST_TEST(save_identity(folder.path, pair(2), true).has_value());
  BOOST_TEST((load_identity(folder.path)->pair.public_key == pair(2).public_key));
  BOOST_TEST(mode(folder.path / "private.pem") == 0600u);
}

BOOST_AUTO_TEST_CASE(what_is_wrong_with_key_files_is_said_with_their_name) {
  Folder folder;
  const auto missing = load_identity(folder.path);
  BOOST_TEST(missing.error() ==
             (folder.path / "private.pem").string() + ": opening: No such file or directory");

  BOOST_REQUIRE(save_identity(folder.path, pair(1), false).has_value());
  fs::permissions(folder.path / "private.pem", fs::perms::group_read, fs::perm_options::add);
  BOOST_TEST(load_identity(folder.path)->warning.find("other users may read") != std::string::npos);

  BOOST_REQUIRE(save_identity(folder.path / "other", pair(2), false).has_value());
  fs::copy_file(folder.path / "other/public.pem", folder.path / "public.pem",
                fs::copy_options::overwrite_existing);
  BOOST_TEST(load_identity(folder.path).error().find("does not belong to") != std::string::npos);

  std::ofstream(folder.path / "private.pem") << "no key";
  BOOST_TEST(load_identity(folder.path)
                 .error()
                 .starts_with((folder.path / "private.pem").string() + ": "));
  std::ofstream(folder.path / "private.pem") << std::string(100'000, 'x');
  BOOST_TEST(!load_identity(folder.path).has_value());
}

BOOST_AUTO_TEST_CASE(a_folder_that_cannot_be_made_is_said) {
  const auto refused = save_identity("/proc/nym/clients/x", pair(1), false);
  BOOST_REQUIRE(!refused.has_value());
  BOOST_TEST(refused.error().starts_with("/proc/nym/clients/x: creating the folder: "));
}

BOOST_AUTO_TEST_CASE(an_id_is_a_harmless_folder_name) {
  for (const char* good : {"zorro", "client-0", "A.b_c", "7"})
    BOOST_TEST(check_id(good) == "");
  for (const std::string& bad :
       {std::string(), std::string(".."), std::string(".hidden"), std::string("a/b"),
        std::string("-rf"), std::string("a b"), std::string("\u00e9"), std::string(65, 'x')})
    BOOST_TEST(check_id(bad) != "", bad);
}

BOOST_AUTO_TEST_CASE(the_config_dir_follows_the_environment) {
  ::setenv("HOME", "/home/someone", 1);
  ::setenv("XDG_CONFIG_HOME", "/etc/elsewhere", 1);
  BOOST_TEST(config_dir().value() == "/etc/elsewhere");
  ::setenv("XDG_CONFIG_HOME", "relative", 1);
  BOOST_TEST(config_dir().value() == "/home/someone/.config");
  ::unsetenv("XDG_CONFIG_HOME");
  BOOST_TEST(config_dir().value() == "/home/someone/.config");
  ::unsetenv("HOME");
  BOOST_TEST(!config_dir().has_value());
}
