"""Programs, and the bases of service types."""

import json
import sys
from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from pop.interfaces import IServiceType, ISettings
from pop.model import Instance
from pop.program import Launch, Program, ProgramType, PythonType, read_hosted
from pop.settings import validate

HERE = Instance("web", "m1")


class Sleeper(ProgramType):
    """The smallest service type."""

    name = "sleeper"

    def program(self, settings: object, instance: Instance) -> Program:
        return Program(("sleep", "600"))


class Hosted(PythonType):
    """A service type that is Python."""

    name = "hosted"


class ValueTests(SynchronousTestCase):
    """Launches, which are compared to know whether a restart is due."""

    def test_equal(self) -> None:
        """Two that were worked out from the same settings are equal."""
        one, other = (Launch(Program(("a", "b"), {"A": "1"}, b"x"), {"B": "2"}) for _ in range(2))
        self.assertEqual(one, other)

    def test_unequal(self) -> None:
        """Whatever makes a difference to the process makes one to the launch."""
        launch = Launch(Program(("a",)))
        for changed in (
            replace(launch, program=Program(("b",))),
            replace(launch, program=Program(("a",), {"A": "1"})),
            replace(launch, program=Program(("a",), stdin=b"x")),
            replace(launch, program=Program(("a",), notifies=True)),
            replace(launch, environment={"A": "1"}),
            replace(launch, directory="/tmp"),
            replace(launch, user="nobody"),
            replace(launch, stop_signal="INT"),
            replace(launch, grace_period=1.0),
            replace(launch, generation=1),
        ):
            self.assertNotEqual(launch, changed)


class TypeTests(SynchronousTestCase):
    """The bases."""

    def test_promise(self) -> None:
        """What subclasses a base and has a name keeps the interface's promise."""
        for kind in (Sleeper(), Hosted()):
            verifyObject(IServiceType, kind)

    def test_unfinished(self) -> None:
        """A type that does not say what to execute says whose fault that is."""
        error = self.assertRaises(NotImplementedError, ProgramType().program, None, HERE)
        self.assertEqual("ProgramType does not say what to execute", str(error))
        error = self.assertRaises(NotImplementedError, Hosted().start, None, None)
        self.assertEqual("Hosted does not say how to start", str(error))

    def test_hosted(self) -> None:
        """Python is hosted in a child that notifies, of the same Python, by the type's name."""
        program = Hosted().program(validate("hosted", ISettings, {}), HERE)
        self.assertEqual(sys.executable, program.argv[0])
        self.assertEqual(("-m", "pop.protocols.child", "hosted"), program.argv[-3:])
        self.assertTrue(program.notifies)

    def test_settings_are_not_in_the_process_list(self) -> None:
        """The child is given its settings where no process list shows them, all of them."""
        settings = validate("hosted", ISettings, {"environment": {"SECRET": "x y"}})
        program = Hosted().program(settings, HERE)
        self.assertNotIn("SECRET", " ".join(program.argv))
        self.assertEqual({}, program.environment)
        self.assertEqual(settings.as_json(), read_hosted(program.stdin)[0])
        self.assertEqual({"SECRET": "x y"}, json.loads(program.stdin)["settings"]["environment"])

    def test_same_settings_same_program(self) -> None:
        """What alters nothing restarts nothing, in whichever order the settings were written."""
        one, other = (
            Hosted().program(validate("hosted", ISettings, values), HERE)
            for values in ({"user": "a", "directory": "/"}, {"directory": "/", "user": "a"})
        )
        self.assertEqual(one, other)
