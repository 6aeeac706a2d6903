"""What people do to the files of configurations."""

from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import capturedLogs, formatEvent

from pop.components import fileinstall
from pop.components.configuration.edits import Edits
from pop.components.configuration.persistence import SERVICE_CONFIGADMIN_PERSISTENCE, Folder
from pop.test.configured import ConfigurationCase, Keeper


class EditsTests(ConfigurationCase):
    """Files that somebody edits."""

    def setUp(self) -> None:
        super().setUp()
        self.done(self.context.install_bundle(fileinstall.__name__).start())
        self.addCleanup(self.framework.stop)
        self.folder.mkdir()
        self.file = self.folder / "a.config.js"

    def test_edited(self) -> None:
        """A file that somebody writes, changes and deletes is told of, and left as he wrote it."""
        managed, _ = self.manage()
        for text in ('{"x": 1}', '{"x":  2}', '{"x":2}'):
            self.file.write_text(text)
            self.clock.advance(1)
            self.assertEqual(text, self.file.read_text())
        self.file.unlink()
        self.clock.advance(1)
        self.assertEqual([{"x": 1}, {"x": 2}, None], managed.take())
        self.assertEqual(None, self.admin.find("a"))

    def test_our_own(self) -> None:
        """What the administration writes is no news, and neither is a file without a meaning."""
        managed, _ = self.manage()
        (self.folder / "README").write_text("hello")
        self.update(x=1)
        self.clock.pump([1, 1])
        self.update(x=2)
        self.clock.pump([1, 1])
        self.assertEqual([{"x": 1}, {"x": 2}], managed.take())

    def test_broken(self) -> None:
        """A file that cannot be read leaves things as they are, and that is said in a sentence."""
        self.update(x=1)
        self.clock.advance(1)
        for text in ("{", "[]", '{"x": NaN}', '{"service.factoryPid": "/"}'):
            with capturedLogs() as logged:
                self.file.write_text(text)
                self.clock.advance(1)
            [event] = [event for event in logged if "pid" in event]
            self.assertIn("The configuration a stays as it was: ", formatEvent(event))
        self.assertEqual(1, (self.admin.get_configuration("a").get_properties() or {})["x"])

    def test_factories(self) -> None:
        """A file may be a factory's, and become another's."""
        managed, other = self.manage("f", factory=True)[0], self.manage("g", factory=True)[0]
        self.file.write_text('{"x": 1, "service.factoryPid": "f"}')
        self.clock.advance(1)
        self.file.write_text('{"x": 1, "service.factoryPid": "g"}')
        self.clock.advance(1)
        self.assertEqual([("a", {"x": 1}), ("a", None)], managed.take())
        self.assertEqual([("a", {"x": 1})], other.take())

    def test_kept_elsewhere(self) -> None:
        """What is kept elsewhere is not deleted with a file of its name; and a file that is named
        for no PID is passed over."""
        self.context.register_service(
            SERVICE_CONFIGADMIN_PERSISTENCE, Keeper(), {"service.ranking": 1}
        )
        self.update(x=1)
        self.file.write_text("{")
        (self.folder / "a\\b.config.js").write_text("{}")
        self.clock.advance(1)
        self.file.unlink()
        self.clock.advance(1)
        self.assertEqual(["a"], [each.get_pid() for each in self.admin.list_configurations()])

    def test_never_written(self) -> None:
        """A configuration that has no file yet is not deleted by others' coming and going."""
        configuration = self.admin.get_configuration("b")
        self.file.write_text("{}")
        self.clock.advance(1)
        self.file.unlink()
        self.clock.advance(1)
        self.assertIs(configuration, self.admin.find("b"))


class AwayTests(ConfigurationCase):
    """Files that are away for an instant only, while the disk takes its time."""

    def setUp(self) -> None:
        super().setUp()
        self.deeds: list[Any] = []
        self.slow = Folder(self.folder, self.later)
        self.context.register_service(
            SERVICE_CONFIGADMIN_PERSISTENCE, self.slow, {"service.ranking": 1}
        )
        self.file = self.folder / "a.config.js"

    def later(self, call: Any, *arguments: Any) -> Deferred[Any]:
        """Do something when L{work} is called."""
        done: Deferred[Any] = Deferred()
        self.deeds.append(lambda: done.callback(call(*arguments)))
        return done

    def work(self) -> None:
        """Let the disk do what it was told to."""
        while self.deeds:
            self.deeds.pop(0)()

    def gone(self) -> None:
        """Somebody has seen that the file was gone."""
        Edits(self.slow, self.admin).folder_change(str(self.folder), [], [], [self.file.name])

    def test_put_back(self) -> None:
        """Whoever deletes a file and puts another in its place, as editors do, keeps that one."""
        self.admin.get_configuration("a").update({"x": 1})
        self.work()
        self.file.unlink()
        self.gone()
        self.file.write_text('{"x": 2}')
        self.work()
        self.assertEqual('{"x": 2}', self.file.read_text())
        self.assertEqual(None, self.admin.find("a"))

    def test_on_its_way(self) -> None:
        """One that is just being written is not gone."""
        self.admin.get_configuration("a").update({"x": 1})
        self.work()
        self.admin.get_configuration("a").delete()
        self.work()
        managed, _ = self.manage()
        updating = self.admin.get_configuration("a").update({"x": 2})
        self.gone()
        self.work()
        self.assertTrue(self.done(updating))
        self.assertEqual([{"x": 2}], managed.take())
        self.assertTrue(self.file.exists())
