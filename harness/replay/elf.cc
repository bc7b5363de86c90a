// SPDX-License-Identifier: Apache-2.0
#include "harness/replay/elf.h"

#include <elf.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

namespace lab::replay {
namespace {

std::string bytes_of(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

template <class T>
std::optional<T> at(const std::string& bytes, std::uint64_t offset) {
  if (offset > bytes.size() || bytes.size() - offset < sizeof(T)) return std::nullopt;
  T out;
  std::memcpy(&out, bytes.data() + offset, sizeof(T));
  return out;
}

std::vector<Elf64_Phdr> segments(const std::string& bytes) {
  const auto header = at<Elf64_Ehdr>(bytes, 0);
  if (!header || std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 ||
      header->e_ident[EI_CLASS] != ELFCLASS64)
    return {};
  std::vector<Elf64_Phdr> out;
  for (unsigned i = 0; i < header->e_phnum; ++i)
    if (const auto segment = at<Elf64_Phdr>(bytes, header->e_phoff + i * sizeof(Elf64_Phdr)))
      out.push_back(*segment);
  return out;
}

/// Where in the file an address of the loaded image lies.
std::optional<std::uint64_t> offset_of(const std::vector<Elf64_Phdr>& all, std::uint64_t address) {
  for (const Elf64_Phdr& segment : all)
    if (segment.p_type == PT_LOAD && address >= segment.p_vaddr &&
        address - segment.p_vaddr < segment.p_filesz)
      return segment.p_offset + (address - segment.p_vaddr);
  return std::nullopt;
}

}  // namespace

std::optional<std::string> soname_of(const std::string& file) {
  const std::string bytes = bytes_of(file);
  const auto all = segments(bytes);
  for (const Elf64_Phdr& segment : all) {
    if (segment.p_type != PT_DYNAMIC) continue;
    std::uint64_t name = 0, strings = 0;
    for (std::uint64_t i = 0; i * sizeof(Elf64_Dyn) < segment.p_filesz; ++i) {
      const auto entry = at<Elf64_Dyn>(bytes, segment.p_offset + i * sizeof(Elf64_Dyn));
      if (!entry || entry->d_tag == DT_NULL) break;
      if (entry->d_tag == DT_SONAME) name = entry->d_un.d_val;
      if (entry->d_tag == DT_STRTAB) strings = entry->d_un.d_ptr;
    }
    const auto table = offset_of(all, strings);
    if (name == 0 || !table || *table + name >= bytes.size()) return std::nullopt;
    return std::string(bytes.c_str() + *table + name);
  }
  return std::nullopt;
}

std::optional<std::string> copy_with_loader(const std::string& program, const std::string& loader,
                                            const std::string& copy) {
  std::string bytes = bytes_of(program);
  for (const Elf64_Phdr& segment : segments(bytes)) {
    if (segment.p_type != PT_INTERP) continue;
    if (segment.p_filesz <= loader.size() || segment.p_offset + segment.p_filesz > bytes.size())
      return program + ": the name of its loader has no room for " + loader;
    std::memset(bytes.data() + segment.p_offset, 0, segment.p_filesz);
    std::memcpy(bytes.data() + segment.p_offset, loader.data(), loader.size());
    std::ofstream out(copy, std::ios::binary);
    out << bytes;
    std::error_code error;
    if (out.flush()) std::filesystem::permissions(copy, std::filesystem::perms::owner_all, error);
    if (!out || error) return copy + ": cannot be written";
    return std::nullopt;
  }
  return program + " names no dynamic loader";
}

}  // namespace lab::replay
