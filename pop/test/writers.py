"""Processes that write numbered lines as fast as they can, for tests of logs."""

import os
import subprocess
import sys
from pathlib import Path

_PROGRAM = """
import os, sys
name, count = sys.argv[1].encode(), int(sys.argv[2])
for number in range(count):
    os.write(1, b"%s %d %s\\n" % (name, number, b"y" * (number % 100)))
"""


class Writers:
    """So many writers of one log, each of so many lines."""

    def __init__(self, log: Path, names: str, lines: int) -> None:
        self._names = names
        self._lines = lines
        descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._processes = [
            subprocess.Popen([sys.executable, "-c", _PROGRAM, name, str(lines)], stdout=descriptor)
            for name in names
        ]
        os.close(descriptor)

    def writing(self) -> bool:
        """Whether any of them is not done."""
        return any([process.poll() is None for process in self._processes])

    def end(self) -> None:
        """Wait until all are done."""
        for process in self._processes:
            process.wait()

    def missing(self, text: bytes) -> list[str]:
        """What is wrong with a text that should have all lines, each once, whole and in order."""
        found: dict[bytes, list[bytes]] = {name.encode(): [] for name in self._names}
        wrong = []
        for line in text.splitlines(keepends=True):
            name = line[:1]
            if name in found:
                found[name].append(line)
            else:
                wrong.append(f"a piece of a line: {line[:40]!r}")
        for name, lines in found.items():
            wanted = [b"%s %d %s\n" % (name, n, b"y" * (n % 100)) for n in range(self._lines)]
            if lines != wanted:
                wrong.append(f"{name!r}: {len(lines)} lines instead of {len(wanted)}")
        return wrong
