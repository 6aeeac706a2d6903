"""Many C{pop} commands for the price of one start: ``python -m pop.test.batch < commands``.

Each command is a process of its own, forked after everything was imported, and goes through
C{pop.cli.main} as when it is typed. Standard input is JSON, ``{"at_once": 1, "commands":
[["status"], ...]}``; the output too, ``[[status, output, complaints], ...]`` in the same order.
"""

import importlib
import json
import os
import sys
import tempfile
import traceback
from typing import IO, Any

from pop.cli import COMMANDS, main

Result = tuple[int, str, str]


class Batch:
    """Commands that are run, so many at a time."""

    def __init__(self, commands: list[list[str]], at_once: int) -> None:
        self._commands = commands
        self._at_once = at_once
        self._running: dict[int, tuple[int, IO[bytes], IO[bytes]]] = {}
        self._results: dict[int, Result] = {}

    def run(self) -> list[Result]:
        """Run them all."""
        for index, words in enumerate(self._commands):
            if len(self._running) == self._at_once:
                self._await_one()
            self._start(index, words)
        while self._running:
            self._await_one()
        return [self._results[index] for index in range(len(self._commands))]

    def _start(self, index: int, words: list[str]) -> None:
        out, err = _file(), _file()
        pid = os.fork()
        if not pid:
            os.dup2(out.fileno(), 1)
            os.dup2(err.fileno(), 2)
            os._exit(_command(words))
        self._running[pid] = (index, out, err)

    def _await_one(self) -> None:
        pid, status = os.wait()
        index, *files = self._running.pop(pid)
        texts = []
        for file in files:
            file.seek(0)
            texts.append(file.read().decode("utf-8", "surrogateescape"))
            file.close()
        self._results[index] = (os.waitstatus_to_exitcode(status), texts[0], texts[1])


def _file() -> IO[bytes]:
    return tempfile.TemporaryFile()  # closed when it was read


def _command(words: list[str]) -> int:
    """What C{python -m pop} does, but for the end of the process."""
    sys.argv = ["pop", *words]
    try:
        main()
    except SystemExit as end:
        return int(end.code or 0)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 1


def _run() -> None:
    work: dict[str, Any] = json.load(sys.stdin)
    for module, _ in COMMANDS.values():
        importlib.import_module(module)
    assert "twisted.internet.reactor" not in sys.modules, "each command needs its own"
    json.dump(Batch(work["commands"], work["at_once"]).run(), sys.stdout)


if __name__ == "__main__":
    _run()
