"""What every way into pop is told."""

from pathlib import Path
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from pop.address import address
from pop.configuration import Configuration, configure
from pop.errors import (
    BadAdmin,
    BadIdentity,
    BadIdentityFile,
    BadName,
    BadPrefix,
    BadServers,
    BadTimeout,
    NoIdentity,
    PopError,
)
from txzookeeper import ManagedClient


class Tests(SynchronousTestCase):
    """Configurations that leave this machine alone."""

    def configure(self, environment: dict[str, str] | None = None, **options: Any) -> Configuration:
        """Configure, with a machine id so that none is looked for."""
        return configure({"machine_id": "m1", **options}, environment or {})

    def refused(
        self, kind: type[PopError], environment: dict[str, str] | None = None, **options: Any
    ) -> str:
        """The sentence by which it is refused."""
        return str(self.assertRaises(kind, self.configure, environment, **options))


class AdminTests(Tests):
    """Where an agent can be administered from other machines."""

    def test_admin(self) -> None:
        """It is nowhere unless said so, by option or else in the environment."""
        self.assertIsNone(self.configure().admin)
        for found in (
            self.configure(admin="tls:8765"),
            self.configure({"POP_ADMIN": "tls:8765"}),
            self.configure({"POP_ADMIN": "tls:1"}, admin="tls:8765"),
        ):
            self.assertEqual(address("tls:8765"), found.admin)

    def test_nothing_to_prove(self) -> None:
        """An agent without an identity cannot be; who only administers others needs none for it."""
        found = self.configure({"POP_ADMIN": "tls:8765"})
        self.assertIn("--admin-identity", str(self.assertRaises(NoIdentity, found.check_agent)))
        self.configure(admin="tls:8765", admin_identity="me:secret").check_agent()
        self.configure().check_agent()

    def test_refused(self) -> None:
        """What is no address is refused."""
        self.assertIn("tls:PORT", self.refused(BadAdmin, admin="8765"))


def everything(found: Configuration) -> tuple[object, ...]:
    """All that agents and administrators have in common."""
    return (
        found.servers,
        found.paths.root,
        found.state_dir.path,
        found.machine,
        found.identity,
        found.session_timeout,
    )


class SourceTests(Tests):
    """Options, else the environment, else the defaults."""

    def test_defaults(self) -> None:
        """Without any option it is this host's ZooKeeper, its root, and nobody in particular."""
        found = self.configure()
        self.assertEqual(
            ("localhost:2181", "/", None, 30.0),
            (found.servers, found.paths.root, found.identity, found.session_timeout),
        )
        self.assertEqual("pop", found.state_dir.path.name)

    def test_options(self) -> None:
        """Each option says its part."""
        found = self.configure(
            zookeeper="a:1,b:2/root",
            path_prefix="/pop",
            state_dir="/srv/pop",
            admin_identity="user:pass:word",
            session_timeout=5.0,
        )
        self.assertEqual(
            ("a:1,b:2/root", "/pop", Path("/srv/pop"), "m1", "user:pass:word", 5.0),
            everything(found),
        )

    def test_environment(self) -> None:
        """What no option says may come from the environment."""
        found = configure(
            {"zookeeper": None},
            {
                "POP_ZOOKEEPER": "a:1",
                "POP_PATH_PREFIX": "/pop",
                "POP_MACHINE_ID": "m2",
                "POP_STATE_DIR": "/srv/pop",
                "POP_ADMIN_IDENTITY": "user:password",
                "POP_SESSION_TIMEOUT": "5",
            },
        )
        self.assertEqual(
            ("a:1", "/pop", Path("/srv/pop"), "m2", "user:password", 5.0),
            everything(found),
        )

    def test_options_win(self) -> None:
        """An option counts more than the environment."""
        found = self.configure({"POP_ZOOKEEPER": "a:1", "POP_MACHINE_ID": "m2"}, zookeeper="b:2")
        self.assertEqual(("b:2", "m1"), (found.servers, found.machine))

    def test_empty_environment(self) -> None:
        """A variable that is empty says nothing."""
        found = self.configure({"POP_ZOOKEEPER": "", "POP_ADMIN_IDENTITY": ""})
        self.assertEqual(("localhost:2181", None), (found.servers, found.identity))

    def test_relative_state_directory(self) -> None:
        """A relative state directory is meant from where the command was given."""
        self.assertEqual(Path("x").absolute(), self.configure(state_dir="x").state_dir.path)


class ServersTests(Tests):
    """Which ZooKeeper."""

    def test_host_and_port(self) -> None:
        """Host and port may be given apart, each with its default."""
        for options, servers in (
            ({"host": "a"}, "a:2181"),
            ({"port": 1}, "localhost:1"),
            ({"port": "1"}, "localhost:1"),
            ({"host": "a", "port": 1}, "a:1"),
        ):
            self.assertEqual(servers, self.configure(**options).servers)

    def test_host_wins(self) -> None:
        """They count more than an address in the environment."""
        self.assertEqual("a:2181", self.configure({"POP_ZOOKEEPER": "b:1"}, host="a").servers)

    def test_ipv6(self) -> None:
        """A host may be an address of IPv6."""
        self.assertEqual("[::1]:2181", self.configure(host="::1").servers)

    def test_refused(self) -> None:
        """What is no address is refused with what it should look like."""
        for servers in ("a:port", "a:70000", ":1", "a:1,", "a b", "::1", "a:1/x//y"):
            said = self.refused(BadServers, zookeeper=servers)
            self.assertIn(repr(servers), said)
            self.assertTrue(said.endswith("as HOST:PORT[,HOST:PORT...][/chroot]."), said)

    def test_client(self) -> None:
        """The client that comes of it is not connected yet."""
        client = self.configure(zookeeper="a:1", admin_identity="u:p").client(Clock())
        self.assertIsInstance(client, ManagedClient)
        self.assertFalse(client.connected)


class IdentityTests(Tests):
    """Who the administrator is."""

    def file(self, text: bytes) -> str:
        """A file of that content."""
        path = Path(self.mktemp())
        path.write_bytes(text)
        return str(path)

    def test_file(self) -> None:
        """It may stand in a file, with the line end that an editor leaves."""
        path = self.file(b"user:p\xc3\xa4ss word\n")
        self.assertEqual("user:päss word", self.configure(admin_identity_file=path).identity)

    def test_file_from_the_environment(self) -> None:
        """So may the file's name."""
        path = self.file(b"user:password")
        found = self.configure({"POP_ADMIN_IDENTITY_FILE": path})
        self.assertEqual("user:password", found.identity)

    def test_file_option_wins(self) -> None:
        """A file that was given counts more than an identity in the environment."""
        path = self.file(b"user:password")
        found = self.configure({"POP_ADMIN_IDENTITY": "other:one"}, admin_identity_file=path)
        self.assertEqual("user:password", found.identity)

    def test_refused(self) -> None:
        """It has a user and a password, and neither is shown when it is refused."""
        for identity in ("user", "user:", ":password", ":", ""):
            self.assertEqual(
                "The admin identity is not of the form USER:PASSWORD.",
                self.refused(BadIdentity, admin_identity=identity),
            )
        self.refused(BadIdentity, admin_identity_file=self.file(b"\n"))

    def test_bad_file(self) -> None:
        """A file that cannot be read is named."""
        said = self.refused(BadIdentityFile, admin_identity_file="/no/such/file")
        self.assertIn("/no/such/file", said)
        self.assertIn("No such file or directory", said)
        self.refused(BadIdentityFile, admin_identity_file=self.file(b"\xff:\xff"))
        self.assertIn("directory", self.refused(BadIdentityFile, admin_identity_file="/"))

    def test_secret(self) -> None:
        """It is not shown where the configuration is."""
        self.assertNotIn("s3cret", repr(self.configure(admin_identity="user:s3cret")))


class OtherTests(Tests):
    """The rest."""

    def test_session_timeout(self) -> None:
        """A session lasts more than no time and at most a day."""
        for given in ("x", "0", "-1", "nan", "inf", "86401"):
            said = self.refused(BadTimeout, session_timeout=given)
            self.assertIn(f'"{given}"', said)
            self.assertIn("86400", said)

    def test_no_time(self) -> None:
        """Nought is refused as a number too, and does not stand for the default."""
        self.refused(BadTimeout, session_timeout=0.0)

    def test_prefix(self) -> None:
        """A prefix that can be none is refused."""
        self.refused(BadPrefix, path_prefix="pop")

    def test_machine(self) -> None:
        """A machine's id is a name."""
        self.assertIn(
            '"a/b" cannot be the name of a machine', self.refused(BadName, machine_id="a/b")
        )
