"""Changing a node's data, making paths, waiting."""

from __future__ import annotations

from twisted.internet.defer import Deferred, succeed

from txzookeeper.client import ZookeeperClient
from txzookeeper.constants import PERM_CREATE, PERM_READ
from txzookeeper.errors import NoAuthException, NoNodeException
from txzookeeper.permissions import ZOO_READ_ACL_UNSAFE
from txzookeeper.records import ACL, Stat
from txzookeeper.test.stage import Moment, StageTestCase, cut, moments
from txzookeeper.utils import Change, ensure_path, retry_change, sleep


def adding(name: bytes) -> Change:
    """Give a change that adds a name to a set."""

    def change(data: bytes | None, stat: Stat | None) -> bytes:
        return b" ".join(sorted({*(data or b"").split(), name}))

    return change


class SleepTests(StageTestCase):
    """Waiting."""

    def test_clocks(self) -> None:
        """The time is that of a reactor, or of a client's."""
        for clock in (self.stage.server.clock, self.client):
            begun = self.stage.server.clock.seconds()
            self.run_work(sleep(clock, 2.5))
            self.assertEqual(self.stage.server.clock.seconds() - begun, 2.5)

    def test_cancelled(self) -> None:
        """A sleep that is cancelled leaves nothing behind."""
        before = len(self.stage.server.clock.getDelayedCalls())
        sleep(self.client, 3).addErrback(lambda _: None).cancel()
        self.assertEqual(len(self.stage.server.clock.getDelayedCalls()), before)


class EnsurePathTests(StageTestCase):
    """Nodes that are to be there."""

    def test_missing(self) -> None:
        """All that is missing is made, with the ACL that is given."""
        self.run_work(self.client.create("/a"))
        wanted = ACL(PERM_READ | PERM_CREATE, "world", "anyone")
        self.run_work(ensure_path(self.client, "/a/b/c", [wanted]))
        for path in ("/a/b", "/a/b/c"):
            acls, _ = self.run_work(self.client.get_acl(path))
            self.assertEqual(acls, [wanted])

    def test_container(self) -> None:
        """A container goes when its last child has gone, but not what it stands on."""
        self.run_work(ensure_path(self.client, "/a/b", container=True))
        self.run_work(self.client.create("/a/b/c"))
        self.stage.server.advance(5)
        self.run_work(self.client.delete("/a/b/c"))
        self.stage.server.advance(5)
        self.assertEqual(self.run_work(self.client.get_children("/a")), [])

    def test_there(self) -> None:
        """A node that is there is left as it is, even where nothing could be made."""
        self.run_work(self.client.create("/a", b"x"))
        self.run_work(self.client.create("/a/b"))
        self.run_work(self.client.set_acl("/a", ZOO_READ_ACL_UNSAFE))
        self.run_work(ensure_path(self.client, "/a/b"))
        self.run_work(ensure_path(self.client, "/"))
        self.assertEqual(self.run_work(self.client.get("/a"))[0], b"x")
        refused = ensure_path(self.client, "/a/c")
        self.assertRaises(NoAuthException, self.run_work, refused)

    def test_together(self) -> None:
        """Any number of clients make the same path at a time."""
        for other in [self.client, self.stage.client(), self.stage.client()]:
            making = [ensure_path(other, "/x/y/z") for _ in range(3)]
            for each in making:
                self.run_work(each)

    def test_chroot(self) -> None:
        """The node at the end of a chroot is made, but what it stands on cannot be."""
        for chroot, reason in (("/one", None), ("/two/three", NoNodeException)):
            client = ZookeeperClient(
                self.stage.server.servers + chroot,
                reactor=self.stage.server.clock,
                endpoint=self.stage.server.endpoint,
            )
            self.stage.clients.append(client)
            self.run_work(client.connect())
            if reason is None:
                self.run_work(ensure_path(client, "/a"))
            else:
                self.assertRaises(reason, self.run_work, ensure_path(client, "/a"))
        self.assertIsNotNone(self.run_work(self.client.exists("/one/a")))

    def test_cut(self) -> None:
        """A cut connection, whenever, is no obstacle."""

        def making(number: int) -> Moment:
            moment = Moment(number, cut)
            client = self.stage.client(ZookeeperClient, moment)
            self.run_work(ensure_path(client, f"/x{number}/y"))
            self.assertIsNotNone(self.run_work(self.client.exists(f"/x{number}/y")))
            return moment

        self.assertEqual(len(list(moments(making))), 10)


class RetryChangeTests(StageTestCase):
    """Data that are changed by a function."""

    def test_changed(self) -> None:
        """The function gets data and stat, and what it gives is written and given."""
        self.run_work(self.client.create("/a", b"1"))
        seen: list[tuple[bytes | None, int | None]] = []

        def change(data: bytes | None, stat: Stat | None) -> bytes:
            seen.append((data, stat and stat.version))
            return b"2"

        self.assertEqual(self.run_work(retry_change(self.client, "/a", change)), b"2")
        self.assertEqual(seen, [(b"1", 0)])
        self.assertEqual(self.run_work(self.client.get("/a"))[0], b"2")

    def test_missing(self) -> None:
        """Where there is no node it is made, with what is above it; even without data."""
        for path, data in (("/a", b"x"), ("/b/c/d", b"y"), ("/e", b"")):

            def change(old: bytes | None, stat: Stat | None, data: bytes = data) -> bytes:
                self.assertEqual((old, stat), (None, None))
                return data

            self.run_work(retry_change(self.client, path, change))
            self.assertEqual(self.run_work(self.client.get(path))[0], data)

    def test_same(self) -> None:
        """Data that are as they should be are not written."""
        self.run_work(self.client.create("/a", b"1"))
        self.run_work(retry_change(self.client, "/a", lambda data, _: data or b""))
        self.assertEqual(self.run_work(self.client.get("/a"))[1].version, 0)

    def test_deferred(self) -> None:
        """The function may take its time."""

        async def change(data: bytes | None, stat: Stat | None) -> bytes:
            await sleep(self.client, 1)
            return b"late"

        self.run_work(retry_change(self.client, "/a", change))
        self.run_work(retry_change(self.client, "/b", lambda *_: succeed(b"soon")))
        self.assertEqual(self.run_work(self.client.get("/a"))[0], b"late")
        self.assertEqual(self.run_work(self.client.get("/b"))[0], b"soon")

    def test_conflicts(self) -> None:
        """Whoever comes in between, each change is made to what is there then."""
        meddling: list[Deferred[object]] = [
            self.client.create("/a", b"1"),
        ]

        async def change(data: bytes | None, stat: Stat | None) -> bytes:
            if meddling:
                await meddling.pop()
            return (data or b"") + b"+"

        self.assertEqual(self.run_work(retry_change(self.client, "/a", change)), b"1+")
        meddling.append(self.client.set("/a", b"2"))
        self.assertEqual(self.run_work(retry_change(self.client, "/a", change)), b"2+")

        async def deleting(data: bytes | None, stat: Stat | None) -> bytes:
            if data == b"2+":
                await self.client.delete("/a")
            return b"anew" if data is None else b"changed"

        self.assertEqual(self.run_work(retry_change(self.client, "/a", deleting)), b"anew")

    def test_together(self) -> None:
        """Changes that many make at a time are all made."""
        clients = [self.stage.client() for _ in range(4)]
        changes = [
            retry_change(client, "/set", adding(b"%d-%d" % (number, one)))
            for one in range(5)
            for number, client in enumerate(clients)
        ]
        for each in changes:
            self.run_work(each)
        data, _ = self.run_work(self.client.get("/set"))
        self.assertEqual(len(data.split()), 20)

    def test_raises(self) -> None:
        """What the function raises is given, and nothing is written."""

        def change(data: bytes | None, stat: Stat | None) -> bytes:
            raise ValueError("no")

        self.assertRaises(ValueError, self.run_work, retry_change(self.client, "/a", change))
        self.assertIsNone(self.run_work(self.client.exists("/a")))

    def test_cut(self) -> None:
        """A cut connection, whenever, is no obstacle."""
        self.run_work(self.client.create("/a", b""))

        def changing(number: int) -> Moment:
            moment = Moment(number, cut)
            client = self.stage.client(ZookeeperClient, moment)
            name = b"%d" % number
            change = retry_change(client, "/a", adding(name))
            self.assertIn(name, self.run_work(change))
            self.assertIn(name, self.run_work(self.client.get("/a"))[0])
            return moment

        self.assertEqual(len(list(moments(changing))), 4)
