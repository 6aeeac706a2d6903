"""Service types that run Python programs, each in an environment of its own.

What their tasks do is imported by those: agents know these types too, and do none of it.
"""

import json as jsons
import shlex
from dataclasses import replace
from typing import Any, ClassVar

from zope.interface import Interface
from zope.schema import Bool, Text, TextLine, Tuple, ValidationError

from pop.environments import Environments, links
from pop.errors import NoOtherEnvironment
from pop.interfaces import ISettings
from pop.model import Instance
from pop.program import Program, ProgramType
from pop.recipe import Recipe, distribution, is_bare, with_packages
from pop.tasks import Run, task


class NotARequirement(ValidationError):
    """it should be a requirement as pip takes it, like six==1.16.0"""


class NotSeparated(ValidationError):
    """it should be requirements as pip takes them, separated by blanks, like "six==1.16.0 lxml" """


class NotAPlace(ValidationError):
    """it should be an absolute path or a URL"""


def _requirement(text: str) -> bool:
    if text.startswith("-") or not text.strip():
        raise NotARequirement(text)
    return True


def _requirements(text: str) -> bool:
    try:
        return all(map(_requirement, shlex.split(text)))
    except (ValueError, NotARequirement) as error:
        raise NotSeparated(text) from error


def _place(text: str) -> bool:
    if not text.startswith("/") and "://" not in text:
        raise NotAPlace(text)
    return True


class IPythonEnvironment(ISettings):
    """What is in the environment."""

    requirements = Text(
        title="What to install, as pip takes it, separated by blanks",
        constraint=_requirements,
        default="",
        required=False,
    )
    packages = Tuple(
        title='Packages on top of that, which "pop run SERVICE install" adds to',
        value_type=TextLine(constraint=_requirement),
        default=(),
    )
    find_links = Tuple(
        title="Directory or page with distributions to install from",
        value_type=TextLine(constraint=_place),
        default=(),
    )
    index = TextLine(
        title="Address of the package index; none, to use find_links only",
        default="",
        required=False,
    )
    python = TextLine(
        title="Interpreter, its path or its name; pop's own unless given",
        default="",
        required=False,
    )


ENVIRONMENT = ("requirements", "packages", "find_links", "index", "python")
"""The settings that decide what is in an environment."""


class IInstall(Interface):
    """What to install."""

    packages = Tuple(
        title="As pip takes them: lxml, lxml==5.3.0",
        value_type=TextLine(constraint=_requirement),
        min_length=1,
    )


class IPackages(Interface):
    """How to list them."""

    json = Bool(title="As JSON", default=False, required=False)


class PythonEnvironment(ProgramType):
    """Base of the service types that run Python programs: override L{execute}.

    The environment is built from the settings before the program is started, beside the one that
    is in use; so a package that cannot be had costs the running program nothing.
    """

    settings = IPythonEnvironment
    imports: ClassVar[tuple[str, ...]] = ()

    def execute(self, settings: Any, instance: Instance) -> Program:
        """What to execute in the environment; C{python} is the one in there."""
        raise NotImplementedError(f"{type(self).__qualname__} does not say what to execute")

    def program(self, settings: Any, instance: Instance) -> Program:
        """See L{pop.interfaces.IServiceType.program}."""
        return replace(self.execute(settings, instance), recipe=self.recipe(settings))

    def recipe(self, settings: Any) -> Recipe:
        """What the environment is made from."""
        return Recipe(
            requirements=tuple(shlex.split(settings.requirements or "")),
            packages=settings.packages,
            find_links=settings.find_links,
            index=settings.index or "",
            python=settings.python or "",
            imports=self.needs(settings),
        )

    def needs(self, settings: Any) -> tuple[str, ...]:
        """The modules without which there is no use in starting it."""
        return self.imports

    @task("Install packages, on every machine of the service.", IInstall, where="once")
    def install(self, run: Run, packages: tuple[str, ...]) -> None:
        """Builds the environment with them, beside the one that is in use. If that can be done,
        they are recorded in the setting "packages", with the version that was chosen where none
        was given; so every machine gets the same, and each restarts the service with it.
        """
        from pop.construction import also, construct, say
        from pop.distributions import installed
        from pop.installer import installer

        kept = run.settings.packages
        recipe = replace(self.recipe(run.settings), packages=with_packages(kept, packages))
        directory = Environments(run.state_directory).of(run.service)
        versions = {
            found.key: found.version
            for found in installed(construct(directory, recipe, installer(), say))
        }
        exact = tuple(
            f"{text}=={versions[name]}"
            if is_bare(text) and (name := distribution(text)) in versions
            else text
            for text in packages
        )
        packages = with_packages(kept, exact)
        also(directory, recipe, replace(recipe, packages=packages))
        run.record({"packages": list(packages)})

    @task("List the packages that are installed.", IPackages, changes=False)
    def packages(self, run: Run, json: bool) -> None:
        """For each its name, version, when it was installed, and where it came from."""
        from pop.distributions import installed, table

        environments = Environments(run.state_directory)
        recipe = self.recipe(run.settings)
        found = installed(environments.find(run.service, recipe))
        print(jsons.dumps([each.to_object() for each in found], indent=2) if json else table(found))

    @task("Go back to the environment that was in use before.", where="once")
    def rollback(self, run: Run) -> None:
        """Restores the settings that it was built from: requirements, packages, find_links, index
        and python. It is kept beside the present one, so this takes no longer than a restart; done
        again, it leads back.
        """
        from pop.construction import recipe_of

        now = self.recipe(run.settings)
        for link in links(Environments(run.state_directory).of(run.service)):
            recipe = recipe_of(link)
            if recipe is not None and link.name != now.key and recipe != now:
                run.record(self._settings(recipe, now))
                print(f"Back to the environment {link.name}: {' '.join(recipe.merged())}")
                return
        raise NoOtherEnvironment(service=run.service)

    def _settings(self, recipe: Recipe, now: Recipe) -> dict[str, Any]:
        """What makes the present recipe another; a default needs not be written down."""
        usual = tuple(shlex.split(self.settings["requirements"].default or ""))
        return {
            name: _setting(name, getattr(recipe, name), usual)
            for name in ENVIRONMENT
            if getattr(recipe, name) != getattr(now, name)
        }


def _setting(name: str, value: Any, usual: tuple[str, ...]) -> Any:
    """A part of a recipe as its setting has it; L{None} for the default."""
    if name == "requirements":
        return None if value == usual else shlex.join(value)
    return (list(value) if isinstance(value, tuple) else value) or None
