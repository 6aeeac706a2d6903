"""Errors say in a sentence what happened, and where."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from txzookeeper import constants as c
from txzookeeper import errors
from txzookeeper.errors import ERROR_CLASSES, NoNodeException, ZooKeeperException, error_for


class ErrorTests(SynchronousTestCase):
    """The exceptions of the codes."""

    def test_every_code(self) -> None:
        """Each code has its class, whose message is a sentence, with the path if there is one."""
        for code, kind in ERROR_CLASSES.items():
            error = error_for(code, "/a/b")
            self.assertIs(type(error), kind)
            self.assertEqual((error.code, error.path), (code, "/a/b"))
            self.assertIn("/a/b", str(error))
            for each in (error, error_for(code)):
                self.assertRegex(str(each), r"^[A-Z][^{}]*[^ ]\.$")

    def test_unknown_code(self) -> None:
        """A code of a newer server becomes the base class and names the number."""
        error = error_for(-999, "/a")
        self.assertIs(type(error), ZooKeeperException)
        self.assertEqual(error.code, -999)
        self.assertIn("-999 at /a", str(error))

    def test_sentence(self) -> None:
        """A sentence reads well with a path and without."""
        self.assertEqual(str(NoNodeException("/a")), "There is no node /a.")
        self.assertEqual(str(NoNodeException()), "There is no node.")

    def test_no_parent(self) -> None:
        """Of a node that could not be made, it is the parent that is said to be missing."""
        for op in (c.CREATE_OP, c.CREATE2_OP, c.CREATE_CONTAINER_OP, c.CREATE_TTL_OP):
            error = error_for(NoNodeException.code, "/a/b", op)
            self.assertEqual((type(error), error.path), (NoNodeException, "/a/b"))
            self.assertEqual(str(error), "There is no node /a to make /a/b in.")
        self.assertEqual(str(error_for(-101, "/a", c.DELETE_OP)), "There is no node /a.")

    def test_no_root(self) -> None:
        """Where that is the client's own root, or above it, no path of the client's names it."""
        for path, sentence in (
            (
                "/a",
                "There is no node to make /a in: the one that the servers' path names is missing.",
            ),
            ("/", "There is no node to make the one in that the servers' path names."),
        ):
            self.assertEqual(str(error_for(NoNodeException.code, path, c.CREATE_OP)), sentence)

    def test_own_errors(self) -> None:
        """The client's own errors have no code, and are all ZooKeeper's children."""
        for kind in (errors.NotConnectedException, errors.TruncatedPacketError):
            self.assertIsNone(kind().code)
            self.assertIsInstance(kind(), errors.ConnectionException)
