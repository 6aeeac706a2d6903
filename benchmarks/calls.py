"""Calls from one framework to another, each in a process of its own, on one machine.

C{python calls.py pop|ipopo SIZE} prints a JSON object of numbers, and begins the process that is
called. iPOPO speaks JSON-RPC over HTTP, from one thread and from eight; pop over a UNIX
socket, one call after the other and a hundred at a time.
"""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import perf_counter
from typing import Any

SPEC = "bench.echo"
THREADS = 8
AT_ONCE = 100
Numbers = dict[str, float]


class Echo:
    """What is called."""

    def echo(self, text: str) -> str:
        """Give it back."""
        return text


def calls(party: str, size: int) -> Numbers:
    """So many calls, one after the other and many at a time; a second figure is the slowest 1 %."""
    with tempfile.TemporaryDirectory() as place:
        command = [sys.executable, __file__, "serve", party, place]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            try:
                assert server.stdout is not None
                described = json.loads(server.stdout.readline())
                return CALLERS[party](described, place, size)
            finally:
                server.kill()


def rates(size: int, each: list[float], at_once: float) -> Numbers:
    """What the figures are called."""
    return {
        "one by one/s": size / sum(each),
        "slowest 1 %": sorted(each)[int(size * 0.99)],
        "many at a time/s": size / at_once,
    }


# iPOPO


def _ipopo(*bundles: str) -> tuple[Any, Any]:
    main: Any = importlib.import_module("pelix.framework")
    names = ("pelix.ipopo.core", "pelix.remote.registry", "pelix.remote.json_rpc", *bundles)
    framework = main.create_framework(names)
    framework.start()
    context = framework.get_bundle_context()
    return context, context.get_service(context.get_service_reference("pelix.ipopo.core"))


def serve_ipopo(place: str) -> None:
    """Export, say how to get there, and answer."""
    context, ipopo = _ipopo("pelix.http.basic", "pelix.remote.dispatcher")
    given = {"pelix.http.address": "127.0.0.1", "pelix.http.port": 0}
    ipopo.instantiate("pelix.http.service.basic.factory", "http", given)
    ipopo.instantiate("pelix-jsonrpc-exporter-factory", "exporter", {})
    context.register_service(SPEC, Echo(), {"service.exported.interfaces": "*"})
    find = context.get_service_reference("pelix.remote.dispatcher")
    [endpoint] = context.get_service(find).get_endpoints()
    said = {
        "uid": endpoint.uid,
        "framework": endpoint.framework,
        "configurations": endpoint.configurations,
        "name": endpoint.name,
        "specifications": endpoint.specifications,
        "properties": endpoint.make_import_properties(),
    }
    print(json.dumps(said), flush=True)
    context.get_framework().wait_for_stop()


def call_ipopo(described: dict[str, Any], place: str, size: int) -> Numbers:
    """Import, and call."""
    context, ipopo = _ipopo()
    ipopo.instantiate("pelix-jsonrpc-importer-factory", "importer", {})
    beans: Any = importlib.import_module("pelix.remote.beans")
    endpoint = beans.ImportEndpoint(**described)
    endpoint.server = "127.0.0.1"
    registry = context.get_service(context.get_service_reference("pelix.remote.registry"))
    registry.add(endpoint)
    far = context.get_service(context.get_service_reference(SPEC))

    def echo(text: str) -> Any:
        return far.echo(text)  # one that is kept cannot be used by several threads

    for _ in range(20):
        assert echo("x") == "x"
    each = []
    for _ in range(size):
        began = perf_counter()
        echo("hello")
        each.append(perf_counter() - began)
    with ThreadPoolExecutor(THREADS) as pool:
        began = perf_counter()
        list(pool.map(echo, ["hello"] * size))
        at_once = perf_counter() - began
    return rates(size, each, at_once)


# pop


def _pop(properties: dict[str, Any], *bundles: str) -> tuple[Any, Any]:
    from twisted.internet import reactor

    from pop.components import create_framework

    names = ("core", "transport", *bundles)
    framework = create_framework(
        ["pop.components.ipopo", *(f"pop.components.remote.{name}" for name in names)],
        properties,
        clock=reactor,
    )
    framework.start()
    return framework, reactor


def serve_pop(place: str) -> None:
    """Export, say that it is done, and answer."""
    framework, reactor = _pop({"pop.remote.listen": f"unix:{place}/socket"})
    given = {"service.exported.interfaces": "*"}
    framework.get_bundle_context().register_service(SPEC, Echo(), given)
    reactor.callWhenRunning(print, "{}", flush=True)
    reactor.run()


def call_pop(described: dict[str, Any], place: str, size: int) -> Numbers:
    """Find it, and call."""
    from twisted.internet.defer import Deferred, DeferredSemaphore

    framework, reactor = _pop({"pop.remote.peers": f"unix:{place}/socket"}, "discovery")
    found: list[Numbers] = []

    async def measure(echo: Callable[[str], Deferred[str]]) -> None:
        for _ in range(20):
            assert await echo("x") == "x"
        each = []
        for _ in range(size):
            began = perf_counter()
            await echo("hello")
            each.append(perf_counter() - began)
        room, left = DeferredSemaphore(AT_ONCE), Deferred[None]()
        done = 0

        def ended(text: str) -> str:
            nonlocal done
            done += 1
            if done == size:
                left.callback(None)
            return text

        began = perf_counter()
        for _ in range(size):
            room.run(echo, "hello").addCallback(ended)
        await left
        found.append(rates(size, each, perf_counter() - began))

    def came(event: Any) -> None:
        if found or event.kind is not event.REGISTERED:
            return
        echo = framework.get_bundle_context().get_service(event.reference).echo
        # An error is printed, and the figures missing.
        measuring = Deferred.fromCoroutine(measure(echo))
        measuring.addErrback(lambda failure: failure.printTraceback())
        measuring.addBoth(lambda _: reactor.stop())

    framework.get_bundle_context().add_service_listener(came, None, SPEC)
    reactor.run()
    return found[0]


CALLERS = {"ipopo": call_ipopo, "pop": call_pop}
SERVERS = {"ipopo": serve_ipopo, "pop": serve_pop}


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        sys.path.insert(0, str(Path(__file__).resolve().parent))
        SERVERS[sys.argv[2]](sys.argv[3])
    else:
        print(json.dumps(calls(sys.argv[1], int(sys.argv[2]))))
