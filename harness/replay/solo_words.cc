// SPDX-License-Identifier: Apache-2.0
#include "harness/replay/solo_words.h"

#include <cstring>

#include "harness/judge/query.h"
#include "harness/model/digest.h"
#include "harness/model/time_text.h"
#include "harness/protocol/contract.h"
#include "harness/replay/solo.h"
#include "src/prelude/bytes.h"

namespace lab::replay {
namespace {

constexpr std::size_t kTextShown = 160;

std::string quoted(mix::BytesView bytes) {
  std::string out = "\"";
  for (const std::uint8_t c : bytes.first(std::min(bytes.size(), kTextShown))) {
    if (c == '\n')
      out += "\\n";
    else
      out += c >= 0x20 && c < 0x7f ? static_cast<char>(c) : '.';
  }
  return out + (bytes.size() > kTextShown ? "\"..." : "\"");
}

std::string amount(mix::BytesView bytes) {
  return std::to_string(bytes.size()) + " bytes, digest " + mix::to_hex(digest_of(bytes));
}

std::string words_of(const lab_entry& e, mix::BytesView bytes) {
  const std::string socket = " on socket " + std::to_string(e.id & 0xffffffffu);
  const std::string value = std::to_string(e.value);
  switch (e.kind) {
    case LAB_IN_SYN:
      return "a connection for listener" + socket.substr(10);
    case LAB_IN_ACCEPTED:
      return "connected" + socket;
    case LAB_IN_REFUSED:
      return "refused" + socket + ", error " + value;
    case LAB_IN_DATA:
      return "data comes in" + socket + ": " + amount(bytes);
    case LAB_IN_FIN:
      return "the peer's end" + socket;
    case LAB_IN_RESET:
      return "reset by the peer" + socket;
    case LAB_IN_ACK:
      return "acknowledged up to " + value + socket;
    case LAB_IN_WINDOW:
      return "window up to " + value + socket;
    case LAB_IN_DATAGRAM:
      return "a datagram comes in" + socket + ": " + amount(bytes);
    case LAB_IN_UNREACHABLE:
      return "unreachable" + socket;
    case LAB_IN_SIGNAL:
      return "signal " + value;
    case LAB_OUT_CONNECT:
      return "connects" + socket;
    case LAB_OUT_ACCEPTED:
      return "takes a connection" + socket;
    case LAB_OUT_REFUSED:
      return "turns a connection away";
    case LAB_OUT_DATA:
      return "sends" + socket + ": " + amount(bytes);
    case LAB_OUT_FIN:
      return "ends sending" + socket;
    case LAB_OUT_RESET:
      return "resets" + socket;
    case LAB_OUT_WINDOW:
      return "opens its window to " + value + socket;
    case LAB_OUT_WANT:
      return "asks to hear of acknowledgements" + socket + ": " + value;
    case LAB_OUT_DATAGRAM:
      return "sends a datagram" + socket + ": " + amount(bytes);
    case LAB_OUT_WRITE:
      if (e.id <= 2)
        return "writes to " + std::string(e.id == 1 ? "stdout " : "stderr ") + quoted(bytes);
      return "writes hop records: " + amount(bytes);
    case LAB_OUT_OPENED:
      return "reads the file " + quoted(bytes);
    case LAB_OUT_EXIT:
      return "ends with wait status " + value;
    default:
      return "entry of kind " + std::to_string(e.kind) + socket + ": " + amount(bytes);
  }
}

template <class Each>
void for_each(mix::BytesView box, Each each) {
  for (std::size_t at = 0; at + sizeof(lab_entry) <= box.size();) {
    lab_entry e;
    std::memcpy(&e, box.data() + at, sizeof(e));
    if (at + LAB_ENTRY_SPACE(e.size) > box.size()) return;
    each(e, box.subspan(at + sizeof(e), e.size));
    at += LAB_ENTRY_SPACE(e.size);
  }
}

}  // namespace

std::vector<std::string> words_of(mix::BytesView box) {
  std::vector<std::string> out;
  for_each(box,
           [&](const lab_entry& e, mix::BytesView bytes) { out.push_back(words_of(e, bytes)); });
  return out;
}

std::size_t stream_bytes(mix::BytesView inbox) {
  std::size_t out = 0;
  for_each(inbox, [&](const lab_entry& e, mix::BytesView bytes) {
    if (e.kind == LAB_IN_DATA) out += bytes.size();
  });
  return out;
}

std::vector<std::string> recorded_outputs(mix::sqlite::Database& db, std::int64_t node,
                                          std::int64_t time_ns) {
  std::vector<std::string> out;
  judge::Query segments(db,
                        "SELECT s.connection, s.size, lower(hex(s.digest)), n.name FROM segment s "
                        "LEFT JOIN node n ON n.id = s.to_node WHERE s.from_node = ? AND s.sent_ns "
                        "= ? ORDER BY s.id LIMIT 20",
                        node, time_ns);
  while (segments.next())
    out.push_back("sends to " + segments.text_or(3, "nobody") + " on connection " +
                  segments.text(0) + ": " + segments.text(1) + " bytes, digest " +
                  segments.text(2));
  judge::Query lines(db,
                     "SELECT stream, line FROM log WHERE node = ? AND time_ns = ? AND stream <> "
                     "'lab' ORDER BY id LIMIT 20",
                     node, time_ns);
  while (lines.next())
    out.push_back("writes to " + lines.text(0) + " " + quoted(mix::as_bytes(lines.text(1))));
  judge::Query hops(db,
                    "SELECT verdict, coalesce(reason, ''), lower(hex(digest_in)) FROM handled "
                    "WHERE node = ? AND (received_ns = ?2 OR sent_ns = ?2) ORDER BY id LIMIT 20",
                    node, time_ns);
  while (hops.next())
    out.push_back("records a hop: " + hops.text(0) + " " + hops.text(1) + " of packet " +
                  hops.text(2));
  return out;
}

std::string to_text(const SoloDifference& d, const std::string& node) {
  std::string out = "event " + std::to_string(d.seq) + ", at " + exact_text(d.time) + ": " + node +
                    " does something else than it did then\n";
  for (const SoloDifference::Field& field : d.fields)
    out += "  " + field.name + "\n    recorded  " + field.recorded + "\n    seen now  " +
           field.seen + "\n";
  const auto list = [&](const char* title, const std::vector<std::string>& lines) {
    out += title;
    if (lines.empty()) out += "  nothing\n";
    for (std::size_t i = 0; i < lines.size() && i < 12; ++i)
      out += "  " + lines[i] + "\n";
    if (lines.size() > 12) out += "  and " + std::to_string(lines.size() - 12) + " more\n";
  };
  list("what it put out then, as far as the recording tells:\n", d.then);
  list("what it puts out now:\n", d.now);
  return out;
}

}  // namespace lab::replay
