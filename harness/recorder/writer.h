// SPDX-License-Identifier: Apache-2.0
// Writes one recording: a SQLite file `<path>.incomplete`, created 0600, by a thread of its own,
// that takes its name `<path>` once everything is in it. The thread also computes every digest and
// the chain. It never decides anything: a slow disk makes the run wait (kMostWaiting batches),
// never differ.
//
// Errors of the disk are kept and come out of finish(): a recording that lacks rows is not renamed.
// Threads: one calls; make the writer before the run pins its own thread to a CPU.
#pragma once

#include <expected>
#include <memory>

#include "harness/recorder/watch.h"

namespace lab::recorder {

/// A batch is handed over with so many rows, or bytes for them.
inline constexpr std::size_t kBatchRows = 2048, kBatchBytes = 1 << 20;
inline constexpr std::size_t kMostWaiting = 32;

/// The row of `run`, as far as it is known when the run starts.
struct RunRow {
  std::string scenario;  // canonical TOML
  std::int64_t seed = 0;
  std::string epoch;
  std::int64_t duration_ns = 0;
  std::string tool_version;
  bool payload_full = false;
};

class Writer {
 public:
  /// The error names the file. An existing `.incomplete` of that name is removed: it is a run that
  /// was broken off.
  static std::expected<std::unique_ptr<Writer>, std::string> create(const std::string& path,
                                                                    const RunRow& run);
  /// Writes nothing, but shows every event to `watch`, on a thread of its own.
  static std::unique_ptr<Writer> follow(ChainWatch& watch);
  /// Leaves the incomplete file behind, unless finish() was called.
  ~Writer();

  /// Keeps bytes for a row that is put before any other.
  Slice keep(mix::BytesView bytes);
  void put(AnyRow row);
  /// The chain of all events that were put (harness/model/event.h), in hexadecimal. Waits.
  std::string chain();
  /// Writes everything; then the file can be read and judged under incomplete_path().
  std::expected<void, std::string> flush();
  /// Sets chain and manifest (JSON) in `run`, folds the journal in. The file keeps its name.
  std::expected<void, std::string> seal(const std::string& chain, const std::string& manifest);

  const std::string& incomplete_path() const;

 private:
  class Impl;
  explicit Writer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> x_impl;
};

/// One verdict, as the table `expectation` has it.
struct VerdictRow {
  std::string that, mode, verdict;
  std::optional<std::int64_t> first_bad_event;
  std::string detail;
};
/// The last step: verdicts into a sealed file, then its seal (seal.h); it then takes the name
/// `path`.
std::expected<void, std::string> publish(const std::string& incomplete, const std::string& path,
                                         const std::vector<VerdictRow>& verdicts,
                                         const std::string& verdict);

}  // namespace lab::recorder
