"""The commands on configurations."""

from pop.components import configuration, fileinstall
from pop.components.shell import configuration as commands
from pop.test.configured import admin_of
from pop.test.test_component_console import ConsoleCase
from pop.test.test_component_shell import ShellCase

LAMP = """
from pathlib import Path
from twisted.internet.defer import Deferred
from pop.components import (
    BundleActivator, ComponentFactory, Instantiate, Property, RequiresConfiguration, Validate
)

changed = Deferred()

@ComponentFactory("lamp")
@RequiresConfiguration("lamp", update_policy="restart")
@Property("color", "color", "white")
@Instantiate("lamp")
class Lamp:
    @Validate
    def validate(self, context):
        print("lamp", self.color)
        if self.color == "blue":
            changed.callback(None)

@ComponentFactory("bell")
class Bell:
    @Validate
    def validate(self, context):
        print("ring")

class Edit:
    def get_namespace(self):
        return "edit"
    def get_methods(self):
        return [("edit", self.edit)]
    async def edit(self, session, path, old, new):
        Path(path).write_text(Path(path).read_text().replace(old, new))
        await changed

@BundleActivator
class Activator:
    def start(self, context):
        context.register_service("pelix.shell.command", Edit())
"""


class ConfigCommandsTests(ShellCase):
    """At the shell of a framework with configurations, which are kept in a folder."""

    def setUp(self) -> None:
        super().setUp()
        self.framework.add_property(configuration.CONFIGURATION_FOLDER, str(self.path / "conf"))
        for name in (configuration.__name__, commands.__name__):
            self.done(self.context.install_bundle(name).start())
        self.admin = admin_of(self.framework)

    def test_list(self) -> None:
        """Configurations are listed with their properties; what is hidden is not shown."""
        self.assertEqual("0 configurations\n", self.said("config.list"))
        self.said("config.update b color=red watts:=60 'on:=[1, true, \"ä\"]' .secret=x")
        self.said("config.update a")
        shown = (
            "* b:\n\tProperties:\n\t\t.secret = ***\n\t\tcolor = red\n"
            '\t\ton = [1, true, "ä"]\n\t\tservice.pid = b\n\t\twatts = 60\n'
        )
        self.assertEqual(shown, self.said("config.list b"))
        empty = "* a:\n\tProperties:\n\t\tservice.pid = a\n"
        self.assertEqual(f"{empty}{shown}2 configurations\n", self.said("config.list"))

    def test_update(self) -> None:
        """Properties are changed and added, and taken away by None."""
        self.said("config.update a x=1 y=2")
        self.said("config.update a x=None z=3")
        self.assertEqual(
            {"service.pid": "a", "y": "2", "z": "3"},
            self.admin.get_configuration("a").get_properties(),
        )

    def test_create(self) -> None:
        """A configuration of a factory is made, and its PID is said."""
        pid = self.said("config.create f x=1").removeprefix("New configuration: ").strip()
        self.assertIn("\tFactory PID: f\n", self.said(f"config.list {pid}"))
        pid = self.said("config.create f").removeprefix("New configuration: ").strip()
        self.assertIn("\tNot yet updated\n", self.said(f"config.list {pid}"))

    def test_trouble(self) -> None:
        """What those find wrong who are told of a configuration, is said, and shown until it is
        mended."""
        said = self.said("config.create pelix.ipopo.component x=1").splitlines()
        pid, trouble = said[0].removeprefix("New configuration: "), said[1]
        self.assertTrue(trouble.startswith("Trouble: It makes no component, since"))
        self.assertEqual(trouble, self.said(f"config.update {pid} x=2").strip())
        self.assertIn(f"\t{trouble}\n", self.said("config.list"))
        self.assertEqual("", self.said(f"config.update {pid} ipopo.factory.name=any"))
        self.assertNotIn("Trouble", self.said("config.list"))

    def test_reload_and_delete(self) -> None:
        """What somebody has written is taken over, and a configuration is deleted."""
        self.said("config.update a x=1")
        file = self.path / "conf" / "a.config.js"
        file.write_text('{"x": 2}')
        self.said("config.reload a")
        self.assertIn("x = 2\n", self.said("config.list a"))
        file.write_text("{")
        self.assertIn("cannot be read again", self.said("config.reload a", well=False))
        self.said("config.delete a")
        self.assertFalse(file.exists())

    def test_refused(self) -> None:
        """What cannot be is said in a sentence."""
        for deed in ("list", "reload", "delete"):
            said = self.said(f"config.{deed} nothing", well=False)
            self.assertEqual(
                'There is no configuration nothing. "config.list" lists those there are.\n', said
            )
        for line in ("update a x", "update a :=1", "update a x:=[", "create f x:="):
            self.assertIn("should be NAME=TEXT", self.said(f"config.{line}", well=False))
        self.assertIn("cannot be the PID", self.said("config.update a/b x=1", well=False))
        self.assertIn("cannot be the PID", self.said("config.create a/b", well=False))
        self.assertIn("cannot be that", self.said("config.update a x=1 X=2", well=False))
        self.assertIn("0 configurations", self.said("config.list"))

    def test_completion(self) -> None:
        """The PIDs that there are complete a command."""
        for pid in ("lamp", "lantern", "door"):
            self.said(f"config.update {pid} x=1")
        self.assertEqual(["lamp", "lantern"], self.shell.complete("config.delete la", self.session))

    def test_nobody(self) -> None:
        """Where nobody keeps configurations, that is said."""
        bundle = self.framework.get_bundle_by_name(configuration.__name__)
        assert bundle is not None
        self.done(bundle.stop())
        self.assertIn(
            "Start the bundle pop.components.configuration", self.said("config.list", well=False)
        )


class AgainTests(ConsoleCase):
    """Two processes, one after the other."""

    def test_kept(self) -> None:
        """What was configured in one is so in the next: components are configured, and made, before
        anybody asks for them; and what is written to a file takes effect while it runs."""
        (self.path / "lamp.py").write_text(LAMP)
        bundles = [commands.__name__, configuration.__name__, fileinstall.__name__, "lamp"]
        create = "config.create pelix.ipopo.component ipopo.factory.name=bell instance.name=door"
        out, err = self.run_console(*bundles, commands=f"config.update lamp color=red\n{create}\n")
        self.assertIn("lamp red\nring\nNew configuration: ", out)
        self.assertEqual("", err)
        out, err = self.run_console(*bundles, commands="edit conf/lamp.config.js red blue\n")
        self.assertEqual(["lamp blue", "lamp red", "ring"], sorted(out.splitlines()))
        self.assertEqual("", err)
