"""C{pop add}, C{pop set}, C{pop remove}."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import click

from pop.cli.options import given_settings, setting_options
from pop.cli.session import Session, pass_session
from pop.cluster import Cluster
from pop.errors import StillDeployed
from pop.model import Service
from pop.paths import check_name
from pop.settings import find


class Types(click.Group):
    """A command for each service type, with the type's settings as its options."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The types that are installed here."""
        return list(ctx.ensure_object(Session).catalogue.types)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
        """How to add a service of that type.

        @raise NoSuchType: there is none.
        """
        kind = ctx.ensure_object(Session).catalogue.type(cmd_name)
        name = click.Option(["--name"], help=f"Name of the service.  [default: {kind.name}]")
        return click.Command(
            cmd_name,
            params=[name, *setting_options(kind, taken=("name", "help"))],
            callback=click.pass_obj(lambda session, **given: _add(session, kind, given)),
            help=f"Add a service: {kind.summary}",
            short_help=kind.summary,
        )


@click.group("add", cls=Types, subcommand_metavar="TYPE [--name NAME] [--SETTING VALUE ...]")
def add_() -> None:
    """Add a service of a type. It runs nowhere until it is deployed."""


def _add(session: Session, kind: Any, given: Mapping[str, Any]) -> None:
    settings = given_settings(kind, given)
    name = check_name("service", kind.name if given["name"] is None else given["name"])
    service = Service(name=name, type=kind.name, settings=settings)
    session.catalogue.launch(service, session.configuration.machine)
    session.run(lambda cluster: cluster.add(service))
    session.say(
        f'Added {name}. Have it run with "pop deploy {name}".', service=name, settings=settings
    )


@click.command("set", context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="SERVICE --SETTING VALUE ...")
@click.pass_context
def set_(ctx: click.Context, words: tuple[str, ...]) -> None:
    """Change settings of a service: --SETTING VALUE to set, --unset SETTING for the default.

    What runs is restarted if the change makes a difference. "pop set SERVICE --help" lists the
    settings of that service.
    """
    names = [word for word in words[:1] if not word.startswith("-")]
    if not names:
        if "--help" in words or "-h" in words:
            click.echo(ctx.get_help())
            return
        raise click.UsageError("Name the service first: pop set SERVICE --SETTING VALUE", ctx)
    session = ctx.ensure_object(Session)
    session.run(lambda cluster: _set(session, ctx, cluster, names[0], list(words[1:])))


async def _set(
    session: Session, ctx: click.Context, cluster: Cluster, name: str, words: list[str]
) -> None:
    found = await cluster.read(name)
    kind = session.catalogue.type(found.service.type)
    command = _set_command(name, kind)
    try:
        given = command.make_context(f"set {name}", words, parent=ctx.parent).params
    except click.exceptions.Exit:
        return
    settings = given_settings(kind, given)
    unset = {word.replace("-", "_") for word in given["unset"]}
    for setting in unset:
        find(kind.name, kind.settings, setting)
    if not settings and not unset:
        raise click.UsageError(f"Say what to set; see pop set {name} --help", ctx)

    def change(service: Service) -> Service:
        kept = {key: value for key, value in service.settings.items() if key not in unset}
        changed = replace(service, settings={**kept, **settings})
        session.catalogue.launch(changed, session.configuration.machine)
        return changed

    service = await cluster.change(name, change)
    same = service == found.service
    session.say(
        f"{name} has these settings already." if same else f"Changed {name}.",
        service=name,
        settings=dict(service.settings),
        changed=not same,
    )


def _set_command(name: str, kind: Any) -> click.Command:
    unset = click.Option(
        ["--unset"], multiple=True, metavar="SETTING", help="Return to the default."
    )
    return click.Command(
        "set",
        params=[*setting_options(kind, taken=("unset", "help")), unset],
        help=f"Change settings of {name}, a service of type {kind.name}.",
    )


@click.command("remove")
@click.argument("service")
@click.option("--force", is_flag=True, help="Even if it is deployed: it is stopped everywhere.")
@pass_session
def remove_(session: Session, service: str, force: bool) -> None:
    """Remove a service that is deployed nowhere."""

    def check(found: Service) -> None:
        if found.machines:
            raise StillDeployed(service=service, machines=", ".join(found.machines))

    session.run(lambda cluster: cluster.remove(service, None if force else check))
    session.say(f"Removed {service}.", service=service)
