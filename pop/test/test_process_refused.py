"""Real processes that cannot be."""

import os
import pwd
import shutil
from pathlib import Path

import psutil
from twisted.trial.unittest import TestCase

from pop.errors import NotSpawned
from pop.policy import Limits
from pop.program import Launch, Program
from pop.test.processes import Nursery, shell


class RefusalTests(TestCase):
    """What cannot be started, in the words that the operator reads."""

    timeout = 20

    def setUp(self) -> None:
        self.nursery = Nursery(self)

    def refused(self, launch: Launch, *words: str, name: str = "web") -> str:
        """It is refused with just these words."""
        error = self.assertRaises(NotSpawned, self.nursery.spawn, launch, name)
        for word in words:
            self.assertIn(word, str(error))
        self.assertRegex(str(error), r"\A[^\n]*[^.]\.\Z")
        return str(error)

    def file(self, text: bytes, mode: int = 0o700) -> str:
        """A file of that content."""
        path = Path(self.mktemp()).absolute()
        path.write_bytes(text)
        path.chmod(mode)
        return str(path)

    def test_no_program(self) -> None:
        """A program that is not there."""
        self.refused(
            Launch(Program(("no-such-program",))),
            'the program "no-such-program" is not on the PATH, or not executable.',
        )
        self.refused(
            Launch(Program(("/no/such/program",))), 'there is no program "/no/such/program".'
        )

    def test_no_path(self) -> None:
        """Without a PATH no program is looked for in its directory, by either way of starting."""
        path = Path(self.file(b"#!/bin/sh\n"))
        for limits in (Limits(), Limits((("core", 0, 0),))):
            launch = Launch(
                Program((path.name,)),
                environment={"PATH": ""},
                directory=str(path.parent),
                limits=limits,
            )
            self.refused(launch, f'the program "{path.name}" is not on the PATH, or not executable')

    async def test_relative_path(self) -> None:
        """Places on the PATH are where its directory says, by either way of starting."""
        path = Path(self.file(b"#!/bin/sh\necho found\n"))
        for number, limits in enumerate((Limits(), Limits((("core", 0, 0),)))):
            launch = Launch(
                Program((path.name,)),
                environment={"PATH": f"nowhere:{path.parent.name}"},
                directory=str(path.parent.parent),
                limits=limits,
            )
            self.assertEqual("found\n", await self.nursery.finish(launch, f"web{number}"))

    def test_not_executable(self) -> None:
        """A program that may not be executed, or is none."""
        path = self.file(b"#!/bin/sh\n", 0o600)
        self.refused(Launch(Program((path,))), f'the program "{path}" may not be executed.')
        self.refused(Launch(Program(("/",))), 'the program "/" may not be executed.')

    def test_no_interpreter(self) -> None:
        """A script that is there is not said to be missing when its interpreter is."""
        path = self.file(b"#!/no/such/interpreter\n")
        said = self.refused(Launch(Program((path,))), path)
        self.assertNotIn("there is no program", said)
        self.assertIn("interpreter", said)

    def test_no_executable_format(self) -> None:
        """A file that the system cannot execute."""
        path = self.file(b"\x7fELF but not really")
        self.refused(Launch(Program((path,))), f'"{path}" cannot be started: Exec format error.')

    def test_no_directory(self) -> None:
        """A directory that is not there, or is none."""
        self.refused(shell("true", directory="/no/such"), "there is no directory /no/such.")
        path = self.file(b"")
        self.refused(shell("true", directory=path), f"there is no directory {path}.")

    def test_no_user(self) -> None:
        """A user that is not there."""
        self.refused(shell("true", user="no-such-user"), 'there is no user "no-such-user".')

    def test_not_root(self) -> None:
        """Another user, if the agent may not become one."""
        if os.geteuid() == 0:
            self.addCleanup(os.seteuid, 0)
            os.seteuid(pwd.getpwnam("nobody").pw_uid)
        self.refused(shell("true", user="root"), 'only an agent that is root can run it as "root".')

    def test_no_log(self) -> None:
        """A log that cannot be written."""
        self.nursery.log().mkdir()
        self.refused(shell("true"), f"cannot open its log {self.nursery.log()}: Is a directory.")

    def test_no_own_directory(self) -> None:
        """A directory of its own that cannot be made."""
        own = self.nursery.path / "services" / "web"
        own.write_text("")
        self.refused(shell("true"), f"cannot make its directory {own}: File exists.")

    def test_no_place_for_notes(self) -> None:
        """Where it could not be noted, nothing is left running that nobody would know of."""
        shutil.rmtree(self.nursery.path / "run")
        before = psutil.Process().children()
        self.refused(shell("exec sleep 3"), str(self.nursery.path / "run"))
        self.assertEqual(before, psutil.Process().children())

    def test_impossible_arguments(self) -> None:
        """Arguments and variables that no process can have."""
        self.refused(Launch(Program(("true", "a\0b"))), 'the program "true" cannot be started: ')
        self.refused(shell("true", environment={"A=B": "1"}), "cannot be started: ")

    def test_too_long(self) -> None:
        """More arguments than the system takes."""
        self.refused(
            Launch(Program(("true", "x" * 4_000_000))),
            'the program "true" cannot be started: Argument list too long.',
        )

    async def test_socket_is_given_up(self) -> None:
        """A refusal leaves no socket open: the reactor is clean, and the next try works."""
        launch = Launch(Program(("/no/such/program",), notifies=True))
        self.refused(launch)
        self.refused(launch)
        _, witness = self.nursery.spawn(shell("exit 0"))
        await witness.ended
