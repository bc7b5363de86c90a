// SPDX-License-Identifier: Apache-2.0
// An inbox comes back from a recording as it was, byte for byte.
#include "harness/recorder/inbox.h"

#include <sys/stat.h>
#include <unistd.h>

#include <rapidcheck.h>
#include <boost/test/unit_test.hpp>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "harness/protocol/contract.h"

namespace lab::recorder {
namespace {

namespace fs = std::filesystem;

void append(mix::Bytes& box, std::uint16_t kind, std::uint64_t id, std::uint64_t value,
            const mix::Bytes& bytes, std::uint16_t flags = 0) {
  const lab_entry e{kind, flags, static_cast<std::uint32_t>(bytes.size()), id, value};
  const std::size_t at = box.size();
  box.resize(at + LAB_ENTRY_SPACE(e.size));
  std::memcpy(box.data() + at, &e, sizeof(e));
  if (!bytes.empty()) std::memcpy(box.data() + at + sizeof(e), bytes.data(), bytes.size());
}

SegmentBytes from(const std::map<std::int64_t, mix::Bytes>& segments) {
  return [&segments](std::int64_t id) -> std::expected<mix::Bytes, std::string> {
    const auto found = segments.find(id);
    if (found == segments.end()) return std::unexpected("no segment " + std::to_string(id));
    return found->second;
  };
}

}  // namespace

BOOST_AUTO_TEST_CASE(any_inbox_comes_back_as_it_was) {
  BOOST_TEST(rc::check([] {
    mix::Bytes inbox;
    std::map<std::int64_t, mix::Bytes> segments;
    std::deque<std::int64_t> arrived;
    const int entries = *rc::gen::inRange(0, 12);
    for (int i = 0; i < entries; ++i) {
      const auto bytes = *rc::gen::resize(40, rc::gen::arbitrary<mix::Bytes>());
      const auto id = *rc::gen::arbitrary<std::uint64_t>();
      const auto value = *rc::gen::arbitrary<std::uint64_t>();
      const auto flags = *rc::gen::inRange<std::uint16_t>(0, 4);
      if (*rc::gen::arbitrary<bool>()) {
        const auto segment = static_cast<std::int64_t>(segments.size()) * 77 + 1;
        segments[segment] = bytes;
        arrived.push_back(segment);
        append(inbox, LAB_IN_DATA, id, value, bytes, flags);
      } else {
        append(inbox, *rc::gen::element<std::uint16_t>(LAB_IN_SYN, LAB_IN_ACK, LAB_IN_SIGNAL), id,
               value, bytes, flags);
      }
    }
    const mix::Bytes entry_bytes = encode_inbox(inbox, arrived);
    RC_ASSERT(arrived.empty());
    const auto back = decode_inbox(entry_bytes, from(segments));
    RC_ASSERT(back.has_value());
    RC_ASSERT(*back == inbox);
  }));
}

BOOST_AUTO_TEST_CASE(stream_bytes_are_not_kept_twice) {
  mix::Bytes inbox;
  append(inbox, LAB_IN_DATA, 5, 0, mix::Bytes(1372, 7));
  std::deque<std::int64_t> arrived{300};
  BOOST_TEST(encode_inbox(inbox, arrived).size() == 7u);
}

BOOST_AUTO_TEST_CASE(what_arrived_for_a_later_inbox_stays) {
  mix::Bytes inbox;
  append(inbox, LAB_IN_DATA, 5, 0, {1});
  std::deque<std::int64_t> arrived{3, 4};
  encode_inbox(inbox, arrived);
  BOOST_TEST(arrived.size() == 1u);
  BOOST_TEST(arrived.front() == 4);
}

BOOST_AUTO_TEST_CASE(arbitrary_bytes_are_an_inbox_or_an_error) {
  BOOST_TEST(rc::check([](const mix::Bytes& bytes) {
    const auto box = decode_inbox(bytes, [](std::int64_t) { return mix::Bytes(3, 1); });
    if (box) RC_ASSERT(box->size() % 8 == 0u);
  }));
  const auto missing = decode_inbox(mix::Bytes{LAB_IN_DATA, 0, 1, 1, 0, 9}, from({}));
  BOOST_REQUIRE(!missing.has_value());
  BOOST_TEST(missing.error() == "no segment 9");
  const auto cut = decode_inbox(mix::Bytes{LAB_IN_ACK, 0, 1}, from({}));
  BOOST_REQUIRE(!cut.has_value());
  BOOST_TEST(cut.error() == "an inbox ends in the middle of an entry");
}

BOOST_AUTO_TEST_CASE(a_folder_is_copied_with_modes_and_numbers) {
  const fs::path folder = fs::temp_directory_path() / ("inbox-" + std::to_string(::getpid()));
  fs::create_directories(folder / "keys" / "empty");
  std::ofstream(folder / "keys" / "private.pem") << "secret";
  fs::permissions(folder / "keys" / "private.pem", fs::perms::owner_read);
  struct stat s{};
  ::stat((folder / "keys" / "private.pem").c_str(), &s);
  const std::vector<FileNumber> numbers{{s.st_dev, s.st_ino, 1007}};
  const auto entries = copy_folder(folder.string(), numbers);
  fs::remove_all(folder);
  BOOST_REQUIRE(entries.size() == 4u);
  BOOST_TEST(entries[0].path == "");
  BOOST_TEST(entries[2].path == "keys/empty");
  BOOST_TEST(entries[2].directory);
  BOOST_TEST(entries[3].path == "keys/private.pem");
  BOOST_TEST(entries[3].mode == 0400u);
  BOOST_TEST(entries[3].number == 1007u);
  BOOST_TEST(std::string(entries[3].bytes.begin(), entries[3].bytes.end()) == "secret");
}

}  // namespace lab::recorder
