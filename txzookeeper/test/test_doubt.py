"""What can be known after a lost answer."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from txzookeeper import constants as c
from txzookeeper.doubt import is_ours, only_once, proves_nothing
from txzookeeper.errors import BadVersionException, NodeExistsException, NoNodeException
from txzookeeper.records import (
    CreateRequest,
    CreateTTLRequest,
    DeleteRequest,
    SetACLRequest,
    SetDataRequest,
    Stat,
)

US, THEM = 7, 8


def stat(version: int = 0, owner: int = 0) -> Stat:
    """Give the stat of a node at this version."""
    return Stat(1, 1, 0, 0, version, 0, 0, owner, 1, 0, 1)


class DoubtTests(SynchronousTestCase):
    """Requests and their refusals."""

    def test_only_once(self) -> None:
        """What might do a second thing is not sent twice."""
        once = (
            (c.MULTI_OP, None),
            (c.RECONFIG_OP, None),
            (c.CREATE_OP, CreateRequest("/a", b"", (), c.SEQUENCE | c.EPHEMERAL)),
            (c.CREATE_TTL_OP, CreateTTLRequest("/a", b"", (), c.PERSISTENT_SEQUENCE_TTL, 1)),
        )
        again = (
            (c.MULTI_READ_OP, None),
            (c.CREATE_OP, CreateRequest("/a", b"", (), c.EPHEMERAL)),
            (c.CREATE_CONTAINER_OP, CreateRequest("/a", b"", (), c.CONTAINER)),
            (c.CREATE_TTL_OP, CreateTTLRequest("/a", b"", (), c.PERSISTENT_TTL, 1)),
            (c.DELETE_OP, DeleteRequest("/a", 0)),
        )
        self.assertTrue(all(only_once(*each) for each in once))
        self.assertFalse(any(only_once(*each) for each in again))

    def test_proves_nothing(self) -> None:
        """A refusal that the first try may have caused proves nothing, another one does."""
        create, delete = CreateRequest("/a", b"", (), 0), DeleteRequest("/a", 0)
        write, acl = SetDataRequest("/a", b"", 0), SetACLRequest("/a", (), 0)
        for request, refusal in (
            (create, NodeExistsException()),
            (delete, NoNodeException()),
            (delete, BadVersionException()),
            (write, BadVersionException()),
            (acl, BadVersionException()),
        ):
            self.assertTrue(proves_nothing(request, refusal))
        self.assertFalse(proves_nothing(create, NoNodeException()))
        self.assertFalse(proves_nothing(write, NoNodeException()))
        self.assertFalse(proves_nothing(None, NodeExistsException()))

    def test_ephemeral(self) -> None:
        """An ephemeral node is its owner's; with other data it is that of another call."""
        request = CreateRequest("/a", b"x", (), c.EPHEMERAL)
        self.assertIs(is_ours(request, US, b"x", stat(owner=US)), True)
        self.assertIs(is_ours(request, US, b"y", stat(1, owner=US)), True)
        self.assertIs(is_ours(request, US, b"y", stat(owner=US)), False)
        self.assertIs(is_ours(request, US, b"x", stat(owner=THEM)), False)

    def test_persistent(self) -> None:
        """A persistent node is somebody else's if it has never had our data."""
        for request in (
            CreateRequest("/a", b"x", (), c.PERSISTENT),
            CreateTTLRequest("/a", b"x", (), c.PERSISTENT_TTL, 1),
        ):
            self.assertIs(is_ours(request, US, b"y", stat()), False)
            self.assertIsNone(is_ours(request, US, b"x", stat()))
            self.assertIsNone(is_ours(request, US, b"y", stat(1)))

    def test_change(self) -> None:
        """A change is somebody else's if the next version has other data; ours tell nothing."""
        request = SetDataRequest("/a", b"x", 3)
        self.assertIs(is_ours(request, US, b"y", stat(4)), False)
        self.assertIsNone(is_ours(request, US, b"x", stat(4)))
        self.assertIsNone(is_ours(request, US, b"y", stat(5)))

    def test_deletion(self) -> None:
        """About a deletion nothing can be found out."""
        self.assertIsNone(is_ours(DeleteRequest("/a", -1), US, b"", stat()))
