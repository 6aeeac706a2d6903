"""Where an instance tells its agent of itself."""

import os
import resource
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from twisted.internet.defer import maybeDeferred
from twisted.trial.unittest import SynchronousTestCase, TestCase

from pop.directories import notify_directory
from pop.errors import NotSpawned
from pop.notices import hear, is_heard, variables
from pop.policy import Checks
from pop.program import Launch, Program
from pop.protocols.notify import Notice, send
from pop.test.processes import Nursery, Witness, python

SILENT = Launch(Program(("web",)))
TALKER = Launch(Program(("web",), notifies=True))
GUARDED = replace(SILENT, checks=Checks(watchdog=1.5))


class ToldTests(SynchronousTestCase):
    """What a program is told of it."""

    def test_who(self) -> None:
        """Those are heard that notify, or that have to say that they live; no others."""
        found = [is_heard(launch) for launch in (SILENT, TALKER, GUARDED)]
        self.assertEqual([False, True, True], found)

    def test_where(self) -> None:
        """It is told where, and, if it has a watchdog, within how many microseconds."""
        self.assertEqual({"NOTIFY_SOCKET": "/x"}, variables(TALKER, "/x"))
        expected = {"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "1500000"}
        self.assertEqual(expected, variables(GUARDED, "/x"))


class HearTests(TestCase):
    """Sockets in a state directory."""

    timeout = 10

    def setUp(self) -> None:
        self.state_dir = Path(self.mktemp()).absolute()
        self.state_dir.mkdir()
        self.witness = Witness()

    def hear(self, name: str = "web") -> tuple[str, Callable[[], object]]:
        """Listen at a slot's path until the test ends."""
        from twisted.internet import reactor

        path, unlisten = hear(reactor, self.state_dir, name, self.witness, None)
        self.addCleanup(lambda: maybeDeferred(unlisten))
        return path, unlisten

    async def test_heard(self) -> None:
        """What is sent there is told to the protocol, until that is ended: then the path is gone,
        too."""
        path, unlisten = self.hear()
        send(path, b"STATUS=warm")
        self.assertEqual(Notice(status="warm"), await self.witness.heard())
        await maybeDeferred(unlisten)
        self.assertRaises(OSError, send, path, b"STATUS=late")

    async def test_each_its_own(self) -> None:
        """Two slots never share a socket, and a slot's is the same for the next agent, so that what
        this one has started can tell that one."""
        first, unlisten = self.hear()
        other, _ = self.hear("web/2")
        self.assertNotEqual(first, other)
        await maybeDeferred(unlisten)
        self.assertEqual(first, self.hear()[0])

    async def test_left_over(self) -> None:
        """What a predecessor that was killed has left there is no hindrance."""
        path, _ = self.hear()
        self.assertEqual(path, self.hear()[0])
        send(path, b"STATUS=warm")
        await self.witness.heard()

    def test_short(self) -> None:
        """The path of a socket is short enough for the system, whatever the slot's name."""
        path, _ = self.hear("ö" * 200)
        self.assertLessEqual(len(os.fsencode(path)), 107)

    def test_private(self) -> None:
        """Nobody else may look who is heard; those of root's agent pass through to their own."""
        path, _ = self.hear()
        mode = os.stat(os.path.dirname(path)).st_mode & 0o777
        self.assertEqual(0o711 if os.geteuid() == 0 else 0o700, mode)

    def test_refused(self) -> None:
        """Where nobody can listen, nothing is started, and it is said where and why."""
        directory = notify_directory(self.state_dir)
        directory.write_text("this is no directory")
        error = self.assertRaises(NotSpawned, self.hear)
        self.assertRegex(str(error), rf"cannot listen at {directory}/\w+: \w")

    def test_no_more_files(self) -> None:
        """That no more files may be open is said as well."""
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
        try:
            error = self.assertRaises(NotSpawned, self.hear)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        self.assertRegex(str(error), r"cannot listen at \S+: Too many open files")

    async def test_taken(self) -> None:
        """Where something lies that is no socket and stays, it is said, too."""
        path, unlisten = self.hear()
        await maybeDeferred(unlisten)
        os.mkdir(path)
        self.assertRaises(NotSpawned, self.hear)
        os.rmdir(path)

    async def test_last_words(self) -> None:
        """What a program says just before it ends is heard before that it has ended."""
        nursery = Nursery(self)
        _, witness = nursery.spawn(python("notify('STATUS=no disk'); os._exit(1)"))
        await witness.ended
        self.assertEqual([Notice(status="no disk")], witness.notices)
