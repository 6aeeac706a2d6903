"""What every way into pop is told: which ZooKeeper, which namespace, which machine, which files."""

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Any

from pop.address import Address, address
from pop.errors import BadIdentity, BadIdentityFile, BadServers, BadTimeout, NoIdentity
from pop.frozen import frozen
from pop.machine import machine_id
from pop.paths import Paths, check_name
from pop.statedir import StateDirectory, default_directory
from txzookeeper import ManagedClient
from txzookeeper.hosts import parse_hosts

DEFAULT_HOST = "localhost"
DEFAULT_PORT = 2181
DEFAULT_SESSION = 30.0
"""Seconds. An idle agent wakes up twice in a third of it, and a machine that is gone is seen to be
so after all of it. Servers grant 40 unless told otherwise."""
LONGEST_SESSION = 86400.0


@frozen
class Configuration:
    """The options that agents and administrators have in common.

    @ivar servers: C{HOST:PORT[,HOST:PORT...][/chroot]}.
    @ivar identity: C{USER:PASSWORD}; L{None} to be nobody.
    @ivar machine: this machine's id.
    @ivar session_timeout: seconds.
    @ivar admin: where its agent can be administered from other machines, if it can.
    """

    servers: str
    paths: Paths
    state_dir: StateDirectory
    machine: str
    identity: str | None = field(default=None, repr=False)
    session_timeout: float = DEFAULT_SESSION
    admin: Address | None = None

    def check_agent(self) -> None:
        """Make sure that an agent can do what it is told.

        @raise NoIdentity: it is to be administered from elsewhere, and has nothing to prove.
        """
        if self.admin and not self.identity:
            raise NoIdentity()

    def client(self, reactor: Any) -> ManagedClient:
        """A client, not yet connected."""
        client = ManagedClient(
            self.servers, session_timeout=int(self.session_timeout * 1000), reactor=reactor
        )
        if self.identity:
            client.add_auth("digest", self.identity).addErrback(lambda _: None)
        return client


def configure(options: Mapping[str, Any], environment: Mapping[str, str]) -> Configuration:
    """A configuration from options, where given, else from the environment, else the defaults.

    @param options: C{zookeeper}, C{host}, C{port}, C{path_prefix}, C{machine_id}, C{state_dir},
        C{session_timeout}, C{admin}, C{admin_identity}, C{admin_identity_file}; L{None} where not
        given.
    @raise PopError: one makes no sense.
    """

    def option(name: str) -> Any:
        given = options.get(name)
        return environment.get(f"POP_{name.upper()}") or None if given is None else given

    state_dir = StateDirectory(Path(option("state_dir") or default_directory()))
    machine = option("machine_id") or machine_id(state_dir.machine_id)
    return Configuration(
        servers=_servers(option("zookeeper"), options.get("host"), options.get("port")),
        paths=Paths("/" if option("path_prefix") is None else option("path_prefix")),
        state_dir=state_dir,
        machine=check_name("machine", machine),
        identity=_identity(options.get("admin_identity"), options.get("admin_identity_file"))
        or _identity(
            environment.get("POP_ADMIN_IDENTITY") or None,
            environment.get("POP_ADMIN_IDENTITY_FILE") or None,
        ),
        session_timeout=_seconds(option("session_timeout")),
        admin=address(option("admin")) if option("admin") else None,
    )


def _servers(zookeeper: str | None, host: str | None, port: int | str | None) -> str:
    if host is not None or port is not None:
        name = host or DEFAULT_HOST
        bracketed = f"[{name}]" if ":" in name and not name.startswith("[") else name
        zookeeper = f"{bracketed}:{port or DEFAULT_PORT}"
    servers = f"{DEFAULT_HOST}:{DEFAULT_PORT}" if zookeeper is None else zookeeper
    try:
        parse_hosts(servers)
    except ValueError as error:
        raise BadServers(reason=str(error).rstrip(".")) from error
    return servers


def _identity(identity: str | None, file: str | None) -> str | None:
    if identity is None and file is not None:
        try:
            identity = Path(file).read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise BadIdentityFile(path=file, reason=reason) from error
    if identity is None:
        return None
    user, colon, password = identity.partition(":")
    if not (user and colon and password):
        raise BadIdentity()
    return identity


def _seconds(given: float | str | None) -> float:
    if given is None:
        return DEFAULT_SESSION
    try:
        seconds = float(given)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= LONGEST_SESSION:
        raise BadTimeout(given=given, longest=LONGEST_SESSION)
    return seconds
