"""Watches that stay, from the client's side: what they are told, and how they go."""

from __future__ import annotations

from collections.abc import Callable

from txzookeeper import constants as c
from txzookeeper.client import ZookeeperClient
from txzookeeper.errors import (
    BadArgumentsException,
    ConnectionLossException,
    NoWatcherException,
    SessionExpiredException,
)
from txzookeeper.event import ClientEvent
from txzookeeper.managed import ManagedClient
from txzookeeper.standing import StandingWatch
from txzookeeper.test.test_client import ClientTestCase


class StandingTestCase(ClientTestCase):
    """Two clients: one watches, the other one changes."""

    def setUp(self) -> None:
        """Make a node."""
        super().setUp()
        self.other = self.connected()
        self.server.run(self.other.create("/a"))
        self.told: list[str] = []

    def tell(self, event: ClientEvent) -> None:
        """Note an event."""
        self.told.append(f"{event.type_name} {event.path or event.state_name}")

    def watch(
        self, path: str, recursive: bool = False, client: ZookeeperClient | None = None
    ) -> StandingWatch:
        """Watch a node."""
        return self.server.run((client or self.client).add_watch(path, self.tell, recursive))

    def change(self, *paths: str) -> list[str]:
        """Make nodes, change and delete them, and give what was told meanwhile."""
        self.told.clear()
        for path in paths:
            self.server.run(self.other.create(path))
            self.server.run(self.other.set(path, b"1"))
            self.server.run(self.other.delete(path))
        return list(self.told)


class AddedTests(StandingTestCase):
    """What is told."""

    def test_persistent(self) -> None:
        """It tells of each change of the node and of its children's list, again and again."""
        self.watch("/a")
        self.assertEqual(self.change("/a/b"), ["child /a"] * 2)
        self.server.run(self.other.set("/a", b"1"))
        self.server.run(self.other.set("/a", b"2"))
        self.assertEqual(self.told[2:], ["changed /a"] * 2)

    def test_recursive(self) -> None:
        """It tells of each change at and below the node, but of no list of children."""
        self.watch("/a", recursive=True)
        self.server.run(self.other.create("/a/b"))
        self.assertEqual(self.change("/a/b/c"), [f"{it} /a/b/c" for it in _LIFE])
        self.assertEqual(self.change("/ab"), [])

    def test_root(self) -> None:
        """The whole tree can be watched."""
        self.watch("/", recursive=True)
        self.assertEqual(self.change("/b"), [f"{it} /b" for it in _LIFE])

    def test_chroot(self) -> None:
        """Events name the path as the client calls it."""
        client = self.connected("memory:2181/a")
        self.watch("/", True, client)
        self.assertEqual(self.change("/a/b"), [f"{it} /b" for it in _LIFE])

    def test_both(self) -> None:
        """A persistent and a recursive watch of one node are each told what is theirs."""
        for recursive in (True, False), (False, True):
            told: dict[bool, list[str]] = {True: [], False: []}
            watches = [
                self.server.run(self.client.add_watch("/a", _noting(told[each]), recursive=each))
                for each in recursive
            ]
            self.change("/a/b")
            self.assertEqual(told[False], ["child /a"] * 2)
            self.assertEqual(told[True], [f"{it} /a/b" for it in _LIFE])
            for watch in watches:
                self.server.run(watch.remove())

    def test_one_shot_beside(self) -> None:
        """One-shot watches where a standing one is fire once, and leave it as it is."""
        for recursive in (True, False):
            watch = self.watch("/a", recursive)
            names, listed = self.client.get_children_and_watch("/a")
            content, changed = self.client.get_and_watch("/a")
            self.server.run(names)
            self.server.run(content)
            self.change("/a/b")
            self.server.run(self.other.set("/a", b"1"))
            event = self.server.run(listed)
            self.assertEqual((event.type_name, event.path), ("child", "/a"))
            self.assertEqual(self.server.run(changed).type_name, "changed")
            self.assertIn("changed /a", self.told)
            self.server.run(self.other.set("/a", b"2"))
            self.assertEqual(self.told.count("changed /a"), 2)
            self.server.run(watch.remove())

    def test_raising(self) -> None:
        """What a callback raises is logged; the other watches are told, and it is told again."""

        def fail(event: ClientEvent) -> None:
            self.tell(event)
            raise ZeroDivisionError

        self.server.run(self.client.add_watch("/a", fail))
        self.watch("/a")
        self.assertEqual(self.change("/a/b"), ["child /a"] * 4)
        self.server.run(self.client.close())
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 3)

    def test_bad_path(self) -> None:
        """A path that cannot be is refused, and leaves nothing behind."""
        self.run_failing(self.client.add_watch("a", self.tell), BadArgumentsException)
        self.assertEqual(len(self.client._channel.watches), 0)


class RemovedTests(StandingTestCase):
    """How watches go."""

    def test_removed(self) -> None:
        """A removed watch is told nothing more, at once; the server forgets it too."""
        watch = self.watch("/a", recursive=True)
        removing = watch.remove()
        self.assertEqual(self.change("/a/b"), [])
        self.server.run(removing)
        self.server.run(watch.remove())
        self.assertEqual(self.client.statistics.events, 0)

    def test_neighbours(self) -> None:
        """The other watches of the node go on, standing and one-shot."""
        for recursive in (True, False):
            watch, _ = self.watch("/a", recursive), self.watch("/a")
            names, listed = self.client.get_children_and_watch("/a")
            self.server.run(names)
            self.server.run(watch.remove())
            self.assertIn("child /a", self.change("/a/b"))
            self.server.run(listed)

    def test_one_shot_under_way(self) -> None:
        """A one-shot watch that is being set is not lost when the standing one beside it goes."""
        watch = self.watch("/a")
        content, changed = self.client.get_and_watch("/a")
        removing = watch.remove()
        self.server.run(content)
        self.server.run(removing)
        self.server.run(self.other.set("/a", b"1"))
        self.assertEqual(self.server.run(changed).type_name, "changed")
        self.assertEqual(len(self.client._channel.watches), 0)

    def test_one_shot_cancelled(self) -> None:
        """One that was cancelled before it was sent keeps nothing alive."""
        watch = self.watch("/a")
        self.server.drop_connections()
        content, _ = self.client.get_and_watch("/a")
        content.addErrback(lambda _: None).cancel()
        self.server.advance(1)
        self.server.run(watch.remove())
        self.assertEqual(self.change("/a/b"), [])
        self.assertEqual(self.client._channel.watches.modes, {})

    def test_remove_watches(self) -> None:
        """Taking away all watches of a node tells each of them."""
        watch = self.watch("/a")
        _, one = self.client.get_and_watch("/a")
        _, two = self.client.get_children_and_watch("/a")
        self.server.run(self.client.remove_watches("/a"))
        self.assertEqual(self.told, ["persistent watch removed /a"])
        self.assertEqual(self.server.run(one).type, c.DATA_WATCH_REMOVED_EVENT)
        self.assertEqual(self.server.run(two).type, c.CHILD_WATCH_REMOVED_EVENT)
        self.assertEqual(self.change("/a/b"), [])
        self.run_failing(self.client.remove_watches("/a"), NoWatcherException)
        self.server.run(watch.remove())

    def test_removal_cancelled(self) -> None:
        """Who cancels the removal does not hear of it; who waits for the watches does."""
        content, changed = self.client.get_and_watch("/a")
        self.server.run(content)
        self.client.remove_watches("/a").addErrback(lambda _: None).cancel()
        self.assertEqual(self.server.run(changed).type, c.DATA_WATCH_REMOVED_EVENT)

    def test_removal_while_away(self) -> None:
        """Without a connection watches are removed at once, but for a one-shot one on its way."""
        self.watch("/a")
        self.server.drop_connections()
        content, changed = self.client.get_and_watch("/a")
        self.successResultOf(self.client.remove_watches("/a"))
        self.assertEqual(self.told, ["persistent watch removed /a"])
        self.server.run(content)
        self.server.run(self.other.set("/a", b"1"))
        self.assertEqual(self.server.run(changed).type_name, "changed")
        self.assertEqual(self.change("/a/b"), [])

    def test_removal_lost(self) -> None:
        """A removal whose answer was lost takes nothing away: the watch is armed again."""
        self.watch("/a")
        removing = self.client.remove_watches("/a")
        self.server.drop_connections()
        self.failureResultOf(removing, ConnectionLossException)
        self.server.advance(1)
        self.assertEqual(self.change("/a/b"), ["child /a"] * 2)

    def test_remove_a_kind(self) -> None:
        """Taking away one kind leaves the others, with a standing watch there or without."""
        for standing in (False, True):
            if standing:
                self.watch("/a")
            self.client.get_and_watch("/a")[0]
            names, listed = self.client.get_children_and_watch("/a")
            self.server.run(names)
            self.server.run(self.client.remove_watches("/a", c.DATA_WATCHES))
            self.run_failing(self.client.remove_watches("/a", c.DATA_WATCHES), NoWatcherException)
            self.change("/a/b")
            self.server.run(listed)
        self.assertEqual(self.told, ["child /a"] * 2)

    def test_cancelled(self) -> None:
        """A watch whose adding was cancelled tells nothing."""
        adding = self.client.add_watch("/a", self.tell)
        adding.addErrback(lambda _: None).cancel()
        self.assertEqual(self.change("/a/b"), [])
        self.assertEqual(len(self.client._channel.watches), 0)


class ReconnectionTests(StandingTestCase):
    """Watches over connections and sessions."""

    def test_armed_again(self) -> None:
        """On the next connection the watch goes on; it is told that it has to look again."""
        self.watch("/a", recursive=True)
        self.server.drop_connections()
        self.server.advance(1)
        self.assertEqual(self.told, ["session connected"])
        self.assertEqual(self.change("/a/b"), [f"{it} /a/b" for it in _LIFE])

    def test_beside_one_shot(self) -> None:
        """A one-shot watch beside it is armed again too, and fires for what was missed."""
        network = self.server.network()
        client = ZookeeperClient(
            "memory:2181", 6000, reactor=self.server.clock, endpoint=network.endpoint
        )
        self.clients.append(client)
        self.server.run(client.connect())
        self.watch("/a", client=client)
        content, changed = client.get_and_watch("/a")
        self.server.run(content)
        network.refuse_connections()
        network.drop_connections()
        self.server.run(self.other.set("/a", b"1"))
        self.assertEqual(self.told, [])
        network.accept_connections()
        self.assertEqual(self.server.run(changed).type_name, "changed")

    def test_added_while_away(self) -> None:
        """A watch added without a connection is armed on the next one."""
        self.server.drop_connections()
        self.watch("/a")
        self.assertEqual(self.change("/a/b"), ["child /a"] * 2)

    def test_lost_answer(self) -> None:
        """If the connection breaks before the answer, adding fails and nothing is told later."""
        adding = self.client.add_watch("/a", self.tell)
        self.server.drop_connections()
        self.failureResultOf(adding, ConnectionLossException)
        self.server.advance(1)
        self.assertEqual(self.change("/a/b"), [])

    def test_removed_while_away(self) -> None:
        """A watch removed without a connection is not armed again."""
        watch = self.watch("/a")
        self.server.drop_connections()
        self.server.run(watch.remove())
        self.server.advance(1)
        self.assertEqual(self.change("/a/b"), [])

    def test_expired(self) -> None:
        """The end of the session is the last thing that it is told."""
        self.watch("/a")
        self.server.expire(self.client.client_id[0])
        self.server.advance(1)
        self.assertEqual(self.told, ["session expired"])
        self.run_failing(self.client.add_watch("/a", self.tell), SessionExpiredException)
        self.assertEqual(len(self.client._channel.watches), 0)


class ManagedTests(StandingTestCase):
    """Watches of a client that outlives its sessions."""

    def kind(self) -> Callable[..., ZookeeperClient]:
        """Give the class under test."""
        return ManagedClient

    def test_next_session(self) -> None:
        """On the next session it is armed again, and told to look again when calls can be made."""
        self.watch("/a", recursive=True)
        self.server.expire(self.client.client_id[0])
        self.server.advance(1)
        self.assertEqual(self.told, ["session connected"])
        self.assertEqual(self.change("/a/b"), [f"{it} /a/b" for it in _LIFE])


_LIFE = ("created", "changed", "deleted")


def _noting(told: list[str]) -> Callable[[ClientEvent], None]:
    return lambda event: told.append(f"{event.type_name} {event.path}")
