"""Following what is registered."""

import gc
from typing import Any
from weakref import ref

from twisted.internet.defer import Deferred

from pop.components.errors import FactoryFailed
from pop.components.tracker import Change, Tracker
from pop.test.bundles import BundleCase


class TrackerCase(BundleCase):
    """One thing that is there, and what is told of it and others."""

    def setUp(self) -> None:
        super().setUp()
        self.told: list[Any] = []
        self.first = self.register("first", k=1)

    def register(self, thing: str, **properties: Any) -> Any:
        """One more thing."""
        return self.context.register_service("thing", thing, properties)

    def track(self, ldap_filter: str | None = None) -> Tracker:
        """Note what is told."""

        def noting(kind: str) -> Any:
            return lambda thing, reference: self.told.append((kind, thing))

        kinds = {kind: noting(kind) for kind in ("added", "modified", "removed")}
        return Tracker(self.context, "thing", ldap_filter, **kinds)


class CallbackTests(TrackerCase):
    """With callbacks."""

    def test_told(self) -> None:
        """What is there is told of, and then what comes, changes and goes."""
        tracker = self.track("(k=1)")
        self.assertEqual([], self.told)
        tracker.open()
        tracker.open()
        second = self.register("second", k=1, **{"service.ranking": 1})
        self.register("other", k=2)
        second.set_properties({"x": 1})
        self.assertEqual(["second", "first"], list(tracker))
        self.assertEqual(("second", 2), (tracker.best(), len(tracker)))
        second.set_properties({"k": 2})
        self.first.unregister()
        self.assertEqual((None, 0), (tracker.best(), len(tracker)))
        self.assertEqual(
            [
                *(("added", "first"), ("added", "second"), ("modified", "second")),
                *(("removed", "second"), ("removed", "first")),
            ],
            self.told,
        )

    def test_gives_nothing(self) -> None:
        """What has no object to give is not told of; the others are, whichever came first."""

        class Torn:
            def get_service(self, bundle: Any, registration: Any) -> Any: ...

            def unget_service(self, bundle: Any, registration: Any) -> None: ...

        given = {"service.ranking": 5}
        torn = self.context.register_service("thing", Torn(), given, factory=True)
        with self.track() as tracker:
            torn.set_properties({"k": 2})
            torn.unregister()
            self.assertEqual(["first"], list(tracker))
        self.assertEqual([("added", "first"), ("removed", "first")], self.told)
        self.assertEqual(2, len(self.flushLoggedErrors(FactoryFailed)))

    def test_close(self) -> None:
        """Closed, it has removed everything and holds nothing, and is told nothing."""
        with self.track() as tracker:
            self.assertEqual(1, len(tracker))
            self.assertEqual([self.framework], self.first.reference.get_using_bundles())
        self.assertEqual([("added", "first"), ("removed", "first")], self.told)
        self.assertEqual([], self.first.reference.get_using_bundles())
        self.register("second")
        self.assertEqual(2, len(self.told))
        tracker.close()

    def test_raises(self) -> None:
        """A callback that raises harms nobody."""
        tracker = Tracker(self.context, "thing", added=lambda thing, reference: 1 / 0)
        tracker.open()
        self.assertEqual(["first"], list(tracker))
        self.assertEqual(1, len(self.flushLoggedErrors(ZeroDivisionError)))

    def test_closed_within(self) -> None:
        """It may be closed by what it tells."""
        tracker = Tracker(self.context, "thing", removed=lambda *ignored: tracker.close())
        tracker.open()
        self.first.unregister()
        self.assertEqual(0, len(tracker))

    def test_coroutine(self) -> None:
        """A callback may be a coroutine function; one that fails is logged."""

        async def added(thing: str, reference: Any) -> None:
            raise ValueError("no luck")

        Tracker(self.context, "thing", added=added).open()
        self.assertEqual(1, len(self.flushLoggedErrors(ValueError)))


class CoroutineTests(TrackerCase):
    """With a loop."""

    def test_loop(self) -> None:
        """It goes through what is there, waits for what comes, and ends with the tracker."""
        tracker = Tracker(self.context, "thing")

        async def follow() -> str:
            async for change in tracker:
                assert isinstance(change, Change)
                self.told.append((change.kind, change.object))
            return "ended"

        following = Deferred.fromCoroutine(follow())
        self.assertEqual([("added", "first")], self.told)
        second = self.register("second")
        second.unregister()
        self.assertEqual(
            [("added", "first"), ("added", "second"), ("removed", "second")], self.told
        )
        self.assertNoResult(following)
        tracker.close()
        self.assertEqual("ended", self.done(following))
        self.assertEqual(("removed", "first"), self.told[-1])

    def test_slow(self) -> None:
        """Who is slow misses nothing."""
        tracker, waiting = Tracker(self.context, "thing"), Deferred[None]()

        async def follow() -> None:
            async for change in tracker:
                self.told.append((change.kind, change.object))
                await waiting

        Deferred.fromCoroutine(follow())
        self.register("second").unregister()
        self.assertEqual([("added", "first")], self.told)
        waiting.callback(None)
        self.assertEqual([("added", "second"), ("removed", "second")], self.told[1:])

    def test_left(self) -> None:
        """For who has left the loop, nothing is kept any more, whatever else comes and goes."""
        tracker = Tracker(self.context, "thing")

        async def first() -> Any:
            async for change in tracker:
                return change.object
            return None

        class Thing:
            pass

        self.assertEqual("first", self.done(Deferred.fromCoroutine(first())))
        thing = Thing()
        self.context.register_service("thing", thing).unregister()
        gone = ref(thing)
        del thing
        gc.collect()
        self.assertIsNone(gone())

    def test_last(self) -> None:
        """When the last has left the loop, a tracker that nobody has opened is closed: it uses
        nothing and is told nothing; one that was opened stays so."""

        async def first(tracker: Tracker) -> Any:
            async for change in tracker:
                return change.object
            return None

        for opened in (False, True):
            tracker = self.track()
            if opened:
                tracker.open()
            for _ in range(2):
                self.assertEqual("first", self.done(Deferred.fromCoroutine(first(tracker))))
                gc.collect()
                self.assertEqual([self.framework] * opened, self.uses())
        tracker.close()
        self.assertEqual([], self.uses())

    def uses(self) -> list[Any]:
        """Who uses the first thing."""
        using: list[Any] = self.first.reference.get_using_bundles()
        return using

    def test_waits_alone(self) -> None:
        """Who waits is told, even if nobody else knows of it."""
        tracker = Tracker(self.context, "thing")

        async def follow() -> None:
            async for change in tracker:
                self.told.append(change.object)

        Deferred.fromCoroutine(follow())
        gc.collect()
        self.register("second")
        self.assertEqual(["first", "second"], self.told)
