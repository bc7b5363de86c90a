// SPDX-License-Identifier: Apache-2.0
// Reading this very program, which every machine has.
#include "harness/replay/elf.h"

#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>

using namespace lab::replay;
namespace fs = std::filesystem;

namespace {

std::string libc() {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);)
    if (const auto at = line.find('/'); at != std::string::npos && line.ends_with("/libc.so.6"))
      return line.substr(at);
  return {};
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_library_has_a_soname_and_a_program_none) {
  BOOST_REQUIRE(!libc().empty());
  BOOST_TEST(soname_of(libc()).value() == "libc.so.6");
  BOOST_TEST(!soname_of("/proc/self/exe").has_value());
  BOOST_TEST(!soname_of("/etc/passwd").has_value());
}

BOOST_AUTO_TEST_CASE(a_copy_names_another_loader_and_runs_only_with_it) {
  const fs::path copy = fs::temp_directory_path() / ("mixlab-elf-" + std::to_string(::getpid()));
  BOOST_TEST(
      !copy_with_loader("/bin/true", "/lib64/ld-linux-x86-64.so.2", copy.string()).has_value());
  BOOST_TEST(std::system(copy.c_str()) == 0);
  BOOST_TEST(!copy_with_loader("/bin/true", "/no/such/loader", copy.string()).has_value());
  BOOST_TEST(std::system((copy.string() + " 2>/dev/null").c_str()) != 0);
  BOOST_TEST(copy_with_loader("/bin/true", std::string(200, 'x'), copy.string()).has_value());
  BOOST_TEST(copy_with_loader("/etc/passwd", "/x", copy.string()).has_value());
  fs::remove(copy);
}
