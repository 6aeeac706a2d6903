"""The commands that there are, by namespace and name."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from inspect import Parameter, cleandoc, signature
from typing import Any, Final, NamedTuple

from twisted.logger import Logger

from pop.components.errors import BundleException

log = Logger()
DEFAULT: Final = "default"
SERVICE_SHELL_COMMAND: Final = "pelix.shell.command"
"""Under this name commands are registered: an object with C{get_namespace()}, which gives a name,
and C{get_methods()}, which gives (name, callable) pairs. A command is called with the L{Session}
first."""

Method = Callable[..., Any]


class NoSuchCommand(BundleException):
    """There is no command "{command}". "help" lists the commands there are."""


class AmbiguousCommand(BundleException):
    """There are several commands "{command}": {choices}. Write the namespace, too."""


class Command(NamedTuple):
    """One command."""

    namespace: str
    name: str
    method: Method

    @property
    def full_name(self) -> str:
        """With its namespace, if that is needed."""
        return self.name if self.namespace == DEFAULT else f"{self.namespace}.{self.name}"

    @property
    def usage(self) -> str:
        """Its name and arguments, those in brackets that can be left out."""
        return " ".join([self.full_name, *_arguments(self.method)])

    @property
    def help(self) -> str:
        """What its docstring says."""
        return cleandoc(self.method.__doc__ or "").strip()

    def accepts(self, arguments: Iterable[Any], named: Mapping[str, Any]) -> bool:
        """Whether it can be called so."""
        try:
            signature(self.method).bind(None, *arguments, **named)
        except TypeError:
            return False
        return True


def _arguments(method: Method) -> Iterator[str]:
    _, *parameters = signature(method).parameters.values()
    for parameter in parameters:
        name = parameter.name.rstrip("_")
        if parameter.kind is Parameter.VAR_POSITIONAL:
            yield f"[<{name}> ...]"
        elif parameter.kind is Parameter.VAR_KEYWORD:
            yield "[<property>=<value> ...]"
        elif parameter.default is Parameter.empty:
            yield f"<{name}>"
        elif parameter.default in (None, ""):
            yield f"[<{name}>]"
        else:
            yield f"[<{name}>={parameter.default}]"


class Commands:
    """All commands; names are compared without regard to case."""

    def __init__(self) -> None:
        self._known: dict[str, dict[str, Command]] = {}

    def add(self, namespace: str, name: str, method: Method) -> bool:
        """Take one in; C{False}, and nothing else, if there is one of that name already."""
        namespace, name = (namespace or DEFAULT).strip().lower(), name.strip().lower()
        commands = self._known.setdefault(namespace, {})
        if name in commands:
            log.error(
                "There is a command {namespace}.{name} already", namespace=namespace, name=name
            )
            return False
        commands[name] = Command(namespace, name, method)
        return True

    def remove(self, namespace: str, name: str) -> None:
        """Let one go."""
        namespace, name = (namespace or DEFAULT).strip().lower(), name.strip().lower()
        commands = self._known[namespace]
        del commands[name]
        if not commands:
            del self._known[namespace]

    def find(self, name: str) -> Command:
        """The command that somebody means: by its full name, or by its own if that is clear.

        @raise NoSuchCommand: there is none.
        @raise AmbiguousCommand: there are several.
        """
        low = name.lower()
        namespace, dot, bare = low.partition(".")
        if dot and (command := self._known.get(namespace, {}).get(bare)):
            return command
        found = [known[low] for known in self._known.values() if low in known]
        if not found:
            raise NoSuchCommand(command=name)
        if len(found) == 1 or found[0].namespace == DEFAULT:
            return found[0]
        if default := self._known.get(DEFAULT, {}).get(low):
            return default
        choices = ", ".join(sorted(command.full_name for command in found))
        raise AmbiguousCommand(command=name, choices=choices)

    def namespaces(self) -> list[str]:
        """In order, the default one first."""
        return sorted(self._known, key=lambda name: (name != DEFAULT, name))

    def commands(self, namespace: str) -> list[Command]:
        """Those of a namespace, by name."""
        known = self._known.get(namespace.lower(), {})
        return [known[name] for name in sorted(known)]

    def names(self) -> list[str]:
        """What may be written for a command: full names, and bare ones where they are clear."""
        full = {each.full_name for known in self._known.values() for each in known.values()}
        for known in self._known.values():
            for name in known:
                if sum(name in other for other in self._known.values()) == 1:
                    full.add(name)
        return sorted(full)
