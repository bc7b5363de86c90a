// SPDX-License-Identifier: Apache-2.0
// The units a scenario is written in, as exact whole numbers, and back. Every function that reads
// refuses what it does not understand with a sentence that says what it wanted; every function that
// writes gives the canonical spelling, which reads back as the same value.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "harness/model/ratio.h"
#include "harness/model/virtual_time.h"

namespace lab::scenario {

template <class T>
using Read = std::expected<T, std::string>;

/// "20 ms"; a leading minus only where `negative`.
Read<Duration> read_duration(std::string_view text, bool negative = false);
/// "2/1000", "0.002", "1". At most 15 decimal places.
Read<Ratio> read_ratio(std::string_view text);
/// "2 / s", "0.5/s", "30 / min": events in a second, as a ratio (2/1, 1/2, 1/2).
Read<Ratio> read_rate(std::string_view text);
/// "64 KiB", "1500 B", "1 MB".
Read<std::uint64_t> read_size(std::string_view text);
/// "10 Mbit/s" in bit per second. kbit, Mbit, Gbit are powers of 1000.
Read<std::uint64_t> read_bandwidth(std::string_view text);
/// "2026-01-01T00:00:00Z" in nanoseconds since 1970, to the second; 1970 to 2200.
Read<std::int64_t> read_epoch(std::string_view text);

/// In the largest unit that divides it: "1500 ms", "2 min", "-3 s".
std::string write_duration(Duration d);
std::string write_ratio(Ratio r);
std::string write_rate(Ratio per_second);
std::string write_size(std::uint64_t bytes);
std::string write_bandwidth(std::uint64_t bit_per_s);

/// The mean gap of a rate, to the nearest nanosecond.
Duration mean_gap(Ratio per_second);

}  // namespace lab::scenario
