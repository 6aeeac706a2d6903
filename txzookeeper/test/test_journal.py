"""What a turn changed is saved as a whole, or the tree is what it was before."""

from __future__ import annotations

from random import Random

from twisted.trial.unittest import SynchronousTestCase

from txzookeeper import constants as c
from txzookeeper.durable import DurableTree
from txzookeeper.journal import Journal
from txzookeeper.nodes import Nodes
from txzookeeper.store import blank
from txzookeeper.test.keepers import MemoryKeeper
from txzookeeper.test.trees import Someone


def state(tree: DurableTree) -> tuple[object, ...]:
    """Give all that a client could see of a tree, and what the lists of its nodes say."""
    lists = {path: sorted(tree.nodes.children(path)) for path in tree.nodes}
    owned = {session: sorted(tree.nodes.ephemerals(session)) for session in tree.sessions}
    return dict(tree.nodes), tree.zxid, dict(tree.sessions), lists, owned


class JournalTests(SynchronousTestCase):
    """A tree, and a keeper in memory."""

    def setUp(self) -> None:
        self.keeper = MemoryKeeper()
        self.tree = DurableTree(blank(b"s"), 0)
        self.journal = Journal(self.tree, self.keeper)
        self.someone = Someone(self.tree)

    def test_saved(self) -> None:
        """All of a turn is kept at once: its nodes, its sessions, and the last ids."""
        self.someone.create("/a", b"1")
        self.someone.create("/a/b", flags=c.EPHEMERAL)
        self.someone.set("/a", b"2")
        self.assertTrue(self.journal.save())
        self.assertEqual(self.keeper.kept, 1)
        again = DurableTree(self.keeper.image, 0)
        self.assertEqual(state(again), state(self.tree))
        self.assertEqual(again.open_session(1, 0)[0], self.someone.id + 1)

    def test_nothing_to_save(self) -> None:
        """Who only reads, or is only heard of, costs no commit; whatever takes an id does."""
        self.journal.save()
        self.someone.get("/")
        self.tree.touch(self.someone.id, 5)
        self.assertTrue(self.journal.save())
        self.assertEqual(self.keeper.kept, 1)
        self.someone.delete("/nowhere")
        self.journal.save()
        self.tree.refuse(c.CREATE_OP)
        self.journal.save()
        self.assertEqual((self.keeper.kept, self.keeper.image.zxid), (3, self.tree.zxid))

    def test_time_outs(self) -> None:
        """A session's new time-out is kept; after a restart it has all of it before it."""
        self.tree.touch(self.someone.id, 5, 7000)
        self.journal.save()
        again = DurableTree(self.keeper.image, 1_000_000)
        self.assertEqual(again.overdue(1_007_000), [])
        self.assertEqual(again.overdue(1_007_001), [self.someone.id])

    def test_not_saved(self) -> None:
        """What cannot be kept did not happen, and from then on nothing can be changed."""
        self.someone.create("/a", b"1")
        self.journal.save()
        before = state(self.tree)
        self.keeper.full = True
        self.someone.create("/a/b", flags=c.EPHEMERAL)
        self.someone.set("/a", b"2")
        self.tree.close_session(self.someone.id, 9)
        Someone(self.tree)
        self.assertEqual((self.journal.save(), self.journal.writable), (False, False))
        self.assertEqual(state(self.tree), before)

    def test_again(self) -> None:
        """As soon as there is room it goes on, with ids that were never given."""
        self.journal.save()
        self.keeper.full = True
        undone = Someone(self.tree)
        self.journal.save()
        self.journal.try_again()
        self.assertFalse(self.journal.writable)
        self.keeper.full = False
        self.journal.try_again()
        self.assertTrue(self.journal.writable)
        self.assertGreater(Someone(self.tree).id, undone.id)
        self.assertTrue(self.journal.save())

    def test_any_changes(self) -> None:
        """Whatever happens in a turn, undoing it gives the tree before, and saving it the tree."""
        for seed in range(200):
            chance = Random(seed)
            for _ in range(4):
                before = state(self.tree)
                wild(chance, self.tree)
                self.keeper.full = chance.random() < 0.5
                after = state(self.tree)
                saved = self.journal.save()
                self.assertEqual(state(self.tree), after if saved else before)
                image = self.keeper.image._replace(nodes=Nodes(self.keeper.image.nodes.items()))
                self.assertEqual(state(DurableTree(image, 0))[0], state(self.tree)[0])


def wild(chance: Random, tree: DurableTree) -> None:
    """Do some things to a tree."""
    sessions = [Someone(tree)]
    for _ in range(chance.randrange(1, 12)):
        someone = chance.choice(sessions)
        above = chance.choice(sorted(tree.nodes)).rstrip("/")
        path = f"{above}/{chance.choice('abc')}"
        match chance.randrange(6):
            case 0 | 1:
                someone.create(path, flags=chance.choice([0, c.EPHEMERAL, c.SEQUENCE]))
            case 2 | 3:
                someone.delete(path)
            case 4:
                someone.set(path, b"x")
            case _:
                tree.close_session(someone.id, 0)
                sessions = [Someone(tree)]
