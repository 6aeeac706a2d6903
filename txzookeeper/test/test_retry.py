"""What is repeated when an answer is lost, and what is not."""

from __future__ import annotations

from functools import partial
from typing import Any

from twisted.internet.defer import CancelledError, Deferred, fail, succeed
from twisted.trial.unittest import SynchronousTestCase

from txzookeeper import constants as c
from txzookeeper.client import ZookeeperClient
from txzookeeper.errors import (
    BadVersionException,
    ClosingException,
    ConnectionLossException,
    NodeExistsException,
    NoNodeException,
    OperationTimeoutException,
    SessionExpiredException,
    ThrottledOpException,
)
from txzookeeper.managed import ManagedClient
from txzookeeper.retry import (
    RetryClient,
    RetryException,
    get_delay,
    is_retryable,
    retry,
    retry_watch,
)
from txzookeeper.test.stage import Moment, StageTestCase, cut, expire, moments
from txzookeeper.testing.line import Line


class DelayTests(SynchronousTestCase):
    """How long to wait, and after what."""

    def test_delay(self) -> None:
        """The delay is a fraction of the session's time-out, up to a limit."""
        self.assertEqual(get_delay(9000), 0.3)
        self.assertEqual(get_delay(600_000), 5)
        self.assertEqual(get_delay(600_000, max_delay=2), 2)
        self.assertEqual(get_delay(10_000, session_fraction=10), 1)

    def test_errors(self) -> None:
        """What may be over in a moment is repeated, what stays so is not."""
        for error in (ConnectionLossException(), ThrottledOpException(), RetryException()):
            self.assertTrue(is_retryable(error))
        final = (ClosingException, SessionExpiredException, NoNodeException, CancelledError)
        self.assertFalse(any(is_retryable(kind()) for kind in final))


class RetryTests(StageTestCase):
    """Functions that are called again."""

    def attempts(self, *outcomes: Any) -> Any:
        """Give a function with these outcomes, that counts its calls."""
        waiting = list(outcomes)

        def func() -> Deferred[Any]:
            func.calls.append(self.stage.server.clock.seconds())  # type: ignore[attr-defined]
            outcome = waiting.pop(0)
            return fail(outcome) if isinstance(outcome, Exception) else succeed(outcome)

        func.calls = []  # type: ignore[attr-defined]
        return func

    def test_arguments(self) -> None:
        """The function gets its arguments, and its result is given."""
        made = retry(self.client, self.client.create, "/a", data=b"x")
        self.assertEqual(self.run_work(made), "/a")
        self.assertEqual(self.run_work(self.client.get("/a"))[0], b"x")

    def test_coroutine(self) -> None:
        """An async function will do."""

        async def func() -> int:
            await self.client.sync()
            return 3

        self.assertEqual(self.run_work(retry(self.client, func)), 3)

    def test_again_at_once(self) -> None:
        """The first try after a lost connection comes at once, the others after a delay."""
        loss = ConnectionLossException()
        func = self.attempts(loss, loss, loss, 7)
        begun = self.stage.server.clock.seconds()
        self.assertEqual(self.run_work(retry(self.client, func)), 7)
        delays = [round(moment - begun, 3) for moment in func.calls]
        self.assertEqual(delays, [0, 0, 0.2, 0.4])

    def test_asked_for(self) -> None:
        """A function that asks to be called again is, after a delay."""
        func = self.attempts(RetryException(), 7)
        self.assertEqual(self.run_work(retry(self.client, func)), 7)
        self.assertEqual(round(func.calls[1] - func.calls[0], 3), 0.2)

    def test_other_errors(self) -> None:
        """Any other error is given at once."""
        func = self.attempts(NoNodeException("/a"), 7)
        self.failureResultOf(retry(self.client, func), NoNodeException)

    def test_raises(self) -> None:
        """A function that raises is treated as one whose Deferred fails."""

        def func() -> Deferred[None]:
            raise ValueError

        self.failureResultOf(retry(self.client, func), ValueError)

    def test_cancelled(self) -> None:
        """Cancelling ends the call that is under way, or the pause."""
        calling: Deferred[None] = Deferred()
        retrying = retry(self.client, lambda: calling)
        retrying.cancel()
        self.assertTrue(calling.called)
        self.failureResultOf(retrying, CancelledError)
        pausing = retry(self.client, self.attempts(RetryException(), 7))
        pausing.cancel()
        self.failureResultOf(pausing, CancelledError)

    def test_closed(self) -> None:
        """When the client is closed nothing is repeated any more, and no pause is left behind."""
        pausing = retry(self.client, self.attempts(RetryException(), 7))
        self.run_work(self.client.close())
        self.stage.server.settle()
        self.failureResultOf(pausing, RetryException)

    def test_expired(self) -> None:
        """When the session has expired nothing is repeated any more."""
        pausing = retry(self.client, self.attempts(RetryException(), 7))
        reading = retry(self.client, self.client.get, "/")
        self.stage.expire(self.client)
        self.assertRaises(SessionExpiredException, self.run_work, reading)
        self.stage.server.settle()
        self.failureResultOf(pausing, RetryException)

    def test_managed(self) -> None:
        """A managed client's calls go on in the next session."""
        client = self.stage.client(ManagedClient)
        pausing = retry(client, self.attempts(RetryException(), 7))
        self.stage.expire(client)
        self.assertEqual(self.run_work(pausing), 7)

    def test_cut(self) -> None:
        """A read succeeds whenever the connection is cut meanwhile."""

        def reading(number: int) -> Moment:
            moment = Moment(number, cut)
            client = self.stage.client(ZookeeperClient, moment)
            self.run_work(retry(client, client.get, "/"))
            return moment

        self.assertEqual(len(list(moments(reading))), 2)


class RetryWatchTests(StageTestCase):
    """Results that come with a watch."""

    def test_cut(self) -> None:
        """Result and watch come whenever the connection is cut meanwhile."""

        def watching(number: int) -> Moment:
            moment = Moment(number, cut)
            client = self.stage.client(ZookeeperClient, moment)
            result, watch = retry_watch(client, client.get_and_watch, "/zookeeper")
            self.run_work(result)
            self.run_work(self.client.set("/zookeeper", b""))
            self.assertEqual(self.run_work(watch).type_name, "changed")
            return moment

        self.assertEqual(len(list(moments(watching))), 3)

    def test_cancelled(self) -> None:
        """A watch that is cancelled is not kept, whenever that is."""
        client = self.client
        for when in ("before", "after"):
            result, watch = retry_watch(client, client.get_and_watch, "/")
            if when == "after":
                self.run_work(result)
            watch.cancel()
            self.failureResultOf(watch, CancelledError)
            self.stage.server.settle()
            self.successResultOf(result)
            self.assertEqual(len(client._channel.watches), 0)

    def test_failed(self) -> None:
        """Without a result there is no watch."""
        result, watch = retry_watch(self.client, self.client.get_and_watch, "/gone")
        self.assertRaises(NoNodeException, self.run_work, result)
        self.assertNoResult(watch)


class RetryClientTests(StageTestCase):
    """The operations, repeated."""

    def lossy(self, moment: Moment, kind: Any = ZookeeperClient) -> RetryClient:
        """Give a client to whom something happens."""
        return RetryClient(self.stage.client(kind, moment))

    def at_each(self, work: Any, *, answered: bool = True) -> list[Any]:
        """Do the work with one cut at each moment, and give the results or errors.

        ``work`` gets a client and a number.
        """
        outcomes: list[Any] = []

        def once(number: int) -> Moment:
            moment = Moment(number, cut)
            try:
                outcomes.append(self.run_work(work(self.lossy(moment), number)))
            except Exception as error:
                outcomes.append(type(error))
            return moment

        return [outcomes[number - 1] for number in moments(once)]

    def test_reads(self) -> None:
        """Every read succeeds in spite of a cut."""
        self.run_work(self.client.create("/a", b"x"))
        for work in (
            lambda client, _: client.get("/a").addCallback(lambda result: result[0]),
            lambda client, _: client.get_children("/a"),
            lambda client, _: client.exists("/gone"),
            lambda client, _: client.sync("/a"),
            lambda client, _: client.multi_read().get("/a").commit(),
            lambda client, _: client.get_and_watch("/a")[0],
        ):
            expected = self.run_work(work(self.client, 0))
            self.assertEqual(self.at_each(work), [expected] * 2)

    def test_unconditional_set(self) -> None:
        """A change at any version is made again."""
        self.run_work(self.client.create("/a"))
        versions = self.at_each(lambda client, number: client.set("/a", b"%d" % number))
        self.assertEqual([stat.version for stat in versions], [1, 3])
        self.assertEqual(self.run_work(self.client.get("/a"))[0], b"3")

    def test_ephemeral(self) -> None:
        """An ephemeral node that is refused the second time is known by its owner."""
        path = "/e{}".format
        paths = self.at_each(lambda client, n: client.create(path(n), b"x", flags=c.EPHEMERAL))
        self.assertEqual(paths, ["/e1", "/e2"])
        pairs = self.at_each(lambda client, n: client.create2(path(n + 5), b"x", flags=c.EPHEMERAL))
        self.assertEqual([made for made, _ in pairs], ["/e6", "/e7"])
        self.assertEqual(pairs[1][1], self.run_work(self.client.exists("/e7")))

    def test_ephemeral_of_others(self) -> None:
        """An ephemeral node that somebody else made meanwhile is not claimed."""

        def snatch(line: Line) -> bool:
            self.client.create("/e", b"x", flags=c.EPHEMERAL)
            return cut(line)

        client = self.lossy(Moment(1, snatch))
        making = client.create("/e", b"x", flags=c.EPHEMERAL)
        self.assertRaises(NodeExistsException, self.run_work, making)

    def test_managed_ephemeral(self) -> None:
        """A managed client makes such a node again in its next session."""
        client = self.lossy(Moment(2, cut), ManagedClient)
        self.run_work(client.create("/e", b"x", flags=c.EPHEMERAL))
        assert isinstance(client.client, ManagedClient)
        renewed = client.client.subscribe_new_session()
        self.stage.expire(client.client)
        self.run_work(renewed)
        stat = self.run_work(self.client.exists("/e"))
        assert stat is not None
        self.assertEqual(stat.ephemeral_owner, client.client.client_id[0])

    def test_persistent(self) -> None:
        """Nobody can tell who made a persistent node with our data, so it is not claimed."""
        outcomes = self.at_each(lambda client, n: client.create(f"/p{n}", b"x"))
        self.assertEqual(outcomes, ["/p1", ConnectionLossException])

    def test_persistent_of_others(self) -> None:
        """A node with other data than ours was made by somebody else."""

        def snatch(line: Line) -> bool:
            self.client.create("/p", b"other")
            return cut(line)

        making = self.lossy(Moment(1, snatch)).create("/p", b"x")
        self.assertRaises(NodeExistsException, self.run_work, making)

    def test_refused_at_once(self) -> None:
        """A refusal without a lost answer is given as it is."""
        client = RetryClient(self.client)
        self.run_work(client.create("/a"))
        self.assertRaises(NodeExistsException, self.run_work, client.create("/a"))
        self.assertRaises(BadVersionException, self.run_work, client.set("/a", b"", 7))
        self.assertRaises(NoNodeException, self.run_work, client.delete("/b"))

    def test_sequence(self) -> None:
        """A sequence node is not made twice: its lost answer is told."""
        outcomes = self.at_each(lambda client, _: client.create("/s-", flags=c.SEQUENCE))
        self.assertEqual(outcomes, [ConnectionLossException] * 2)
        self.assertIsNone(self.run_work(self.client.exists("/s-0000000003")))

    def test_transaction(self) -> None:
        """A transaction is not sent twice: its lost answer is told."""
        outcomes = self.at_each(lambda client, n: client.transaction().create(f"/t{n}").commit())
        self.assertEqual(outcomes, [ConnectionLossException] * 2)

    def test_versioned_set(self) -> None:
        """Nobody can tell who wrote our data at the next version, so it is not claimed."""
        for number in (1, 2):
            self.run_work(self.client.create(f"/v{number}"))
        outcomes = self.at_each(lambda client, n: client.set(f"/v{n}", b"x", 0))
        self.assertEqual(outcomes[0].version, 1)
        self.assertEqual(outcomes[1], ConnectionLossException)

    def test_versioned_set_of_others(self) -> None:
        """If somebody else wrote the next version, ours is known to have failed."""
        self.run_work(self.client.create("/a"))

        def snatch(line: Line) -> bool:
            self.client.set("/a", b"other")
            return cut(line)

        writing = self.lossy(Moment(1, snatch)).set("/a", b"x", 0)
        self.assertRaises(BadVersionException, self.run_work, writing)

    def test_delete(self) -> None:
        """Nobody can tell who deleted a node, so it is not claimed."""
        for number in (1, 2):
            self.run_work(self.client.create(f"/d{number}"))
        outcomes = self.at_each(lambda client, n: client.delete(f"/d{n}"))
        self.assertEqual(outcomes, [None, ConnectionLossException])

    def test_expired(self) -> None:
        """The session's end ends the repetition."""
        client = RetryClient(self.stage.client())
        line = Moment(1, partial(expire, self.stage, lambda: client.client))
        client = self.lossy(line)
        self.assertRaises(SessionExpiredException, self.run_work, client.get("/"))

    def test_life(self) -> None:
        """It can be used for the whole of the client's life."""
        plain = ZookeeperClient(
            self.stage.server.servers,
            6000,
            reactor=self.stage.server.clock,
            endpoint=self.stage.server.endpoint,
        )
        client = RetryClient(plain)
        self.assertIs(self.run_work(client.connect(timeout=1000)), client)
        self.run_work(client.add_auth("digest", "us:secret"))
        self.assertEqual(client.client_id, plain.client_id)
        self.assertEqual((client.session_timeout, client.state), (6000, c.CONNECTED_STATE))
        self.assertEqual((client.connected, client.unrecoverable), (True, False))
        self.run_work(client.close())
        self.assertEqual((client.connected, client.state), (False, c.CLOSED_STATE))

    def test_limit(self) -> None:
        """An operation that takes longer than the limit fails, waiting included."""
        client = RetryClient(self.client, limit=3)
        self.stage.server.refuse_connections()
        self.stage.server.drop_connections()
        begun = self.stage.server.clock.seconds()
        error = self.assertRaises(OperationTimeoutException, self.run_work, client.get("/"))
        self.assertEqual(self.stage.server.clock.seconds() - begun, 3)
        self.assertEqual(str(error), "No answer within 3 s (asked about /).")
        self.stage.server.accept_connections()
        self.run_work(client.get("/"))
