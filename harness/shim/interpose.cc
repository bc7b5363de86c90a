// SPDX-License-Identifier: Apache-2.0
// libc's entry points, an accelerator only: each is its system call, without the 0.9 us of a trap.
// No semantics of its own, so that a run without interposition has the same chain. What glibc does
// in between (the number it really uses, e.g. accept4 or clock_nanosleep) is done here alike.
// The last one is no accelerator: it stands where libstdc++ would execute RDRAND or RDSEED.
#include "harness/kernel/internal.h"
#include "harness/kernel/numbers.h"
#include "harness/shim/shim.h"

extern "C" int* __errno_location();

namespace lab::shim {
namespace {

namespace nr = kernel::nr;

long plain(long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0, long f = 0) {
  if (!g_attached || (g_kernel.control->flags & LAB_FLAG_INTERPOSE) == 0) {
    return lab_trapped(number, a, b, c, d, e, f);  // as libc would
  }
  const long args[6] = {a, b, c, d, e, f};
  return serve(number, args, nullptr);
}

template <class... A>
long call(long number, A... a) {
  const long result = plain(number, (long)a...);
  if (result >= 0 || result < -4095) return result;
  *__errno_location() = static_cast<int>(-result);
  return -1;
}

}  // namespace
}  // namespace lab::shim

#define LAB_EXPORT extern "C" __attribute__((visibility("default")))
using lab::shim::call;
namespace nr = lab::kernel::nr;
using Size = unsigned long;

LAB_EXPORT long read(int fd, void* to, Size n) {
  return call(nr::k_read, fd, to, n);
}
LAB_EXPORT long write(int fd, const void* from, Size n) {
  return call(nr::k_write, fd, from, n);
}
LAB_EXPORT long readv(int fd, const void* iov, int n) {
  return call(nr::k_readv, fd, iov, n);
}
LAB_EXPORT long writev(int fd, const void* iov, int n) {
  return call(nr::k_writev, fd, iov, n);
}
LAB_EXPORT long pread64(int fd, void* to, Size n, long offset) {
  return call(nr::k_pread64, fd, to, n, offset);
}
LAB_EXPORT long pread(int fd, void* to, Size n, long offset) {
  return call(nr::k_pread64, fd, to, n, offset);
}
LAB_EXPORT long pwrite64(int fd, const void* from, Size n, long offset) {
  return call(nr::k_pwrite64, fd, from, n, offset);
}
LAB_EXPORT long pwrite(int fd, const void* from, Size n, long offset) {
  return call(nr::k_pwrite64, fd, from, n, offset);
}
LAB_EXPORT int fsync(int fd) {
  return (int)call(nr::k_fsync, fd);
}
LAB_EXPORT int fdatasync(int fd) {
  return (int)call(nr::k_fdatasync, fd);
}
LAB_EXPORT int close(int fd) {
  return (int)call(nr::k_close, fd);
}
LAB_EXPORT int socket(int domain, int type, int protocol) {
  return (int)call(nr::k_socket, domain, type, protocol);
}
LAB_EXPORT int bind(int fd, const void* address, unsigned n) {
  return (int)call(nr::k_bind, fd, address, n);
}
LAB_EXPORT int listen(int fd, int backlog) {
  return (int)call(nr::k_listen, fd, backlog);
}
LAB_EXPORT int accept(int fd, void* address, unsigned* n) {
  return (int)call(nr::k_accept, fd, address, n);
}
LAB_EXPORT int accept4(int fd, void* address, unsigned* n, int flags) {
  return (int)call(nr::k_accept4, fd, address, n, flags);
}
LAB_EXPORT int connect(int fd, const void* address, unsigned n) {
  return (int)call(nr::k_connect, fd, address, n);
}
LAB_EXPORT int getsockopt(int fd, int level, int name, void* value, unsigned* n) {
  return (int)call(nr::k_getsockopt, fd, level, name, value, n);
}
LAB_EXPORT int setsockopt(int fd, int level, int name, const void* value, unsigned n) {
  return (int)call(nr::k_setsockopt, fd, level, name, value, n);
}
LAB_EXPORT int getsockname(int fd, void* address, unsigned* n) {
  return (int)call(nr::k_getsockname, fd, address, n);
}
LAB_EXPORT int getpeername(int fd, void* address, unsigned* n) {
  return (int)call(nr::k_getpeername, fd, address, n);
}
LAB_EXPORT int shutdown(int fd, int how) {
  return (int)call(nr::k_shutdown, fd, how);
}
LAB_EXPORT long send(int fd, const void* from, Size n, int flags) {
  return call(nr::k_sendto, fd, from, n, flags, 0, 0);
}
LAB_EXPORT long recv(int fd, void* to, Size n, int flags) {
  return call(nr::k_recvfrom, fd, to, n, flags, 0, 0);
}
LAB_EXPORT long sendto(int fd, const void* from, Size n, int flags, const void* to, unsigned size) {
  return call(nr::k_sendto, fd, from, n, flags, to, size);
}
LAB_EXPORT long recvfrom(int fd, void* to, Size n, int flags, void* from, unsigned* size) {
  return call(nr::k_recvfrom, fd, to, n, flags, from, size);
}
LAB_EXPORT long sendmsg(int fd, const void* message, int flags) {
  return call(nr::k_sendmsg, fd, message, flags);
}
LAB_EXPORT long recvmsg(int fd, void* message, int flags) {
  return call(nr::k_recvmsg, fd, message, flags);
}
LAB_EXPORT int ioctl(int fd, unsigned long request, void* argument) {
  return (int)call(nr::k_ioctl, fd, request, argument);
}
LAB_EXPORT int poll(void* fds, Size n, int timeout) {
  return (int)call(nr::k_poll, fds, n, timeout);
}
LAB_EXPORT int epoll_create1(int flags) {
  return (int)call(nr::k_epoll_create1, flags);
}
LAB_EXPORT int epoll_ctl(int epoll, int operation, int fd, void* event) {
  return (int)call(nr::k_epoll_ctl, epoll, operation, fd, event);
}
LAB_EXPORT int epoll_wait(int epoll, void* events, int n, int timeout) {
  return (int)call(nr::k_epoll_wait, epoll, events, n, timeout);
}
LAB_EXPORT int eventfd(unsigned initial, int flags) {
  return (int)call(nr::k_eventfd2, initial, flags);
}
LAB_EXPORT int timerfd_create(int clock, int flags) {
  return (int)call(nr::k_timerfd_create, clock, flags);
}
LAB_EXPORT int timerfd_settime(int fd, int flags, const void* next, void* old) {
  return (int)call(nr::k_timerfd_settime, fd, flags, next, old);
}
LAB_EXPORT int clock_gettime(int clock, void* out) {
  return (int)call(nr::k_clock_gettime, clock, out);
}
LAB_EXPORT int gettimeofday(void* out, void* zone) {
  return (int)call(nr::k_gettimeofday, out, zone);
}
LAB_EXPORT long time(long* out) {
  return call(nr::k_time, out);
}
LAB_EXPORT long getrandom(void* to, Size n, unsigned flags) {
  return call(nr::k_getrandom, to, n, flags);
}

/// std::random_device::_M_getval(): where every draw of every random_device ends, whatever its
/// token is, in a program that loads libstdc++. Each way there is the node's one stream, so one
/// call does for all of them. It is called without interposition too (then it traps): libstdc++'s
/// own would take what the CPU offers. Making one, and refusing a token, stays libstdc++'s.
LAB_EXPORT unsigned lab_random_device_value(void*) asm("_ZNSt13random_device9_M_getvalEv");
LAB_EXPORT unsigned lab_random_device_value(void*) {
  unsigned value = 0;
  if (getrandom(&value, sizeof(value), 0) != sizeof(value)) __builtin_trap();
  return value;
}
