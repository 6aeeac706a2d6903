"""The service types that are installed, wherever they lie."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from pop.catalogue import Catalogue, load_types
from pop.errors import BadSetting, NoSuchType
from pop.model import Service, Target
from pop.program import Launch
from pop.services.command import command

LIST = """
import json, sys
from pop.catalogue import load_types
found = load_types()
print(json.dumps({"types": list(found.types), "broken": [str(error) for error in found.broken]}))
"""
GOOD = """
from pop.program import Program, ProgramType
class Sleeper(ProgramType):
    name = "sleeper"
    def program(self, settings, instance):
        return Program(("sleep", "600"))
sleeper = Sleeper()
"""
HEAD = """
from zope.interface import Interface, implementer
from twisted.plugin import IPlugin
from pop.interfaces import IServiceType, ISettings
from pop.program import Program, ProgramType
"""
OURS = ["command", "components", "plone4", "python", "threaded-echo", "twistd", "twisted-echo"]


IDLE = """
@implementer(IServiceType, IPlugin)
class Idle:
    name, summary, settings = "idle", "", ISettings
idle = Idle()
"""
WRONG = """
class Wrong(ProgramType):
    name = "wrong"
    def program(self):
        return Program(("true",))
wrong = Wrong()
"""


def odd(**attributes: str) -> str:
    """A type with odd attributes."""
    lines = [f"    {name} = {value}" for name, value in {"name": "'odd'", **attributes}.items()]
    return "\n".join([HEAD, "class Odd(ProgramType):", *lines, "odd = Odd()"])


BROKEN = {
    "syntax": "def (",
    "needy": "import no_such_module",
    "lines": "raise ValueError('one\\ntwo')",
    "nameless": HEAD + "class Nameless(ProgramType):\n    pass\nnameless = Nameless()",
    "empty": odd(name="''"),
    "slash": odd(name="'a/b'"),
    "idle": HEAD + IDLE,
    "wrong": HEAD + WRONG,
    "foreign": odd(settings="Interface"),
    "none": odd(settings="None"),
    "other": GOOD.replace('"sleeper"', '"command"'),
}
"""Modules that cannot be used, each for a reason of its own."""


class DropInTests(SynchronousTestCase):
    """Types that are dropped as a bare file into C{pop/services/} elsewhere."""

    def load(self, modules: dict[str, str], package: str = "pop/services") -> dict[str, Any]:
        """What a process finds with these modules in another directory at the end of its path."""
        base = Path(os.path.abspath(self.mktemp()))
        services = base / package
        services.mkdir(parents=True)
        for name, text in modules.items():
            (services / f"{name}.py").write_text(text)
        done = subprocess.run(
            [sys.executable, "-c", f"import sys; sys.path.append({str(base)!r})\n{LIST}"],
            cwd=services,
            capture_output=True,
            text=True,
            timeout=60,
        )
        if done.returncode or not done.stdout:
            raise AssertionError(f"exited with {done.returncode}: {done.stderr}")
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def test_broken(self) -> None:
        """What cannot be used is named, each with its reason in one line; the others load."""
        found = self.load({**BROKEN, "sleeper": GOOD, "zzz": GOOD})
        self.assertEqual(sorted([*OURS, "sleeper"]), found["types"])
        said = found["broken"]
        self.assertEqual(len(BROKEN) + 1, len(said), "\n".join(said))
        for pattern in (
            r"module /\S*/pop/services/syntax\.py cannot be used: SyntaxError: ",
            r"module /\S*/needy\.py .*: ModuleNotFoundError: No module named 'no_such_module'\.",
            r"module /\S*/lines\.py cannot be used: ValueError: one two\.",
            r"module pop\.services\.nameless\.Nameless .*\bname attribute was not provided",
            r"module pop\.services\.empty\.Odd .*\bname\b.* it is empty\.",
            r"module pop\.services\.slash\.Odd .*\bname\b.* it has a slash\.",
            r"module pop\.services\.idle\.Idle .*\bprogram\b",
            r"module pop\.services\.wrong\.Wrong .*\bprogram\b",
            r"module pop\.services\.foreign\.Odd .*: its settings do not extend \S+ISettings\.",
            r"module pop\.services\.none\.Odd .*: its settings do not extend \S+ISettings\.",
            r'module pop\.services\.other\.Sleeper .*pop\.services\.command has a type "command"',
            r'module pop\.services\.\S+\.Sleeper .*: pop\.services\.\S+ has a type "sleeper"',
        ):
            [which] = [line for line in said if re.search(pattern, line)] or [None]
            self.assertIsNotNone(which, f"{pattern} is not in\n" + "\n".join(said))
            self.assertRegex(which or "", r"\AThe service type module [^\n]*[^.]\.\Z")

    def test_exits(self) -> None:
        """A module that would end the process is named as well, and does not end the agent."""
        found = self.load({"bad": "import sys; sys.exit(3)", "sleeper": GOOD})
        self.assertEqual(sorted([*OURS, "sleeper"]), found["types"])
        [said] = found["broken"]
        self.assertIn("bad.py cannot be used: SystemExit: 3", said)

    def test_name_is_no_text(self) -> None:
        """A type whose name is no text is refused, and the others load."""
        found = self.load({"five": odd(name="5"), "null": odd(name="None"), "sleeper": GOOD})
        self.assertEqual(sorted([*OURS, "sleeper"]), found["types"])
        self.assertEqual(2, len(found["broken"]))

    def test_other_packages(self) -> None:
        """A directory that has an C{__init__.py} is a package of its own, and is left alone."""
        found = self.load({"__init__": "", "stray": GOOD})
        self.assertEqual({"types": OURS, "broken": []}, found)


class CatalogueTests(SynchronousTestCase):
    """Types by name, and what they make of services."""

    def setUp(self) -> None:
        self.catalogue = Catalogue({"command": command})

    def test_ours(self) -> None:
        """Every type of ours is there, and keeps its promise."""
        found = load_types()
        self.assertEqual([], [name for name in OURS if name not in found.types])
        self.assertEqual((), found.broken)

    def test_no_such_type(self) -> None:
        """A type that is not here is refused, with the nearest that is."""
        error = self.assertRaises(NoSuchType, self.catalogue.type, "comand")
        self.assertEqual(
            'There is no service type "comand" here (did you mean "command"?). "pop types" lists'
            " the types there are.",
            str(error),
        )
        error = self.assertRaises(NoSuchType, self.catalogue.type, "plone4")
        self.assertNotIn("did you mean", str(error))

    def test_launch(self) -> None:
        """A service becomes a launch: the type's program, the common settings, the generation."""
        service = Service(
            "web",
            "command",
            {
                "argv": "serve {service} {machine}",
                "environment": {"A": "1"},
                "directory": "/srv",
                "user": "www",
                "stop_signal": "INT",
                "grace_period": 3,
            },
            target=Target(generation=7),
        )
        launch = self.catalogue.launch(service, "m1")
        self.assertEqual(
            Launch(
                program=launch.program,
                environment={"A": "1"},
                directory="/srv",
                user="www",
                stop_signal="INT",
                grace_period=3.0,
                generation=7,
            ),
            launch,
        )
        self.assertEqual(("serve", "web", "m1"), launch.program.argv)

    def test_bad_settings(self) -> None:
        """Settings that the type does not take are refused."""
        service = Service("web", "command", {"argv": "x", "port": "80"})
        self.assertRaises(BadSetting, self.catalogue.launch, service, "m1")
