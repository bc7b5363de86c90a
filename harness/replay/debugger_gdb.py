# SPDX-License-Identifier: Apache-2.0
# Run by gdb, attached to a program of the lab that waits for its first turn. The lab's end of the
# two pipes is harness/replay/debugger.cc; the address is LAB_ARENA_ADDRESS of contract.h, and
# now_ns lies 128 bytes behind it.
import os

import gdb

NOW = 0x7EA000000000 + 128
to_lab, from_lab = int(os.environ["MIXLAB_GDB_OUT"]), int(os.environ["MIXLAB_GDB_IN"])
go = os.environ["MIXLAB_GDB_GO"] == "1"


def tell(words):
    try:
        os.write(to_lab, (words + "\n").encode())
    except OSError:
        raise gdb.GdbError("the lab is gone") from None


def heard():
    """What the lab said about the stop it has just made; empty at any other stop."""
    try:
        return os.read(from_lab, 4096).decode().strip()
    except BlockingIOError:
        return ""


def now():
    word = gdb.selected_inferior().read_memory(NOW, 8)
    return int.from_bytes(bytes(word), "little", signed=True)


def clock(ns):
    return f"{ns // 10**9}.{ns % 10**9:09d} s"


def stopped(event):
    if gdb.selected_inferior().pid:
        print(f"[virtual time {clock(now())}]", heard())


class Lab(gdb.Command):
    """Go on in virtual time: lab next, lab packet, lab until TIME|EVENT, lab end, lab now."""

    def __init__(self):
        super().__init__("lab", gdb.COMMAND_RUNNING, prefix=True)


class Go(gdb.Command):
    def __init__(self, word, text):
        self.word = word
        self.__doc__ = text
        super().__init__("lab " + word, gdb.COMMAND_RUNNING)

    def invoke(self, argument, from_tty):
        if self.word == "until" and not argument.strip():
            raise gdb.GdbError('lab until "12.5 s", or lab until 1042 (an event)')
        tell((self.word + " " + argument.strip().strip('"')).strip())
        gdb.execute("continue")


class Now(gdb.Command):
    """The virtual time of this activation."""

    def __init__(self):
        super().__init__("lab now", gdb.COMMAND_STATUS)

    def invoke(self, argument, from_tty):
        print(clock(now()))


os.set_blocking(from_lab, False)
for setting in ("set pagination off", "handle SIGSYS SIGSEGV nostop noprint pass"):
    gdb.execute(setting, to_string=True)
# File names in the programs' line tables are relative to the folder they were built in.
gdb.execute("directory " + os.environ["MIXLAB_GDB_BUILD"], to_string=True)
Lab()
Go("next", "Go on to the begin of the next activation.")
Go("packet", "Go on to the next activation into which a whole packet comes.")
Go("until", 'Go on to a virtual time ("12.5 s") or to an event of the recording.')
Go("end", "Go on to the end of the recording, or to where the program parts from it.")
Now()
stop_here = gdb.Breakpoint("lab_debug_stop", internal=True)
stop_here.silent = True
gdb.events.stop.connect(stopped)
gdb.events.cont.connect(lambda event: tell("go"))
gdb.events.gdb_exiting.connect(lambda event: tell("left"))
print("The program waits for its first turn; nothing but its recording feeds it. Set breakpoints,")
print("then: lab next | lab packet | lab until TIME|EVENT | lab end | continue. lab now: the time.")
if go:
    try:
        gdb.execute("continue")
    except gdb.error as error:  # it ended on the way
        print(error)
