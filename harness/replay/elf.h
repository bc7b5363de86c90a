// SPDX-License-Identifier: Apache-2.0
// The two things that a pack must know of an ELF file of x86-64.
#pragma once

#include <optional>
#include <string>

namespace lab::replay {

/// The name under which programs ask for a library (DT_SONAME); nullopt: it has none.
std::optional<std::string> soname_of(const std::string& file);
/// A copy of a program that names another dynamic loader, at most as long as the one it names. The
/// error is a sentence.
std::optional<std::string> copy_with_loader(const std::string& program, const std::string& loader,
                                            const std::string& copy);

}  // namespace lab::replay
