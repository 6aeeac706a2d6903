"""One web server of a component framework, in a process of its own, and what it does a second.

C{python websites.py pop|ipopo} listens, prints its port, and goes on until it is killed.
"""

from __future__ import annotations

import importlib
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Any

import psutil

FACTORY = "pelix.http.service.basic.factory"
GIVEN = {"pelix.http.address": "127.0.0.1", "pelix.http.port": 0}
SEVERAL = 4
"""Connections; iPOPO's server lets no more than five wait."""
REQUEST = b"GET /hello HTTP/1.1\r\nHost: localhost\r\nAccept: text/plain\r\n%s\r\n"
BUNDLES = {
    "pop": ("pop.components", "pop.components.ipopo", "pop.components.http.basic"),
    "ipopo": ("pelix.framework", "pelix.ipopo.core", "pelix.http.basic"),
}


class Hello:
    """The servlet."""

    def do_GET(self, request: Any, response: Any) -> None:
        """A short answer."""
        response.send_content(200, "Hello, world!", "text/plain")


def start(party: str, **options: Any) -> int:
    """A framework with a server; its port."""
    name, *bundles = BUNDLES[party]
    framework = importlib.import_module(name).create_framework(bundles, **options)
    framework.start()
    context = framework.get_bundle_context()
    context.register_service("pelix.http.servlet", Hello(), {"pelix.http.path": "/hello"})
    ipopo = context.get_service(context.get_service_reference("pelix.ipopo.core"))
    ipopo.instantiate(FACTORY, "web", GIVEN)
    port: int = ipopo.get_instance_details("web")["properties"]["pelix.http.port"]
    return port


def serve(party: str) -> None:
    """Until it is killed."""
    if party == "ipopo":
        print(start(party), flush=True)
        threading.Event().wait()  # others than this one work
    reactor: Any = importlib.import_module("twisted.internet.reactor")
    print(start(party, clock=reactor), flush=True)
    reactor.run()


@contextmanager
def server(party: str) -> Iterator[tuple[int, psutil.Process]]:
    """A server of that kind; its port and its process."""
    command = [sys.executable, __file__, party]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout
        try:
            yield int(process.stdout.readline()), psutil.Process(process.pid)
        finally:
            process.kill()


class Client:
    """A client that keeps its connection, if it may."""

    def __init__(self, port: int, keep: bool) -> None:
        self.port = port
        self.request = REQUEST % (b"" if keep else b"Connection: close\r\n")
        self.socket: socket.socket | None = None

    def send(self) -> None:
        """Ask once."""
        if self.socket is None:
            self.socket = socket.create_connection(("127.0.0.1", self.port))
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(self.request)

    def receive(self) -> None:
        """Read the whole answer, and close the connection if the server does so."""
        assert self.socket is not None
        said = b""
        while not said.endswith(b"Hello, world!"):
            more = self.socket.recv(65536)
            assert more, said
            said += more
        assert b" 200 " in said, said
        if said.startswith(b"HTTP/1.0") or b"onnection: close" in said:
            self.close()

    def close(self) -> None:
        """Done."""
        if self.socket is not None:
            self.socket.close()
            self.socket = None


def websites(party: str, size: int) -> dict[str, float]:
    """So many requests: each on a new connection, on one that is kept, and on four at once, where
    the server keeps them: iPOPO's, which answers with HTTP/1.0, keeps none of them; by the
    clock, and by what they cost the server, which others on the machine change less."""
    numbers = {}
    with server(party) as (port, process):
        for title, clients in {
            "new connections": [Client(port, keep=False)],
            "kept, where the server keeps it": [Client(port, keep=True)],
            "four kept, where it keeps them": [Client(port, keep=True) for _ in range(SEVERAL)],
        }.items():
            ask(clients, 50)
            before, began = process.cpu_times(), perf_counter()
            ask(clients, size)
            numbers[f"{title}/s"] = size / (perf_counter() - began)
            after = process.cpu_times()
            cost = after.user + after.system - before.user - before.system
            numbers[f"{title}, CPU only/s"] = size / cost
            for client in clients:
                client.close()
    return numbers


def ask(clients: list[Client], times: int) -> None:
    """So many requests in all, one of each client at once."""
    for _ in range(times // len(clients)):
        for client in clients:
            client.send()
        for client in clients:
            client.receive()


if __name__ == "__main__":
    serve(sys.argv[1])
