"""One call of the command line: its options, its connection, its output."""

import getpass
import json
import math
import os
import socket
import sys
from collections.abc import Callable, Coroutine, Mapping
from functools import cached_property
from typing import Any, TypeVar

import click
from twisted.internet.defer import Deferred, TimeoutError
from twisted.logger import (
    FilteringLogObserver,
    ILogObserver,
    LogLevel,
    LogLevelFilterPredicate,
    globalLogBeginner,
    textFileLogObserver,
)
from zope.interface import provider

from pop.catalogue import Catalogue, load_types
from pop.cli.fleet import Answers
from pop.cli.outcome import ENDING, TIDYING, outcome
from pop.cli.reach import Agents
from pop.cluster import Cluster
from pop.configuration import Configuration, configure
from pop.errors import NoAnswer
from pop.model import By
from pop.trouble import said

LONG = 60.0
"""How long an agent or an instance is waited for unless told otherwise, in seconds."""

FOREVER = math.inf
"""For what has no end of its own."""

T = TypeVar("T")
Body = Callable[[Cluster], Coroutine[Any, Any, T]]


class Session:
    """What all commands share.

    @ivar json: whether the output is for scripts.
    """

    def __init__(
        self, options: Mapping[str, Any], *, as_json: bool, verbose: int, timeout: float | None
    ) -> None:
        self.options = options
        self.json = as_json
        self.verbose = verbose
        self._timeout = timeout
        self._begin_logging(verbose)

    @cached_property
    def configuration(self) -> Configuration:
        """From the options and the environment."""
        return configure(self.options, os.environ)

    @cached_property
    def catalogue(self) -> Catalogue:
        """The service types here; the broken ones are named on standard error."""
        catalogue = load_types()
        for broken in catalogue.broken:
            self.note(str(broken))
        return catalogue

    def patience(self, default: float = 10.0) -> float:
        """How long to wait, in seconds."""
        return self._timeout or default

    def run(self, body: Body[T], *, patience: float | None = None) -> T:
        """Do something with the cluster.

        @param patience: seconds that the body may take; as for ZooKeeper unless given, and
            L{FOREVER} for what goes on until Ctrl-C.
        @raise PopError: for all trouble that is to be expected.
        """
        limit = patience or self.patience()
        tidying = ENDING if limit == FOREVER else TIDYING
        return self.go(lambda reactor: self.work(reactor, body, limit), tidying)

    def go(self, work: Callable[[Any], Coroutine[Any, Any, T]], tidying: float = TIDYING) -> T:
        """Do something that needs the reactor, which is given, and maybe no ZooKeeper.

        @param tidying: seconds that it has to end if it is interrupted.
        @raise PopError: for all trouble that is to be expected.
        """
        from twisted.internet import reactor

        servers = self.configuration.servers  # what is wrong with the options is said first
        try:
            return outcome(reactor, lambda: work(reactor), tidying)
        except Exception as error:
            raise said(error, servers) or error from None

    async def work(
        self, reactor: Any, body: Body[T], patience: float, connecting: float | None = None
    ) -> T:
        """The same as L{run}, within the reactor.

        @param connecting: seconds that it may take to reach ZooKeeper.
        """
        client = self.configuration.client(reactor)
        try:
            await client.connect(timeout=int((connecting or self.patience()) * 1000))
            cluster = Cluster(client, self.configuration.paths, reactor, author())
            work = Deferred.fromCoroutine(body(cluster))
            if patience != FOREVER:
                work.addTimeout(patience, reactor)
            return await work
        except TimeoutError as error:
            raise NoAnswer(seconds=patience) from error
        finally:
            await client.close()

    def agents(self, cluster: Cluster) -> Agents:
        """The agents of a cluster, to be asked by whoever this is."""
        from pop.admin import Ways

        ways = Ways(cluster.clock, cluster, self.configuration.identity, author().who)
        return Agents(ways.connect, cluster.clock)

    def say(self, sentence: str, **facts: Any) -> None:
        """Tell what was done: a sentence, or its facts for scripts."""
        click.echo(json.dumps(facts) if self.json else sentence)

    def note(self, sentence: str) -> None:
        """Tell people something beside the output."""
        click.echo(f"pop: {sentence}", err=True)

    def complain(self, answers: Answers[Any], names: Mapping[str, str]) -> None:
        """Tell people who did not answer, and why.

        @raise PopError: that is all there is to tell.
        """
        if not answers.given and len(answers.missing) == 1:
            [error] = answers.missing.values()
            raise error
        for sentence in answers.sentences(names):
            self.note(sentence)

    def print_json(self, value: Any) -> None:
        """Print a value for scripts."""
        click.echo(json.dumps(value, indent=2, ensure_ascii=False))

    def _begin_logging(self, verbose: int) -> None:
        """Nothing unless asked for: what people must read is said otherwise."""
        level = LogLevel.debug if verbose > 1 else LogLevel.info
        shown = textFileLogObserver(sys.stderr)
        observer = FilteringLogObserver(shown, [LogLevelFilterPredicate(level)])
        globalLogBeginner.beginLoggingTo(
            [observer] if verbose else [_ignore],
            discardBuffer=True,
            redirectStandardIO=False,
        )


def author() -> By:
    """Who changes something now, by their own account, and by which command.

    Its options are left out: what they are given may be a secret.
    """
    try:
        user = (os.geteuid() == 0 and os.environ.get("SUDO_USER")) or getpass.getuser()
    except (KeyError, OSError):
        user = str(os.geteuid())
    context = click.get_current_context(silent=True)
    return By(f"{user}@{socket.gethostname()}", context.command_path if context else "")


@provider(ILogObserver)
def _ignore(event: Any) -> None:
    """Nobody asked for a log."""


pass_session = click.make_pass_decorator(Session)
