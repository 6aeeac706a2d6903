"""C{python -m pop.components}: a framework with a console."""

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import click
from twisted.cred.checkers import ICredentialsChecker

from pop import __version__
from pop.components import console, initfile
from pop.components.errors import BundleException
from pop.components.passwords import guard
from pop.components.shell import front
from pop.components.shell.conversation import BANNER, Conversation
from pop.components.shell.door import Door
from pop.components.shell.server import ShellFactory

INTERRUPTED = 130


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("bundles", nargs=-1, metavar="[BUNDLE ...]")
@click.option("--init", multiple=True, metavar="FILE", help="Begin with what a file says.")
@click.option("--run", metavar="FILE", help="Carry out the commands in a file, and end.")
@click.option(
    "-D", "define", multiple=True, metavar="NAME=VALUE", help="Set a property of the framework."
)
@click.option(
    "--listen",
    multiple=True,
    metavar="ENDPOINT",
    help="Let others use the shell, too, as at unix:shell.sock.",
)
@click.option(
    "--auth",
    metavar="CHECKER",
    help="Ask them for a name and a password, as in file:PATH with lines USER:PASSWORD.",
)
@click.option("-v", "--verbose", is_flag=True, help="Log what happens.")
@click.version_option(__version__, prog_name="pop.components")
def main(
    bundles: tuple[str, ...],
    init: tuple[str, ...],
    run: str | None,
    define: tuple[str, ...],
    listen: tuple[str, ...],
    auth: str | None,
    verbose: bool,
) -> None:
    """A framework with bundles, and a console to look after them.

    Commands are read from the standard input if that is no terminal; then the first that fails is
    the last, and the exit status is 1.
    """
    from twisted.internet import reactor

    _log(verbose)
    try:
        begun = initfile.read(init)
        lines = None if run is None else open(run, encoding="utf-8")  # noqa: SIM115
        checker = None if auth is None else guard(auth)
        doors = [Door(reactor, endpoint, checker is not None) for endpoint in listen]
        begun = initfile.Init(
            {**begun.properties, **_defined(define)},
            begun.environment,
            begun.paths,
            begun.bundles,
            begun.components,
        )
        framework = console.make_framework(begun, bundles, reactor, os.environ)
    except (BundleException, OSError) as error:
        raise SystemExit(f"pop: {error}") from error

    def converse(far: console.Near) -> int:
        if lines is not None:
            return front.carry_out(far, lines)
        if not sys.stdin.isatty():
            return front.carry_out(far, sys.stdin)
        print(BANNER, end="", flush=True)
        return front.converse(far, console.history(os.environ))

    raise SystemExit(_Console(reactor, framework, begun, doors, checker, converse).run())


def _defined(given: tuple[str, ...]) -> dict[str, str]:
    properties = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise click.UsageError(f"-D takes NAME=VALUE, not {text}.")
        properties[name] = value
    return properties


def _log(verbose: bool) -> None:
    from twisted.logger import (
        FilteringLogObserver,
        LogLevel,
        LogLevelFilterPredicate,
        globalLogBeginner,
        textFileLogObserver,
    )

    predicate = LogLevelFilterPredicate(LogLevel.info if verbose else LogLevel.warn)
    observer = FilteringLogObserver(textFileLogObserver(sys.stderr), [predicate])
    globalLogBeginner.beginLoggingTo([observer], redirectStandardIO=False)


class _Console:
    """From the start of a framework to its end.

    @ivar status: the exit status.
    @ivar ending: whether it has been asked to end.
    @ivar terminal: puts the terminal back as it was.
    """

    def __init__(
        self,
        reactor: Any,
        framework: Any,
        init: initfile.Init,
        doors: list[Door],
        checker: ICredentialsChecker | None,
        converse: Callable[[console.Near], int],
    ) -> None:
        self.reactor = reactor
        self.framework = framework
        self.init = init
        self.doors = doors
        self.checker = checker
        self.converse = converse
        self.conversation: Conversation | None = None
        self.status = INTERRUPTED
        self.ending = False
        self.terminal = _terminal()

    def run(self) -> int:
        """Until somebody quits, or asks for the end by a signal."""
        self.reactor.callWhenRunning(self._begin)
        self.reactor.addSystemEventTrigger("before", "shutdown", self._stop)
        self.reactor.run()
        self.terminal()
        return self.status

    def _begin(self) -> None:
        from twisted.internet.defer import Deferred

        soon = self.reactor.callFromThread
        signal.signal(signal.SIGINT, lambda *ignored: soon(self._interrupt))
        signal.signal(signal.SIGTERM, lambda *ignored: soon(self._end, INTERRUPTED))
        Deferred.fromCoroutine(self._go()).addErrback(self._failed)

    async def _go(self) -> None:
        shell = await console.begin(self.framework, self.init)
        for door in self.doors:
            await door.listen(ShellFactory(shell, self.reactor, checker=self.checker))
        self.conversation = Conversation(shell, console.write)
        near = console.Near(self.reactor, self.conversation)
        status = await console.in_thread(self.reactor, lambda: self.converse(near))
        self._end(status)

    def _stop(self) -> Any:
        self.ending = True
        return self.framework.stop()

    def _end(self, status: int) -> None:
        if not self.ending:
            self.ending = True
            self.status = status
            self.reactor.stop()

    def _failed(self, failure: Any) -> None:
        print(f"pop: {failure.getErrorMessage()}", file=sys.stderr, flush=True)
        self._end(1)

    def _interrupt(self) -> None:
        """End the command that is being carried out; where there is none, everything; and if that
        takes too long for somebody who asks again, at once."""
        if self.ending:
            self.terminal()
            os._exit(INTERRUPTED)  # nobody waits for threads, either
        if self.conversation is None or not self.conversation.cancel():
            print(flush=True)
            self._end(INTERRUPTED)


def _terminal() -> Callable[[], None]:
    """What puts the terminal back as it is now: a line may be being edited at the end."""
    import termios

    if not sys.stdin.isatty():
        return lambda: None
    before = termios.tcgetattr(sys.stdin)
    return lambda: termios.tcsetattr(sys.stdin, termios.TCSANOW, before)


if __name__ == "__main__":
    main(prog_name="python -m pop.components")
