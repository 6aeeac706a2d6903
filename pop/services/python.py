"""Any Python program, in an environment of its own."""

from typing import Any

from zope.interface import Invalid, invariant
from zope.schema import Int, TextLine, ValidationError

from pop.model import Instance
from pop.placeholders import words
from pop.program import Program
from pop.python import IPythonEnvironment, PythonEnvironment

_CALL = "import sys; from {module} import {first}; sys.argv[0] = {text!r}; sys.exit({path}())"


class NotAModule(ValidationError):
    """it should be a module's name, like http.server"""


class NotAnEntryPoint(ValidationError):
    """it should name something in a module that can be called, like package.module:main"""


def _is_dotted(text: str) -> bool:
    return all(part.isidentifier() for part in text.split("."))


def _module(text: str) -> bool:
    if not _is_dotted(text):
        raise NotAModule(text)
    return True


def _entry_point(text: str) -> bool:
    module, _, path = text.partition(":")
    if not _is_dotted(module) or not _is_dotted(path):
        raise NotAnEntryPoint(text)
    return True


class IPythonProgram(IPythonEnvironment):
    """How to run a Python program."""

    module = TextLine(title="Module to run, as python -m does", constraint=_module, required=False)
    entry_point = TextLine(
        title="Function to call instead, like package.module:main",
        constraint=_entry_point,
        required=False,
    )
    arguments = TextLine(
        title="Its arguments, split as a shell would; {SETTING}, {service} and {machine} are"
        " filled in",
        default="",
        required=False,
    )
    port = Int(title="Port it serves, for {port}", min=0, max=65535, required=False)

    @invariant
    def one_of_the_two(settings: Any) -> None:
        """There must be something to run."""
        if bool(settings.module) == bool(settings.entry_point):
            raise Invalid("give either a module or an entry_point")


class Python(PythonEnvironment):
    """A Python program that stays in the foreground."""

    name = "python"
    summary = "Any Python program, in a virtual environment of its own."
    settings = IPythonProgram

    def execute(self, settings: Any, instance: Instance) -> Program:
        """The environment's Python, with the module or a call of the entry point."""
        known = {"service": instance.service, "machine": instance.machine, **settings.as_json()}
        text = settings.arguments
        arguments = words(self.name, "arguments", text, known) if text else ()
        unbuffered = settings.environment.get("PYTHONUNBUFFERED", "1")
        return Program(
            argv=("python", *_what(settings), *arguments),
            environment={"PYTHONUNBUFFERED": unbuffered},
            state={} if settings.port is None else {"port": settings.port},
        )

    def needs(self, settings: Any) -> tuple[str, ...]:
        """What it is to run."""
        return (*self.imports, settings.module or settings.entry_point)


def _what(settings: Any) -> tuple[str, str]:
    if settings.module:
        return "-m", settings.module
    module, _, path = settings.entry_point.partition(":")
    first = path.partition(".")[0]
    return "-c", _CALL.format(module=module, first=first, text=settings.entry_point, path=path)


python = Python()
