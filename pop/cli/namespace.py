"""C{pop init}, C{pop dump}, C{pop load}."""

import sys
from pathlib import Path

import click

from pop.cli.session import Session, pass_session
from pop.cluster import Cluster
from pop.documents import from_text, to_document, to_yaml
from pop.errors import BadFile, NoSuchType, PopError
from pop.model import Contents
from pop.namespace import contents, init, load


@click.command("init")
@click.option("--force", is_flag=True, help="Remove what is there: all services and machines.")
@click.option(
    "--admin-identity",
    metavar="USER:PASSWORD",
    help="Protect the namespace: only who knows it can read or change it.",
)
@click.pass_context
def init_(ctx: click.Context, force: bool, admin_identity: str | None) -> None:
    """Make the namespace that all other commands work in."""
    session = ctx.ensure_object(Session)
    if admin_identity:
        session.options = {**session.options, "admin_identity": admin_identity}
    identity = session.configuration.identity
    authority = _authority(identity) if identity else None
    before = session.run(
        lambda cluster: init(cluster, force=force, identity=identity, authority=authority)
    )
    removed = [service.name for service in before.services]
    gone = [machine.id for machine in before.machines]
    if (removed or gone) and not session.json:
        click.echo(f"Removed {_count(removed, 'service')} and {_count(gone, 'machine')}.")
    session.say(
        f"Made the namespace {session.configuration.paths.root}"
        + (", protected by the admin identity." if identity else "."),
        path=session.configuration.paths.root,
        removed={"services": removed, "machines": gone},
    )


def _authority(identity: str) -> bytes:
    """One for a namespace that only who has the identity can open."""
    from time import time  # noqa: TID251  # the root, where clocks come from

    from pop.authority import Authority  # only here, for it takes OpenSSL in

    return Authority.make(time()).seal(identity)


def _count(names: list[str], noun: str) -> str:
    plural = "" if len(names) == 1 else "s"
    listed = f" ({', '.join(names)})" if names else ""
    return f"{len(names)} {noun}{plural}{listed}"


@click.command("dump")
@click.option("--format", type=click.Choice(["yaml", "json"]), help="[default: yaml]")
@pass_session
def dump_(session: Session, format: str | None) -> None:
    """Write all services and machines out, as "pop load" reads them."""
    found = session.run(contents)
    for sentence in found.broken:
        session.note(f"Left out: {sentence}")
    document = to_document(found)
    if format == "json" or (session.json and format is None):
        session.print_json(document)
    else:
        click.echo(to_yaml(document), nl=False)


@click.command("load")
@click.argument("file", metavar="FILE")
@click.option("--force", is_flag=True, help="Take service types that are not here on trust.")
@pass_session
def load_(session: Session, file: str, force: bool) -> None:
    """Make services and machines as FILE says, all or none; - reads standard input.

    Services that are there already are changed; those that the file does not name stay.
    """
    wanted = from_text(file, _read(file))
    for service in wanted.services:
        try:
            session.catalogue.launch(service, session.configuration.machine)
        except NoSuchType as error:
            if not force:
                raise BadFile(path=file, reason=str(error).rstrip(".")) from error
        except PopError as error:
            reason = f'service "{service.name}": {str(error).rstrip(".")}'
            raise BadFile(path=file, reason=reason) from error

    async def put(cluster: Cluster) -> Contents:
        await load(cluster, wanted)
        return wanted

    session.run(put)
    services = [service.name for service in wanted.services]
    machines = [machine.id for machine in wanted.machines]
    session.say(
        f"Loaded {_count(services, 'service')} and {_count(machines, 'machine')}.",
        services=services,
        machines=machines,
    )


def _read(file: str) -> str:
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise BadFile(path=file, reason=reason) from error
