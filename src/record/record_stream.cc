// SPDX-License-Identifier: Apache-2.0
#include "src/record/record_stream.h"

#include <algorithm>
#include <utility>

#include "src/prelude/check.h"
#include "src/prelude/cursor.h"

namespace mix::record {
namespace {

enum class Kind : std::uint8_t { node = 1, made = 2, handled = 3, fetched = 4 };

// ---- Writing --------------------------------------------------------------------------------

class RowWriter {
 public:
  explicit RowWriter(Bytes& out) : x_out(out) {}

  RowWriter& kind(Kind kind) { return byte(static_cast<std::uint8_t>(kind)); }
  template <class Enum>
  RowWriter& choice(Enum value) {
    return byte(static_cast<std::uint8_t>(value));
  }
  RowWriter& time(std::int64_t value) {
    x_out.u64(static_cast<std::uint64_t>(value));
    return *this;
  }
  RowWriter& text(std::string_view text) {
    text = text.substr(0, kMaxText);
    x_out.u16(static_cast<std::uint16_t>(text.size())).bytes(as_bytes(text));
    return *this;
  }
  RowWriter& digest(const Digest& digest) {
    x_out.bytes(digest);
    return *this;
  }
  template <class Value, class Write>
  RowWriter& maybe(const std::optional<Value>& value, Write write) {
    byte(value ? 1 : 0);
    if (value) write(*this, *value);
    return *this;
  }
  RowWriter& maybe_time(const std::optional<std::int64_t>& value) {
    return maybe(value, [](RowWriter& out, std::int64_t v) { out.time(v); });
  }
  RowWriter& maybe_digest(const std::optional<Digest>& value) {
    return maybe(value, [](RowWriter& out, const Digest& v) { out.digest(v); });
  }
  RowWriter& maybe_reason(const std::optional<DropReason>& value) {
    return maybe(value, [](RowWriter& out, DropReason v) { out.choice(v); });
  }
  RowWriter& byte(std::uint8_t value) {
    x_out.u8(value);
    return *this;
  }

 private:
  Writer x_out;
};

void write(RowWriter& out, const NodeRow& row) {
  out.kind(Kind::node).text(row.name).choice(row.role);
  out.maybe(row.layer, [](RowWriter& o, std::uint8_t layer) { o.byte(layer); });
  out.text(row.address).text(row.public_key);
}
void write(RowWriter& out, const MadeRow& row) {
  out.kind(Kind::made).time(row.created_ns).maybe_time(row.sent_ns).digest(row.digest);
  out.choice(row.packet_class).text(row.recipient).text(row.first_address);
  out.maybe_reason(row.reason);
}
void write(RowWriter& out, const HandledRow& row) {
  out.kind(Kind::handled).time(row.received_ns).digest(row.digest_in).maybe_time(row.sent_ns);
  out.maybe_digest(row.digest_out).text(row.next_address).maybe_time(row.delay_ns);
  out.choice(row.verdict).maybe_reason(row.reason);
}
void write(RowWriter& out, const FetchedRow& row) {
  out.kind(Kind::fetched).time(row.time_ns).maybe_digest(row.digest).maybe_time(row.local_id);
  out.choice(row.packet_class);
}

// ---- Reading --------------------------------------------------------------------------------

/// What is not canonical makes it bad; the caller asks done() once.
class RowReader {
 public:
  explicit RowReader(BytesView bytes) : x_in(bytes) {}

  std::uint8_t byte() { return x_in.u8(); }
  std::int64_t time() { return static_cast<std::int64_t>(x_in.u64()); }
  Digest digest() { return x_in.array<16>(); }
  std::string text() {
    const std::size_t size = x_in.u16();
    x_good = x_good && size <= kMaxText;
    return std::string(as_text(x_in.take(std::min(size, kMaxText))));
  }
  template <class Enum>
  Enum choice(std::size_t count) {
    const std::uint8_t value = x_in.u8();
    x_good = x_good && value < count;
    return value < count ? static_cast<Enum>(value) : Enum{};
  }
  template <class Read>
  auto maybe(Read read) -> std::optional<decltype(read())> {
    switch (x_in.u8()) {
      case 0:
        return std::nullopt;
      case 1:
        return read();
      default:
        x_good = false;
        return std::nullopt;
    }
  }
  std::optional<std::int64_t> maybe_time() {
    return maybe([&] { return time(); });
  }
  std::optional<Digest> maybe_digest() {
    return maybe([&] { return digest(); });
  }
  std::optional<DropReason> maybe_reason() {
    return maybe([&] { return choice<DropReason>(kDropReasons); });
  }
  bool done() const { return x_good && x_in.done(); }

 private:
  Reader x_in;
  bool x_good = true;
};

constexpr std::size_t kRoles = 5, kClasses = 5, kVerdicts = 3;

NodeRow read_node(RowReader& in) {
  NodeRow row;
  row.name = in.text();
  row.role = in.choice<Role>(kRoles);
  row.layer = in.maybe([&] { return in.byte(); });
  row.address = in.text();
  row.public_key = in.text();
  return row;
}
MadeRow read_made(RowReader& in) {
  MadeRow row;
  row.created_ns = in.time();
  row.sent_ns = in.maybe_time();
  row.digest = in.digest();
  row.packet_class = in.choice<PacketClass>(kClasses);
  row.recipient = in.text();
  row.first_address = in.text();
  row.reason = in.maybe_reason();
  return row;
}
HandledRow read_handled(RowReader& in) {
  HandledRow row;
  row.received_ns = in.time();
  row.digest_in = in.digest();
  row.sent_ns = in.maybe_time();
  row.digest_out = in.maybe_digest();
  row.next_address = in.text();
  row.delay_ns = in.maybe_time();
  row.verdict = in.choice<Verdict>(kVerdicts);
  row.reason = in.maybe_reason();
  return row;
}
FetchedRow read_fetched(RowReader& in) {
  FetchedRow row;
  row.time_ns = in.time();
  row.digest = in.maybe_digest();
  row.local_id = in.maybe_time();
  row.packet_class = in.choice<PacketClass>(kClasses);
  return row;
}

std::optional<Row> read_row(BytesView bytes) {
  RowReader in(bytes);
  std::optional<Row> row;
  switch (static_cast<Kind>(in.byte())) {
    case Kind::node:
      row = read_node(in);
      break;
    case Kind::made:
      row = read_made(in);
      break;
    case Kind::handled:
      row = read_handled(in);
      break;
    case Kind::fetched:
      row = read_fetched(in);
      break;
    default:
      return std::nullopt;
  }
  if (!in.done()) return std::nullopt;
  return row;
}

}  // namespace

void append_row(Bytes& out, const Row& row) {
  const std::size_t start = out.size();
  Writer(out).u32(0);
  RowWriter writer(out);
  std::visit([&](const auto& r) { write(writer, r); }, row);
  const std::size_t size = out.size() - start - 4;
  CHECK(size <= kMaxRowBytes, size);
  for (std::size_t i = 0; i < 4; ++i)
    out[start + i] = static_cast<std::uint8_t>(size >> (8 * (3 - i)));
}

void RowDecoder::feed(BytesView bytes) {
  // What was decoded goes when it is more than what stays, so a byte is moved once on average.
  if (x_at > x_bytes.size() / 2) {
    x_bytes.erase(x_bytes.begin(), x_bytes.begin() + static_cast<std::ptrdiff_t>(x_at));
    x_at = 0;
  }
  x_bytes.insert(x_bytes.end(), bytes.begin(), bytes.end());
}

std::expected<std::optional<Row>, std::string> RowDecoder::next() {
  const auto fail = [&](std::string why) {
    x_error = std::move(why);
    return std::unexpected(x_error);
  };
  if (!x_error.empty()) return std::unexpected(x_error);
  BytesView left = BytesView(x_bytes).subspan(x_at);
  if (!x_opened) {
    if (left.size() < kStreamMagic.size()) return std::nullopt;
    if (!equal(left.first(kStreamMagic.size()), kStreamMagic))
      return fail("not a record stream of version 1");
    x_opened = true;
    x_at += kStreamMagic.size();
    left = left.subspan(kStreamMagic.size());
  }
  if (left.size() < 4) return std::nullopt;
  const std::size_t size = Reader(left.first(4)).u32();
  if (size > kMaxRowBytes) return fail("a row of " + std::to_string(size) + " bytes");
  if (left.size() < 4 + size) return std::nullopt;
  std::optional<Row> row = read_row(left.subspan(4, size));
  if (!row) return fail("a row that is not canonical");
  x_at += 4 + size;
  return row;
}

}  // namespace mix::record
