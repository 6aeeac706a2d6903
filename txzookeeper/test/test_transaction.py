"""Transactions happen as a whole or not at all."""

from __future__ import annotations

from typing import Any

from txzookeeper import constants as c
from txzookeeper.errors import (
    BadArgumentsException,
    BadVersionException,
    MarshallingErrorException,
    NodeExistsException,
    NoNodeException,
)
from txzookeeper.records import Stat
from txzookeeper.test.test_client import ClientTestCase


class TransactionTests(ClientTestCase):
    """The builder and its results."""

    def test_results(self) -> None:
        """Each operation's result stands in its place."""
        transaction = self.client.transaction()
        transaction.create("/a", b"1").create("/a/s-", flags=c.SEQUENCE)
        transaction.set("/a", b"2", 0).check("/a", 1).delete("/a/s-0000000000")
        self.assertEqual(len(transaction), 5)
        first, second, third, *rest = self.server.run(transaction.commit())
        self.assertEqual((first, second, rest), ("/a", "/a/s-0000000000", [None, None]))
        assert isinstance(third, Stat)
        self.assertEqual(third.version, 1)

    def test_failed(self) -> None:
        """The error is that of the operation that failed, and nothing has happened."""
        self.server.run(self.client.create("/a"))
        for transaction, kind, path, index in (
            (
                self.client.transaction().create("/b").set("/a", b"", 9),
                BadVersionException,
                "/a",
                1,
            ),
            (self.client.transaction().create("/a").delete("/x"), NodeExistsException, "/a", 0),
            (self.client.transaction().check("/x", -1).create("/b"), NoNodeException, "/x", 0),
        ):
            error = self.run_failing(transaction.commit(), kind)
            self.assertEqual((error.path, error.index), (path, index))
        self.assertIsNone(self.server.run(self.client.exists("/b")))

    def test_bad_arguments(self) -> None:
        """A mistake in building fails the commit, naming the operation."""
        transaction = self.client.transaction().create("/ok").delete("bad").delete("//")
        error = self.failureResultOf(transaction.commit(), BadArgumentsException).value
        self.assertEqual((error.path, error.index), ("bad", 1))
        nothing: Any = None
        transaction = self.client.transaction().create("/ok").set("/null", nothing)
        error = self.failureResultOf(transaction.commit(), MarshallingErrorException).value
        self.assertEqual((error.path, error.index), ("/null", 1))

    def test_committed_once(self) -> None:
        """A transaction cannot be committed twice."""
        transaction = self.client.transaction().create("/a")
        self.server.run(transaction.commit())
        self.failureResultOf(transaction.commit(), BadArgumentsException)

    def test_empty(self) -> None:
        """A transaction without operations succeeds."""
        self.assertEqual(self.server.run(self.client.transaction().commit()), [])
