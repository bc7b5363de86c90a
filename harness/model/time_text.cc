// SPDX-License-Identifier: Apache-2.0
#include "harness/model/time_text.h"

namespace lab {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;

struct Unit {
  const char* name;
  std::uint64_t ns;
};
constexpr Unit kUnits[] = {{"s", kSecond}, {"ms", 1'000'000}, {"us", 1'000}, {"ns", 1}};

/// `ns` in a unit: a whole number, and the rest as decimal places.
std::string in_unit(std::uint64_t ns, const Unit& unit) {
  std::string out = std::to_string(ns / unit.ns);
  if (const std::uint64_t rest = ns % unit.ns; rest > 0) {
    std::string places = std::to_string(unit.ns + rest).substr(1);
    places.erase(places.find_last_not_of('0') + 1);
    out += "." + places;
  }
  return out + " " + unit.name;
}

std::uint64_t magnitude(std::int64_t ns) {
  return ns < 0 ? 0 - static_cast<std::uint64_t>(ns) : static_cast<std::uint64_t>(ns);
}

}  // namespace

std::string exact_text(Duration d) {
  const std::uint64_t ns = magnitude(d.count());
  const Unit* unit = kUnits;  // of nothing at all: seconds
  while (ns > 0 && unit->ns > ns)
    ++unit;
  return (d.count() < 0 ? "-" : "") + in_unit(ns, *unit);
}

std::string exact_text(VirtualTime t) {
  if (t == kNever) return "never";
  return (ns(t) < 0 ? "-" : "") + in_unit(magnitude(ns(t)), kUnits[0]);
}

}  // namespace lab
