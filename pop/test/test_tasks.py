"""What service types say of their tasks."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase
from zope.interface import Interface
from zope.schema import Bool, Int, TextLine, Tuple

from pop.errors import NoSuchTask
from pop.program import ProgramType
from pop.tasks import Run, Task, argument_fields, find_task, is_positional, task, tasks_of


class IPackages(Interface):
    """What to install."""

    index = TextLine(title="Where from", required=False)
    packages = Tuple(title="Packages", value_type=TextLine(), min_length=1)
    quietly = Bool(title="Say nothing", default=False)
    tries = Int(title="How often", default=3)


class IConfusing(Interface):
    """An argument that nobody could tell from the run."""

    run = TextLine(title="Run")


class Shop(ProgramType):
    """A type with tasks."""

    name = "shop"

    @task("Install packages.", IPackages)
    def install(self, run: Run, packages: Any, **options: Any) -> None:
        """Install PACKAGES."""

    @task("List them.", where="once", changes=False)
    async def list_packages(self, run: Run) -> int:
        return 0


class Bakery(Shop):
    """A type that offers more, and some of it otherwise."""

    name = "bakery"
    list_packages = None  # type: ignore[assignment]

    def install(self, run: Run, packages: Any, **options: Any) -> None:
        """Otherwise, but for the same purpose."""

    @task("Bake.", name="make-bread")
    def bake(self, run: Run) -> None:
        pass


class TasksTests(SynchronousTestCase):
    """Tasks are declared on methods."""

    def test_declared(self) -> None:
        """A task has the method's name with dashes, and what was said of it."""
        self.assertEqual(
            {
                "install": Task(
                    "install",
                    "Install packages.",
                    IPackages,
                    method="install",
                    help="Install PACKAGES.",
                ),
                "list-packages": Task(
                    "list-packages",
                    "List them.",
                    where="once",
                    changes=False,
                    method="list_packages",
                ),
            },
            tasks_of(Shop()),
        )

    def test_of_a_class(self) -> None:
        """The class says the same as its object."""
        self.assertEqual(tasks_of(Shop()), tasks_of(Shop))

    def test_inherited(self) -> None:
        """A subclass has its base's tasks, may do them otherwise, add some, and drop some."""
        self.assertEqual(["install", "make-bread"], list(tasks_of(Bakery)))

    def test_none(self) -> None:
        """Most types have none."""
        self.assertEqual({}, tasks_of(ProgramType))

    def test_found(self) -> None:
        """One is found by its name."""
        self.assertEqual("bake", find_task(Bakery(), "make-bread").method)

    def test_not_found(self) -> None:
        """The nearest is named, where there is one near."""
        error = self.assertRaises(NoSuchTask, find_task, Shop(), "instal")
        self.assertEqual(
            'The service type "shop" has no task "instal" (did you mean "install"?).'
            ' "pop run SERVICE" lists the tasks of a service.',
            str(error),
        )

    def test_arguments(self) -> None:
        """What must be given is given by its place, all else by its name."""
        fields = argument_fields(find_task(Shop(), "install"))
        places = {name: is_positional(field) for name, field in fields.items()}
        expected = {"index": False, "packages": True, "quietly": False, "tries": False}
        self.assertEqual(expected, places)

    def test_refused(self) -> None:
        """What makes no sense is refused where it is declared."""
        self.assertRaises(ValueError, task, "x", where="nowhere")
        self.assertRaises(TypeError, task, "x", Shop)
        self.assertRaises(ValueError, task, "x", IConfusing)
