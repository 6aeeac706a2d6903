"""A real ZooKeeper that speaks TLS beside plain text, and knows its clients by certificates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from txzookeeper.testing.apache import available
from txzookeeper.testing.certificates import Authority
from txzookeeper.testing.process import free_ports
from txzookeeper.testing.real import RealServer

NETTY: Final = tuple(
    f"/usr/share/java/netty-{part}.jar"
    for part in ("codec", "resolver", "transport-native-unix-common")
)
"""What Debian's ZooKeeper needs for TLS beside what it names itself."""

_TLS: Final = {
    "serverCnxnFactory": "org.apache.zookeeper.server.NettyServerCnxnFactory",
    "ssl.authProvider": "x509",
    "authProvider.x509": "org.apache.zookeeper.server.auth.X509AuthenticationProvider",
    "ssl.keyStore.type": "PEM",
    "ssl.trustStore.type": "PEM",
}


def secure_available() -> bool:
    """Whether the installed ZooKeeper can speak TLS."""
    return available() and all(Path(jar).exists() for jar in NETTY)


class SecureServer(RealServer):
    """A `RealServer` with a second port for TLS.

    Its certificate comes from ``authority``, for ``hosts``; it wants its clients' certificates to
    come from there too. ``client_auth`` says what if one shows none: ``need`` refuses it, ``want``
    and ``none`` do not.
    """

    def __init__(
        self,
        authority: Authority,
        *,
        hosts: Iterable[str] = ("127.0.0.1", "localhost"),
        client_auth: str = "none",
        settings: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(settings, NETTY)
        [self.secure_port] = free_ports(1)
        self.process.settings |= {
            **_TLS,
            "secureClientPort": str(self.secure_port),
            "secureClientPortAddress": "127.0.0.1",
            "ssl.clientAuth": client_auth,
            "ssl.keyStore.location": self._keep("server.pem", authority.issue("server", hosts)),
            "ssl.trustStore.location": self._keep("authority.pem", authority.certificate),
        }

    @property
    def secure_servers(self) -> str:
        """Where it listens for TLS, as a client's ``servers`` argument."""
        return f"127.0.0.1:{self.secure_port}"

    def _keep(self, name: str, content: bytes) -> str:
        path = self.directory / name
        path.write_bytes(content)
        return str(path)
