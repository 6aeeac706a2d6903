"""Tasks: named operations that a service type offers on what it runs."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar

from zope.interface.interface import InterfaceClass
from zope.schema import getFieldNamesInOrder

from pop.errors import NoSuchTask
from pop.frozen import frozen
from pop.sentence import did_you_mean

Where = Literal["everywhere", "once"]
"""Which machines of a service do a task unless somebody says: all, or any one."""

Method = TypeVar("Method", bound=Callable[..., Any])
_MARK = "__pop_task__"
_TAKEN = {"run", "self"}
"""What the method's own parameters are called."""


@frozen
class Task:
    """What a service type says of one of its tasks.

    @ivar arguments: an interface of C{zope.schema} fields. A required field without a default is
        given by its place, in the order of the interface, and a collection as the last of them
        takes all that follow; every other field is an option.
    @ivar changes: whether it may change anything; one that only looks excludes no other.
    @ivar method: the name of the type's method.
    """

    name: str
    summary: str
    arguments: InterfaceClass | None = None
    where: Where = "everywhere"
    changes: bool = True
    method: str = ""
    help: str = ""


class Run(Protocol):
    """What a task is given: one run of it, in a process of its own on one machine.

    @ivar settings: the service's, validated; an attribute for each.
    @ivar directory: the instance's, in which the process runs.
    @ivar state_directory: the one below which the agent keeps all its files.
    """

    service: str
    machine: str
    settings: Any
    directory: Path
    state_directory: Path

    def progress(self, done: float, total: float | None = None, what: str = "") -> None:
        """Say how far it is: so much, of so much if that is known, and with what."""

    def record(self, settings: Mapping[str, Any]) -> None:
        """Have settings of the service changed once the task has ended well on all its machines.

        L{None} returns a setting to its default. Every machine of the service follows these
        settings then, as after C{pop set}.
        """


def task(
    summary: str,
    arguments: InterfaceClass | None = None,
    *,
    name: str = "",
    where: Where = "everywhere",
    changes: bool = True,
) -> Callable[[Method], Method]:
    """Have a method of a service type be a task.

    It is called as C{method(run, **arguments)} with a L{Run}, and may be a coroutine. It ends well
    when it returns L{None} or 0; another number is its exit status. What it prints goes to whoever
    started it.

    @param summary: one sentence on what it does. The method's docstring is shown as its help.
    @param name: what C{pop run SERVICE} takes; by default the method's, with dashes.
    """
    if where not in ("everywhere", "once"):
        raise ValueError(f'a task is done "everywhere" or "once", not {where!r}')
    if arguments is not None and not isinstance(arguments, InterfaceClass):
        raise TypeError(f"a task's arguments are an interface of fields, not {arguments!r}")
    if arguments is not None and _TAKEN & set(arguments):
        raise ValueError(f"no argument of a task can be called {' or '.join(sorted(_TAKEN))}")

    def declare(method: Method) -> Method:
        named = name or method.__name__.replace("_", "-")
        help = method.__doc__ or ""
        declared = Task(named, summary, arguments, where, changes, method.__name__, help)
        setattr(method, _MARK, declared)
        return method

    return declare


def tasks_of(service_type: Any) -> dict[str, Task]:
    """The tasks of a service type by name: those of its bases first, each in the order written.

    A subclass overrides a task by a method of the same name; what it declares then counts, if it
    declares anything.
    """
    kind = service_type if isinstance(service_type, type) else type(service_type)
    declared: dict[str, Task] = {}
    for base in reversed(kind.__mro__):
        for attribute, value in vars(base).items():
            found = getattr(value, _MARK, None)
            if isinstance(found, Task):
                declared[attribute] = replace(found, method=attribute)
            elif not callable(value):
                declared.pop(attribute, None)
    return {found.name: found for found in declared.values()}


def find_task(service_type: Any, name: str) -> Task:
    """A task of a service type.

    @raise NoSuchTask: with the nearest name that there is.
    """
    known = tasks_of(service_type)
    if name in known:
        return known[name]
    raise NoSuchTask(type=service_type.name, task=name, hint=did_you_mean(name, known))


def is_positional(field: Any) -> bool:
    """Whether an argument is given by its place rather than by its name."""
    return bool(field.required and field.default is None)


def argument_fields(found: Task) -> dict[str, Any]:
    """The fields of a task's arguments by name, in the order they were written."""
    schema = found.arguments
    return {} if schema is None else {name: schema[name] for name in getFieldNamesInOrder(schema)}
