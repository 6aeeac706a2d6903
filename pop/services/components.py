"""A framework of components, as a service."""

from collections.abc import Mapping
from typing import Any

from zope.schema import Dict, Float, Text, TextLine, Tuple, ValidationError

from pop.interfaces import ISettings
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
        title="Directories to look for them first", value_type=TextLine(min_length=1), default=()
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
        for name in ("pop.components.ipopo", *settings.bundles.split()):
            await framework.install_bundle(name).start()
        return {
            "bundles": {
                bundle.get_symbolic_name(): bundle.get_bundle_id()
                for bundle in framework.get_bundles()
            }
        }


components = Components()
