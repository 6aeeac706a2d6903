"""A subtree in memory is what is on the server, whatever happens on the way."""

from __future__ import annotations

from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase

from txzookeeper.cache import Change
from txzookeeper.client import ZookeeperClient
from txzookeeper.errors import (
    NodeExistsException,
    NoNodeException,
    NotConnectedException,
    NotEmptyException,
)
from txzookeeper.managed import ManagedClient
from txzookeeper.subtree import Subtree
from txzookeeper.test.stage import Delay, Moment, Moments, Stage, cut, expire, moments
from txzookeeper.test.subtrees import DENIED, OPEN, Mirror, changes, held, nodes_of


class TroubleTests(SynchronousTestCase):
    """Something that happens at every moment of the work."""

    def check(self, count: int, deed: Any, away: int = 0) -> Moment:
        """Make changes while something happens, and require that the last state is held.

        ``away``: for how many changes after that the client is cut off.
        """
        stage = Stage()
        other = stage.client()
        stage.run(other.transaction().create("/a").create("/a/b").create("/a/b/c").commit())

        def happen(line: Any) -> Any:
            if away:
                lines.hold()
            return deed(stage, lambda: client, line)

        moment = Moment(count, happen)
        client: ManagedClient = stage.client(ManagedClient, moment)
        lines = stage.lines[client]
        subtree = Subtree(client, "/a", limit=2)
        mirror = Mirror(subtree)
        subtree.start()
        left = away
        for change in changes(other):
            stage.run(change())
            left -= moment.came
            if left < 0:
                lines.release()
            stage.server.settle()
        lines.release()
        stage.server.advance(10)
        there = stage.run(nodes_of(other, "/a"))
        self.assertEqual(held(subtree), there)
        self.assertEqual(mirror.nodes, there)
        stage.run(subtree.stop())
        self.assertEqual(len(client._channel.watches), 0)
        self.assertEqual(list(stage.close()), [])
        return moment

    def test_cut(self) -> None:
        """A connection that breaks at whatever moment, for how long soever, loses nothing."""
        for away in range(4):
            times = moments(self.check, lambda stage, client, line: cut(line), away)
            self.assertGreater(len(list(times)), 20)

    def test_expired(self) -> None:
        """Nor does a session that expires, on a managed client."""
        for away in range(4):
            self.assertGreater(len(list(moments(self.check, expire, away))), 20)

    def test_changed_while_loading(self) -> None:
        """What changes while all is being read is held as it is then."""

        def once(count: int, change: Any, limit: int) -> Moment:
            stage = Stage()
            other = stage.client()
            making = other.transaction().create("/a").create("/a/b").create("/a/b/c")
            stage.run(making.create("/a/d").create("/a/d/e").commit())

            def make(_: Any) -> None:
                for each in change(other):
                    each.addErrback(lambda failure: failure.trap(NotConnectedException))

            moment = Moment(count, make)
            client = stage.client(ZookeeperClient, moment)
            subtree = Subtree(client, "/a", limit=limit)
            mirror = Mirror(subtree)
            stage.run(subtree.start())
            stage.server.settle()
            there = stage.run(nodes_of(other, "/a"))
            self.assertEqual((held(subtree), mirror.nodes), (there, there))
            stage.close()
            return moment

        for change in (
            lambda other: [other.set("/a/b"), other.set("/a/d")],
            lambda other: [other.set("/a/b/c"), other.set("/a")],
            lambda other: [other.delete("/a/b/c"), other.delete("/a/b")],
            lambda other: [other.create("/a/b/f"), other.create("/a/b/f/g")],
            lambda other: [
                other.delete("/a/b/c"),
                other.create("/a/b/c"),
                other.create("/a/b/c/h"),
            ],
        ):
            for limit in (1, 2, 100):
                self.assertGreater(len(list(moments(once, change, limit))), 10)

    def test_changed_while_looking_again(self) -> None:
        """So is what changes while the client looks what has happened without it."""

        def once(count: int) -> Moment:
            stage = Stage()
            other = stage.client()
            stage.run(other.transaction().create("/a").create("/a/b").create("/a/z").commit())

            def make(_: Any) -> None:
                other.set("/a/z", b"2").addErrback(lambda _: None)

            moment = Moment(count, make)
            client = stage.client()
            subtree = Subtree(client, "/a", limit=1)
            stage.run(subtree.start())
            lines = stage.lines[client]
            lines.hold()
            lines.cut()
            stage.run(other.create("/a/z/d"))
            lines.meddler = Moments(moment)
            lines.release()
            stage.server.advance(5)
            self.assertEqual(held(subtree), stage.run(nodes_of(other, "/a")))
            stage.close()
            return moment

        self.assertGreater(len(list(moments(once))), 10)

    def test_stopped(self) -> None:
        """Stopped or cancelled at whatever moment, it leaves no watch and tells nothing."""

        def once(count: int, cancel: bool) -> Moment:
            stage = Stage()
            other = stage.client()
            stage.run(other.transaction().create("/a").create("/a/b").create("/a/b/c").commit())

            def end() -> None:
                starting.cancel() if cancel else subtree.stop()

            moment = Moment(count, lambda _: end())
            client = stage.client(ZookeeperClient, moment)
            subtree = Subtree(client, "/a")
            late: list[Change] = []
            subtree.subscribe(lambda change: late.append(change) if moment.came else None)
            starting = subtree.start().addErrback(lambda failure: failure.trap(CancelledError))
            stage.run(starting)
            if not cancel:
                stage.run(other.set("/a", b"1"))
                stage.server.advance(1)
                self.assertEqual(late, [])
            if moment.came:
                stage.server.advance(1)
                self.assertEqual(len(client._channel.watches), 0)
            stage.close()
            return moment

        for cancel in (True, False):
            self.assertGreater(len(list(moments(once, cancel))), 5)


NAMES = st.sampled_from(["/a", "/a/b", "/a/b/c", "/a/d", "/a/d/e", "/a/b/c/f"])
STEPS = st.one_of(
    st.tuples(st.sampled_from(["create", "set", "delete"]), NAMES),
    st.tuples(st.sampled_from(["create", "set", "delete"]), NAMES),
    st.tuples(st.sampled_from(["cut", "expire", "hold", "release", "wait", "again"]), NAMES),
    st.tuples(st.sampled_from(["wait", "deny", "allow"]), NAMES),
)


class RandomTests(SynchronousTestCase):
    """Whatever is done in whatever order."""

    @settings(max_examples=200, deadline=None)
    @given(st.lists(STEPS, max_size=40), st.integers(0, 2**16))
    def test_any(self, steps: list[tuple[str, str]], seed: int) -> None:
        """In the end what is held, what was told and what is there are the same."""
        stage = Stage()
        other = stage.client()
        client = stage.client(ManagedClient, meddler=Delay(Random(seed)))
        lines = stage.lines[client]
        subtree = Subtree(client, "/a", limit=2)
        mirror = Mirror(subtree)
        subtree.start()
        for number, (deed, path) in enumerate(steps):
            calls: dict[str, Any] = {
                "create": lambda path=path, number=number: other.create(path, b"%d" % number),
                "set": lambda path=path, number=number: other.set(path, b"%d" % number),
                "delete": lambda path=path: other.delete(path),
                "again": lambda path=path: other.transaction().delete(path).create(path).commit(),
                "deny": lambda path=path: other.set_acl(path, DENIED),
                "allow": lambda path=path: other.set_acl(path, OPEN),
                "cut": lines.cut,
                "hold": lines.hold,
                "release": lines.release,
                "expire": lambda: stage.expire(client),
                "wait": lambda: stage.server.advance(0.01),
            }
            made = calls[deed]()
            if isinstance(made, Deferred):
                made.addErrback(
                    lambda failure: failure.trap(
                        NoNodeException, NodeExistsException, NotEmptyException
                    )
                )
                stage.run(made)
        lines.release()
        if any(deed in ("deny", "allow") for deed, _ in steps):
            # Nobody else tells.
            stage.server.advance(10)
            lines.cut()
        stage.server.advance(20)
        there = stage.run(nodes_of(other, "/a"))
        self.assertEqual(held(subtree), there)
        self.assertEqual(mirror.nodes, there)
        self.assertTrue(subtree.current)
        stage.run(subtree.stop())
        self.assertEqual(list(stage.close()), [])
