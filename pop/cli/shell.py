"""C{pop shell}: the shell inside a service of components, on this machine."""

import os
import socket
import sys
from functools import partial
from pathlib import Path

import click
from platformdirs import user_state_path

from pop.cli.session import Session, pass_session
from pop.cluster import Cluster
from pop.components.shell import front
from pop.components.shell.conversation import BANNER
from pop.errors import NoShell, ShellGone
from pop.model import load
from pop.paths import check_name


@click.command("shell")
@click.argument("service")
@pass_session
def shell_(session: Session, service: str) -> None:
    """Use the shell of SERVICE, whose type is "components", where it runs on this machine.

    Commands are read from the standard input if that is no terminal; then the first that fails is
    the last, and the exit status is 1. "help" lists them.
    """
    check_name("service", service)
    path = session.run(partial(_find, service, session.configuration.machine))
    try:
        with connect(path) as connection:
            sys.exit(_converse(front.Distant(connection, _write)))
    except (OSError, front.Gone) as error:
        raise ShellGone(service=service, path=path, reason=_reason(error)) from error


async def _find(service: str, machine: str, cluster: Cluster) -> Path:
    """Where its state node says that it is.

    @raise NoShell: it says nothing of that.
    """
    await cluster.read(service)
    path = cluster.paths.state(service, machine)
    node = await cluster.node(path)
    where = load(path, node[0], dict, "an object").get("shell") if node else None
    if not isinstance(where, str):
        raise NoShell(service=service)
    return Path(where)


def connect(path: Path) -> socket.socket:
    """To a UNIX socket, however long its path is: the kernel takes about 100 characters.

    @raise OSError: nobody listens there.
    """
    connection = socket.socket(socket.AF_UNIX)
    directory = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        connection.connect(f"/proc/self/fd/{directory}/{path.name}")
    except OSError:
        connection.close()
        raise
    finally:
        os.close(directory)
    return connection


def _converse(far: front.Distant) -> int:
    if not sys.stdin.isatty():
        return front.carry_out(far, sys.stdin)
    click.echo(BANNER, nl=False)
    named = os.environ.get("POP_SHELL_HISTORY")
    return front.converse(far, Path(named) if named else user_state_path("pop") / "shell_history")


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def _reason(error: Exception) -> str:
    if isinstance(error, front.Gone) and str(error):
        return f'it said "{error}"'
    return getattr(error, "strerror", None) or "it has ended"
