"""What the properties of a server say."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from twisted.internet.endpoints import quoteStringArgument

from pop.components.description import Description
from pop.components.http import (
    HTTP_AUTH,
    HTTP_CASE_SENSITIVE_PATHS,
    HTTP_DEBUG_ERRORS,
    HTTP_ENDPOINT,
    HTTP_MAX_BODY_SIZE,
    HTTP_MAX_CONNECTIONS,
    HTTP_SERVICE_ADDRESS,
    HTTP_SERVICE_PORT,
    HTTP_SOCKET_TIMEOUT,
    HTTP_USES_SSL,
    HTTPS_CERT_FILE,
    HTTPS_KEY_FILE,
)
from pop.components.http.errors import BadSetting

_WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False, "": False}


class Settings(NamedTuple):
    """How a server listens and what it bears, read from what may be texts.

    @ivar endpoint: where it listens, as Twisted describes endpoints.
    @ivar limit: bytes of a request's body; 0 for any.
    @ivar timeout: seconds.
    @ivar most: connections at a time; 0 for any.
    @ivar auth: who knows names and passwords; the empty text if nobody is asked for them.
    """

    endpoint: str
    debug: bool
    limit: int
    timeout: float
    case_sensitive: bool
    most: int
    auth: str

    @property
    def secure(self) -> bool:
        """Whether requests come by TLS."""
        return self.endpoint.removeprefix("haproxy:").partition(":")[0] in ("ssl", "tls")

    @property
    def public(self) -> bool:
        """Whether others could read what people send."""
        said = Description(self.endpoint)
        return not (self.secure or said.kind == "unix" or said.listens_here())


def read_settings(server: str, properties: Mapping[str, Any]) -> Settings:
    """Read a server's properties.

    @raise BadSetting: one of them makes no sense.
    """
    given = _Given(server, properties)
    settings = Settings(
        given.endpoint(),
        given.truth(HTTP_DEBUG_ERRORS),
        given.whole(HTTP_MAX_BODY_SIZE),
        given.number(HTTP_SOCKET_TIMEOUT),
        given.truth(HTTP_CASE_SENSITIVE_PATHS),
        given.whole(HTTP_MAX_CONNECTIONS),
        given.text(HTTP_AUTH),
    )
    if given.truth(HTTP_USES_SSL) and not settings.secure:
        missing = f"{HTTPS_CERT_FILE} and {HTTPS_KEY_FILE}, or an {HTTP_ENDPOINT} with ssl:"
        raise given.refused(HTTP_USES_SSL, f"that needs {missing}")
    return settings


class _Given:
    """The properties of one server."""

    def __init__(self, server: str, properties: Mapping[str, Any]) -> None:
        self.server = server
        self.properties = properties

    def text(self, name: str) -> str:
        value = self.properties.get(name)
        return "" if value is None else str(value).strip()

    def refused(self, name: str, reason: str) -> BadSetting:
        value = self.properties.get(name)
        return BadSetting(name=name, server=self.server, value=value, reason=reason)

    def truth(self, name: str) -> bool:
        if (value := _WORDS.get(self.text(name).lower())) is None:
            raise self.refused(name, "it should be true or false")
        return value

    def number(self, name: str) -> float:
        try:
            value = float(self.text(name))
        except ValueError as error:
            raise self.refused(name, "it should be a number") from error
        if not 0 <= value < float("inf"):
            raise self.refused(name, "it should be a number that is not negative")
        return value

    def whole(self, name: str) -> int:
        """One that is cut off might be 0, which is any number."""
        if (value := self.number(name)) % 1:
            raise self.refused(name, "it should be a whole number")
        return int(value)

    def endpoint(self) -> str:
        """What is said, or else made of an address and a port."""
        if said := self.text(HTTP_ENDPOINT):
            return said
        port, address = self.text(HTTP_SERVICE_PORT), self.text(HTTP_SERVICE_ADDRESS) or "0.0.0.0"
        if not (port.isascii() and port.isdigit() and int(port) < 65536):
            raise self.refused(
                HTTP_SERVICE_PORT, "it should be a port from 1 to 65535, or 0 for any"
            )
        interface = quoteStringArgument(address)
        certificate, key = self.text(HTTPS_CERT_FILE), self.text(HTTPS_KEY_FILE)
        if not certificate and not key:
            return f"tcp:{port}:interface={interface}"
        if not certificate or not key:
            missing = HTTPS_KEY_FILE if certificate else HTTPS_CERT_FILE
            raise self.refused(missing, "a certificate needs its key, and a key its certificate")
        files = f"certKey={quoteStringArgument(certificate)}:privateKey={quoteStringArgument(key)}"
        return f"ssl:{port}:interface={interface}:{files}"
