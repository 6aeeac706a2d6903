"""Bundles that are written for a test, and a framework to put them into."""

import shutil
import sys
import tempfile
from pathlib import Path
from textwrap import dedent
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from pop.components.bundle import Bundle
from pop.components.events import BundleEvent
from pop.components.framework import Framework

ACTIVATOR = """
from pop.components.bundle import BundleActivator

NAME = "{name}"

@BundleActivator
class Activator:
    def start(self, context):
        self.registration = context.register_service("{name}.spec", self)
        context.get_framework().told.append("{name} starts")

    def stop(self, context):
        context.get_framework().told.append("{name} stops")
"""

FAILS = """
from pop.components.bundle import BundleActivator
from pop.components.errors import FrameworkException

@BundleActivator
class Activator:
    def start(self, context):
        context.register_service("left.behind", self)
        framework = context.get_framework()
        context.add_service_listener(lambda event: framework.told.append(event))
        if not context.get_property("may.start"):
            raise {error}

    def stop(self, context):
        raise {error}
"""


class TellingFramework(Framework):
    """A framework with a place for what bundles tell.

    @ivar told: whatever they, and the test's listeners, put there.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.told: list[Any] = []


class BundleCase(SynchronousTestCase):
    """A directory for modules, which are forgotten afterwards, and a framework that runs."""

    def setUp(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="pop-bundles-"))
        self.addCleanup(shutil.rmtree, self.path, ignore_errors=True)
        known, path = set(sys.modules), list(sys.path)
        self.addCleanup(self.forget, known)
        self.clock = Clock()
        self.framework = TellingFramework(clock=self.clock, call_timeout=10)
        self.context = self.framework.get_bundle_context()
        self.done(self.framework.start())
        self.addCleanup(lambda: self.assertEqual(path, sys.path))

    def forget(self, known: set[str]) -> None:
        """Have modules of the test imported anew by the next."""
        for name in set(sys.modules) - known:
            if not name.startswith("pop."):
                del sys.modules[name]

    def write(self, name: str, text: str) -> Path:
        """A module's source."""
        path = self.path / f"{name.replace('.', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text), encoding="utf-8")
        return path

    def install(self, name: str, text: str | None = None) -> Bundle:
        """A bundle from a source; without one, from one that registers C{NAME.spec}."""
        self.write(name, ACTIVATOR.format(name=name) if text is None else text)
        return self.context.install_bundle(name, str(self.path))

    def done(self, deferred: Deferred[Any]) -> Any:
        """What has come of it by now."""
        return self.successResultOf(deferred)

    def failed(self, deferred: Deferred[Any], *kinds: type[Exception]) -> str:
        """What it failed with."""
        return str(self.failureResultOf(deferred, *kinds).value)

    def listen(self) -> None:
        """Note what happens to bundles."""

        def listener(event: BundleEvent) -> None:
            self.framework.told.append(f"{event.bundle.get_symbolic_name()} {event.kind.name}")

        self.context.add_bundle_listener(listener)

    def take(self) -> list[Any]:
        """What was told since the last time."""
        told, self.framework.told = self.framework.told, []
        return told
