"""Plone without Plone: what is written for it, how tasks ask it, how it is backed up.

The real one is run by C{examples/plone.py}.
"""

import io
import os
from collections.abc import Mapping
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from pop.backup import back_up
from pop.catalogue import Catalogue
from pop.errors import ContradictorySettings, NotBackedUp, NotDone
from pop.model import Service
from pop.program import Launch
from pop.protocols import plone
from pop.services.plone4 import Plone4
from pop.settings import validate
from pop.tasks import tasks_of

PLONE = Plone4()


def launch(**settings: Any) -> Launch:
    """What runs with some settings."""
    return Catalogue({"plone4": PLONE}).launch(Service("site", "plone4", settings), "m1")


class LaunchTests(SynchronousTestCase):
    """What is executed, and how it is known to be ready."""

    def test_defaults(self) -> None:
        """It needs no setting: it listens on port 8080, and is ready when it answers there."""
        found = launch()
        self.assertEqual(("--host", "127.0.0.1", "--port", "8080"), found.program.argv[-4:])
        self.assertEqual("http://127.0.0.1:8080/", found.checks.readiness)
        self.assertEqual({"port": 8080}, found.program.state)
        assert found.program.recipe
        self.assertIn("Products.CMFPlone", found.program.recipe.requirements)

    def test_port(self) -> None:
        """Another port is listened on, and asked; the environment is the same."""
        found = launch(port=8081)
        self.assertEqual("http://127.0.0.1:8081/", found.checks.readiness)
        self.assertEqual(launch().program.recipe, found.program.recipe)

    def test_one_process(self) -> None:
        """Two processes would write one database."""
        self.assertRaises(ContradictorySettings, launch, processes=2)

    def test_tasks(self) -> None:
        """It has tasks of its own, beside those of every environment."""
        own = {"adduser", "pack", "backup", "password"}
        self.assertEqual({"install", "packages", "rollback"} | own, set(tasks_of(PLONE)))


class InstanceTests(SynchronousTestCase):
    """What is written before it is served."""

    def setUp(self) -> None:
        self.home = Path(self.mktemp()).absolute()
        self.home.mkdir()

    def test_made(self) -> None:
        """All that it needs is written; its password may be read by its owner only."""
        ini = plone.make(self.home, "127.0.0.1", 8080)
        self.assertIn("port = 8080\n", ini.read_text())
        conf = (self.home / "etc/zope.conf").read_text()
        self.assertIn(f"%define INSTANCE {self.home}\n", conf)
        self.assertIn("path $INSTANCE/var/filestorage/Data.fs\n", conf)
        self.assertEqual(0o600, (self.home / plone.PASSWORD).stat().st_mode & 0o777)
        self.assertGreater(len((self.home / plone.PASSWORD).read_text()), 20)

    def test_made_again(self) -> None:
        """A later start takes another port, and leaves password and data alone."""
        plone.make(self.home, "127.0.0.1", 8080)
        (self.home / plone.DATA).write_bytes(b"data")
        before = (self.home / plone.PASSWORD).read_text()
        ini = plone.make(self.home, "0.0.0.0", 8081)
        self.assertIn("host = 0.0.0.0\nport = 8081\n", ini.read_text())
        self.assertEqual(b"data", (self.home / plone.DATA).read_bytes())
        self.assertEqual(before, (self.home / plone.PASSWORD).read_text())


class Errand:
    """One run of a task, as the task sees it."""

    service = "site"
    machine = "m1"

    def __init__(self, directory: Path) -> None:
        self.settings = validate("plone4", PLONE.settings, {})
        self.directory = self.state_directory = directory

    def progress(self, done: float, total: float | None = None, what: str = "") -> None:
        """See L{pop.tasks.Run.progress}."""

    def record(self, settings: Mapping[str, Any]) -> None:
        """See L{pop.tasks.Run.record}."""


class TaskTests(SynchronousTestCase):
    """What tasks ask of the process that serves it, by its socket."""

    def setUp(self) -> None:
        self.home = Path(self.mktemp()).absolute()
        self.home.mkdir()
        self.run_ = Errand(self.home)
        self.asked: list[dict[str, Any]] = []

    def serve(self) -> None:
        """Answer in its place."""

        def add_user(**request: Any) -> str:
            self.asked.append(request)
            if request["name"] == "known":
                raise plone.Refusal("there is a user known already")
            return f"Added {request['name']}."

        plone.answer(self.home, {"add_user": add_user, "pack": lambda days: f"kept {days}"})

    def printed(self, method: Any, **arguments: Any) -> str:
        """What a task prints."""
        with redirect_stdout(io.StringIO()) as output:
            method(self.run_, **arguments)
        return output.getvalue()

    def test_adduser(self) -> None:
        """A user is added with the password that was given, or one that is made and shown."""
        self.serve()
        more: dict[str, Any] = {"roles": ("Manager",), "site": ""}
        said = self.printed(PLONE.adduser, name="jane", password="secret", **more)
        self.assertEqual("Added jane.\n", said)
        said = self.printed(PLONE.adduser, name="jo", password="", **more)
        self.assertEqual(f"Added jo.\nPassword: {self.asked[-1]['password']}\n", said)
        self.assertEqual(["Manager"], self.asked[-1]["roles"])

    def test_refused(self) -> None:
        """What it refuses is said in its words."""
        self.serve()
        arguments: dict[str, Any] = {"name": "known", "password": "x", "roles": (), "site": ""}
        error = self.assertRaises(NotDone, PLONE.adduser, self.run_, **arguments)
        self.assertIn("there is a user known already", str(error))

    def test_pack(self) -> None:
        """The days to keep are passed on."""
        self.serve()
        self.assertEqual("kept 2.0\n", self.printed(PLONE.pack, days=2.0))

    def test_does_not_run(self) -> None:
        """Where nothing answers, that is said; the socket of a dead one is replaced."""
        error = self.assertRaises(NotDone, PLONE.pack, self.run_, days=1.0)
        self.assertIn("it does not run, or is not ready yet", str(error))
        (self.home / plone.CONTROL).touch()
        self.serve()
        self.assertEqual("kept 1.0\n", self.printed(PLONE.pack, days=1.0))
        self.assertEqual(0o600, (self.home / plone.CONTROL).stat().st_mode & 0o777)

    def test_nonsense(self) -> None:
        """What makes no sense is refused, and the next one is answered."""
        self.serve()
        for request in ({"do": "explode"}, {}, {"do": "pack", "hours": 1}):
            self.assertRaises(plone.Refusal, plone.ask, self.home, request)
        self.assertEqual("kept 1", plone.ask(self.home, {"do": "pack", "days": 1}))

    def test_password(self) -> None:
        """The password that was made is shown; before there is one, that is said."""
        self.assertRaises(NotDone, PLONE.password, self.run_)
        plone.make(self.home, "127.0.0.1", 8080)
        shown = self.printed(PLONE.password)
        self.assertEqual((self.home / plone.PASSWORD).read_text(), shown)


class BackupTests(SynchronousTestCase):
    """A database is handed to repozo, and the files beside it are kept."""

    def setUp(self) -> None:
        self.home = Path(self.mktemp()).absolute()
        self.blobs = self.home / "blobs"
        (self.blobs / "0x00" / "0x01").mkdir(parents=True)
        (self.blobs / "tmp").mkdir()
        (self.blobs / "tmp" / "half").write_text("half")
        (self.blobs / "0x00" / "0x01" / "a.blob").write_text("picture")
        self.data = self.home / "Data.fs"
        self.data.write_text("data")
        self.tool = self.home / "repozo"
        self.tool.write_text('#!/bin/sh\necho "$@" > "${2#--repository=}/told"\n')
        self.tool.chmod(0o755)

    def test_backed_up(self) -> None:
        """Each time only what is new is added; what is half written is left out."""
        to = self.home / "backups"
        said = back_up(self.data, self.blobs, to, str(self.tool))
        self.assertEqual(f"Backed up the database and 1 new files to {to}.", said)
        told = (to / "told").read_text()
        self.assertEqual(f"--backup --repository={to} --file={self.data}\n", told)
        self.assertEqual("picture", (to / "blobstorage/0x00/0x01/a.blob").read_text())
        self.assertFalse((to / "blobstorage/tmp").exists())
        self.assertIn(" 0 new files", back_up(self.data, self.blobs, to, str(self.tool)))

    def test_refused(self) -> None:
        """What goes wrong is told in the tool's words."""
        self.tool.write_text("#!/bin/sh\necho Oh no. >&2; exit 1\n")
        to = self.home / "backups"
        error = self.assertRaises(NotBackedUp, back_up, self.data, self.blobs, to, str(self.tool))
        self.assertIn("repozo: Oh no.", str(error))
        os.unlink(self.data)
        error = self.assertRaises(NotBackedUp, back_up, self.data, self.blobs, to)
        self.assertIn("there is no database", str(error))
