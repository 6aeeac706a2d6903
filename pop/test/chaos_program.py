"""What runs amid the chaos: C{chaos_program.py MARK MACHINE SERVICE VERSION MANNER COUNTS}.

It writes numbered lines, and keeps count of them in a file of its own under C{COUNTS}, so that it
is known afterwards what it had written when it was killed. It needs nothing but Python itself.

The manners: C{plain}; C{stubborn}, which ignores SIGTERM; C{family}, which has a child in a session
of its own; C{kin}, that child; C{ready}, which says that it is.
"""

import mmap
import os
import select
import signal
import socket
import subprocess
import sys
from contextlib import suppress

PAUSE = 0.005


def main(mark: str, machine: str, service: str, version: str, manner: str, counts: str) -> None:
    """Write until the end."""
    if manner in ("stubborn", "kin"):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if manner == "kin":
        os.setsid()
        while True:
            signal.pause()
    if manner == "family":
        subprocess.Popen([*sys.orig_argv[:-2], "kin", counts])
    with open("/proc/self/stat") as stat:
        name = f"{machine}.{service}.{os.getpid()}.{stat.read().rpartition(')')[2].split()[19]}"
    if manner == "ready":
        say_ready()
    write(name, f"{counts}/{name}")


def say_ready() -> None:
    """Once, as programs do; the agent may be gone."""
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.sendto(b"READY=1", os.environ["NOTIFY_SOCKET"])


def write(name: str, path: str) -> None:
    """Write line after line, and count those that are out; a full disk is waited for."""
    with open(path, "w+b") as file:
        file.truncate(8)
        with mmap.mmap(file.fileno(), 8) as count:
            number = 0
            write_all(b"\n")  # a predecessor may have been killed within a line, on a full disk
            while True:
                number += 1
                write_all(f"{name} {number}.\n".encode())  # half of it is no other line
                count[:] = number.to_bytes(8, "little")
                select.select([], [], [], PAUSE)


def write_all(line: bytes) -> None:
    """Write a line, in pieces if there is no room for all of it."""
    while line:
        try:
            line = line[os.write(1, line) :]
        except OSError:
            select.select([], [], [], PAUSE)


if __name__ == "__main__":
    main(*sys.argv[1:])
