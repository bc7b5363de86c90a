// SPDX-License-Identifier: Apache-2.0
#include "harness/replay/recording.h"

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>

#include "harness/recorder/seal.h"

namespace lab::replay {
namespace {

using mix::sqlite::Database;
using Wrong = std::unexpected<std::string>;

constexpr const char* kIncomplete = ".incomplete";
constexpr const char* kDidNotEnd = " is the recording of a run that did not end";

std::uint64_t big_endian(const std::string& bytes, std::size_t at, std::size_t size) {
  std::uint64_t out = 0;
  for (std::size_t i = 0; i < size; ++i)
    out = out << 8 | static_cast<std::uint8_t>(bytes[at + i]);
  return out;
}

/// A file that can be read, and begins as SQLite's do: its first 100 bytes.
std::expected<std::string, std::string> read_header(const std::string& file) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(file, error))
    return Wrong(file + ": there is no such file");
  std::ifstream in(file, std::ios::binary);
  if (!in) return Wrong(file + ": you may not read it");
  std::string header(100, '\0');
  in.read(header.data(), 100);
  if (in.gcount() != 100 || !header.starts_with(std::string("SQLite format 3\0", 16)))
    return Wrong(file + " is not a recording: it is no SQLite database");
  return header;
}

/// What the header says of the file's size; empty: it is whole.
std::string truncation(const std::string& file, const std::string& header) {
  const std::uint64_t page = big_endian(header, 16, 2) == 1 ? 65536 : big_endian(header, 16, 2);
  const std::uint64_t should = page * big_endian(header, 28, 4);
  std::error_code error;
  const std::uint64_t is = std::filesystem::file_size(file, error);
  if (!error && is < should)
    return file + " is truncated: " + std::to_string(is) + " bytes of " + std::to_string(should) +
           " are left";
  return {};
}

/// What is wrong with its seal; empty: nothing.
std::string broken_seal(const std::string& file) {
  const auto seal = recorder::check_seal(file);
  if (seal) return {};
  switch (seal.error()) {
    case recorder::Broken::unreadable:
      return file + ": cannot be read";
    case recorder::Broken::unsealed:
      return file + " has no seal: an older mixlab wrote it, or it was damaged";
    case recorder::Broken::changed:
      return file +
             " was changed or damaged after its run: its bytes are not those that were sealed";
  }
  return {};
}

}  // namespace

std::expected<Recorded, std::string> open_recording(const std::string& file, bool anyway) {
  const auto header = read_header(file);
  if (!header) return Wrong(header.error());
  if (file.ends_with(kIncomplete)) return Wrong(file + kDidNotEnd + "; it cannot be replayed");
  if (const std::string cut = truncation(file, *header); !cut.empty()) return Wrong(cut);
  auto db = Database::open(file, Database::Mode::read_only);
  if (!db) return Wrong(file + ": " + db.error().text);
  const auto clock = db->text("SELECT clock FROM run");
  if (!clock || clock->empty())
    return Wrong(file + " is not a recording, or is damaged: " +
                 (clock ? "it has no run" : clock.error().text));
  if (*clock == "wall")
    return Wrong(file + " is a devnet's recording: real time cannot be had again");
  Recorded out;
  out.file = file;
  out.remark = broken_seal(file);
  if (!out.remark.empty() && !anyway)
    return Wrong(out.remark + " (--anyway replays what it says now)");
  const auto scenario = db->text("SELECT coalesce(scenario, '') FROM run");
  const auto seed = db->integer("SELECT seed FROM run");
  const auto chain = db->text("SELECT coalesce(chain, '') FROM run");
  const auto manifest = db->text("SELECT coalesce(manifest, '{}') FROM run");
  if (!scenario || !seed || !chain || !manifest)
    return Wrong(file + ": its run cannot be read; it is damaged");
  if (chain->empty()) return Wrong(file + " has no chain: its run did not end");
  boost::system::error_code wrong;
  const boost::json::value parsed = boost::json::parse(*manifest, wrong);
  if (wrong || !parsed.is_object()) return Wrong(file + ": its manifest cannot be read");
  out.scenario = *scenario;
  out.seed = *seed;
  out.chain = *chain;
  out.manifest = parsed.as_object();
  auto sources = recorder::kept_sources(*db);
  if (!sources) return Wrong(file + ": " + sources.error().text);
  out.sources = std::move(*sources);
  return out;
}

std::expected<std::string, std::string> doubt_about(const std::string& file) {
  const auto header = read_header(file);
  if (!header) return Wrong(header.error());
  if (file.ends_with(kIncomplete)) return file + kDidNotEnd;
  std::error_code error;
  const bool growing = std::filesystem::exists(file + "-wal", error);  // a devnet's, not yet whole
  const std::string cut = growing ? "" : truncation(file, *header);
  if (!cut.empty()) return cut;
  auto db = Database::open(file, Database::Mode::read_only);
  if (!db) return Wrong(file + ": " + db.error().text);
  const auto clock = db->text("SELECT clock FROM run");
  if (!clock) return Wrong(file + " is not a recording, or is damaged: " + clock.error().text);
  return *clock == "wall" ? "" : broken_seal(file);
}

controller::Options options_of(const Recorded& recorded, const scenario::Plan& plan,
                               const std::string& bin) {
  const auto is = [&](const char* key, const boost::json::value& value) {
    const boost::json::value* recorded_value = recorded.manifest.if_contains(key);
    return recorded_value != nullptr && *recorded_value == value;
  };
  controller::Options out;
  out.shim = bin + "/libmixlab-shim.so";
  out.wall_epoch_ns = plan.epoch_unix_ns;
  out.trap = is("trap", "sud") ? controller::Trap::sud : controller::Trap::seccomp;
  out.cpu = is("cpu", "plain") ? controller::Cpu::plain : controller::Cpu::masked;
  out.interpose = !is("interpose", false);
  out.randomize_addresses = is("randomize_addresses", true);
  return out;
}

}  // namespace lab::replay
