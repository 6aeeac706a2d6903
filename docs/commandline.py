"""Directives that show the help of commands as the commands themselves print it."""

import os
from importlib import import_module
from typing import Any

from click import Context
from docutils import nodes
from docutils.parsers.rst import Directive

from pop.cli import cli
from pop.cli.session import Session


class PopHelp(Directive):
    """``.. pop-help:: COMMAND``: the help of a command; without one, that of pop."""

    optional_arguments = 1

    def run(self) -> list[nodes.Node]:
        """The help, word for word."""
        parent = Context(cli, info_name="pop", **cli.context_settings)
        if not self.arguments:
            return [nodes.literal_block(text=cli.get_help(parent))]
        name = self.arguments[0]
        command = cli.get_command(parent, name)
        if command is None:
            raise self.error(f"There is no command {name}.")
        parent.obj = Session({}, as_json=False, verbose=0, timeout=None)
        context = Context(command, info_name=name, parent=parent)
        return [nodes.literal_block(text=command.get_help(context))]


class TwistdHelp(Directive):
    """``.. twistd-help:: PACKAGE``: the options of a package's plugin; without one, of pop's."""

    optional_arguments = 1

    def run(self) -> list[nodes.Node]:
        """The options, word for word."""
        package = self.arguments[0] if self.arguments else "pop"
        lines = import_module(f"{package}.tap").Options().getUsage(width=90).splitlines()
        begin = lines.index("Options:")
        return [nodes.literal_block(text="\n".join(lines[begin:]).strip())]


def setup(app: Any) -> dict[str, bool]:
    """Make the directives known to Sphinx."""
    os.environ["COLUMNS"] = "90"
    app.add_directive("pop-help", PopHelp)
    app.add_directive("twistd-help", TwistdHelp)
    return {"parallel_read_safe": True}
