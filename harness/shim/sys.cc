// SPDX-License-Identifier: Apache-2.0
// Section lab_sys_text: everything that enters the real kernel. The trap lets calls from this
// section pass, judged by the address *after* the instruction; so the section begins and ends with
// something that is no call, or the last one would be trapped.
#include "harness/shim/shim.h"

asm(R"(
  .section lab_sys_text, "ax", @progbits
  .balign 64
  .globl lab_sys_begin
  .hidden lab_sys_begin
lab_sys_begin:
  ud2

  .globl lab_sys
  .hidden lab_sys
  .type lab_sys, @function
lab_sys:
  .cfi_startproc
  mov %rdi, %rax
  mov %rsi, %rdi
  mov %rdx, %rsi
  mov %rcx, %rdx
  mov %r8, %r10
  mov %r9, %r8
  mov 8(%rsp), %r9
  syscall
  ret
  .cfi_endproc
  .size lab_sys, .-lab_sys

  // lab_switch(wake, wait, flags): gives the turn to one word and waits for the other. From the
  // first store on it writes nothing but the two words: whoever wakes the controller may still run
  // for a while, and the memory that the controller digests must not show how far it has come.
  .globl lab_switch
  .hidden lab_switch
  .type lab_switch, @function
lab_switch:
  .cfi_startproc
  mov %rsi, %r8
  mov %edx, %r9d
  mov %edx, %esi
  or $1, %esi
  mov $1, %edx
  xor %r10d, %r10d
  mov $202, %eax
  movl $1, (%rdi)
  syscall
  mov %r8, %rdi
  jmp 2f
1:
  mov %r9d, %esi
  xor %edx, %edx
  mov $202, %eax
  syscall
2:
  xor %eax, %eax
  xchg %eax, (%rdi)
  cmp $1, %eax
  jne 1b
  ret
  .cfi_endproc
  .size lab_switch, .-lab_switch

  // lab_clone(flags, stack, clear_word, tls, slot): the child starts on `stack` with rbx = slot.
  .globl lab_clone
  .hidden lab_clone
  .type lab_clone, @function
lab_clone:
  .cfi_startproc
  push %rbx
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset %rbx, 0
  mov %r8, %rbx
  mov %rcx, %r8
  mov %rdx, %r10
  xor %edx, %edx
  mov $56, %eax
  syscall
  test %rax, %rax
  jz 1f
  pop %rbx
  .cfi_adjust_cfa_offset -8
  ret
1:
  .cfi_undefined %rip
  xor %ebp, %ebp
  mov %rbx, %rdi
  call lab_child
  ud2
  .cfi_endproc
  .size lab_clone, .-lab_clone

  // lab_resume(registers, stack)
  .globl lab_resume
  .hidden lab_resume
  .type lab_resume, @function
lab_resume:
  .cfi_startproc
  .cfi_undefined %rip
  mov %rsi, %rsp
  mov 0(%rdi), %r8
  mov 8(%rdi), %r9
  mov 16(%rdi), %r10
  mov 32(%rdi), %r12
  mov 40(%rdi), %r13
  mov 48(%rdi), %r14
  mov 56(%rdi), %r15
  mov 72(%rdi), %rsi
  mov 80(%rdi), %rbp
  mov 88(%rdi), %rbx
  mov 96(%rdi), %rdx
  mov 128(%rdi), %rcx
  mov 64(%rdi), %rdi
  xor %eax, %eax
  jmp *%rcx
  .cfi_endproc
  .size lab_resume, .-lab_resume

  // The frame of a signal handler, in words that an unwinder follows: every register lies in the
  // sigcontext at rsp + 40 (uc_mcontext). The description starts one byte early, as unwinders look
  // up the address before the return address.
  .balign 16
  .cfi_startproc
  .cfi_signal_frame
  .cfi_escape 0x0f,0x04,0x77,0xa0,0x01,0x06
  .cfi_escape 0x10,0x08,0x02,0x77,0x28
  .cfi_escape 0x10,0x09,0x02,0x77,0x30
  .cfi_escape 0x10,0x0a,0x02,0x77,0x38
  .cfi_escape 0x10,0x0b,0x03,0x77,0xc0,0x00
  .cfi_escape 0x10,0x0c,0x03,0x77,0xc8,0x00
  .cfi_escape 0x10,0x0d,0x03,0x77,0xd0,0x00
  .cfi_escape 0x10,0x0e,0x03,0x77,0xd8,0x00
  .cfi_escape 0x10,0x0f,0x03,0x77,0xe0,0x00
  .cfi_escape 0x10,0x05,0x03,0x77,0xe8,0x00
  .cfi_escape 0x10,0x04,0x03,0x77,0xf0,0x00
  .cfi_escape 0x10,0x06,0x03,0x77,0xf8,0x00
  .cfi_escape 0x10,0x03,0x03,0x77,0x80,0x01
  .cfi_escape 0x10,0x01,0x03,0x77,0x88,0x01
  .cfi_escape 0x10,0x00,0x03,0x77,0x90,0x01
  .cfi_escape 0x10,0x02,0x03,0x77,0x98,0x01
  .cfi_escape 0x10,0x10,0x03,0x77,0xa8,0x01
  nop
  .globl lab_restorer
  .hidden lab_restorer
  .type lab_restorer, @function
lab_restorer:
  mov $15, %eax
  syscall
  .cfi_endproc
  .size lab_restorer, .-lab_restorer

  ud2
  .globl lab_sys_end
  .hidden lab_sys_end
lab_sys_end:
  ud2

  .section lab_trapped_text, "ax", @progbits
  .globl lab_trapped
  .hidden lab_trapped
  .type lab_trapped, @function
lab_trapped:
  .cfi_startproc
  mov %rdi, %rax
  mov %rsi, %rdi
  mov %rdx, %rsi
  mov %rcx, %rdx
  mov %r8, %r10
  mov %r9, %r8
  mov 8(%rsp), %r9
  syscall
  ret
  .cfi_endproc
  .size lab_trapped, .-lab_trapped
  .text
)");
