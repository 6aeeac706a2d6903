"""What a machine should run, for when nobody can be asked."""

from twisted.trial.unittest import SynchronousTestCase

from pop.files import Record
from pop.model import Service, Target
from pop.snapshot import Snapshot
from pop.testing import FakeFile

MINE = {"machine": "m1"}
WEB = Service("web", "command", {"argv": "run", "note": "\x85 √"}, (), Target(True, 3))
HELD = Service("held", "python", {}, (), Target(False, 0, {"note": "me"}))


class SnapshotTests(SynchronousTestCase):
    """A snapshot in a file."""

    def setUp(self) -> None:
        self.file = FakeFile()

    def snapshot(self, owner: dict[str, str] = MINE) -> Snapshot:
        """The snapshot, as an agent of a machine finds it."""
        return Snapshot(Record("snapshot", self.file, owner))

    def test_kept(self) -> None:
        """Another agent of the machine finds the services as they were."""
        services = {"web": WEB, "held": HELD}
        self.snapshot().keep(services)
        self.assertEqual(services, self.snapshot().read())

    def test_nothing(self) -> None:
        """Where nothing was kept, or what was is damaged, there are no services."""
        self.assertEqual({}, self.snapshot().read())
        self.snapshot().keep({"web": WEB})
        assert self.file.data is not None
        whole = self.file.data
        self.file.data = whole[:-9]
        self.assertEqual({}, self.snapshot().read())
        self.file.data = whole.replace(b'"type"', b'"sort"')
        self.assertEqual({}, self.snapshot().read())

    def test_foreign(self) -> None:
        """Nor are there if the machine is another one by now."""
        self.snapshot().keep({"web": WEB})
        self.assertEqual({}, self.snapshot({"machine": "m2"}).read())

    def test_unchanged(self) -> None:
        """Services that have not changed are not written again, in whatever order they come."""
        snapshot = self.snapshot()
        snapshot.keep({"web": WEB, "held": HELD})
        self.file.data = b"mark"
        snapshot.keep({"held": HELD, "web": WEB})
        self.assertEqual(b"mark", self.file.data)
        snapshot.keep({"held": HELD})
        self.assertEqual({"held": HELD}, self.snapshot().read())
