// SPDX-License-Identifier: Apache-2.0
// The numbers and layouts of the Linux x86-64 interface that the kernel library speaks. Own
// definitions, in a namespace, because glibc's headers and the kernel's do not go together and this
// library also compiles inside tests that use glibc's.
#pragma once

#include "harness/kernel/base.h"

namespace lab::kernel::lx {

enum Errno : long {
  kEperm = 1,
  kEnoent = 2,
  kEsrch = 3,
  kEintr = 4,
  kEio = 5,
  kEnxio = 6,
  kEbadf = 9,
  kEchild = 10,
  kEagain = 11,
  kEnomem = 12,
  kEacces = 13,
  kEfault = 14,
  kEexist = 17,
  kEnodev = 19,
  kEnotdir = 20,
  kEisdir = 21,
  kEinval = 22,
  kEnfile = 23,
  kEmfile = 24,
  kEnotty = 25,
  kEnospc = 28,
  kEspipe = 29,
  kErofs = 30,
  kEpipe = 32,
  kErange = 34,
  kEdeadlk = 35,
  kEnametoolong = 36,
  kEnosys = 38,
  kEloop = 40,
  kEnotsock = 88,
  kEdestaddrreq = 89,
  kEmsgsize = 90,
  kEnoprotoopt = 92,
  kEprotonosupport = 93,
  kEopnotsupp = 95,
  kEafnosupport = 97,
  kEaddrinuse = 98,
  kEaddrnotavail = 99,
  kEnetunreach = 101,
  kEconnreset = 104,
  kEnobufs = 105,
  kEisconn = 106,
  kEnotconn = 107,
  kEtimedout = 110,
  kEconnrefused = 111,
  kEhostunreach = 113,
  kEalready = 114,
  kEinprogress = 115
};

// open(2), fcntl(2)
inline constexpr long kAccMode = 3, kWrOnly = 1, kRdWr = 2, kCreat = 0100, kExcl = 0200,
                      kTrunc = 01000;
inline constexpr long kAppend = 02000, kNonblock = 04000, kDirectory = 0200000, kNofollow = 0400000;
inline constexpr long kAsync = 020000, kDirect = 040000, kNoatime = 01000000;
inline constexpr long kCloexec = 02000000, kPath = 010000000, kTmpfile = 020200000,
                      kLargefile = 0100000;
inline constexpr int kAtFdcwd = -100, kAtEmptyPath = 0x1000, kAtSymlinkNofollow = 0x100;
inline constexpr int kAtRemovedir = 0x200;
enum Fcntl : long {
  kDupfd = 0,
  kGetfd = 1,
  kSetfd = 2,
  kGetfl = 3,
  kSetfl = 4,
  kGetlk = 5,
  kSetlk = 6,
  kSetlkw = 7,
  kSetown = 8,
  kGetown = 9,
  kOfdGetlk = 36,
  kOfdSetlk = 37,
  kOfdSetlkw = 38,
  kDupfdCloexec = 1030,
  kSetpipeSz = 1031,
  kGetpipeSz = 1032,
  kAddSeals = 1033
};
struct Flock {
  int16_t type, whence;
  i64 start, len;
  i32 pid;
};
// readiness
enum Poll : u32 {
  kIn = 1,
  kPri = 2,
  kOut = 4,
  kErr = 8,
  kHup = 16,
  kNval = 32,
  kRdnorm = 64,
  kRdband = 128,
  kWrnorm = 256,
  kWrband = 512,
  kRdhup = 0x2000
};
inline constexpr u32 kEpollExclusive = 1u << 28, kEpollWakeup = 1u << 29;
inline constexpr u32 kEpollOneshot = 1u << 30, kEpollEt = 1u << 31;
struct PollFd {
  i32 fd;
  int16_t events, revents;
};
struct __attribute__((packed)) EpollEvent {
  u32 events;
  u64 data;
};
// time
struct Timespec {
  i64 sec, nsec;
};
struct Timeval {
  i64 sec, usec;
};
struct Itimerspec {
  Timespec interval, value;
};
struct Itimerval {
  Timeval interval, value;
};
// sockets
inline constexpr int kUnix = 1, kInet = 2, kInet6 = 10;
inline constexpr int kStream = 1, kDgram = 2, kSockTypeMask = 0xf;
inline constexpr int kMsgPeek = 2, kMsgTrunc = 0x20, kMsgDontwait = 0x40, kMsgWaitall = 0x100;
inline constexpr int kMsgNosignal = 0x4000, kMsgOob = 1, kMsgErrqueue = 0x2000, kMsgMore = 0x8000;
inline constexpr int kMsgWaitforone = 0x10000, kMsgCmsgCloexec = 0x40000000;
struct Iovec {
  u8* base;
  u64 len;
};
struct Msghdr {
  u8* name;
  u32 namelen;
  u32 pad0;
  Iovec* iov;
  u64 iovlen;
  u8* control;
  u64 controllen;
  i32 flags;
  i32 pad1;
};
struct Mmsghdr {
  Msghdr hdr;
  u32 len;
  u32 pad;
};
struct SockaddrIn {
  u16 family, port;  // port in network order
  u8 address[4];
  u8 pad[8];
};
struct SockaddrIn6 {
  u16 family, port;
  u32 flow;
  u8 address[16];
  u32 scope;
};
// signals
inline constexpr int kSigint = 2, kSigkill = 9, kSigpipe = 13, kSigalrm = 14, kSigterm = 15;
inline constexpr int kSigsegv = 11, kSigsys = 31, kSigstop = 19, kSigchld = 17, kSigcont = 18;
inline constexpr int kSigurg = 23, kSigwinch = 28, kSigtstp = 20, kSigttin = 21, kSigttou = 22;
inline constexpr u64 kSaRestart = 0x10000000, kSaSiginfo = 4, kSaNodefer = 0x40000000;
inline constexpr u64 kSaResethand = 0x80000000;
struct Sigaction {
  u64 handler, flags, restorer, mask;
};
struct Stack {
  u64 sp;
  i32 flags;
  i32 pad;
  u64 size;
};
inline constexpr int kSsDisable = 2;
struct Siginfo {
  i32 signo, error, code, pad0;
  i32 pid, uid;
  u8 rest[104];
};
// files
struct Stat {
  u64 dev, ino, nlink;
  u32 mode, uid, gid, pad0;
  u64 rdev;
  i64 size, blksize, blocks;
  Timespec atime, mtime, ctime;
  i64 unused[3];
};
struct StatxTime {
  i64 sec;
  u32 nsec;
  i32 pad;
};
struct Statx {
  u32 mask, blksize;
  u64 attributes;
  u32 nlink, uid, gid;
  u16 mode, pad0;
  u64 ino, size, blocks, attributes_mask;
  StatxTime atime, btime, ctime, mtime;
  u32 rdev_major, rdev_minor, dev_major, dev_minor;
  u64 rest[14];
};
struct Statfs {
  i64 type, bsize;
  u64 blocks, bfree, bavail, files, ffree;
  i32 fsid[2];
  i64 namelen, frsize, flags, spare[4];
};
inline constexpr u32 kModeFmt = 0170000, kModeDir = 0040000, kModeReg = 0100000, kModeLnk = 0120000;
inline constexpr u32 kModeFifo = 0010000, kModeChr = 0020000, kModeSock = 0140000;
struct Dirent {  // getdents64: header, then the name
  u64 ino;
  i64 off;
  u16 reclen;
  u8 type;
  char name[5];
};

static_assert(sizeof(Stat) == 144 && sizeof(Statx) == 256 && sizeof(Msghdr) == 56);
static_assert(sizeof(Siginfo) == 128 && sizeof(EpollEvent) == 12 && sizeof(Statfs) == 120);

}  // namespace lab::kernel::lx
