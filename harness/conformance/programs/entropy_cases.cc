// SPDX-License-Identifier: Apache-2.0
// The ways to chance: what they return, not what they say.
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <algorithm>
#include <array>
#include <exception>
#include <random>

#include "harness/conformance/programs/say.h"

namespace {

using namespace say;
using Block = std::array<unsigned char, 256>;

void judge(const char* what, long n, const Block& b) {
  const auto zeros = std::count(b.begin(), b.end(), 0);
  result(what, n);
  line("  not all alike: %d, few zeros: %d", b.front() != b[1] || b[1] != b[2], zeros < 20);
}

/// A device by its name: made or refused, and full where it says how full it is.
void tell_of(const char* token) {
  try {
    std::random_device device(token);
    line("%s: %d, entropy %.1f", token, device() != device() || device() != device(),
         device.entropy());
  } catch (const std::exception& refused) {
    line("%s: %s", token, refused.what());
  }
}

}  // namespace

int main() {
  Block a{}, b{};
  judge("getrandom", getrandom(a.data(), a.size(), 0), a);
  getrandom(b.data(), b.size(), 0);
  line("twice differs: %d", a != b);
  b = {};
  judge("GRND_RANDOM", getrandom(b.data(), b.size(), GRND_RANDOM | GRND_NONBLOCK), b);
  result("strange flags", getrandom(b.data(), 1, 64));
  result("nothing", getrandom(b.data(), 0, 0));
  b = {};
  judge("syscall", syscall(SYS_getrandom, b.data(), b.size(), 0), b);
  b = {};
  judge("getentropy", getentropy(b.data(), b.size()), b);
  std::array<unsigned char, 300> large{};
  result("getentropy of too much", getentropy(large.data(), large.size()));
  for (const char* path : {"/dev/urandom", "/dev/random"}) {
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    descriptor(path, fd);
    b = {};
    judge("read", read(fd, b.data(), b.size()), b);
    struct stat s{};
    fstat(fd, &s);
    line("a device: %d", S_ISCHR(s.st_mode));
    ready("poll", fd, POLLIN);
    close(fd);
  }
  std::random_device device;
  line("random_device: %d", device() != device() || device() != device());
  line("its bounds: %d",
       std::random_device::min() == 0 && std::random_device::max() == 0xffffffffu);
  for (const char* token : {"default", "getentropy", "/dev/urandom", "/dev/random", "no such"})
    tell_of(token);
}
