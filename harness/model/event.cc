// SPDX-License-Identifier: Apache-2.0
#include "harness/model/event.h"

#include "src/prelude/check.h"
#include "src/prelude/cursor.h"

namespace lab {
namespace {

void short_text(mix::Writer& out, std::string_view text) {
  CHECK(text.size() <= 255, text);
  out.u8(static_cast<std::uint8_t>(text.size())).bytes(mix::as_bytes(text));
}

std::string_view take_text(mix::Reader& in, std::size_t size) {
  return mix::as_text(in.take(size));
}

void append_escaped(std::string& out, std::string_view text) {
  static constexpr char kDigits[] = "0123456789abcdef";
  out += '"';
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      out += "\\u00";
      out += kDigits[byte >> 4];
      out += kDigits[byte & 15];
    } else {
      out += c;
    }
  }
  out += '"';
}

bool append_value(std::string& out, mix::Reader& in) {
  switch (in.u8()) {
    case 'n':
      out += std::to_string(in.u64());
      return true;
    case 'z':
      out += std::to_string(static_cast<std::int64_t>(in.u64()));
      return true;
    case 'b':
      append_escaped(out, mix::to_hex(in.take(in.u32())));
      return true;
    case 't':
      append_escaped(out, take_text(in, in.u32()));
      return true;
    default:
      return false;
  }
}

}  // namespace

EventBuilder& EventBuilder::begin(VirtualTime time, NodeId node, std::string_view kind) {
  x_bytes.clear();
  x_fields = 0;
  mix::Writer out(x_bytes);
  out.u64(0).u64(static_cast<std::uint64_t>(ns(time))).u32(index(node));
  short_text(out, kind);
  x_count_at = x_bytes.size();
  out.u16(0);
  return *this;
}

void EventBuilder::field(std::string_view name, char type) {
  CHECK(!x_bytes.empty() && x_fields < 0xffff, name);
  ++x_fields;
  mix::Writer out(x_bytes);
  short_text(out, name);
  out.u8(static_cast<std::uint8_t>(type));
}

EventBuilder& EventBuilder::number(std::string_view name, std::uint64_t value) {
  field(name, 'n');
  mix::Writer(x_bytes).u64(value);
  return *this;
}

EventBuilder& EventBuilder::integer(std::string_view name, std::int64_t value) {
  field(name, 'z');
  mix::Writer(x_bytes).u64(static_cast<std::uint64_t>(value));
  return *this;
}

EventBuilder& EventBuilder::bytes(std::string_view name, mix::BytesView value) {
  field(name, 'b');
  mix::Writer(x_bytes).u32(static_cast<std::uint32_t>(value.size())).bytes(value);
  return *this;
}

EventBuilder& EventBuilder::text(std::string_view name, std::string_view value) {
  field(name, 't');
  mix::Writer(x_bytes).u32(static_cast<std::uint32_t>(value.size())).bytes(mix::as_bytes(value));
  return *this;
}

mix::BytesView EventBuilder::finish(std::uint64_t sequence) {
  CHECK(x_bytes.size() >= x_count_at + 2);
  for (std::size_t i = 0; i < 8; ++i)
    x_bytes[i] = static_cast<std::uint8_t>(sequence >> (56 - 8 * i));
  x_bytes[x_count_at] = static_cast<std::uint8_t>(x_fields >> 8);
  x_bytes[x_count_at + 1] = static_cast<std::uint8_t>(x_fields);
  return x_bytes;
}

std::optional<EventView> read_event(mix::BytesView canonical) {
  mix::Reader in(canonical);
  EventView out;
  out.sequence = in.u64();
  out.time = at_ns(static_cast<std::int64_t>(in.u64()));
  out.node = NodeId(in.u32());
  out.kind = take_text(in, in.u8());
  out.field_count = in.u16();
  out.fields = in.rest();
  if (!in.ok()) return std::nullopt;
  mix::Reader fields(out.fields);
  std::string ignored;
  for (std::uint16_t i = 0; i < out.field_count; ++i) {
    fields.take(fields.u8());
    if (!append_value(ignored, fields) || !fields.ok()) return std::nullopt;
  }
  if (!fields.done()) return std::nullopt;
  return out;
}

std::string detail_json(const EventView& event) {
  std::string out = "{";
  mix::Reader in(event.fields);
  for (std::uint16_t i = 0; i < event.field_count; ++i) {
    if (i > 0) out += ", ";
    append_escaped(out, take_text(in, in.u8()));
    out += ": ";
    if (!append_value(out, in)) break;
  }
  out += "}";
  return out;
}

mix::BytesView Chain::add(EventBuilder& event) {
  const mix::BytesView canonical = event.finish(x_length++);
  x_hasher.add(canonical);
  return canonical;
}

void Chain::add(mix::BytesView canonical) {
  ++x_length;
  x_hasher.add(canonical);
}

Digest32 Chain::value() const {
  Digest32 out;
  x_hasher.digest(out);
  return out;
}

std::string Chain::hex() const {
  return mix::to_hex(value());
}

}  // namespace lab
