"""Calls between frameworks, over connections in memory."""

from typing import Any

from twisted.internet.defer import CancelledError, Deferred

from pop.components.errors import BundleException
from pop.components.remote.errors import (
    ConnectionBroke,
    NoAnswer,
    NotPlain,
    NotReachable,
    TooLarge,
)
from pop.components.remote.remoteerror import RemoteError
from pop.test.callers import CallCase, OutOfWords


class CallTests(CallCase):
    """What is called, and what comes of it."""

    def setUp(self) -> None:
        super().setUp()
        self.export()
        self.far = self.find()

    def test_call(self) -> None:
        """Plain values come out as they went in, the named ones too."""
        values: list[Any] = [None, True, 1, 1.5, "ü\ud800\0", [1, ["a"]], {"k": {"n": []}}]
        self.assertEqual([*values, {"x": 1}], self.answer(self.far.say(*values, x=1)))

    def test_named(self) -> None:
        """A named argument may have any name."""
        named = {"method": 1, "arguments": 2, "number": 3}
        self.assertEqual([named], self.answer(self.far.say(**named)))

    def test_later(self) -> None:
        """A method may take its time, and others are answered meanwhile."""
        slow, soon, fast = self.far.later(), self.far.soon("word"), self.far.say("fast")
        self.assertEqual(["fast", {}], self.answer(fast))
        self.assertNoResult(slow)
        self.echo.waiting.pop().callback(2)
        self.assertEqual(["word", 2], self.answer(soon))
        self.echo.waiting.pop().callback(1)
        self.assertEqual(1, self.answer(slow))

    def test_many(self) -> None:
        """Any number may be under way on the one connection, each gets its own answer."""
        calls = [self.far.later() for _ in range(1000)]
        self.network.settle()
        for number, waiting in reversed(list(enumerate(self.echo.waiting))):
            waiting.callback(number)
        self.network.settle()
        self.assertEqual(list(range(1000)), [self.successResultOf(call) for call in calls])
        self.assertEqual(1, len(self.network.pumps))

    def test_errors(self) -> None:
        """What it raises can be told by its kind, be it Python's own or that of a module that is
        known on both sides, and has its words.

        In iPOPO every failure is the same opaque error of its protocol.
        """
        error = self.error(self.far.fail("value"), RemoteError)
        self.assertIsInstance(error, ValueError)
        self.assertEqual(("builtins.ValueError", "not that"), (error.kind, str(error)))
        own = self.error(self.far.fail("own"), OutOfWords)
        self.assertEqual("There are no words left but none.", str(own))
        self.assertEqual("'k'", str(self.error(self.far.fail("key"), KeyError)))
        self.assertIn("utf-8", str(self.error(self.far.fail("unicode"), UnicodeDecodeError)))

    def test_stop(self) -> None:
        """What would end a loop, or a coroutine, of whoever calls is an error like any other."""

        async def call() -> Any:
            return await self.far.fail("stop")

        error = self.error(Deferred.fromCoroutine(call()), RemoteError)
        self.assertEqual(("builtins.StopIteration", "5"), (error.kind, str(error)))

    def test_wrong_arguments(self) -> None:
        """A call that the method does not take is a TypeError, as it is at home."""
        self.error(self.far.soon(), TypeError)

    def test_late_error(self) -> None:
        """A method that takes its time may fail, too."""
        call = self.far.later()
        self.network.settle()
        self.echo.waiting.pop().errback(ValueError("late"))
        self.assertEqual("late", str(self.error(call, ValueError)))

    def test_not_plain(self) -> None:
        """What JSON would not carry, or would change, is refused where it is given."""
        endless: list[Any] = []
        endless.append(endless)
        deep: list[Any] = []
        for _ in range(100):
            deep = [deep]
        for bad in (object(), {1: "a"}, {"k": {2: 3}}, b"x", {1}, endless, deep):
            call = self.far.say(bad)
            self.assertIn("call of say of echo", str(self.failureResultOf(call, NotPlain).value))
        self.assertEqual(["on", {}], self.answer(self.far.say("on")))

    def test_deep(self) -> None:
        """What is nested less deeply than that gets there and back."""
        deep: list[Any] = []
        for _ in range(90):
            deep = [deep]
        self.assertEqual([deep, {}], self.answer(self.far.say(deep)))

    def test_answer_not_plain(self) -> None:
        """An answer that cannot be sent fails the call, and nothing else."""
        call = self.far.later()
        self.network.settle()
        self.echo.waiting.pop().callback(object())
        self.assertIn("the answer", str(self.error(call, NotPlain)))

    def test_too_large(self) -> None:
        """So does one that is too large, either way."""
        self.failureResultOf(self.far.say("x" * (1 << 22)), TooLarge)
        call = self.far.later()
        self.network.settle()
        self.echo.waiting.pop().callback("x" * (1 << 22))
        self.error(call, TooLarge)
        self.assertEqual(["x" * (1 << 21), {}], self.answer(self.far.say("x" * (1 << 21))))

    def test_only_declared(self) -> None:
        """What stands for it has the methods that are declared, and no others: so it can be asked
        what it has."""
        self.assertTrue(hasattr(self.far, "say"))
        for name in ("hidden", "waiting", "nonsense"):
            self.assertFalse(hasattr(self.far, name))

    def test_refused(self) -> None:
        """Whoever calls something else all the same is refused, always in the same words."""
        words = set()
        for name in ("hidden", "waiting", "_x", "__class__", "say.__call__", "nonsense", ""):
            error = self.error(self.far._call(name), BundleException)
            words.add(str(error).replace(f'"{name}"', "X"))
        self.assertEqual(1, len(words), words)

    def test_timeout(self) -> None:
        """A call that is not answered in time fails, and is cancelled where it hangs."""
        call = self.far.later()
        self.network.pass_(31)
        self.assertIn("later of the endpoint echo", str(self.error(call, NoAnswer)))
        self.assertEqual(1, self.echo.cancelled)

    def test_long(self) -> None:
        """How long it may take is the caller's to say alone: a callback's limit is not its."""
        self.export(pop_remote_timeout=0, endpoint_name="patient", service_ranking=1)
        call = self.find().later()
        self.network.pass_(1000)
        self.echo.waiting.pop().callback("done")
        self.assertEqual("done", self.answer(call))

    def test_cancel(self) -> None:
        """Whoever does not want the answer any more may say so, and it is cancelled there."""
        call = self.far.later()
        self.network.settle()
        call.cancel()
        self.failureResultOf(call, CancelledError)
        self.network.settle()
        self.assertEqual(1, self.echo.cancelled)

    def test_broken(self) -> None:
        """If the connection breaks, calls fail, nothing stands for the endpoint, and what hangs
        there is cancelled."""
        call = self.far.later()
        self.network.settle()
        self.network.cut()
        self.assertIn("unix:/server", str(self.error(call, ConnectionBroke)))
        self.assertIs(None, self.find())
        self.failureResultOf(self.far.say(), NotReachable)
        self.assertEqual(1, self.echo.cancelled)

    def test_again(self) -> None:
        """When it can be reached again, something stands for it again."""
        self.network.cut()
        self.network.pass_(2)
        self.assertEqual(["again", {}], self.answer(self.find().say("again")))

    def test_idle(self) -> None:
        """A connection over which nobody calls stays."""
        self.network.pass_(300)
        self.assertEqual(1, len(self.network.pumps))
        self.assertEqual(["on", {}], self.answer(self.far.say("on")))

    def test_silence(self) -> None:
        """If the other end is silent for long, it is held to be gone."""
        pumps, self.network.pumps = self.network.pumps, []
        del self.network.ports["/server"]
        self.network.pass_(40)
        for pump in pumps:
            self.assertTrue(pump.clientIO.disconnecting)
            self.assertTrue(pump.serverIO.disconnecting)
        self.network.pumps = pumps
        self.network.settle()
        self.assertIs(None, self.find())
        self.network.listenUNIX("/server", None)
