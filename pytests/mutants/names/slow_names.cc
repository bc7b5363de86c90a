// SPDX-License-Identifier: Apache-2.0
// To be loaded before a program (LD_PRELOAD): a resolver that is as slow as strangers can make it.
// Names with ".hangs" in them have no address, and take ten seconds to say so; those that end in
// ".good.example" are this machine. Whatever else is asked for, the system answers.
#include <dlfcn.h>
#include <netdb.h>
#include <time.h>

#include <string_view>

extern "C" int getaddrinfo(const char* name, const char* service, const addrinfo* hints,
                           addrinfo** found) {
  using Real = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
  static const Real real = reinterpret_cast<Real>(::dlsym(RTLD_NEXT, "getaddrinfo"));
  const std::string_view text = name != nullptr ? name : "";
  if (text.find(".hangs") != std::string_view::npos) {
    const timespec ten_seconds{.tv_sec = 10, .tv_nsec = 0};
    ::nanosleep(&ten_seconds, nullptr);
    return EAI_AGAIN;
  }
  return real(text.ends_with(".good.example") ? "127.0.0.1" : name, service, hints, found);
}
