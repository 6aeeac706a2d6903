"""Events by topic."""

from fnmatch import fnmatchcase
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from pop.components import eventadmin
from pop.components.errors import BadTopic, FactoryFailed
from pop.components.eventadmin import EventAdmin
from pop.components.framework import Framework
from pop.components.topics import Topics
from pop.test.bundles import BundleCase

TOPICS = st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=3).map("/".join)
PATTERNS = TOPICS | TOPICS.map("{}/*".format) | st.sampled_from(["*", "a/*/c", "?/b", "[ab]"])


class Handler:
    """Notes what it is told."""

    def __init__(self, told: list[Any], name: str = "") -> None:
        self.told = told
        self.name = name
        self.result: Any = None

    def handle_event(self, topic: str, properties: dict[str, Any]) -> Any:
        """For the event admin."""
        self.told.append((self.name, topic, properties.get("n")))
        properties["n"] = "changed"
        properties.get("list", []).append("changed")
        return self.result


class Torn:
    """A factory that makes nothing."""

    def get_service(self, bundle: Any, registration: Any) -> Any:
        """Nothing."""

    def unget_service(self, bundle: Any, registration: Any) -> None:
        """Nothing."""


class EventCase(BundleCase):
    """A framework with an event admin."""

    def setUp(self) -> None:
        super().setUp()
        self.done(self.context.install_bundle(eventadmin.__name__).start())
        reference = self.context.get_service_reference(eventadmin.SERVICE_EVENT_ADMIN)
        assert reference is not None
        self.admin: EventAdmin = self.context.get_service(reference)
        self.told: list[Any] = []

    def handle(self, name: str = "", **properties: Any) -> Any:
        """Register a handler: its properties are named without C{event.}."""
        handler = Handler(self.told, name)
        named = {f"event.{name}": value for name, value in properties.items()}
        ranking = {"service.ranking": named.pop("event.ranking", 0)}
        registration = self.context.register_service(
            eventadmin.SERVICE_EVENT_HANDLER, handler, {**named, **ranking}
        )
        return handler, registration

    def take(self) -> list[Any]:
        """What was told since the last time."""
        told = self.told[:]
        self.told.clear()
        return told


class SendTests(EventCase):
    """Events that are sent."""

    def test_matching(self) -> None:
        """Only who wants the topic, and whose filter the event matches, is told."""
        self.handle("exact", topics="a/b")
        self.handle("below", topics=["a/*", "x"])
        self.handle("filter", filter="(n=1)")
        self.handle("both", topics="a/*", filter="(n=2)")
        self.handle("nothing")
        self.handle("broken", topics="a/*", filter="(n=")
        self.done(self.admin.send("a/b", {"n": 1}))
        self.assertEqual(["exact", "below", "filter"], [name for name, *_ in self.take()])
        self.admin.send("a", {"n": 2})
        self.assertEqual([], self.take())
        self.admin.send("a/b/c", {"n": 2})
        self.assertEqual(["below", "both"], [name for name, *_ in self.take()])

    def test_order(self) -> None:
        """The best is told first."""
        self.handle("low", topics="a")
        self.handle("high", topics="a", ranking=5)
        self.admin.send("a")
        self.assertEqual(["high", "low"], [name for name, *_ in self.take()])

    def test_copies(self) -> None:
        """Each has a copy of its own, in full depth, and the sender's stays as it is."""
        self.handle("one", topics="a")
        self.handle("other", topics="a")
        given: dict[str, Any] = {"n": 1, "list": []}
        self.admin.send("a", given)
        self.assertEqual([("one", "a", 1), ("other", "a", 1)], self.take())
        self.assertEqual({"n": 1, "list": []}, given)

    def test_added(self) -> None:
        """When and from where is added."""
        seen: list[dict[str, Any]] = []
        handler, _ = self.handle(topics="a")
        handler.handle_event = lambda topic, properties: seen.append(properties)
        self.clock.advance(5)
        self.admin.send("a")
        uid = self.framework.get_property("framework.uid")
        self.assertEqual([{"event.timestamp": 5, "event.sender.framework.uid": uid}], seen)

    def test_raises(self) -> None:
        """One that raises harms nobody."""
        handler, _ = self.handle("bad", topics="a")
        handler.handle_event = None
        self.handle("good", topics="a")
        self.done(self.admin.send("a"))
        self.assertEqual(["good"], [name for name, *_ in self.take()])
        self.assertEqual(1, len(self.flushLoggedErrors(TypeError)))

    def test_waits(self) -> None:
        """What is sent has been handled when those that take their time are done."""
        handler, _ = self.handle(topics="a")
        handler.result = waiting = Deferred[None]()
        sent = self.admin.send("a")
        self.assertNoResult(sent)
        waiting.callback(None)
        self.done(sent)

    def test_changed(self) -> None:
        """Who changes what it wants is told that from then on; who leaves is not."""
        _, registration = self.handle(topics="a")
        registration.set_properties({"event.topics": "b"})
        self.admin.send("a")
        self.assertEqual([], self.take())
        self.admin.send("b")
        self.assertEqual(1, len(self.take()))
        registration.unregister()
        self.admin.send("b")
        self.assertEqual([], self.take())

    def test_left_meanwhile(self) -> None:
        """Who leaves while others are told, and before it is told, is not told."""
        first, _ = self.handle("first", topics="a", ranking=1)
        _, leaves = self.handle("leaves", topics="a")
        first.handle_event = lambda topic, properties: leaves.unregister()
        self.admin.send("a")
        self.assertEqual([], self.take())

    def test_there_before(self) -> None:
        """Handlers that were there before it are told, too; one that cannot be had harms no other,
        nor it."""
        bundle = self.framework.get_bundle_by_name(eventadmin.__name__)
        assert bundle is not None
        self.done(bundle.stop())
        self.context.register_service(
            eventadmin.SERVICE_EVENT_HANDLER, Torn(), {"event.topics": "*"}, factory=True
        )
        self.handle("before", topics="a")
        self.assertTrue(self.done(bundle.start()))
        reference = self.context.get_service_reference(eventadmin.SERVICE_EVENT_ADMIN)
        assert reference is not None
        self.context.get_service(reference).send("a")
        self.assertEqual(["before"], [name for name, *_ in self.take()])
        self.assertEqual(1, len(self.flushLoggedErrors(FactoryFailed)))

    def test_bad_topic(self) -> None:
        """A topic is a text with something in it."""
        for topic in ("", " ", None, 5):
            bad: Any = topic
            self.assertRaises(BadTopic, self.admin.send, bad)
            self.assertRaises(BadTopic, self.admin.post, bad)


class PostTests(EventCase):
    """Events that are posted."""

    def test_later(self) -> None:
        """They are delivered soon, in order, and as they were when they were posted."""
        self.handle(topics="*")
        properties = {"n": 1}
        self.admin.post("a", properties)
        properties["n"] = 2
        self.admin.post("b", properties)
        self.assertEqual([], self.take())
        self.clock.advance(0)
        self.assertEqual([("", "a", 1), ("", "b", 2)], self.take())

    def test_one_at_a_time(self) -> None:
        """A handler that takes its time gets the next when it is done; others do not wait."""
        slow, _ = self.handle("slow", topics="*")
        slow.result = waiting = Deferred[None]()
        self.handle("fast", topics="*")
        self.admin.post("a")
        self.admin.post("b")
        self.clock.advance(0)
        self.assertEqual(["slow a", "fast a", "fast b"], [f"{n} {t}" for n, t, _ in self.take()])
        slow.result = None
        waiting.callback(None)
        self.assertEqual(["slow b"], [f"{n} {t}" for n, t, _ in self.take()])

    def test_again(self) -> None:
        """What is posted later is delivered as what was posted first; nothing is left then."""
        self.handle(topics="*")
        for topic in ("a", "b", "c"):
            self.admin.post(topic)
            self.clock.advance(0)
            self.assertEqual([("", topic, None)], self.take())
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_end(self) -> None:
        """Once it has stopped, it delivers nothing any more."""
        self.handle(topics="*")
        self.admin.post("a")
        bundle = self.framework.get_bundle_by_name(eventadmin.__name__)
        assert bundle is not None
        self.done(bundle.stop())
        self.clock.advance(0)
        self.assertEqual([], self.take())

    def test_no_clock(self) -> None:
        """Without a clock it is delivered at once, in order."""
        framework = Framework({}, environment={})
        context = framework.get_bundle_context()
        admin = EventAdmin(context)
        admin.start()
        handler = Handler(self.told)
        context.register_service(eventadmin.SERVICE_EVENT_HANDLER, handler, {"event.topics": "*"})
        admin.post("a")
        admin.post("b")
        self.assertEqual(["a", "b"], [topic for _, topic, _ in self.take()])

    def test_present(self) -> None:
        """Only who is there when it is posted, and still when it is delivered, is told."""
        _, leaves = self.handle("leaves", topics="*")
        self.handle("stays", topics="*")
        self.admin.post("a")
        self.handle("late", topics="*")
        leaves.unregister()
        self.clock.advance(0)
        self.assertEqual(["stays"], [name for name, *_ in self.take()])

    def test_too_many(self) -> None:
        """Of what is posted to one that does not keep up, only so much is kept for it, and the log
        says once that the rest is not, and in the end how many that were; others get theirs, and
        it gets what comes afterwards."""
        slow, _ = self.handle("slow", topics="*")
        slow.result = waiting = Deferred[None]()
        self.handle("fast", topics="*")
        self.admin.post("first")
        self.clock.advance(0)
        with capturedLogs() as logged:
            for _ in range(eventadmin.MOST + 5):
                self.admin.post("more")
                self.clock.advance(0)
        self.assertEqual(1, len(logged))
        slow.result = None
        with capturedLogs() as logged:
            waiting.callback(None)
        self.assertEqual([5], [event["n"] for event in logged])
        self.assertEqual(2 * eventadmin.MOST + 7, len(self.take()))
        self.admin.post("after")
        self.clock.advance(0)
        self.assertEqual(["fast", "slow"], sorted(name for name, *_ in self.take()))

    def test_hangs(self) -> None:
        """One that hangs is named, and gets the next event all the same."""
        slow, _ = self.handle("slow", topics="*")
        slow.result = Deferred[None]()
        self.admin.post("a")
        self.clock.advance(0)
        slow.result = None
        self.admin.post("b")
        self.clock.advance(11)
        self.assertEqual(["a", "b"], [topic for _, topic, _ in self.take()])
        self.assertEqual(1, len(self.flushLoggedErrors()))


class TopicsTests(SynchronousTestCase):
    """Patterns."""

    def test_below(self) -> None:
        """What is below a topic is not the topic itself."""
        topics: Topics[str] = Topics()
        topics.add(["/titi/*"], "x")
        found = [list(topics.wanting(t)) for t in ("/titi", "/titi/toto", "/titi/toto/tata", "/t")]
        self.assertEqual([[], ["x"], ["x"], []], found)

    @settings(deadline=None)
    @given(st.lists(st.lists(PATTERNS, max_size=3), max_size=4), TOPICS, st.integers(0, 3))
    def test_as_one_by_one(self, wanted: list[list[str]], topic: str, gone: int) -> None:
        """Those are found whose patterns match when tried one by one."""
        topics: Topics[int] = Topics()
        for who, patterns in enumerate(wanted):
            topics.add(patterns, who)
        topics.discard(gone)
        expected = [
            who
            for who, patterns in enumerate(wanted)
            if who != gone and any(fnmatchcase(topic, pattern) for pattern in patterns)
        ]
        self.assertEqual(expected, sorted(topics.wanting(topic)))
