"""Plone, the content management system, from the Python Package Index."""

from pathlib import Path
from typing import Any

from zope.interface import Interface, Invalid, invariant
from zope.schema import Float, Int, TextLine, Tuple

from pop.errors import NotDone
from pop.model import Instance
from pop.program import Program
from pop.protocols import plone
from pop.python import IPythonEnvironment, PythonEnvironment
from pop.settings import with_default
from pop.tasks import Run, task

VANILLA = "Products.CMFPlone plone.app.layout<7 waitress"
"""plone.app.layout 7 does not work with what else there is, and pip may choose it all the same."""


class IPloneSettings(IPythonEnvironment):
    """Where it listens; for the rest, what suits Plone."""

    port = Int(title="Port to listen on", min=1, max=65535, default=8080)
    host = TextLine(title="Address to listen on; 0.0.0.0 for all", default="127.0.0.1")
    requirements = with_default(IPythonEnvironment["requirements"], VANILLA)
    readiness = with_default(IPythonEnvironment["readiness"], "http://{host}:{port}/")
    start_timeout = with_default(IPythonEnvironment["start_timeout"], 300.0)

    @invariant
    def one_process(settings: Any) -> None:
        """A database in a file has one user."""
        if settings.processes != 1:
            raise Invalid("a Plone with a database of its own runs in one process")


class IAddUser(Interface):
    """Whom to add."""

    name = TextLine(title="Name to log in with")
    password = TextLine(
        title="Password; one that is made and shown unless given", default="", required=False
    )
    roles = Tuple(
        title="Role, like Manager, Editor or Member", value_type=TextLine(), default=("Manager",)
    )
    site = TextLine(title="Id of the one site to know the user", default="", required=False)


class IPack(Interface):
    """How much to leave."""

    days = Float(title="Days of history to keep", min=0.0, default=1.0, required=False)


class IBackup(Interface):
    """Where to."""

    to = TextLine(
        title="Directory; by default the one called backups beside its data",
        default="",
        required=False,
    )


class Plone4(PythonEnvironment):
    """A Plone whose data lie in the directory in which it works, whatever version it is."""

    name = "plone4"
    summary = "The latest version of Plone, with a database of its own."
    settings = IPloneSettings
    imports = (
        "Products.CMFPlone:initialize",
        "plone.app.users.browser.register:RegistrationForm",
        "waitress:serve",
    )

    def execute(self, settings: Any, instance: Instance) -> Program:
        """A script that makes the instance, should there be none, and serves it."""
        # -I: the directory that the script lies in is no place to look for modules.
        script = ("python", "-I", "-u", plone.__file__)
        return Program(
            argv=(*script, "--host", settings.host, "--port", str(settings.port)),
            state={"port": settings.port},
        )

    @task("Add a user.", IAddUser)
    def adduser(
        self, run: Run, name: str, password: str, roles: tuple[str, ...], site: str
    ) -> None:
        """Of one site, or else of all, who may then make sites too. It must be running."""
        import secrets  # agents know this type too, and add no users

        given = password or secrets.token_urlsafe(12)
        request = {"name": name, "password": given, "roles": list(roles), "site": site}
        print(_ask(run, {"do": "add_user", **request}))
        if not password:
            print(f"Password: {given}")

    @task("Pack the database.", IPack)
    def pack(self, run: Run, days: float) -> None:
        """Removes old versions of objects, and files that belong to nothing any more; meanwhile it
        goes on serving.
        """
        print(_ask(run, {"do": "pack", "days": days}))

    @task("Back up the database and the files.", IBackup, changes=False)
    def backup(self, run: Run, to: str) -> None:
        """Only what is new since the last time is written; meanwhile it goes on serving. "repozo
        --recover" makes a database from it; the files in blobstorage belong beside that.
        """
        from pop.backup import back_up

        directory = Path(to) if to else run.directory / "backups"
        print(back_up(run.directory / plone.DATA, run.directory / plone.BLOBS, directory))

    @task("Show the password that was made for the user admin.", changes=False)
    def password(self, run: Run) -> None:
        """Whoever changed it since knows better."""
        try:
            print((run.directory / plone.PASSWORD).read_text(encoding="utf-8").strip())
        except OSError as error:
            reason = f"there is none yet ({error.strerror})"
            raise NotDone(service=run.service, reason=reason) from error


def _ask(run: Run, request: dict[str, Any]) -> str:
    try:
        return plone.ask(run.directory, request)
    except plone.Refusal as error:
        raise NotDone(service=run.service, reason=str(error)) from error


plone4 = Plone4()
