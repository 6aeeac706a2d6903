"""The programs that the guide shows do what they say."""

from __future__ import annotations

import contextlib
import inspect
import runpy
import tempfile
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any
from unittest import TestResult

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase, TestCase

import txzookeeper
from txzookeeper.test.test_conformance import real_world
from txzookeeper.testing import NOT_INSTALLED, SKIPPED, MemoryWorld, World, real_servers
from txzookeeper.testing.certificates import Authority
from txzookeeper.testing.secure import SecureServer, secure_available

CHECKOUT = Path(txzookeeper.__file__).parents[1]
SHOWN = CHECKOUT / "examples" / "zookeeper"
MISSING = None if SHOWN.is_dir() else "needs the examples of a checkout"
PROGRAMS = (
    "connect",
    "watch",
    "transaction",
    "session",
    "lock",
    "election",
    "work_queue",
    "subtree",
    "access",
    "trouble",
)


def program(name: str) -> tuple[Callable[..., Any], list[str]]:
    """Give the ``main`` of a program, and the lines that it says it prints."""
    found = runpy.run_path(str(SHOWN / f"{name}.py"))
    _, _, printed = found["__doc__"].partition("Prints::\n\n")
    return found["main"], inspect.cleandoc(printed).splitlines()


def printing(name: str) -> Callable[[World], Any]:
    """Give the promise that a program prints what it says."""

    async def promise(world: World) -> None:
        main, expected = program(name)
        servers, endpoint = world.servers(direct=True)
        options = {} if endpoint is None else {"endpoint": endpoint}
        said = StringIO()
        with contextlib.redirect_stdout(said):
            await main(world.reactor, servers + world.root, **options)
        if said.getvalue().splitlines() != expected:
            raise AssertionError(f"{name} says {said.getvalue()!r}")

    return promise


def guide_tests(fixture: Callable[[], World]) -> type[TestCase]:
    """Make a test of each program in a world."""

    class GuideTests(TestCase):
        timeout = 30

    for name in PROGRAMS:
        setattr(GuideTests, f"test_{name}", _test(fixture, name))
    return GuideTests


def _test(fixture: Callable[[], World], name: str) -> Callable[[TestCase], Deferred[None]]:
    def test(case: TestCase) -> Deferred[None]:
        return fixture().run(printing(name))

    test.__doc__ = f"What ``{name}.py`` prints is what it says that it prints."
    return test


class MemoryGuideTests(guide_tests(MemoryWorld)):  # type: ignore[misc]
    """In memory, and virtual time."""

    skip = MISSING


class RealGuideTests(guide_tests(real_world)):  # type: ignore[misc]
    """With a real ZooKeeper, in real time."""

    skip = MISSING or (None if real_servers() else SKIPPED)


class SecureGuideTests(TestCase):
    """With a real ZooKeeper over TLS."""

    skip = MISSING or (None if secure_available() else NOT_INSTALLED)
    timeout = 60

    async def test_access(self) -> None:
        """The program about access talks TLS if it is given an authority."""
        from twisted.internet import reactor

        authority = Authority()
        server = SecureServer(authority).start()
        self.addCleanup(server.close)
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory) / "authority.pem"
            path.write_bytes(authority.certificate)
            main, expected = program("access")
            said = StringIO()
            with contextlib.redirect_stdout(said):
                await main(reactor, server.secure_servers, str(path))
        self.assertEqual(said.getvalue().splitlines(), expected)


class GuideTests(SynchronousTestCase):
    """The guide itself."""

    skip = MISSING

    def test_complete(self) -> None:
        """Each program is shown in the guide and tested here, and so is the test."""
        guide = (CHECKOUT / "docs" / "txzookeeper-guide.rst").read_text()
        names = {path.stem for path in SHOWN.glob("*.py")}
        self.assertEqual(names, {*PROGRAMS, "test_setting"})
        for name in names:
            self.assertIn(f"/examples/zookeeper/{name}.py", guide)

    def test_test(self) -> None:
        """The test that the guide shows passes."""
        shown = runpy.run_path(str(SHOWN / "test_setting.py"))["SettingTests"]
        result = TestResult()
        shown("test_outage").run(result)
        self.assertEqual((result.testsRun, result.errors, result.failures), (1, [], []))
