"""The commands of the shell itself."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pop.components.shell.commands import DEFAULT, Command, Method
from pop.components.shell.completion import COMMAND, FILE, Completion

if TYPE_CHECKING:
    from pop.components.shell.core import Shell
    from pop.components.shell.session import Session


class Basics:
    """Help, variables and files of commands."""

    def __init__(self, shell: "Shell") -> None:
        self._shell = shell

    def get_namespace(self) -> str:
        """They need none."""
        return DEFAULT

    def get_methods(self) -> list[tuple[str, Method]]:
        """The commands."""
        return [
            ("help", self.help),
            ("?", self.help),
            ("echo", self.echo),
            ("set", self.set),
            ("unset", self.unset),
            ("run", self.run),
            ("quit", self.quit),
            ("exit", self.quit),
        ]

    @Completion(COMMAND)
    def help(self, session: "Session", command: str = "") -> Any:
        """List the commands, or explain one, or those of a namespace"""
        commands = self._shell.commands
        if not command:
            for namespace in commands.namespaces():
                session.write_line(f"* Namespace '{namespace}':")
                _list(session, commands.commands(namespace))
            return None
        if command.lower() in commands.namespaces():
            _list(session, commands.commands(command))
            return None
        found = commands.find(command)
        session.write_line(f"Usage: {found.usage}")
        session.write_line()
        session.write_line(found.help or "It says nothing of itself.")
        return None

    def echo(self, session: "Session", *words: str, **named: str) -> str:
        """Write words"""
        text = " ".join([*words, *(f"{name}={value}" for name, value in named.items())])
        session.write_line(text)
        return text

    def set(self, session: "Session", **variables: str) -> None:
        """Give variables values, or list those that there are"""
        for name, value in variables.items():
            session.set(name, value)
        if not variables:
            for name in sorted(session.variables):
                session.write_line(f"{name}={session.variables[name]}")

    def unset(self, session: "Session", name: str) -> Any:
        """Forget a variable"""
        if name not in session.variables:
            session.write_line(f"There is no variable {name}.")
            return False
        session.unset(name)
        return None

    @Completion(FILE)
    async def run(self, session: "Session", filename: str) -> Any:
        """Carry out the commands in a file, up to the first that fails"""
        try:
            lines = Path(filename).expanduser().read_text(encoding="utf-8").splitlines()
        except (OSError, ValueError) as error:
            session.write_line(f"The file {filename} cannot be read: {error}.")
            return False
        return None if await run_lines(self._shell, lines, session) else False

    def quit(self, session: "Session") -> None:
        """Leave the shell; where it is the console of a framework, that stops, too"""
        session.leave = True


async def run_lines(shell: "Shell", lines: Iterable[str], session: "Session") -> bool:
    """Carry out lines up to the first that fails; whether none did."""
    for line in lines:
        if line.strip() and not line.lstrip().startswith("#"):
            if not await shell.execute(line, session):
                return False
            if session.leave:
                break
    return True


def _list(session: "Session", commands: Iterable[Command]) -> None:
    for command in commands:
        first = command.help.partition("\n")[0]
        session.write_line_no_feed(f"- {command.usage}\n" + (f"    {first}\n" if first else ""))
