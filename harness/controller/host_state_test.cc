// SPDX-License-Identifier: Apache-2.0
// What programs of one host share, to bytes and back.
#include "harness/controller/host_state.h"

#include <boost/test/unit_test.hpp>

namespace lab::controller {
namespace {

std::unique_ptr<kernel::Host> host() {
  auto out = std::make_unique<kernel::Host>();
  out->next_port = 32770;
  out->next_pid = 3000;
  out->next_inode = 1002;
  for (const std::uint64_t number : {1000, 1001}) {
    kernel::Inode& inode = out->inode[static_cast<kernel::u32>(out->inode.take())];
    inode.real_dev = 8;
    inode.real_ino = number * 3;
    inode.number = number;
    inode.mtime_ns = 5;
  }
  kernel::Port& port = out->port[static_cast<kernel::u32>(out->port.take())];
  port.handle = 7;
  port.listening = true;
  return out;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_host_comes_back_with_the_files_of_this_run) {
  mix::Bytes bytes;
  pack(*host(), bytes);
  auto fresh = std::make_unique<kernel::Host>();
  const std::vector<FileNumber> files{{9, 77, 1001}};
  BOOST_REQUIRE(unpack(bytes, files, *fresh));
  BOOST_TEST(fresh->next_port == 32770u);
  BOOST_TEST(fresh->next_pid == 3000);
  BOOST_TEST(fresh->next_inode == 1002u);
  BOOST_TEST(fresh->port.live == 1u);
  BOOST_TEST(fresh->port[0].listening);
  BOOST_TEST(fresh->port[0].handle == 7u);
  BOOST_TEST(fresh->inode.live == 2u);
  BOOST_TEST(fresh->inode[1].real_dev == 9u);
  BOOST_TEST(fresh->inode[1].real_ino == 77u);
  BOOST_TEST(fresh->inode[1].mtime_ns == 5);
  BOOST_TEST(fresh->inode[0].real_dev == ~std::uint64_t{0});  // nothing known: matches no file
}

BOOST_AUTO_TEST_CASE(a_later_state_keeps_the_files_that_the_host_knows) {
  auto mine = std::make_unique<kernel::Host>();
  mix::Bytes bytes;
  pack(*host(), bytes);
  const std::vector<FileNumber> files{{9, 77, 1001}, {9, 78, 1000}};
  BOOST_REQUIRE(unpack(bytes, files, *mine));
  BOOST_REQUIRE(unpack(bytes, {}, *mine));
  BOOST_TEST(mine->inode[0].real_ino == 78u);
  BOOST_TEST(mine->inode[1].real_ino == 77u);
}

BOOST_AUTO_TEST_CASE(real_file_numbers_are_not_kept) {
  auto a = host(), b = host();
  b->inode[0].real_ino = 4711;
  mix::Bytes one, other;
  pack(*a, one);
  pack(*b, other);
  BOOST_TEST((one == other));
  b->inode[0].mtime_ns = 6;
  pack(*b, other);
  BOOST_TEST((one != other));
}

BOOST_AUTO_TEST_CASE(other_bytes_are_refused_and_change_nothing) {
  mix::Bytes bytes;
  pack(*host(), bytes);
  auto fresh = std::make_unique<kernel::Host>();
  for (const std::size_t size : {std::size_t{0}, std::size_t{3}, bytes.size() - 1})
    BOOST_TEST(!unpack(mix::BytesView(bytes).first(size), {}, *fresh));
  bytes.push_back(0);
  BOOST_TEST(!unpack(bytes, {}, *fresh));
  bytes.pop_back();
  bytes[0] ^= 1;  // another version of the contract
  BOOST_TEST(!unpack(bytes, {}, *fresh));
  BOOST_TEST(fresh->next_pid == 0);
}

}  // namespace lab::controller
