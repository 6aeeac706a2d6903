"""A framework with somebody at its console, or with commands to carry out."""

import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.threads import blockingCallFromThread

from pop.components.container import use_ipopo
from pop.components.errors import BundleException
from pop.components.framework import Framework
from pop.components.initfile import Init
from pop.components.shell.conversation import Conversation, Reply
from pop.components.shell.core import SERVICE_SHELL, Shell

BUNDLES = (
    "pop.components.ipopo",
    "pop.components.waiting",
    "pop.components.eventadmin",
    "pop.components.shell.core",
    "pop.components.shell.bundles",
    "pop.components.shell.registrations",
    "pop.components.shell.environment",
    "pop.components.shell.events",
    "pop.components.shell.ipopo",
    "pop.components.shell.server",
)
"""What a framework with a shell consists of."""


def make_framework(
    init: Init, bundles: Iterable[str], clock: Any, environment: Mapping[str, str]
) -> Framework:
    """A framework with a shell and with what was asked for; it is not started.

    @raise NotImported: a bundle cannot be.
    """
    around = {**environment, **init.environment}
    framework = Framework(init.properties, clock=clock, environment=around)
    for name in BUNDLES:
        framework.install_bundle(name)
    for name in (*init.bundles, *bundles):
        framework.install_bundle(name, _path_of(name, init.paths))
    return framework


def _path_of(name: str, paths: Iterable[str]) -> str | None:
    first = name.partition(".")[0]
    return next((path for path in paths if PathFinder.find_spec(first, [path])), None)


async def begin(framework: Framework, init: Init) -> Shell:
    """Start it, and make the components that were asked for; its shell.

    @raise BundleException: a component cannot be made.
    """
    await framework.start()
    context = framework.get_bundle_context()
    with use_ipopo(context) as ipopo:
        for component in init.components:
            ipopo.instantiate(component.factory, component.name, component.properties)
    if (reference := context.get_service_reference(SERVICE_SHELL)) is None:
        raise BundleException(reason="The shell did not start")
    shell: Shell = context.get_service(reference)
    return shell


class Near:
    """The far end of a shell in the same process: the reactor has another thread."""

    def __init__(self, reactor: Any, conversation: Conversation) -> None:
        self._reactor = reactor
        self._conversation = conversation

    def take(self, line: str) -> Reply:
        """Carry out a line there."""
        take: Callable[[str], Any] = self._conversation.take
        reply: Reply = blockingCallFromThread(self._reactor, take, line)
        return reply

    def complete(self, text: str) -> list[str]:
        """Ask there."""
        choices: list[str] = blockingCallFromThread(
            self._reactor, self._conversation.complete, text
        )
        return choices


def write(text: str) -> None:
    """To whoever is at the console, at once, in order with what bundles print."""
    sys.stdout.write(text)
    sys.stdout.flush()


def in_thread(reactor: Any, work: Callable[[], int]) -> Deferred[int]:
    """Do what blocks in a thread that nobody waits for at the end; what it returns."""
    done: Deferred[int] = Deferred()

    def run() -> None:
        try:
            status = work()
        except Exception as error:
            reactor.callFromThread(done.errback, error)
        else:
            reactor.callFromThread(done.callback, status)

    # Not one of the reactor's own threads: at the end, those are waited for.
    threading.Thread(target=run, name="console", daemon=True).start()
    return done


def history(environment: Mapping[str, str]) -> Path:
    """Where the lines of the console are kept."""
    from platformdirs import user_state_path

    named = environment.get("POP_SHELL_HISTORY")
    return Path(named) if named else user_state_path("pop") / "shell_history"
