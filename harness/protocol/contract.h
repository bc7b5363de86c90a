/* SPDX-License-Identifier: Apache-2.0
 *
 * What the shim (inside a node process) and the controller agree on: three shared mappings and the
 * rules by which they take turns. Plain C, sizes asserted, one version number: a shim refuses a
 * controller of another version and the other way round.
 *
 * Rules
 * - Node and controller strictly alternate. Whoever holds the turn may touch everything shared;
 *   nobody else touches anything. So the only atomics are the turn words, and the inbox and the
 *   outbox are linear buffers that start empty at each activation.
 * - No pointers in shared memory, only offsets and indices: the controller maps an arena anywhere,
 *   the node at LAB_ARENA_ADDRESS.
 * - All processes of one host map the host's page (LAB_HOST_ADDRESS); the process whose turn it is
 *   uses it.
 * - Turn words of all nodes lie in one table, a cache line each, so that the nodes of one instant
 *   hand over to each other in a chain. Slot 0 is the controller's.
 *
 * Times are nanoseconds of virtual time since the start of the run, unless a name says otherwise.
 */
#ifndef MIXLAB_HARNESS_PROTOCOL_CONTRACT_H
#define MIXLAB_HARNESS_PROTOCOL_CONTRACT_H

#include <stddef.h>
#include <stdint.h>

#define LAB_CONTRACT_MAGIC 0x31424c58494d0000ull
#define LAB_CONTRACT_VERSION 1u

/* Where a node finds the three mappings. 0x6000... is AddressSanitizer's allocator: keep away. */
#define LAB_ARENA_ADDRESS 0x7ea000000000ull
#define LAB_HOST_ADDRESS 0x7eb000000000ull
#define LAB_TURNS_ADDRESS 0x7ec000000000ull

/* Descriptors a node is started with (real numbers; the program never sees them). */
#define LAB_FD_ARENA 900
#define LAB_FD_HOST 901
#define LAB_FD_TURNS 902
#define LAB_FD_FOLDER 903 /* the node's folder, O_PATH|O_DIRECTORY */
#define LAB_FD_SHIM 904   /* LD_PRELOAD=/proc/self/fd/904: a path of fixed length */
#define LAB_FD_PROGRAM 905
#define LAB_FD_LOADER 906 /* of a packed program: its dynamic loader, gone after exec */
#define LAB_FD_LIBRARIES \
  907 /* LD_LIBRARY_PATH=/proc/self/fd/907: of a pack; else nothing is there */
#define LAB_FD_LIMIT 1024

/* The arena. Sizes are virtual: pages that nobody touches cost nothing. */
#define LAB_CONTROL_OFFSET 0x0ull
#define LAB_INBOX_OFFSET 0x10000ull
#define LAB_INBOX_SIZE 0x1f0000ull
#define LAB_OUTBOX_OFFSET 0x200000ull
#define LAB_OUTBOX_SIZE 0x200000ull
#define LAB_STACKS_OFFSET 0x400000ull /* handler stacks of the shim: never part of a digest */
#define LAB_STACK_SIZE 0x18000ull     /* of which the lowest page is a guard */
#define LAB_MAX_THREADS 128u
#define LAB_KERNEL_OFFSET 0x1800000ull
#define LAB_ARENA_SIZE 0x40000000ull
#define LAB_HOST_SIZE 0x4000000ull

#define LAB_MAX_SLOTS 4096u
#define LAB_MAX_CALL 512u
#define LAB_NEVER INT64_MAX

#ifdef __cplusplus
#define LAB_ALIGN64 alignas(64)
#define LAB_STATIC_ASSERT static_assert
#else
#define LAB_ALIGN64 _Alignas(64)
#define LAB_STATIC_ASSERT _Static_assert
#endif

/* ---- turns ------------------------------------------------------------------------------- */

typedef struct lab_turn {
  uint32_t word; /* 0: wait; 1: it is your turn. A futex. */
  uint32_t pad[15];
} lab_turn;

typedef struct lab_turns {
  lab_turn slot[LAB_MAX_SLOTS];
} lab_turns;

/* ---- the control page -------------------------------------------------------------------- */

enum lab_trap { LAB_TRAP_SECCOMP = 0, LAB_TRAP_SUD = 1 };

enum lab_flag {
  LAB_FLAG_INTERPOSE = 1,     /* libc entry points call the kernel library without a trap */
  LAB_FLAG_FAULT_TSC = 2,     /* make RDTSC fault and answer it */
  LAB_FLAG_FAULT_CPUID = 4,   /* make CPUID fault and answer it from cpuid[] */
  LAB_FLAG_FAULTS_ARMED = 8,  /* the controller armed both at the exec stop already */
  LAB_FLAG_PASS_UNKNOWN = 16, /* diagnostic: refused calls pass and are counted; run is void */
  LAB_FLAG_DEBUG_STOP = 32    /* once: call lab_debug_stop() when the next activation begins */
};

enum lab_state {
  LAB_STATE_STARTING = 0,
  LAB_STATE_RUNNING = 1,
  LAB_STATE_BLOCKED = 2, /* every thread waits */
  LAB_STATE_MORE = 3,    /* outbox full, or the clock has to step: give the turn back */
  LAB_STATE_LINGER = 4,  /* the program has ended; its kernel still empties sockets */
  LAB_STATE_EXITED = 5,  /* nothing left to do: the next turn ends the process */
  LAB_STATE_STOPPED = 6  /* refused, see `stop`; the process goes no further */
};

enum lab_stop_kind {
  LAB_STOP_NONE = 0,
  LAB_STOP_REFUSED_CALL = 1, /* a call whose policy is refuse, or one form of it */
  LAB_STOP_CAPACITY = 2,     /* a table of the simulated kernel is full */
  LAB_STOP_INTERNAL = 3,     /* a bug of the lab */
  LAB_STOP_FAULT = 4         /* the program crashed: signal, address */
};

typedef struct lab_stop {
  uint32_t kind;
  uint32_t thread;
  int64_t call; /* number, or -1 */
  uint64_t ip;
  uint64_t args[3];
  char text[216];
} lab_stop;

#define LAB_MAX_CPUID 96u
typedef struct lab_cpuid {
  uint32_t leaf, subleaf, flags /* 1: subleaf counts */, eax, ebx, ecx, edx, pad;
} lab_cpuid;

typedef struct lab_control {
  /* written once by the controller */
  uint64_t magic;
  uint32_t version;
  uint32_t slot; /* of this node in the turn table */
  uint32_t trap;
  uint32_t flags;
  int32_t pid;         /* what the program is told */
  uint32_t trace_real; /* real tid of the first thread, for messages only */
  uint8_t entropy_key[32];
  int64_t wall_epoch_ns; /* CLOCK_REALTIME at the start of the run */
  uint32_t call_limit;   /* simulated calls in one activation before the clock steps */
  uint32_t cpus;         /* what sched_getaffinity says */
  int64_t call_step_ns;  /* how far it steps */
  uint32_t cpuid_count;
  uint32_t inherited; /* bit n: descriptor n is inherited as an output of the lab (0: empty) */

  /* the hot line */
  LAB_ALIGN64 int64_t now_ns;
  int64_t deadline_ns; /* when this node wants to wake at the latest; LAB_NEVER */
  uint64_t inbox_size;
  uint64_t outbox_size;
  uint32_t next_slot;      /* to whom the node hands over: 0 = the controller */
  uint32_t state;          /* enum lab_state */
  int64_t clock_offset_ns; /* of CLOCK_REALTIME on this host */
  int64_t clock_drift_ppm; /* of all its clocks */

  /* per activation; the controller resets after reading */
  LAB_ALIGN64 uint32_t calls_touched;
  uint32_t steps;         /* times the clock had to step because of `call_limit`, ever */
  uint64_t entropy_drawn; /* bytes, ever */
  uint64_t traps;         /* ever */
  uint16_t touched[LAB_MAX_CALL];
  uint32_t calls[LAB_MAX_CALL]; /* simulated calls by number in this activation */

  LAB_ALIGN64 lab_stop stop;
  lab_cpuid cpuid[LAB_MAX_CPUID];
} lab_control;

/* ---- entries of inbox and outbox ------------------------------------------------------------ */

/* Header of an entry; `size` bytes follow, padded with zeros to a multiple of 8. */
typedef struct lab_entry {
  uint16_t kind;
  uint16_t flags;
  uint32_t size;
  uint64_t id;    /* a socket handle (index | generation << 32), or what the kind says */
  uint64_t value; /* what the kind says */
} lab_entry;

enum lab_in {
  LAB_IN_SYN = 1,     /* id: listener; value: token; lab_addresses, local = listener's side */
  LAB_IN_ACCEPTED,    /* id: connecting socket; value: peer's window edge */
  LAB_IN_REFUSED,     /* id: connecting socket; value: errno */
  LAB_IN_DATA,        /* id; bytes */
  LAB_IN_FIN,         /* id */
  LAB_IN_RESET,       /* id */
  LAB_IN_ACK,         /* id; value: bytes of the stream acknowledged, FIN counts one */
  LAB_IN_WINDOW,      /* id; value: the peer takes bytes up to here */
  LAB_IN_DATAGRAM,    /* id: socket; lab_addresses, then bytes */
  LAB_IN_UNREACHABLE, /* id: datagram socket; value: errno */
  LAB_IN_SIGNAL       /* value: signal number */
};

enum lab_out {
  LAB_OUT_CONNECT = 64, /* id; value: own window edge; lab_addresses */
  LAB_OUT_ACCEPTED,     /* id: new socket; value: token of LAB_IN_SYN; u64 own window edge */
  LAB_OUT_REFUSED,      /* value: token */
  LAB_OUT_DATA,         /* id; bytes */
  LAB_OUT_FIN,          /* id */
  LAB_OUT_RESET,        /* id */
  LAB_OUT_WINDOW,       /* id; value: edge */
  LAB_OUT_WANT,         /* id; value 1: wake me for ACK and WINDOW of this socket, 0: do not */
  LAB_OUT_DATAGRAM,     /* id; lab_addresses, then bytes */
  LAB_OUT_WRITE,        /* id: descriptor number the program was started with (1, 2, fd:N); bytes */
  LAB_OUT_OPENED,       /* a path outside the node's folder was opened for reading */
  LAB_OUT_EXIT,         /* value: wait status as waitpid(2) gives it */
  LAB_OUT_WAKE,         /* id: slot of another process of this host that should run now */
  LAB_OUT_NOTE          /* text for the report */
};

/* 16-byte addresses: IPv6, or IPv4 as ::ffff:a.b.c.d. Ports in host order. */
typedef struct lab_addresses {
  uint8_t local[16];
  uint8_t remote[16];
  uint16_t local_port;
  uint16_t remote_port;
  uint32_t pad;
} lab_addresses;

#define LAB_ENTRY_SPACE(size) (sizeof(lab_entry) + (((uint64_t)(size) + 7) & ~(uint64_t)7))

LAB_STATIC_ASSERT(sizeof(lab_turn) == 64, "one cache line");
LAB_STATIC_ASSERT(sizeof(lab_entry) == 24, "header");
LAB_STATIC_ASSERT(sizeof(lab_addresses) == 40, "addresses");
LAB_STATIC_ASSERT(sizeof(lab_stop) == 264, "stop");
LAB_STATIC_ASSERT(offsetof(lab_control, now_ns) == 128, "hot line");
LAB_STATIC_ASSERT(offsetof(lab_control, calls_touched) == 192, "counters");
LAB_STATIC_ASSERT(sizeof(lab_control) <= LAB_INBOX_OFFSET, "control page");
LAB_STATIC_ASSERT(LAB_STACKS_OFFSET + LAB_MAX_THREADS * LAB_STACK_SIZE <= LAB_KERNEL_OFFSET,
                  "stacks");

#endif
