// SPDX-License-Identifier: Apache-2.0
#include "harness/recorder/inbox.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "harness/protocol/contract.h"
#include "src/prelude/check.h"

namespace lab::recorder {
namespace {

namespace fs = std::filesystem;
using Wrong = std::unexpected<std::string>;

void put_number(mix::Bytes& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7)
    out.push_back(static_cast<std::uint8_t>(value | 0x80));
  out.push_back(static_cast<std::uint8_t>(value));
}

class Source {
 public:
  explicit Source(mix::BytesView bytes) : x_rest(bytes) {}
  bool more() const { return x_good && !x_rest.empty(); }
  bool good() const { return x_good; }
  std::uint64_t number() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const std::uint8_t byte = octet();
      value |= std::uint64_t{byte & 0x7fu} << shift;
      if (byte < 0x80) return value;
    }
    x_good = false;
    return 0;
  }
  std::uint8_t octet() {
    const mix::BytesView one = take(1);
    return one.empty() ? 0 : one[0];
  }
  mix::BytesView take(std::uint64_t n) {
    if (!x_good || n > x_rest.size()) {
      x_good = false;
      return {};
    }
    const mix::BytesView out = x_rest.first(n);
    x_rest = x_rest.subspan(n);
    return out;
  }

 private:
  mix::BytesView x_rest;
  bool x_good = true;
};

}  // namespace

mix::Bytes encode_inbox(mix::BytesView inbox, std::deque<std::int64_t>& arrived) {
  mix::Bytes out;
  for (std::size_t at = 0; at < inbox.size();) {
    lab_entry e;
    std::memcpy(&e, inbox.data() + at, sizeof(e));
    out.push_back(static_cast<std::uint8_t>(e.kind));
    out.push_back(static_cast<std::uint8_t>(e.flags));
    put_number(out, e.id & 0xffffffffu);
    put_number(out, e.id >> 32);
    put_number(out, e.value);
    if (e.kind == LAB_IN_DATA) {
      CHECK(!arrived.empty());
      put_number(out, static_cast<std::uint64_t>(arrived.front()));
      arrived.pop_front();
    } else {
      put_number(out, e.size);
      const auto bytes = inbox.subspan(at + sizeof(e), e.size);
      out.insert(out.end(), bytes.begin(), bytes.end());
    }
    at += LAB_ENTRY_SPACE(e.size);
  }
  return out;
}

std::expected<mix::Bytes, std::string> decode_inbox(mix::BytesView entries,
                                                    const SegmentBytes& segment) {
  mix::Bytes out;
  Source from(entries);
  while (from.more()) {
    lab_entry e{};
    e.kind = from.octet();
    e.flags = from.octet();
    e.id = from.number();
    e.id |= from.number() << 32;
    e.value = from.number();
    const std::uint64_t number = from.number();
    mix::Bytes stored;
    mix::BytesView bytes;
    if (e.kind == LAB_IN_DATA && from.good()) {
      auto found = segment(static_cast<std::int64_t>(number));
      if (!found) return Wrong(found.error());
      stored = std::move(*found);
      bytes = stored;
    } else {
      bytes = from.take(number);
    }
    if (!from.good()) return Wrong("an inbox ends in the middle of an entry");
    e.size = static_cast<std::uint32_t>(bytes.size());
    const std::size_t at = out.size();
    out.resize(at + LAB_ENTRY_SPACE(e.size));
    std::memcpy(out.data() + at, &e, sizeof(e));
    if (!bytes.empty()) std::memcpy(out.data() + at + sizeof(e), bytes.data(), bytes.size());
  }
  return out;
}

std::vector<FolderEntry> copy_folder(const std::string& folder, std::span<const FileNumber> files) {
  std::vector<FolderEntry> out;
  const auto add = [&](const fs::path& path, std::string name) {
    struct stat s{};
    if (::lstat(path.c_str(), &s) != 0 || (!S_ISREG(s.st_mode) && !S_ISDIR(s.st_mode))) return;
    FolderEntry entry;
    entry.path = std::move(name);
    entry.mode = s.st_mode & 07777;
    entry.directory = S_ISDIR(s.st_mode);
    for (const FileNumber& file : files)
      if (file.real_dev == s.st_dev && file.real_ino == s.st_ino) entry.number = file.number;
    if (!entry.directory) {
      std::ifstream in(path, std::ios::binary);
      entry.bytes.assign(std::istreambuf_iterator<char>(in), {});
    }
    out.push_back(std::move(entry));
  };
  add(folder, "");
  std::error_code error;
  for (fs::recursive_directory_iterator at(folder, error), end; !error && at != end;
       at.increment(error))
    add(at->path(), at->path().lexically_relative(folder).string());
  std::ranges::sort(out, {}, &FolderEntry::path);
  return out;
}

}  // namespace lab::recorder
