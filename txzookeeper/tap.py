"""``twistd zookeeper``: the embedded server as a twistd plugin."""

from __future__ import annotations

import gc
import os
import resource
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from twisted.application.service import IService
from twisted.logger import Logger
from twisted.python.usage import Options as UsageOptions
from twisted.python.usage import UsageError

from txzookeeper.aside import aside
from txzookeeper.connections import Limits
from txzookeeper.embedded import EmbeddedServer
from txzookeeper.transfer import export_tree, import_tree, show_tree
from txzookeeper.trouble import Trouble

log = Logger()

DEFAULT_ENDPOINT = "tcp:2181:interface=127.0.0.1"
_SPARE_FILES = 100


def _number(name: str, default: int, meaning: str, least: int = 0) -> list[Any]:
    """Give an option that is a number."""

    def coerce(word: str) -> int:
        if not word.isdecimal() or int(word) < least:
            raise ValueError(f"--{name} must be a whole number of {least} or more")
        return int(word)

    coerce.coerceDoc = ""  # type: ignore[attr-defined]
    return [name, None, default, meaning, coerce]


class Options(UsageOptions):
    """What ``twistd zookeeper`` is told."""

    synopsis = "--data-dir DIR [options]"
    longdesc = (
        "Runs a ZooKeeper on this machine, for its clients on this machine: for a first run, for"
        " development and tests, and for installations that have one machine only. It speaks the"
        " protocol of a standalone Apache ZooKeeper 3.8, and what it has acknowledged outlives a"
        " kill and a power cut. But it is one process on one disk: while it is down, or when the"
        " disk is lost, there is no other. Where several machines must not depend on one, run an"
        " ensemble of Apache ZooKeeper; examples/copy_tree.py takes the tree there."
    )
    optParameters = [  # noqa: RUF012  # so Twisted wants it
        ["data-dir", "d", None, "where the data are kept; it is made if need be"],
        _number("tick", 2000, "ms; sessions last 2 to 20 of them", 1),
        _number("containers", 60_000, "ms; how often it is looked which nodes are outlived", 1),
        _number("max-connections", 60, "from one address; 0 for any number"),
        _number("max-all-connections", 0, "from all; 0 for as many as files may be open"),
        ["export", None, None, "write the tree to this file, or to standard output (-), and end"],
        ["import", None, None, "fill a new data directory from such a file, and end"],
    ]

    def __init__(self) -> None:
        super().__init__()
        self.endpoints: list[str] = []

    def opt_listen(self, endpoint: str) -> None:
        """endpoint to listen on, as tcp:2181:interface=127.0.0.1 (the default) or
        ssl:2281:privateKey=key.pem:certKey=cert.pem; may be repeated"""
        self.endpoints.append(endpoint)

    def parseOptions(self, options: Sequence[str] | None = None) -> None:
        """Read the command line; ends with status 2 where it makes no sense."""
        try:
            super().parseOptions(options)
        except UsageError as error:
            print(f"twistd zookeeper: {error}", file=sys.stderr)
            raise SystemExit(2) from error

    def parseArgs(self) -> None:
        """Take no arguments."""

    def postOptions(self) -> None:
        """Refuse what contradicts itself."""
        if not self["data-dir"]:
            raise UsageError("Say with --data-dir where the data are to be kept.")
        if self["export"] and self["import"]:
            raise UsageError("Give either --export or --import.")


def makeService(options: Options) -> IService:
    """Build the server; what can be refused at once is, with a sentence and status 1."""
    _leave_out_unused(options.endpoints)
    from twisted.internet import reactor

    twistd: Any = options.parent or {}
    try:
        _transfer(options)
        server = _Server(
            reactor,
            options["data-dir"],
            options.endpoints or [DEFAULT_ENDPOINT],
            secret=os.urandom(32),
            tick=options["tick"],
            containers=options["containers"],
            limits=_limits(options),
        )
        server.give_up = partial(_give_up, twistd)
        _prepare(server)
    except Trouble as trouble:
        raise SystemExit(f"zookeeper: {trouble}") from trouble
    if not twistd.get("nodaemon"):
        server.before_fork()
    reactor.callWhenRunning(_exit_quietly, reactor)
    return server


def _leave_out_unused(endpoints: Sequence[str]) -> None:
    """Do without OpenSSL if no endpoint can want it; the plain ones are known by their names."""
    if all(each.startswith(("tcp:", "tcp6:", "unix:")) for each in endpoints):
        with aside("OpenSSL"):
            import twisted.internet.endpoints
            import twisted.internet.posixbase  # noqa: F401  # both look for it


class _Server(EmbeddedServer):
    """One that ends the process, with a sentence, where it cannot listen."""

    give_up: Callable[[Trouble], None]

    def privilegedStartService(self) -> None:
        try:
            super().privilegedStartService()
        except Trouble as trouble:
            self.give_up(trouble)
            raise


def _transfer(options: Options) -> None:
    """Do what is asked for instead of a server, and end."""
    directory = Path(options["data-dir"])
    if options["export"] == "-":
        show_tree(directory, sys.stdout)
    elif options["export"]:
        count = export_tree(directory, Path(options["export"]))
        print(f"{count} nodes are in {options['export']}.")
    elif options["import"]:
        count = import_tree(directory, Path(options["import"]), os.urandom(32))
        print(f"{count} nodes are in {directory}.")
    else:
        return
    raise SystemExit(0)


def _limits(options: Options) -> Limits:
    """Allow as many open files as this process may, and so many connections."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    possible = max(1, most - _SPARE_FILES)
    wanted = options["max-all-connections"] or possible
    return Limits(options["max-connections"], min(wanted, possible))


def _prepare(server: EmbeddedServer) -> None:
    """Load the tree; the collector of garbage need not look at it, now or later."""
    gc.disable()
    server.prepare()
    gc.freeze()
    gc.enable()


def _give_up(twistd: Any, trouble: Trouble) -> None:
    """End with a sentence and status 1; in the background twistd passes on what was raised."""
    log.critical("{trouble}", trouble=trouble)
    if not twistd.get("nodaemon"):
        return
    print(f"zookeeper: {trouble}", file=sys.__stderr__, flush=True)
    with suppress(OSError):
        os.unlink(twistd["pidfile"])
    raise SystemExit(1)


def _exit_quietly(reactor: Any) -> None:
    """A stop that was asked for is no failure: twistd would end by the signal itself."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: reactor.callFromThread(_stop, reactor))


def _stop(reactor: Any) -> None:
    if reactor.running:
        reactor.stop()
