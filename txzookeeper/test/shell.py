"""Apache's own shell, and what it says, made comparable."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from typing import Final, NamedTuple

_PLACE: Final = "/usr/share/zookeeper/bin/zkCli.sh"
ZKCLI: Final = shutil.which("zkCli.sh") or (_PLACE if os.path.exists(_PLACE) else None)
"""Where it is, if it is installed."""

_QUICKLY: Final = "-XX:TieredStopAtLevel=1 -Xshare:auto -XX:+UseSerialGC"
_DIFFERENT: Final = [
    (re.compile(r"127\.0\.0\.1:\d+"), "HOST"),
    (re.compile(r"(?<=time = ).*"), "TIME"),
    (re.compile(r"(?<=ephemeralOwner = )0x[0-9a-f]{9,}"), "SESSION"),
    (re.compile(r"(?m)^SLF4J: .*\n"), ""),
]


class Said(NamedTuple):
    """What a run of the shell came to: its two outputs, the events about nodes, and its status."""

    output: list[str]
    errors: list[str]
    events: list[str]
    status: int


def zkcli(servers: str, command: tuple[str, ...] = (), script: str = "") -> Said:
    """Run a command, or the lines of a script."""
    done = subprocess.run(
        [ZKCLI or "zkCli.sh", "-server", servers, *command],
        input=script,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "CLIENT_JVMFLAGS": _QUICKLY},
    )
    output, errors = _lines(done.stdout), _lines(done.stderr)
    # Another thread prints them, at any moment, and what becomes of the connection perhaps not.
    events = [line for line in output if line.startswith("WatchedEvent ") and "path:/" in line]
    rest = [line for line in output if line and not line.startswith(("WATCHER::", "WatchedEvent "))]
    return Said(rest, errors, events, done.returncode)


def _lines(text: str) -> list[str]:
    for pattern, same in _DIFFERENT:
        text = pattern.sub(same, text)
    return text.splitlines()
