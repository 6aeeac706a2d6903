"""What is injected, by kind of requirement: by key, many as one, one that may go for a while."""

from typing import Any

from twisted.internet.defer import CancelledError, Deferred

from pop.components import RequiresBroadcast, RequiresMap, Temporal, TemporalException
from pop.components.life import Phase
from pop.test.frameworks import Thing
from pop.test.test_component_requires import SWAPPED, Base


class MapTests(Base):
    """A dictionary by the value of a property."""

    def names(self, it: Any) -> dict[Any, Any]:
        """What is injected, by name."""
        return {
            key: [each.name for each in value] if isinstance(value, list) else value.name
            for key, value in it.it.items()
        }

    def test_one_each(self) -> None:
        """One object for each key; what has none is left out; empty, the component is invalid."""
        it = self.require(RequiresMap("it", "spec", "key"))
        self.assertEqual({}, it.it)
        self.offer()
        self.assertEqual(Phase.INVALID, self.state())
        one = self.offer(service=Thing("x"), key="x")
        two = self.offer(service=Thing("y"), key="y")
        self.assertEqual({"x": "x", "y": "y"}, self.names(it))
        one.unregister()
        self.assertEqual({"y": "y"}, self.names(it))
        two.unregister()
        self.assertEqual((Phase.INVALID, {}), (self.state(), it.it))

    def test_empty(self) -> None:
        """Before anything is bound, the dictionary is empty."""
        for optional in (False, True):
            it = self.require(RequiresMap("it", "spec", "key", optional=optional))
            self.assertEqual({}, it.it)
            self.successResultOf(self.ipopo.unregister_factory("requiring"))

    def test_none(self) -> None:
        """What has no key may be kept under C{None}."""
        it = self.require(RequiresMap("it", "spec", "key", allow_none=True))
        self.offer(service=Thing("x"))
        self.assertEqual({None: "x"}, self.names(it))

    def test_taken(self) -> None:
        """Who has a key keeps it; when that one goes, another gets it. (iPOPO forgets it.)"""
        it = self.require(RequiresMap("it", "spec", "key"))
        first = self.offer(service=Thing("first"), key=1)
        self.offer(service=Thing("second"), key=1)
        self.offer(service=Thing("third"), key=1, service_ranking=5)
        self.assertEqual({1: "first"}, self.names(it))
        first.unregister()
        self.assertEqual({1: "third"}, self.names(it))

    def test_only_one_moved(self) -> None:
        """When the key of all there is changes, the component stays valid, and nothing is let
        go."""
        for aggregate in (False, True):
            it = self.require(RequiresMap("it", "spec", "key", aggregate=aggregate))
            thing = self.offer(service=Thing("x"), key=1)
            self.listener.take()
            thing.set_properties({"key": 2})
            self.assertEqual({2: ["x"] if aggregate else "x"}, self.names(it))
            self.assertHeard()
            thing.unregister()
            self.successResultOf(self.ipopo.unregister_factory("requiring"))

    def test_moved(self) -> None:
        """When its key changes, its place does; what was in its way is left where it is."""
        it = self.require(RequiresMap("it", "spec", "key"))
        first = self.offer(service=Thing("first"), key=1)
        second = self.offer(service=Thing("second"), key=2)
        first.set_properties({"key": 3})
        self.assertEqual({3: "first", 2: "second"}, self.names(it))
        self.listener.take()
        first.set_properties({"key": 2})
        self.assertEqual({2: "second"}, self.names(it))
        self.assertHeard("UNBOUND a")
        second.set_properties({"key": 1})
        self.assertEqual({1: "second", 2: "first"}, self.names(it))

    def test_lists(self) -> None:
        """With lists there is place for all, the best first."""
        it = self.require(RequiresMap("it", "spec", "key", aggregate=True))
        self.offer(service=Thing("1"), key="x")
        two = self.offer(service=Thing("2"), key="x", service_ranking=1)
        self.offer(service=Thing("3"), key="y")
        self.assertEqual({"x": ["2", "1"], "y": ["3"]}, self.names(it))
        two.set_properties({"key": "y"})
        self.assertEqual({"x": ["1"], "y": ["2", "3"]}, self.names(it))
        two.set_properties({}, removed=["key"])
        self.assertEqual({"x": ["1"], "y": ["3"]}, self.names(it))

    def test_order(self) -> None:
        """When a ranking changes, so does the order in a list, and nothing else."""
        it = self.require(RequiresMap("it", "spec", "key", aggregate=True))
        self.offer(service=Thing("1"), key="x")
        two = self.offer(service=Thing("2"), key="x")
        self.listener.take()
        before = it.it
        two.set_properties({"service.ranking": 1})
        self.assertEqual({"x": ["2", "1"]}, self.names(it))
        self.assertIsNot(before, it.it)
        self.assertHeard()

    def test_no_key(self) -> None:
        """What cannot be a key is none; the same key as before changes nothing."""
        it = self.require(RequiresMap("it", "spec", "key"))
        self.offer(service=Thing("odd"), key={})
        self.assertEqual(Phase.INVALID, self.state())
        one = self.offer(service=Thing("one"), key=1)
        self.listener.take()
        before = it.it
        one.set_properties({"key": True})
        one.set_properties({"key": 1, "other": 2})
        self.assertEqual({1: "one"}, self.names(it))
        self.assertHeard()
        one.set_properties({"key": {}})
        self.assertEqual((Phase.INVALID, {}), (self.state(), it.it))
        self.assertEqual(1, len(before))


class BroadcastTests(Base):
    """Many as one."""

    def test_none(self) -> None:
        """With none there is something false that may be called all the same."""
        it = self.require(RequiresBroadcast("it", "spec"))
        self.assertEqual(Phase.VALID, self.state())
        self.assertFalse(it.it)
        self.assertFalse(it.it.say("hello"))
        self.assertFalse(it.it.any.thing.at.all())

    def test_required(self) -> None:
        """If there must be one, nothing is injected before."""
        it = self.require(RequiresBroadcast("it", "spec", optional=False))
        self.assertEqual((Phase.INVALID, None), (self.state(), it.it))
        thing = self.offer()
        self.assertTrue(it.it)
        thing.unregister()
        self.assertEqual((Phase.INVALID, None), (self.state(), it.it))

    def test_all(self) -> None:
        """All are called, the best first, and what they give is given. (iPOPO gives it to
        nobody.)"""
        it = self.require(RequiresBroadcast("it", "spec"))
        one, two = Thing(), Thing()
        self.offer(service=one)
        self.offer(service=two, service_ranking=1)
        self.assertEqual((("hello",), ("hello",)), it.it.say("hello"))
        self.assertEqual(([("hello",)], [("hello",)]), (one.calls, two.calls))

    def test_raising(self) -> None:
        """What one raises is logged, and the others are called; if none is left, nothing is given.
        It may be asked that the first error is raised, once all were called."""

        class Raising(Thing):
            def say(self, *words: Any) -> Any:
                raise ValueError(words)

        it = self.require(RequiresBroadcast("it", "spec"))
        self.offer(service=Raising(), service_ranking=1)
        self.assertFalse(it.it.say("hello"))
        self.offer(service=(thing := Thing()))
        self.assertTrue(it.it.say("hello"))
        self.assertEqual(2, len(self.flushLoggedErrors(ValueError)))
        self.successResultOf(self.ipopo.unregister_factory("requiring"))
        loud = RequiresBroadcast("it", "spec", muffle_exceptions=False, trace_exceptions=False)
        it = self.require(loud)
        self.assertRaises(ValueError, it.it.say, "aloud")
        self.assertEqual(("aloud",), thing.calls[-1])

    def test_slow(self) -> None:
        """Coroutines are begun, whether or not anybody waits for them, and all can be awaited at
        once; one that fails is logged, and gives nothing. (iPOPO knows none.)"""
        waiting: Deferred[str] = Deferred()
        begun = []

        class Slow(Thing):
            async def say(self, *words: Any) -> Any:
                begun.append(words)
                return await waiting

        class Raising(Thing):
            async def say(self, *words: Any) -> Any:
                raise ValueError(words)

        it = self.require(RequiresBroadcast("it", "spec"))
        self.offer(service=Slow(), service_ranking=2)
        self.offer(service=Raising(), service_ranking=1)
        self.offer(service=Thing())
        replies = it.it.say("hi")
        self.assertEqual((3, [("hi",)]), (len(replies), begun))

        async def ask() -> Any:
            return await replies

        asking = Deferred.fromCoroutine(ask())
        self.assertNoResult(asking)
        waiting.callback("yes")
        self.assertEqual(("yes", None, ("hi",)), self.successResultOf(asking))
        self.assertEqual(1, len(self.flushLoggedErrors(ValueError)))

    def test_given_up(self) -> None:
        """Who waits no more, as a callback that has taken too long, does not wait for the next
        reply instead; all still come, and can be waited for as often as one likes."""
        waiting: list[Deferred[str]] = [Deferred(), Deferred()]
        it = self.require(RequiresBroadcast("it", "spec"))
        for each in waiting:
            self.offer(service=lambda each=each: each)
        replies = it.it()

        async def ask() -> Any:
            return await replies

        asking = Deferred.fromCoroutine(ask())
        asking.cancel()
        self.failureResultOf(asking, CancelledError)
        for each in waiting:
            each.callback("yes")
        for _ in range(2):
            asking = Deferred.fromCoroutine(ask())
            self.assertEqual(("yes", "yes"), self.successResultOf(asking))

    def test_slow_and_loud(self) -> None:
        """Unless errors are muffled: then whoever waits gets them."""

        class Raising(Thing):
            async def say(self, *words: Any) -> Any:
                raise ValueError(words)

        it = self.require(RequiresBroadcast("it", "spec", muffle_exceptions=False))
        self.offer(service=Raising())
        [reply] = it.it.say("hello")
        self.failureResultOf(reply, ValueError)

    def test_direct(self) -> None:
        """What is registered may be called itself, and members of members too."""
        it = self.require(RequiresBroadcast("it", "spec"))
        thing = Thing()
        thing.member = thing  # type: ignore[attr-defined]
        self.offer(service=thing)
        it.it.member.member.say(1)
        self.assertEqual([(1,)], thing.calls)
        self.offer("spec", lambda *words: words, service_ranking=-1)
        self.assertEqual(((2,),), it.it(2))
        self.flushLoggedErrors(TypeError)

    def test_matching_later(self) -> None:
        """What matches later is called from then on. (iPOPO never calls it.)"""
        it = self.require(RequiresBroadcast("it", "spec", spec_filter="(a=1)"))
        thing = self.offer(a=2)
        self.assertFalse(it.it.say(1))
        thing.set_properties({"a": 1})
        self.assertTrue(it.it.say(1))


class TemporalTests(Base):
    """One that may go for a while."""

    def test_replaced(self) -> None:
        """If another is there it takes the place at once."""
        first = self.offer()
        it = self.require(Temporal("it", "spec"))
        self.offer(service=(other := Thing()))
        first.unregister()
        self.assertHeard(*SWAPPED)
        it.it.say(1)
        self.assertEqual([(1,)], other.calls)

    def test_in_time(self) -> None:
        """Until another comes calls wait, and then are made; the component stays valid."""
        first = self.offer()
        it = self.require(Temporal("it", "spec", timeout=5))
        first.unregister()
        self.assertHeard()
        said = it.it.say(1)
        self.assertIsInstance(said, Deferred)
        self.clock.advance(4)
        self.offer(service=(other := Thing()))
        self.assertEqual((1,), self.successResultOf(said))
        self.assertEqual([(1,)], other.calls)
        self.assertHeard(*SWAPPED)
        self.clock.advance(100)
        self.assertHeard()
        self.assertEqual((2,), it.it.say(2))

    def test_too_late(self) -> None:
        """After that the component is invalid, and what was called fails."""
        first = self.offer()
        it = self.require(Temporal("it", "spec", timeout=5))
        first.unregister()
        said = it.it.say(1)
        self.clock.advance(5)
        self.failureResultOf(said, TemporalException)
        self.assertHeard("INVALIDATED a", "UNBOUND a")
        self.assertIsNone(it.it)
        self.offer()
        self.assertHeard("BOUND a", "VALIDATED a")

    def test_optional(self) -> None:
        """If it may be missing, the component stays valid even then."""
        first = self.offer()
        it = self.require(Temporal("it", "spec", timeout=5, optional=True))
        first.unregister()
        self.clock.advance(5)
        self.assertHeard("UNBOUND a")
        self.assertEqual((Phase.VALID, None), (self.state(), it.it))

    def test_timeouts(self) -> None:
        """How long can be said for each component; nonsense counts for nothing."""
        decorator = Temporal("it", "spec", timeout=-1)
        for given, seconds in (
            (3, 3),
            (float("nan"), 10),
            (float("inf"), 10),
            (-5, 10),
            (None, 10),
        ):
            thing = self.offer()
            self.require(decorator, temporal__timeouts={"it": given})
            thing.unregister()
            self.clock.advance(seconds - 0.5)
            self.assertEqual(Phase.VALID, self.state())
            self.clock.advance(0.5)
            self.assertEqual(Phase.INVALID, self.state())
            self.successResultOf(self.ipopo.unregister_factory("requiring"))

    def test_present(self) -> None:
        """It is true while there is something, has what that has, and nothing of what Python looks
        for by itself; a member may be asked for before that is there."""
        first = self.offer()
        it = self.require(Temporal("it", "spec"))
        self.assertTrue(it.it)
        self.assertEqual("<spec>", repr(it.it.say.__self__))
        self.assertRaises(AttributeError, getattr, it.it, "no_such_member")
        self.assertFalse(hasattr(it.it, "__iter__"))
        first.unregister()
        self.assertFalse(it.it)
        self.assertFalse(hasattr(it.it, "__iter__"))
        said = it.it.member.say(1)
        thing = Thing()
        thing.member = thing  # type: ignore[attr-defined]
        self.offer(service=thing)
        self.assertEqual((1,), self.successResultOf(said))

    def test_again(self) -> None:
        """Each time that it goes there is as much time as ever."""
        it = self.require(Temporal("it", "spec", timeout=5, optional=True))
        for wait in (4, 5, 4):
            self.offer().unregister()
            said = it.it.say(1)
            self.clock.advance(wait)
            if wait < 5:
                thing = self.offer()
                self.assertEqual((1,), self.successResultOf(said))
                thing.unregister()
                self.clock.advance(5)
            else:
                self.failureResultOf(said, TemporalException)
            self.assertIsNone(it.it)

    def test_kept(self) -> None:
        """Who has kept it longer than that is told at once that nothing comes any more; once
        something has come it is of use again."""
        first = self.offer()
        it = self.require(Temporal("it", "spec", timeout=5, optional=True))
        kept = it.it
        first.unregister()
        self.clock.advance(5)
        self.failureResultOf(kept.say(1), TemporalException)
        self.offer()
        self.assertEqual((2,), kept.say(2))

    def test_no_longer_wanted(self) -> None:
        """A call that its caller has given up is not made; the others are."""
        first = self.offer()
        it = self.require(Temporal("it", "spec"))
        first.unregister()
        given_up, other = it.it.say("given up"), it.it.say("other")
        given_up.cancel()
        self.failureResultOf(given_up, CancelledError)
        self.offer(service=(thing := Thing()))
        self.assertEqual([("other",)], thing.calls)
        self.assertEqual(("other",), self.successResultOf(other))

    def test_killed(self) -> None:
        """A call that waits fails when the component is gone, and no timer is left."""
        first = self.offer()
        it = self.require(Temporal("it", "spec"))
        first.unregister()
        said = it.it.say(1)
        self.kill()
        self.failureResultOf(said, TemporalException)
        self.assertEqual([], self.clock.getDelayedCalls())
