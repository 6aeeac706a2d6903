"""A framework for tests, whose components tell what becomes of them."""

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from pop.components.container import SERVICE_IPOPO, Container
from pop.components.factory import context_of
from pop.components.framework import Framework
from pop.components.life import Phase
from pop.components.notices import IPopoEvent
from pop.components.registry import ServiceRegistration


class Listener:
    """Notes what happens to components, as in C{"VALIDATED a"}."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def handle_ipopo_event(self, event: IPopoEvent) -> None:
        """For the container."""
        if event.component is not None:
            self.heard.append(f"{event.kind.name} {event.component}")

    def take(self) -> list[str]:
        """What was heard since the last time."""
        heard, self.heard = self.heard, []
        return heard


class FrameworkTestCase(SynchronousTestCase):
    """Has a framework in which components live."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.framework = Framework({}, clock=self.clock, environment={})
        self.framework.install_bundle("pop.components.ipopo")
        self.successResultOf(self.framework.start())
        self.addCleanup(self.framework.stop)
        self.context = self.framework.get_bundle_context()
        reference = self.context.get_service_reference(SERVICE_IPOPO)
        assert reference is not None
        self.ipopo: Container = self.context.get_service(reference)
        self.listener = Listener()
        self.ipopo.add_listener(self.listener)

    def offer(
        self, name: Any = "spec", service: Any = None, **properties: Any
    ) -> ServiceRegistration:
        """Register an object, under a name, with properties; C{_} stands for a dot in theirs."""
        given = {key.replace("_", "."): value for key, value in properties.items()}
        return self.context.register_service(
            name, Thing(str(name)) if service is None else service, given
        )

    def make(self, cls: type, name: str = "a", **properties: Any) -> Any:
        """Make a component of a class, and give its object; it is there when it is valid."""
        declared = context_of(cls)
        assert declared is not None
        if not self.ipopo.is_registered_factory(declared.name):
            self.ipopo.register_factory(self.context, cls)
        given = {key.replace("__", "."): value for key, value in properties.items()}
        return self.ipopo.instantiate(declared.name, name, given)

    def state(self, name: str = "a") -> Phase:
        """Where a component is in its life."""
        return self.ipopo.component(name).state

    def assertHeard(self, *expected: str) -> None:
        """What happened since the last time."""
        self.assertEqual(list(expected), self.listener.take())

    def kill(self, name: str = "a") -> None:
        """Let a component be gone, now."""
        self.successResultOf(self.ipopo.kill(name))


class Thing:
    """Something to be registered."""

    def __init__(self, name: str = "thing") -> None:
        self.name = name
        self.calls: list[Any] = []

    def __repr__(self) -> str:
        return f"<{self.name}>"

    def say(self, *words: Any) -> Any:
        """Note what is said; give it back."""
        self.calls.append(words)
        return words


class Later:
    """A callback that ends when it is told to."""

    def __init__(self) -> None:
        self.waiting: list[Deferred[None]] = []

    def __call__(self, *ignored: Any) -> Deferred[None]:
        deferred: Deferred[None] = Deferred()
        self.waiting.append(deferred)
        return deferred

    def end(self, error: Exception | None = None) -> None:
        """End the one that was called first."""
        deferred = self.waiting.pop(0)
        if error is None:
            deferred.callback(None)
        else:
            deferred.errback(error)
