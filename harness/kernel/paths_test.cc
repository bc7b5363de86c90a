// SPDX-License-Identifier: Apache-2.0
// Files by name, with a real folder under the library.
#include "harness/kernel/paths.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <filesystem>

#include "harness/kernel/kernel_test.h"

using namespace lab::kernel;

namespace {

/// A program's folder, where the library looks for it.
class Folder {
 public:
  Folder() {
    BOOST_REQUIRE(::mkdtemp(x_path.data()) != nullptr);
    const int fd = ::open(x_path.c_str(), O_PATH | O_DIRECTORY);
    BOOST_REQUIRE(::dup2(fd, LAB_FD_FOLDER) == LAB_FD_FOLDER);
    ::close(fd);
    box.k.raw = [](long number, long a, long b, long c, long d, long e, long f) {
      const long result = ::syscall(number, a, b, c, d, e, f);
      return result < 0 ? -long{errno} : result;
    };
  }
  ~Folder() {
    ::close(LAB_FD_FOLDER);
    std::filesystem::remove_all(x_path);
  }
  Folder(const Folder&) = delete;

  /// What the program sees as its number.
  u64 number(const char* name) {
    lx::Stat s{};
    BOOST_REQUIRE(box.call(nr::k_stat, name, &s) == 0);
    return s.ino;
  }
  /// Of the file that really has these numbers.
  u64 number(const struct stat& real) { return number_of(box.k, real.st_dev, real.st_ino).number; }
  struct stat real(const char* name) {
    struct stat s{};
    BOOST_REQUIRE(::fstatat(LAB_FD_FOLDER, name, &s, 0) == 0);
    return s;
  }

  Box box{1, 1};

 private:
  std::string x_path = (std::filesystem::temp_directory_path() / "mixlab-paths-XXXXXX").string();
};

}  // namespace

BOOST_AUTO_TEST_SUITE(paths)

// The real file system may give the number of what is gone to the next thing made.
BOOST_AUTO_TEST_CASE(what_was_replaced_by_a_rename_leaves_no_number_behind) {
  Folder folder;
  for (const char* name : {"old", "new"})
    BOOST_TEST(folder.box.call(nr::k_mkdir, name, 0700) == 0);
  for (const char* name : {"old-file", "new-file"})
    BOOST_TEST(folder.box.call(nr::k_close, folder.box.call(nr::k_creat, name, 0600)) == 0);
  for (const auto& [from, to] : {std::pair{"new", "old"}, {"new-file", "old-file"}}) {
    BOOST_TEST_CONTEXT(to) {
      const struct stat gone = folder.real(to);
      const u64 before = folder.number(to), moved = folder.number(from);
      BOOST_TEST(folder.box.call(nr::k_rename, from, to) == 0);
      BOOST_TEST(folder.number(to) == moved);
      BOOST_TEST(folder.number(gone) != before);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_folder_that_a_rename_did_not_replace_keeps_its_number) {
  Folder folder;
  for (const char* name : {"a", "full", "full/x"})
    BOOST_TEST(folder.box.call(nr::k_mkdir, name, 0700) == 0);
  const u64 before = folder.number("full");
  BOOST_TEST(folder.box.call(nr::k_rename, "a", "full") == -ENOTEMPTY);
  constexpr long exchange = 2;
  BOOST_TEST(folder.number("full") == before);
  const u64 a = folder.number("a");
  BOOST_TEST(folder.box.call(nr::k_renameat2, AT_FDCWD, "a", AT_FDCWD, "full", exchange) == 0);
  BOOST_TEST(folder.number("a") == before);
  BOOST_TEST(folder.number("full") == a);
}

BOOST_AUTO_TEST_SUITE_END()
