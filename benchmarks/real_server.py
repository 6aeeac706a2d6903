"""The server that is measured with: one of our own with room to work in, or one that is named."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

import psutil
from kazoo.client import KazooClient
from kazoo.handlers.threading import KazooTimeoutError
from workloads import PAYLOAD

from txzookeeper.hosts import parse_hosts
from txzookeeper.testing import HOW_TO_GET_ONE, DidNotStart, RealServer, available
from txzookeeper.testing.apache import ApacheProcess

#: The tests' servers start quickly with a small heap and a simple compiler; this one works long.
OPTIONS: Final = ("-Xms2g", "-Xmx2g", "-XX:TieredStopAtLevel=4")

#: A documented setting: the selector's thread does the input and output by itself, instead of
#: handing every packet to others. On few processors this takes a third of the time for a request.
FEW_THREADS: Final = "-Dzookeeper.nio.numWorkerThreads=0"

#: Sessions of 4 to 40 seconds; no snapshot is written while somebody is measured.
SETTINGS: Final = {"tickTime": "2000", "preAllocSize": "65536", "snapCount": "100000000"}


@contextmanager
def own_server(
    settings: Mapping[str, str] = SETTINGS, options: Sequence[str] = ()
) -> Iterator[RealServer]:
    """Run a ZooKeeper of our own; exits with a sentence where there is none."""
    if not available():
        raise SystemExit(f"benchmark: {HOW_TO_GET_ONE}")
    server = RealServer()
    server.process = ApacheProcess(server.directory, server.port, settings, [*OPTIONS, *options])
    try:
        with server:
            yield server
    except DidNotStart as error:
        raise SystemExit(f"benchmark: ZooKeeper did not start:\n{error}") from error


def address(servers: str) -> tuple[str, int]:
    """Give host and port of the first of the servers."""
    try:
        return parse_hosts(servers).hosts[0]
    except ValueError as error:
        raise SystemExit(f"benchmark: {error}") from error


def monitored(servers: str) -> dict[str, str]:
    """Give what the server says of itself (``mntr``); nothing if it does not answer to that."""
    try:
        with socket.create_connection(address(servers), timeout=10) as connection:
            connection.sendall(b"mntr")
            answer = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
    except OSError:
        return {}
    pairs = (line.split("\t", 1) for line in answer.splitlines() if "\t" in line)
    return {key: value for key, value in pairs}


def watch_count(servers: str) -> int | None:
    """Give how many watches the server holds, for whomever; None if it does not say."""
    said = monitored(servers).get("zk_watch_count")
    return None if said is None else int(said)


def processor_time() -> float:
    """Give the CPU seconds of the ZooKeeper that our parent runs; 0 if it runs none."""
    siblings = psutil.Process(os.getppid()).children()
    times = [each.cpu_times() for each in siblings if each.name() == "java"]
    return float(sum(each.user + each.system for each in times))


def cut_connections(servers: str) -> None:
    """Shut all sockets of this process that lead to the server, below any client."""
    port = address(servers)[1]
    for found in psutil.Process().net_connections("tcp"):
        if found.raddr and found.raddr.port == port and found.status == psutil.CONN_ESTABLISHED:
            with socket.socket(fileno=os.dup(found.fd)) as ours:
                ours.shutdown(socket.SHUT_RDWR)


@contextmanager
def planted(
    servers: str, root: str, parties: Iterable[str], watched: int, tidy: bool
) -> Iterator[None]:
    """Make the nodes that are read, written and watched; remove them afterwards if ``tidy``.

    For each party: ``n``, one node; ``c``, under which it creates; ``w``, with a node for each of
    the changes in flight; ``r``, with a node for each of the watches.
    """
    with _foreign_client(servers) as client:
        client.create(root)
        for party in set(parties):
            client.create(f"{root}/{party}")
            for name in "nc":
                client.create(f"{root}/{party}/{name}", PAYLOAD)
            _fill(client, f"{root}/{party}/w", 1000)
            _fill(client, f"{root}/{party}/r", watched)
    try:
        yield
    finally:
        if tidy:
            with _foreign_client(servers) as client:
                client.delete(root, recursive=True)


@contextmanager
def _foreign_client(servers: str) -> Iterator[KazooClient]:
    """Give a client that is there only while nothing is measured."""
    address(servers)
    logging.getLogger("kazoo").setLevel(logging.CRITICAL)
    client = KazooClient(servers, timeout=30)
    try:
        client.start(timeout=10)
    except KazooTimeoutError as error:
        raise SystemExit(f"benchmark: no ZooKeeper answers at {servers}: {error}") from error
    try:
        yield client
    finally:
        client.stop()
        client.close()


def _fill(client: KazooClient, path: str, count: int) -> None:
    client.create(path)
    for start in range(0, count, 1000):
        names = [f"{path}/{i:07}" for i in range(start, min(start + 1000, count))]
        for pending in [client.create_async(name, PAYLOAD) for name in names]:
            pending.get()
