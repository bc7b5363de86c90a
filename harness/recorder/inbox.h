// SPDX-License-Identifier: Apache-2.0
// What one program alone can be fed from (guarantee G2), as it lies in a recording: its inboxes,
// what it started with, its host's state where sisters changed it. Written only with full payloads.
//
// An inbox is kept without the stream bytes in it: those lie in the table `segment` already, and
// each data entry names its segment. Format of the column `inbox.entries`, a row of entries:
//
//   u8 kind | u8 flags | id: varint index, varint generation | varint value |
//   data: varint segment id, else: varint size, bytes
//
// (varint: LEB128, unsigned). encode() and decode() are inverse for every inbox of contract.h.
// Pure but for copy_folder(). Threads: one.
#pragma once

#include <deque>
#include <expected>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "harness/protocol/observer.h"
#include "src/prelude/bytes.h"

namespace lab::recorder {

/// `inbox`: whole entries. `arrived`: segments handed to this program, in order; those in this
/// inbox are taken off. Empty when the inbox is.
mix::Bytes encode_inbox(mix::BytesView inbox, std::deque<std::int64_t>& arrived);

/// The bytes of a recorded segment; the error says what is wrong with it.
using SegmentBytes = std::function<std::expected<mix::Bytes, std::string>(std::int64_t id)>;
std::expected<mix::Bytes, std::string> decode_inbox(mix::BytesView entries,
                                                    const SegmentBytes& segment);

struct FolderEntry {
  std::string path;          ///< relative; "" is the folder itself
  std::uint32_t mode = 0;    ///< permissions, 07777
  std::uint64_t number = 0;  ///< the lab's file number; 0: it has none yet
  bool directory = false;
  mix::Bytes bytes;  ///< of a regular file
};
/// Every folder and regular file, in order of path.
std::vector<FolderEntry> copy_folder(const std::string& folder, std::span<const FileNumber> files);

}  // namespace lab::recorder
