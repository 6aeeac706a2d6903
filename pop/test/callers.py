"""Frameworks that export and import, over connections in memory."""

from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import Interface, implementer

from pop.components.errors import BundleException
from pop.components.framework import Framework
from pop.test.networks import Network

BUNDLES = ("core", "transport", "discovery")


class IEcho(Interface):
    """What is exported."""

    def say(*words: Any, **named: Any) -> Any:
        """Give them back."""

    def fail(error: Any) -> Any:
        """Raise something."""

    def later() -> Any:
        """Take time."""

    async def soon(word: Any) -> Any:
        """Be a coroutine function."""


class OutOfWords(BundleException):
    """There are no words left but {word}."""


@implementer(IEcho)
class Echo:
    """Gives things back, or raises them."""

    def __init__(self) -> None:
        self.waiting: list[Deferred[Any]] = []
        self.cancelled = 0

    def say(self, *words: Any, **named: Any) -> Any:
        """What was said."""
        return [*words, named]

    def fail(self, error: Any) -> Any:
        """What was asked for."""
        raise {
            "value": ValueError("not that"),
            "key": KeyError("k"),
            "own": OutOfWords(word="none"),
            "stop": StopIteration(5),
            "unicode": UnicodeDecodeError("utf-8", b"", 0, 1, "no"),
        }[error]

    def later(self) -> Deferred[Any]:
        """When the test says so."""

        def cancelled(_: Any) -> None:
            self.cancelled += 1

        self.waiting.append(Deferred(cancelled))
        return self.waiting[-1]

    async def soon(self, word: Any) -> Any:
        """After that."""
        return [word, await self.later()]

    def hidden(self) -> None:
        """No interface says so."""


class CallCase(SynchronousTestCase):
    """Has a framework that exports, and makes others that import."""

    def setUp(self) -> None:
        self.network = Network()
        self.addCleanup(self.look_back)
        self.server = self.make("server", {"pop.remote.listen": "unix:/server"})
        self.client = self.make("client", {"pop.remote.peers": "unix:/server"})
        self.echo = Echo()

    def look_back(self) -> None:
        """Nothing is left when all have stopped: no connection, and nothing to be done later."""
        self.assertEqual([], self.network.getDelayedCalls())
        self.assertTrue(all(pump.clientIO.disconnected for pump in self.network.pumps))

    def make(self, uid: str, properties: dict[str, Any]) -> Framework:
        """A framework that runs."""
        given = {"framework.uid": uid, **properties}
        framework = Framework(given, clock=self.network, environment={})
        framework.install_bundle("pop.components.ipopo")
        for name in BUNDLES:
            framework.install_bundle(f"pop.components.remote.{name}")
        self.successResultOf(framework.start())
        self.addCleanup(self.stop, framework)
        self.network.settle()
        return framework

    def stop(self, framework: Framework) -> None:
        """Stop it; nothing of it is left."""
        stopping = framework.stop()
        self.network.settle()
        self.successResultOf(stopping)

    def export(self, object: Any = None, spec: Any = IEcho, **properties: Any) -> Any:
        """Register and export something."""
        given = {name.replace("_", "."): value for name, value in properties.items()}
        given = {"service.exported.interfaces": "*", "endpoint.name": "echo", **given}
        registration = self.server.get_bundle_context().register_service(
            spec, self.echo if object is None else object, given
        )
        self.network.settle()
        return registration

    def find(self, spec: Any = IEcho, framework: Framework | None = None) -> Any:
        """What stands for it in the other framework; L{None} if there is nothing."""
        context = (framework or self.client).get_bundle_context()
        reference = context.get_service_reference(spec)
        return None if reference is None else context.get_service(reference)

    def answer(self, deferred: Deferred[Any]) -> Any:
        """What a call gave."""
        self.network.settle()
        return self.successResultOf(deferred)

    def error(self, deferred: Deferred[Any], *kinds: type[Exception]) -> Any:
        """What a call failed with."""
        self.network.settle()
        return self.failureResultOf(deferred, *kinds).value
