"""Run a command beside a real ZooKeeper: ``python -m txzookeeper.testing COMMAND [ARG...]``.

The command finds the server in ``ZOOKEEPER_TEST_SERVERS``; its exit status is ours.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence

from txzookeeper.testing.real import HOW_TO_GET_ONE, VARIABLE, DidNotStart, RealServer, available


def main(command: Sequence[str]) -> int:
    """Run the command with a server if there can be one, and give its exit status."""
    if not command:
        print("usage: python -m txzookeeper.testing COMMAND [ARG...]", file=sys.stderr)
        return 2
    if not available():
        print(f"{HOW_TO_GET_ONE} Going on without.", file=sys.stderr)
        return _run(command, {})
    try:
        with RealServer() as server:
            return _run(command, {VARIABLE: server.servers})
    except DidNotStart as error:
        print(f"ZooKeeper did not start:\n{error}", file=sys.stderr)
        return 1


def _run(command: Sequence[str], variables: Mapping[str, str]) -> int:
    """Run the command; Ctrl-C is its affair, and a request to end us is passed on to it."""
    try:
        process = subprocess.Popen(command, env={**os.environ, **variables})
    except OSError as error:
        print(f"{command[0]} cannot be run: {error.strerror}.", file=sys.stderr)
        return 127
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda number, frame: process.send_signal(number))
    status = process.wait()
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
