"""Where configurations are kept: files, and other places."""

import json
import os
from pathlib import Path
from threading import get_ident
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import TestCase

from pop.components import configuration
from pop.components.configuration.admin import SERVICE_CONFIGADMIN_MANAGED
from pop.components.configuration.errors import (
    NotKept,
    NotReloaded,
)
from pop.components.configuration.persistence import SERVICE_CONFIGADMIN_PERSISTENCE
from pop.components.framework import Framework
from pop.test.configured import ConfigurationCase, Keeper, Managed, admin_of


class FolderTests(ConfigurationCase):
    """Configurations in files."""

    def kept(self, pid: str = "a") -> Any:
        """What a file holds."""
        return json.loads((self.folder / f"{pid}.config.js").read_text())

    def test_files(self) -> None:
        """Each is a file of JSON for its owner only, and goes when it is deleted."""
        self.update(x="ä")
        self.assertEqual({"service.pid": "a", "x": "ä"}, self.kept())
        [file] = self.folder.iterdir()
        self.assertEqual(0o600, file.stat().st_mode & 0o777)
        self.done(self.admin.get_configuration("a").delete())
        self.assertEqual([], list(self.folder.iterdir()))
        self.again()
        self.assertEqual([], self.admin.list_configurations())

    def test_mode(self) -> None:
        """A file keeps the mode that somebody gave it, and a link stays one."""
        self.update(x=1)
        file = self.folder / "a.config.js"
        file.rename(self.path / "elsewhere")
        file.symlink_to(self.path / "elsewhere")
        (self.path / "elsewhere").chmod(0o640)
        self.update(x=2)
        self.assertEqual(2, self.kept()["x"])
        self.assertTrue(file.is_symlink())
        self.assertEqual(0o640, file.stat().st_mode & 0o777)

    def test_foreign_files(self) -> None:
        """Other files are left alone, and those that cannot be read are passed over."""
        self.folder.mkdir()
        for name, text in (
            ("README", "hello"),
            (".config.js", "{}"),
            ("bad.config.js", "{"),
            ("list.config.js", "[]"),
            ("odd.config.js", '{"service.factoryPid": "a/b"}'),
            ("good.config.js", '{"x": 1}'),
        ):
            (self.folder / name).write_text(text)
        self.again()
        self.assertEqual(["good"], [each.get_pid() for each in self.admin.list_configurations()])
        self.assertEqual(6, len(list(self.folder.iterdir())))

    def test_not_written(self) -> None:
        """What cannot be written is not so, nobody is told of it, and who asked is told why."""
        self.update(x=1)
        managed, _ = self.manage()
        managed.take()
        changed = self.admin.get_configuration("a")
        file = self.folder / "a.config.js"
        file.unlink()
        (file / "in the way").mkdir(parents=True)
        said = self.failed(changed.update({"x": 2}), NotKept)
        self.assertIn("The configuration a stays as it was, since it cannot be written: ", said)
        self.assertIn("cannot be deleted: ", self.failed(changed.delete(), NotKept))
        self.assertEqual([], managed.take())
        self.assertEqual(1, (changed.get_properties() or {})["x"])

    def test_reload(self) -> None:
        """What somebody else has written is taken over when it is asked for."""
        managed, _ = self.manage()
        self.update(x=1)
        changed = self.admin.get_configuration("a")
        file = self.folder / "a.config.js"
        file.write_text('{"x":2}')
        self.assertTrue(self.done(changed.reload()))
        self.assertFalse(self.done(changed.reload()))
        self.assertEqual([{"x": 1}, {"x": 2}], managed.take())
        self.assertEqual('{"x":2}', file.read_text())
        file.write_text("{")
        self.assertIn("cannot be read again: ", self.failed(changed.reload(), NotReloaded))

    def test_default_folder(self) -> None:
        """Without a folder it is ./conf, which is made only when there is something to keep.

        (iPOPO makes it at once.)
        """
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(self.path)
        other = Framework(environment={})
        self.done(other.start())
        self.addCleanup(other.stop)
        self.done(other.install_bundle(configuration.__name__).start())
        self.assertFalse(self.folder.exists())
        os.chdir("/")
        self.done(admin_of(other).get_configuration("a").update({"x": 1}))
        self.assertEqual(1, self.kept()["x"])


class KeeperTests(ConfigurationCase):
    """Other ways to keep configurations."""

    def test_another(self) -> None:
        """What another keeps is known as soon as it is there; new ones are kept by the best."""
        self.update("a", x=1)
        keeper = Keeper(a={"x": 2}, b={"x": 3})
        managed = self.manage("b")[0]
        registration = self.context.register_service(
            SERVICE_CONFIGADMIN_PERSISTENCE, keeper, {"service.ranking": 1}
        )
        self.assertEqual([{"x": 3}], managed.take())
        self.update("c", x=4)
        self.update("a", x=5)
        self.assertEqual({"a", "b", "c"}, set(keeper.kept))
        self.assertEqual({"x": 2}, keeper.kept["a"])
        registration.unregister()
        self.update("c", x=6)
        self.assertEqual(4, keeper.kept["c"]["x"])
        self.assertTrue((self.folder / "c.config.js").exists())

    def test_asked_for_before(self) -> None:
        """Somebody may have asked for a configuration before what keeps it came."""
        managed, _ = self.manage()
        asked = self.admin.get_configuration("a")
        self.context.register_service(SERVICE_CONFIGADMIN_PERSISTENCE, Keeper(a={"x": 1}))
        self.assertIs(asked, self.admin.get_configuration("a"))
        self.assertEqual([{"x": 1}], managed.take())
        self.assertTrue(asked.is_valid())

    def test_unreadable(self) -> None:
        """A folder that cannot be read is passed over, with a sentence."""

        class Torn(Keeper):
            def get_pids(self) -> list[str]:
                raise PermissionError(13, "Permission denied")

        with capturedLogs() as logged:
            self.context.register_service(SERVICE_CONFIGADMIN_PERSISTENCE, Torn())
        said = [formatEvent(event) for event in logged if "reason" in event]
        self.assertEqual(["Configurations are passed over: Permission denied"], said)

    def test_slow(self) -> None:
        """Nobody is told of what is not kept yet, and two changes do not overtake each other."""
        keeper = Keeper()
        self.context.register_service(
            SERVICE_CONFIGADMIN_PERSISTENCE, keeper, {"service.ranking": 1}
        )
        managed, _ = self.manage()
        first = keeper.result = Deferred()
        one = self.admin.get_configuration("a").update({"x": 1})
        keeper.result = Deferred()
        two = self.admin.get_configuration("a").update({"x": 2})
        gone = self.admin.get_configuration("a").delete()
        self.assertEqual(1, keeper.kept["a"]["x"])
        self.assertEqual([], managed.take())
        first.callback(None)
        self.done(one)
        self.assertEqual(2, keeper.kept["a"]["x"])
        self.assertEqual([{"x": 1}], managed.take())
        second, keeper.result = keeper.result, succeed(None)
        second.errback(OSError(28, "No space left"))
        self.assertIn("No space left", self.failed(two, NotKept))
        self.done(gone)
        self.assertEqual([None], managed.take())

    def test_stop_waits(self) -> None:
        """The bundle's end waits for what is being written, so that it is known when that starts
        again; nobody is told of it any more."""
        keeper = Keeper()
        self.context.register_service(
            SERVICE_CONFIGADMIN_PERSISTENCE, keeper, {"service.ranking": 1}
        )
        managed, _ = self.manage()
        keeper.result = Deferred()
        updating = self.admin.get_configuration("a").update({"x": 1})
        stopping = self.bundle.stop()
        self.assertNoResult(stopping)
        keeper.result.callback(None)
        self.done(updating)
        self.done(stopping)
        self.assertEqual([], managed.take())
        self.done(self.bundle.start())
        self.assertEqual([{"x": 1}], managed.take())

    def test_none(self) -> None:
        """Where nothing keeps them, configurations are there for as long as the bundle runs."""
        self.framework.add_property(configuration.NO_FOLDER, "true")
        self.again()
        managed, _ = self.manage()
        self.update(x=1)
        self.done(self.admin.get_configuration("a").delete())
        self.assertEqual([{"x": 1}, None], managed.take())
        self.assertFalse(self.folder.exists())


class ThreadTests(TestCase):
    """With a real reactor."""

    async def test_elsewhere(self) -> None:
        """The disk is waited for in another thread, and all else happens in the reactor's.

        (iPOPO lets whoever updates wait.)
        """
        from twisted.internet import reactor

        folder = self.mktemp()
        given = {configuration.CONFIGURATION_FOLDER: folder}
        framework = Framework(given, clock=reactor, environment={})
        await framework.start()
        await framework.install_bundle(configuration.__name__).start()
        made, threads = admin_of(framework).get_configuration("a"), []
        managed = Managed()
        managed.then = lambda properties: threads.append(get_ident())
        framework.get_bundle_context().register_service(
            SERVICE_CONFIGADMIN_MANAGED, managed, {"service.pid": "a"}
        )
        updating = made.update({"x": 1})
        self.assertFalse(updating.called)
        await updating
        self.assertEqual([get_ident()], threads)
        self.assertTrue(Path(folder, "a.config.js").exists())
        made.update({"x": 2})
        await framework.stop()
        self.assertIn('"x": 2', Path(folder, "a.config.js").read_text())
