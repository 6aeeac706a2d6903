"""C{pop}: the command line.

Nothing of Twisted or ZooKeeper is imported before a command needs it, so that help comes at once.
"""

import importlib
import sys

import click

from pop.errors import PopError

COMMANDS = {
    "init": ("pop.cli.namespace", "Make pop's namespace in ZooKeeper."),
    "types": ("pop.cli.types", "List the service types and their settings."),
    "add": ("pop.cli.services", "Add a service."),
    "set": ("pop.cli.services", "Change a service's settings."),
    "deploy": ("pop.cli.placement", "Have a service run on this machine, or on others."),
    "undeploy": ("pop.cli.placement", "Have a service run there no longer."),
    "status": ("pop.cli.status", "Show how the services fare, or one of them in full."),
    "logs": ("pop.cli.logs", "Print what a service wrote on all its machines, and follow it."),
    "why": ("pop.cli.why", "Tell why a service is as it is: what became of it lately."),
    "run": ("pop.cli.run", "Run a task of a service, or list those that there are."),
    "runs": ("pop.cli.runs", "List the tasks of a service that were run lately."),
    "shell": ("pop.cli.shell", "Use the shell inside a service of components."),
    "start": ("pop.cli.lifecycle", "Start the agent in the background, or a service."),
    "stop": ("pop.cli.lifecycle", "Stop the agent, or a service on all its machines."),
    "restart": ("pop.cli.restart", "Restart a service on all its machines."),
    "signal": ("pop.cli.signals", "Send a service's processes a signal."),
    "fg": ("pop.cli.lifecycle", "Run the agent in the foreground."),
    "upgrade": ("pop.cli.upgrade", "Have this machine's agent become the installed version."),
    "machines": ("pop.cli.machines", "List the machines, alive or not, with what runs on them."),
    "top": ("pop.cli.top", "Show what runs on all machines, and what it takes, live."),
    "remove": ("pop.cli.services", "Remove a service."),
    "dump": ("pop.cli.namespace", "Write the whole namespace out."),
    "load": ("pop.cli.namespace", "Read services and machines back in."),
}
"""Every command, with where it is and a line of help; in the order in which they are needed."""


class Commands(click.Group):
    """Imports a command when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Each module calls its command as the command is called, with an underscore behind it."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(COMMANDS[cmd_name][0])
        command: click.Command = getattr(module, f"{cmd_name}_")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The table, without importing what is in it."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


def _version(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value:
        from pop import __version__

        click.echo(f"pop {__version__}")
        ctx.exit()


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--zookeeper",
    metavar="HOST:PORT[,...][/chroot]",
    help="ZooKeeper's servers; or POP_ZOOKEEPER.  [default: localhost:2181]",
)
@click.option("--host", help="ZooKeeper's host, instead of --zookeeper.")
@click.option("--port", type=click.IntRange(1, 65535), help="ZooKeeper's port.")
@click.option(
    "--path-prefix",
    metavar="PATH",
    help="Where pop's nodes lie in ZooKeeper; or POP_PATH_PREFIX.  [default: /]",
)
@click.option(
    "--admin-identity",
    metavar="USER:PASSWORD",
    help="What opens a protected namespace; rather in POP_ADMIN_IDENTITY, which nobody sees.",
)
@click.option(
    "--admin-identity-file", metavar="FILE", help="A file with it; or POP_ADMIN_IDENTITY_FILE."
)
@click.option("--machine-id", metavar="ID", help="This machine's id; or POP_MACHINE_ID.")
@click.option(
    "--state-dir", metavar="DIR", help="Where this machine's agent keeps files; or POP_STATE_DIR."
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="How long to wait for ZooKeeper, an agent or an instance.  [default: 10, or 60 for the"
    " latter two]",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")
@click.option("-v", "--verbose", count=True, help="Say what goes on, on standard error.")
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_version,
    help="Print it.",
)
@click.pass_context
def cli(
    ctx: click.Context, /, as_json: bool, verbose: int, timeout: float | None, **options: object
) -> None:
    """Let pop run your services.

    All target state lives in ZooKeeper; on each machine an agent makes it so and keeps it so.
    """
    from pop.cli.session import Session

    if options["zookeeper"] and (options["host"] or options["port"]):
        raise click.UsageError("Give either --zookeeper or --host and --port.")
    ctx.obj = (ctx.obj or Session)(options, as_json=as_json, verbose=verbose, timeout=timeout)


def _explained(error: click.ClickException) -> click.ClickException:
    """An option of pop's own behind the command is no typing error."""
    own = {option for parameter in cli.params for option in parameter.opts}
    if isinstance(error, click.NoSuchOption) and error.option_name in own:
        before = f"pop {error.option_name} ..."
        return click.UsageError(f"{error.option_name} goes before the command: {before}", error.ctx)
    return error


def main() -> None:
    """Run a command; exit with 1 for what is refused, 2 for wrong usage."""
    try:
        status = cli.main(prog_name="pop", standalone_mode=False)
    except click.ClickException as error:
        _explained(error).show()
        status = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        status = 130
    except PopError as error:
        click.echo(f"pop: {error}", err=True)
        status = 1
    except BrokenPipeError:
        sys.stderr.close()
        status = 1
    sys.exit(status if isinstance(status, int) else 0)
