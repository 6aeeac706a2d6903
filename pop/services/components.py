"""A framework of components, as a service."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zope.schema import Dict, Float, Text, TextLine, Tuple, ValidationError

from pop.interfaces import ISettings, absolute
from pop.program import PythonType


class NotModules(ValidationError):
    """it should be names of modules, separated by blanks, like sample.provider sample.consumer"""


def _modules(text: str) -> bool:
    names = text.split()
    if not names or not all(part.isidentifier() for name in names for part in name.split(".")):
        raise NotModules(text)
    return True


class IComponentsSettings(ISettings):
    """Which bundles, and where they are."""

    bundles = TextLine(
        title="Modules to start as bundles, in their order, separated by blanks",
        constraint=_modules,
    )
    path = Tuple(
        title="Directories to look for them first",
        value_type=TextLine(constraint=absolute),
        default=(),
    )
    properties = Dict(
        title="Properties of the framework",
        key_type=TextLine(min_length=1),
        value_type=Text(),
        default={},
        required=False,
    )
    callback_timeout = Float(
        title="Seconds that a callback of a component may take; 0 for any time",
        min=0.0,
        default=30.0,
    )


class Components(PythonType):
    """Ready once all bundles have started; ended in order when it is asked to stop."""

    name = "components"
    summary = "Components that are given what they require: a framework with bundles."
    settings = IComponentsSettings

    async def start(self, reactor: Any, settings: Any) -> Mapping[str, Any]:
        """Start the framework and its bundles, one after the other.

        @raise BundleException: one of them does not start.
        """
        import sys  # now, and in the child only: the agent and the command line need none of it

        from pop.components.console import BUNDLES
        from pop.components.framework import Framework

        sys.path[:0] = settings.path
        framework = Framework(
            settings.properties, clock=reactor, call_timeout=settings.callback_timeout
        )
        ending: list[bool] = []
        reactor.addSystemEventTrigger("before", "shutdown", ending.append, True)
        reactor.addSystemEventTrigger("before", "shutdown", framework.stop)
        await framework.start()
        # One that stops by itself, since a bundle cannot go on, ends the process.
        framework.wait_for_stop().addCallback(lambda _: ending or reactor.stop())
        for name in (*BUNDLES, *settings.bundles.split()):
            await framework.install_bundle(name).start()
        bundles = {
            bundle.get_symbolic_name(): bundle.get_bundle_id()
            for bundle in framework.get_bundles()
            if bundle.get_symbolic_name() not in BUNDLES
        }
        return {"bundles": bundles, **await _open_shell(reactor, framework)}


async def _open_shell(reactor: Any, framework: Any) -> Mapping[str, Any]:
    """Let C{pop shell} in, at a socket in the working directory; where that is."""
    from twisted.internet.endpoints import UNIXServerEndpoint

    from pop.components.shell.core import SERVICE_SHELL
    from pop.components.shell.server import ShellFactory

    _clear_away()
    name = f"shell-{os.getpid()}"
    context = framework.get_bundle_context()
    shell = context.get_service(context.get_service_reference(SERVICE_SHELL))
    try:
        # A relative name: a path that is long cannot be bound.
        endpoint = UNIXServerEndpoint(reactor, name, mode=0o600)
        await endpoint.listen(ShellFactory(shell, reactor))
    except Exception as error:
        print(f"pop: there is no shell: {error}", flush=True)
        return {}
    return {"shell": os.path.join(os.getcwd(), name)}


def _clear_away() -> None:
    """Sockets that those left behind which were killed."""
    for path in Path().glob("shell-*"):
        pid = path.name.removeprefix("shell-")
        if pid.isdigit() and path.is_socket() and not os.path.exists(f"/proc/{pid}"):
            path.unlink(missing_ok=True)


components = Components()
