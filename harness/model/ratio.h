// SPDX-License-Identifier: Apache-2.0
// A probability or a share as an exact fraction: no floating point decides anything in the lab.
#pragma once

#include <cstdint>
#include <numeric>
#include <string>

namespace lab {

/// num/den in lowest terms, den > 0. Make it with `ratio`, which reduces.
struct Ratio {
  std::uint64_t num = 0;
  std::uint64_t den = 1;
  friend bool operator==(const Ratio&, const Ratio&) = default;
};

constexpr Ratio ratio(std::uint64_t num, std::uint64_t den) {
  const std::uint64_t g = std::gcd(num, den);
  return g == 0 ? Ratio{} : Ratio{num / g, den / g};
}
inline std::string to_text(Ratio r) {
  return std::to_string(r.num) + "/" + std::to_string(r.den);
}
/// part/whole >= r, in whole numbers. True for a whole of 0.
constexpr bool at_least(std::uint64_t part, std::uint64_t whole, Ratio r) {
  __extension__ typedef unsigned __int128 Wide;
  return static_cast<Wide>(part) * r.den >= static_cast<Wide>(whole) * r.num;
}

}  // namespace lab
