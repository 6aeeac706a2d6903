"""Where one agent keeps its files, and that it is the only one to."""

import contextlib
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from pop.directories import notify_directory
from pop.errors import AgentRuns, BadStateDirectory
from pop.statedir import StateDirectory, default_directory

HOLD = """
import sys
from pathlib import Path
from pop.statedir import StateDirectory
directory = StateDirectory(Path(sys.argv[1]))
directory.hold()
print("held", flush=True)
sys.stdin.read()
"""


def mode(path: Path) -> int:
    """Who may do what with a file."""
    return stat.S_IMODE(path.stat().st_mode)


class Tests(SynchronousTestCase):
    """A state directory of its own for each test."""

    def setUp(self) -> None:
        self.path = Path(os.path.abspath(self.mktemp()))
        self.directory = StateDirectory(self.path)
        self.addCleanup(shutil.rmtree, notify_directory(self.path), ignore_errors=True)

    def refusal(self, directory: StateDirectory | None = None) -> str:
        """Why it cannot be made."""
        return str(self.assertRaises(BadStateDirectory, (directory or self.directory).make))


class MakeTests(Tests):
    """The directories."""

    def test_made(self) -> None:
        """All that is needed is made, with its parents; once more does no harm."""
        directory = StateDirectory(self.path / "a" / "b")
        self.addCleanup(shutil.rmtree, notify_directory(directory.path), ignore_errors=True)
        for _ in range(2):
            directory.make()
            found = {path.name for path in directory.path.iterdir()}
            self.assertEqual(set(), {"log", "run", "services"} - found)
            self.assertTrue(notify_directory(directory.path).is_dir())

    def test_private(self) -> None:
        """Nobody else may look into any of them, whatever the umask is."""
        previous = os.umask(0)
        self.addCleanup(os.umask, previous)
        self.directory.make()
        for path in (self.path, *self.path.iterdir(), notify_directory(self.path)):
            self.assertEqual(0, mode(path) & 0o066, f"{path} is {oct(mode(path))}")
        for name in ("log", "run"):
            self.assertEqual(0o700, mode(self.path / name))

    def test_made_private_again(self) -> None:
        """Directories of pop's own that were opened to others are closed again."""
        self.directory.make()
        (self.path / "log").chmod(0o777)
        self.directory.make()
        self.assertEqual(0o700, mode(self.path / "log"))

    def test_shared_directories_are_left_alone(self) -> None:
        """A directory that others use, as /tmp, is not closed to them: that breaks the machine."""
        self.path.mkdir()
        self.path.chmod(0o1777)
        (self.path / "somebody's").write_text("")
        with contextlib.suppress(BadStateDirectory):
            self.directory.make()
        self.assertEqual(0o1777, mode(self.path))

    def test_long_path(self) -> None:
        """Where the path is too long for sockets, they lie elsewhere, as private."""
        long = StateDirectory(self.path / ("x" * 100))
        sockets = notify_directory(long.path)
        self.addCleanup(shutil.rmtree, sockets, ignore_errors=True)
        long.make()
        self.assertNotIn(long.path, sockets.parents)
        self.assertTrue(len(os.fsencode(sockets)) <= 80)
        self.assertEqual(0, mode(sockets) & 0o066)

    def test_foreign_sockets(self) -> None:
        """A link that somebody laid where the sockets would lie is not followed."""
        long = StateDirectory(self.path / ("x" * 100))
        sockets = notify_directory(long.path)
        sockets.symlink_to(os.path.abspath("."))
        self.addCleanup(sockets.unlink)
        self.assertIn("belongs to somebody else", self.refusal(long))

    def test_refused(self) -> None:
        """What cannot be made is refused, with the reason and what to do."""
        self.path.write_text("a file in its place")
        self.assertEqual(
            f"The state directory {self.path} cannot be used: File exists. Choose another with"
            " --state-dir.",
            self.refusal(),
        )
        below = StateDirectory(self.path / "below")
        self.assertIn("Not a directory", self.refusal(below))

    def test_default(self) -> None:
        """Unless the operator says otherwise it is the user's own."""
        self.assertTrue(default_directory().is_absolute())

    def test_id(self) -> None:
        """A directory is told from all others, and stays the same."""
        self.directory.make()
        other = StateDirectory(self.path / "other")
        other.make()
        self.addCleanup(shutil.rmtree, notify_directory(other.path), ignore_errors=True)
        self.assertEqual(self.directory.id(), StateDirectory(self.path).id())
        self.assertNotEqual(self.directory.id(), other.id())


class HoldTests(Tests):
    """That an agent is the only one."""

    def setUp(self) -> None:
        super().setUp()
        self.directory.make()

    def test_nobody(self) -> None:
        """At first nobody holds it, also before it is made."""
        self.assertIsNone(self.directory.holder())
        self.assertIsNone(StateDirectory(self.path / "none").holder())

    def test_held(self) -> None:
        """Who holds it is known to all, and nobody else can."""
        self.directory.hold()
        self.addCleanup(self.directory.release)
        other = StateDirectory(self.path)
        self.assertEqual(os.getpid(), other.holder())
        error = self.assertRaises(AgentRuns, other.hold)
        self.assertEqual(
            f"An agent (pid {os.getpid()}) already runs with the state directory {self.path}."
            ' Stop it with "pop stop", or choose another --state-dir.',
            str(error),
        )

    def test_released(self) -> None:
        """What was released can be held again, and releasing twice does no harm."""
        self.directory.hold()
        self.directory.release()
        self.directory.release()
        other = StateDirectory(self.path)
        self.assertIsNone(other.holder())
        other.hold()
        other.release()

    def test_handed_over(self) -> None:
        """What a process becomes holds the directory without a gap, by what it has inherited."""
        self.directory.hold()
        descriptor = self.directory.hand_over()
        self.assertTrue(os.get_inheritable(descriptor))
        self.assertRaises(AgentRuns, StateDirectory(self.path).hold)
        successor = StateDirectory(self.path)
        successor.hold(os.dup(descriptor))  # as after exec, where the number is the same
        self.directory.release()
        self.assertEqual(os.getpid(), successor.holder())
        successor.release()
        self.assertIsNone(successor.holder())

    def test_handed_over_in_vain(self) -> None:
        """What has inherited something else holds it as any other does."""
        with open(os.devnull) as other:
            self.directory.hold(other.fileno())
        self.assertEqual(os.getpid(), self.directory.holder())
        self.directory.release()
        self.directory.hold(9999)
        self.directory.release()

    def test_killed(self) -> None:
        """An agent that is killed holds nothing any more, whatever its file says."""
        with subprocess.Popen(
            [sys.executable, "-c", HOLD, str(self.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as agent:
            assert agent.stdout
            self.assertEqual("held\n", agent.stdout.readline())
            self.assertEqual(agent.pid, self.directory.holder())
            self.assertRaises(AgentRuns, self.directory.hold)
            agent.kill()
        self.assertIsNone(self.directory.holder())
        self.directory.hold()
        self.directory.release()

    def test_refused_without_directory(self) -> None:
        """Where there is no such directory, nothing can be held."""
        error = self.assertRaises(BadStateDirectory, StateDirectory(self.path / "none").hold)
        self.assertIn("No such file or directory", str(error))

    def test_looking_changes_nothing(self) -> None:
        """Looking who holds it makes no file, and does not take it."""
        self.directory.holder()
        self.assertFalse((self.path / "agent.lock").exists())
