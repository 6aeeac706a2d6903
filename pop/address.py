"""Where an agent can be administered from other machines: C{tls:PORT}, and more if need be."""

import re

from pop.errors import BadAdmin
from pop.frozen import frozen
from pop.listening import listening

_TLS = re.compile(r"tls:(\d+)(?::interface=(.+?))?(?::host=([^:\s]+|\[[^\]\s]+\]))?")
_ANY = frozenset({"0.0.0.0", "::"})


@frozen
class Address:
    """One address.

    @ivar listening: the same, in the notation of L{pop.listening}.
    @ivar interface: the IP address at which it listens, one or all of this machine's.
    @ivar host: by which others reach it, if that was said.
    """

    listening: str
    port: int
    interface: str
    host: str = ""

    def hosts(self, name: str, addresses: tuple[str, ...]) -> list[str]:
        """Where others look for it, one after the other.

        @param name, addresses: of this machine.
        """
        if self.host:
            return [self.host]
        if self.interface not in _ANY:
            return [self.interface]
        reached = [each for each in addresses if (":" in each) == (":" in self.interface)]
        return [name, *reached]


def address(text: str) -> Address:
    """Read one.

    @raise BadAdmin: it is none.
    """
    found = _TLS.fullmatch(text)
    if not found:
        raise BadAdmin(given=text, reason="it does not begin with tls:PORT")
    port, interface, host = found.groups()
    at = f"tcp:{port}" + (f":interface={interface}" if interface else "")
    try:
        read = listening(at)
    except ValueError as error:
        raise BadAdmin(given=text, reason=str(error)) from error
    return Address(at, read.port, read.host, (host or "").strip("[]"))
