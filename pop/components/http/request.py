"""What a servlet is asked."""

from typing import IO, Any
from urllib.parse import parse_qs

from pop.components.http.inbound import Inbound
from pop.components.http.paths import below
from pop.components.http.servlets import Binding

__all__ = ["HTTPServletRequest"]


class HTTPServletRequest:
    """One request, all of which has arrived."""

    def __init__(self, inbound: Inbound, path: str, binding: Binding) -> None:
        self._inbound = inbound
        self._path = path
        self._binding = binding

    def get_command(self) -> str:
        """The method: C{GET}, C{POST} and so on."""
        command: str = self._inbound.method.decode("ascii")
        return command

    def get_path(self) -> str:
        """The path, decoded, in its shortest form: no step of it is C{..}, is empty, or has a
        slash. All else is as it was sent."""
        return self._path

    def get_prefix_path(self) -> str:
        """The part of it that the servlet was registered with."""
        return self._binding.path

    def get_sub_path(self) -> str:
        """What follows; it begins with a slash."""
        return below(self._path, self._binding.path)

    def get_parameters(self) -> dict[str, Any]:
        """What the servlet was registered with."""
        return dict(self._binding.parameters)

    def get_query(self) -> dict[str, list[str]]:
        """What follows the question mark: the values of each name, empty ones included."""
        query: bytes = self._inbound.uri.partition(b"?")[2]
        return parse_qs(query.decode(errors="replace"), keep_blank_values=True)

    def get_header(self, name: str, default: Any = None) -> Any:
        """A header; several of one name, with commas between them."""
        found = self._inbound.requestHeaders.getRawHeaders(name.encode())
        return default if found is None else b", ".join(found).decode("latin-1")

    def get_headers(self) -> dict[str, str]:
        """All of them, by their names in lower case."""
        known = self._inbound.requestHeaders.getAllRawHeaders()
        return {
            name.decode("latin-1").lower(): b", ".join(values).decode("latin-1")
            for name, values in known
        }

    def get_client_address(self) -> tuple[str, int]:
        """Where it comes from: an address and a port, which are empty and 0 on a UNIX socket."""
        peer = self._inbound.getClientAddress()
        return getattr(peer, "host", ""), getattr(peer, "port", 0)

    def get_user(self) -> str | None:
        """The name of whoever asks; L{None} if this server lets anybody ask."""
        return self._inbound.asker

    def is_secure(self) -> bool:
        """Whether it came by TLS."""
        return bool(self._inbound.isSecure())

    def get_rfile(self) -> IO[bytes]:
        """The body, to be read from its beginning."""
        body: IO[bytes] = self._inbound.content
        return body

    def read_data(self) -> bytes:
        """The body, or what is left of it."""
        return self.get_rfile().read()
