"""The election of a leader."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import CancelledError, Deferred

from txzookeeper.client import ZookeeperClient
from txzookeeper.election import Election
from txzookeeper.errors import SessionExpiredException
from txzookeeper.lock import Lock, LockError, LockLost
from txzookeeper.managed import ManagedClient
from txzookeeper.retry import retry
from txzookeeper.test.stage import Moment, StageTestCase, cut, expire, moments
from txzookeeper.utils import sleep
from txzookeeper.waiting_line import tickets


class Reign:
    """A leader's deed, that lasts until it is told to end, and notes what happens."""

    def __init__(self, name: str, notes: list[str]) -> None:
        self.name = name
        self.tokens: list[int] = []
        self.end: Deferred[Any] = Deferred()
        self._notes = notes

    async def __call__(self, token: int) -> Any:
        """Lead."""
        self.tokens.append(token)
        self._notes.append(f"{self.name} leads")
        self.end = Deferred()
        try:
            return await self.end
        except CancelledError:
            self._notes.append(f"{self.name} is stopped")
            raise


class ElectionTestCase(StageTestCase):
    """A stage, and elections on it."""

    def setUp(self) -> None:
        """Have notes."""
        super().setUp()
        self.notes: list[str] = []

    def election(self, client: ZookeeperClient | None = None, name: bytes = b"") -> Election:
        """Give somebody who can stand."""
        return Election("/election", client or self.client, name)

    def reign(self, name: str) -> Reign:
        """Give somebody who can lead."""
        return Reign(name, self.notes)

    def names(self) -> list[str]:
        """Give the nodes of those who stand."""
        self.stage.server.settle()
        return [each.name for each in self.run_work(tickets(self.client, "/election"))]


class StandTests(ElectionTestCase):
    """Standing, leading and resigning, one by one."""

    def test_life(self) -> None:
        """Who stands first leads until he resigns, and then the next one does."""
        one, two = self.election(name=b"one"), self.election(self.stage.client(), b"two")
        self.assertIsNone(self.run_work(one.leader()))
        first = self.run_work(one.stand())
        waiting = two.stand()
        self.stage.server.settle()
        self.assertEqual((one.leading, one.token, two.leading), (True, first, False))
        self.assertRaises(LockError, lambda: two.token)
        self.assertEqual(self.run_work(two.leader()), b"one")
        self.assertEqual(self.run_work(one.contenders()), [b"one", b"two"])
        self.assertRegex(self.names()[0], "^candidate-")
        self.run_work(one.resign())
        second = self.run_work(waiting)
        self.assertGreater(second, first)
        self.assertEqual((one.leading, two.leading, two.token), (False, True, second))
        self.run_work(two.resign())
        self.assertEqual(self.names(), [])

    def test_misuse(self) -> None:
        """Nobody stands twice; who resigns without office does no harm."""
        one = self.election()
        self.run_work(one.resign())
        self.failureResultOf(one.lost(), LockError)
        waiting = one.stand()
        self.failureResultOf(one.stand(), LockError)
        self.failureResultOf(one.run(self.reign("one")), LockError)
        self.run_work(waiting)
        self.failureResultOf(one.stand(), LockError)
        self.run_work(one.resign())
        self.run_work(one.stand())

    def test_resigned_while_standing(self) -> None:
        """Who resigns while he stands is out of the line."""
        one, two = self.election(), self.election()
        self.run_work(one.stand())
        waiting = two.stand()
        self.stage.server.settle()
        self.run_work(two.resign())
        self.failureResultOf(waiting, CancelledError)
        self.assertEqual(len(self.names()), 1)

    def test_lost(self) -> None:
        """A leader is told when he is none any more, and may resign all the same."""
        client = self.stage.client()
        one = self.election(client)
        self.run_work(one.stand())
        lost = one.lost()
        self.stage.expire(client)
        self.assertEqual(self.run_work(lost), "The session is expired.")
        self.assertFalse(one.leading)
        self.run_work(one.resign())


class RunTests(ElectionTestCase):
    """An election that runs by itself."""

    def test_result(self) -> None:
        """When the leader returns, his result is given, and the next one leads."""
        one, two = self.reign("one"), self.reign("two")
        first = self.election().run(one)
        self.stage.server.settle()
        second = self.election().run(two)
        self.stage.server.settle()
        self.assertEqual(self.notes, ["one leads"])
        one.end.callback("done")
        self.assertEqual(self.run_work(first), "done")
        self.stage.server.settle()
        self.assertEqual(self.notes, ["one leads", "two leads"])
        self.assertGreater(two.tokens[0], one.tokens[0])
        self.assertNoResult(second)
        second.addErrback(lambda _: None).cancel()

    def test_error(self) -> None:
        """When the leader raises, he resigns, and the error is for who runs him."""
        one, two = self.reign("one"), self.reign("two")
        first, second = self.election().run(one), self.election().run(two)
        self.stage.server.settle()
        one.end.errback(ValueError("no"))
        self.assertRaises(ValueError, self.run_work, first)
        self.stage.server.settle()
        self.assertEqual(self.notes, ["one leads", "two leads"])
        second.addErrback(lambda _: None).cancel()

    def test_raises_at_once(self) -> None:
        """A leader that raises before he awaits anything is no different."""

        def lead(token: int) -> Deferred[None]:
            raise ValueError

        self.assertRaises(ValueError, self.run_work, self.election().run(lead))
        self.assertEqual(self.names(), [])

    def test_cancelled(self) -> None:
        """Cancelling stops the leader, and then he resigns."""
        one = self.reign("one")
        running = self.election().run(one)
        self.stage.server.settle()
        running.cancel()
        self.assertRaises(CancelledError, self.run_work, running)
        self.assertEqual(self.notes, ["one leads", "one is stopped"])
        self.assertEqual(self.names(), [])

    def test_resigned(self) -> None:
        """Resigning stops the leader, and waits until he has ended."""
        ended: list[float] = []

        async def lead(token: int) -> None:
            try:
                await Deferred()
            finally:
                await sleep(self.client, 3)
                ended.append(self.stage.server.clock.seconds())

        one = self.election()
        running = one.run(lead)
        self.stage.server.settle()

        async def resign() -> None:
            await one.resign()
            await running

        begun = self.stage.server.clock.seconds()
        self.assertRaises(CancelledError, self.run_work, resign())
        self.assertEqual(ended, [begun + 3])
        self.assertEqual(self.names(), [])

    def test_again_and_again(self) -> None:
        """On a managed client a leader who loses his office is stopped, and stands again."""
        client = self.stage.client(ManagedClient)
        one = self.reign("one")
        running = self.election(client).run(one)
        self.stage.server.settle()
        for _ in range(3):
            self.stage.expire(client)
            self.stage.server.advance(3)
        self.assertEqual(self.notes, ["one leads", "one is stopped"] * 3 + ["one leads"])
        self.assertEqual(one.tokens, sorted(set(one.tokens)))
        self.assertEqual(len(self.names()), 1)
        self.assertNoResult(running)
        running.addErrback(lambda _: None).cancel()

    def test_expired(self) -> None:
        """On a plain client the session's end ends the election."""
        client = self.stage.client()
        running = self.election(client).run(self.reign("one"))
        self.stage.server.settle()
        self.stage.expire(client)
        self.assertRaises(SessionExpiredException, self.run_work, running)
        self.assertEqual(self.notes, ["one leads", "one is stopped"])

    def test_never_two(self) -> None:
        """A leader cut off from the servers is stopped before the next one leads."""
        network = self.stage.server.network()
        client = ManagedClient(
            self.stage.server.servers,
            6000,
            reactor=self.stage.server.clock,
            endpoint=network.endpoint,
        )
        self.stage.clients.append(client)
        self.run_work(client.connect())
        first = self.election(client).run(self.reign("one"))
        self.stage.server.settle()
        second = self.election().run(self.reign("two"))
        network.hold()
        self.stage.server.advance(20)
        self.assertEqual(self.notes, ["one leads", "one is stopped", "two leads"])
        network.release()
        self.stage.server.advance(20)
        self.assertEqual(len(self.names()), 2)
        self.assertEqual(self.notes[3:], [])
        for running in (first, second):
            running.addErrback(lambda _: None).cancel()

    def test_slow_to_stop(self) -> None:
        """A leader who takes his time to stop does not lead twice at a time."""
        client = self.stage.client(ManagedClient)
        running = self.election(client).run(self.slow)
        self.stage.server.settle()
        for _ in range(5):
            self.stage.expire(client)
            self.stage.server.advance(4)
        self.assertEqual(self.notes, ["leads", "has ended"] * 2 + ["leads"])
        running.addErrback(lambda _: None).cancel()

    def test_cancelled_while_he_stops(self) -> None:
        """Who is cancelled while a leader who lost his office takes his time does not go on."""
        client = self.stage.client(ManagedClient)
        running = self.election(client).run(self.slow)
        self.stage.server.settle()
        self.stage.expire(client)
        self.stage.server.advance(1)
        running.cancel()
        self.assertRaises(CancelledError, self.run_work, running)
        self.stage.server.advance(10)
        self.assertEqual((self.notes, self.names()), (["leads"], []))

    async def slow(self, token: int) -> None:
        """Lead, and take 5 seconds to end."""
        self.notes.append("leads")
        try:
            await Deferred()
        finally:
            await sleep(self.client, 5)
            self.notes.append("has ended")

    def test_lock_of_his_own(self) -> None:
        """A leader who loses a lock of his own gives that error, and does not stand again."""

        async def lead(token: int) -> None:
            async with Lock("/lock", self.client):
                [name] = await self.client.get_children("/lock")
                await self.client.delete(f"/lock/{name}")
                await sleep(self.client, 1)

        error = self.assertRaises(LockLost, self.run_work, self.election().run(lead))
        self.assertEqual(error.lock.path, "/lock")

    def test_trouble(self) -> None:
        """Whenever the connection is cut or the session expires, one leads, and none twice."""

        def reigning(number: int, deed: Callable[..., Any]) -> Moment:
            client: list[ManagedClient] = []
            moment = Moment(number, lambda line: deed(client, line))
            client.append(self.stage.client(ManagedClient, moment))
            self.notes.clear()
            running = self.election(client[0]).run(self.reign("one"))
            self.stage.server.advance(8)
            self.run_work(retry(client[0], client[0].sync))
            self.stage.server.settle()
            self.assertEqual(self.notes[-1], "one leads")
            self.assertEqual(self.notes.count("one leads"), (len(self.notes) + 1) / 2)
            self.assertEqual(len(self.names()), 1)
            running.cancel()
            self.assertRaises(CancelledError, self.run_work, running)
            self.assertEqual(self.names(), [])
            return moment

        for deed in (
            lambda client, line: cut(line),
            lambda client, line: expire(self.stage, lambda: client[0], line),
        ):
            self.assertGreater(len(list(moments(reigning, deed))), 6)
