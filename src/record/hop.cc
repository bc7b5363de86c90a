// SPDX-License-Identifier: Apache-2.0
#include "src/record/hop.h"

#include <array>

namespace mix::record {
namespace {

constexpr std::array<std::string_view, 5> kRoles{"directory", "mix", "provider", "client", "other"};
constexpr std::array<std::string_view, 5> kClasses{"loop", "cover", "real", "probe", "injected"};
constexpr std::array<std::string_view, 3> kVerdicts{"forward", "store", "drop"};

}  // namespace

std::string_view name_of(Role role) {
  return kRoles[static_cast<std::size_t>(role)];
}
std::string_view name_of(PacketClass c) {
  return kClasses[static_cast<std::size_t>(c)];
}
std::string_view name_of(Verdict verdict) {
  return kVerdicts[static_cast<std::size_t>(verdict)];
}

}  // namespace mix::record
