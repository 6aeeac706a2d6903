"""Hooks that decide who is told."""

from typing import Any

from pop.components.eventhooks import SERVICE_EVENT_LISTENER_HOOK
from pop.components.events import ServiceEvent
from pop.test.bundles import BundleCase


class Hook:
    """Notes what it is asked, and hides from some bundles whatever it is."""

    def __init__(self, *hidden: Any) -> None:
        self.hidden = hidden
        self.asked: list[Any] = []

    def event(self, event: ServiceEvent, listeners: dict[Any, list[Any]]) -> None:
        """For the registry."""
        self.asked.append((event.kind.name, event.reference.id, len(listeners)))
        for context in self.hidden:
            listeners.pop(context, None)


class HookTests(BundleCase):
    """Two bundles that listen."""

    def setUp(self) -> None:
        super().setUp()
        self.contexts = []
        for name in ("a", "b"):
            bundle = self.install(name, "")
            self.done(bundle.start())
            context = bundle.get_bundle_context()
            context.add_service_listener(self.listener(name))
            self.contexts.append(context)

    def listener(self, name: str) -> Any:
        """Notes what it is told."""
        return lambda event: self.framework.told.append((name, event.kind.name))

    def register(self, hook: Any) -> Any:
        """A hook."""
        registration = self.context.register_service(SERVICE_EVENT_LISTENER_HOOK, hook)
        self.take()
        return registration

    def test_hidden(self) -> None:
        """Those that a hook takes out are not told, the others are; without it, all are again."""
        hook = Hook(self.contexts[0])
        registration = self.register(hook)
        self.assertEqual([], hook.asked)
        self.context.register_service("x", object())
        self.assertEqual([("REGISTERED", 2, 2)], hook.asked)
        self.assertEqual([("b", "REGISTERED")], self.take())
        registration.unregister()
        self.take()
        self.context.register_service("x", object())
        self.assertEqual([("a", "REGISTERED"), ("b", "REGISTERED")], self.take())

    def test_one_listener(self) -> None:
        """It sees what each listens to, and may take out one by one."""
        self.contexts[0].add_service_listener(self.listener("other"), "(k=1)", "x")
        seen: list[Any] = []

        class Choosing:
            def event(self, event: ServiceEvent, listeners: dict[Any, list[Any]]) -> None:
                for several in listeners.values():
                    seen.extend((each.specifications, str(each.get_filter())) for each in several)
                    several[:] = [each for each in several if each.specifications]

        self.register(Choosing())
        self.context.register_service("x", object(), {"k": 1})
        self.assertEqual([("other", "REGISTERED")], self.take())
        self.assertIn((("x",), "(k=1)"), seen)

    def test_raises(self) -> None:
        """One that fails hides nothing."""
        self.register(object())
        self.context.register_service("x", object())
        self.assertEqual(2, len(self.take()))
        self.assertEqual(1, len(self.flushLoggedErrors(AttributeError)))
