"""Those who come to an agent's door: with OpenSSL as Python's own library has it, or without."""

import contextlib
import shutil
import socket
import ssl
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread

T = TypeVar("T")
LONGEST = 20.0
"""Seconds that a test waits for an answer."""


def context(certificate: bytes | None, *, newest: bool = True) -> ssl.SSLContext:
    """What somebody comes with, who does not mind whom they talk to.

    @param certificate: key and certificate as PEM; L{None} for none.
    @param newest: whether they can speak TLS 1.3.
    """
    found = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    found.check_hostname = False
    found.verify_mode = ssl.CERT_NONE
    if not newest:
        found.maximum_version = ssl.TLSVersion.TLSv1_2
    if certificate:
        directory = Path(tempfile.mkdtemp(prefix="pop-intruder-"))
        try:
            (directory / "pem").write_bytes(certificate)
            found.load_cert_chain(directory / "pem")
        finally:
            shutil.rmtree(directory)
    return found


def in_thread(work: Callable[..., T], *arguments: object) -> Deferred[T]:
    """Do what blocks while the reactor serves."""
    return deferToThread(work, *arguments)


@contextlib.contextmanager
def connected(port: int) -> Iterator[socket.socket]:
    """A connection in clear text."""
    with socket.create_connection(("127.0.0.1", port), timeout=LONGEST) as connection:
        yield connection


def answer(port: int, come: ssl.SSLContext, said: bytes) -> bytes:
    """What is answered to somebody who says this; nothing, if they are not let in."""
    with connected(port) as raw:
        try:
            with come.wrap_socket(raw, server_hostname="agent") as connection:
                connection.sendall(said)
                return connection.recv(100_000)
        except (ssl.SSLError, ConnectionError):
            return b""


def said_in_clear(port: int, said: bytes) -> bytes:
    """What is answered to somebody who does not bother with TLS, until the connection ends."""
    with connected(port) as connection:
        answered = b""
        with contextlib.suppress(ConnectionError):
            connection.sendall(said)
            while piece := connection.recv(100_000):
                answered += piece
        return answered
