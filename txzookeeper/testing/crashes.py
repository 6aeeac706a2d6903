"""Kill the embedded server at random instants, and see whether it keeps its word.

Usage: ``python -m txzookeeper.testing.crashes [--rounds N] [--seed N]``.

In each round clients of this process write as fast as they are answered: sequence nodes made and
deleted, one number set in a node and another one in three nodes by transactions, which others
read and watch, and ephemeral nodes of a session that then falls silent. The server is killed in
the middle of it, sometimes again while it starts, and started on its data. Then all that was
acknowledged, read or told must be there, nothing that was never asked for, no transaction by
half, no sequence number a second time; the session that writes goes on with its ephemeral node,
and the nodes of the silent ones go in their time.

The exit status is 1 if the server broke its word.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine
from random import Random
from typing import Any, Final

from twisted.internet.defer import Deferred, TimeoutError, gatherResults
from twisted.internet.task import deferLater, react

from txzookeeper.client import ZookeeperClient
from txzookeeper.constants import EPHEMERAL, SEQUENCE
from txzookeeper.errors import ZooKeeperException
from txzookeeper.retry import retry
from txzookeeper.testing.embedded import EmbeddedProcess
from txzookeeper.testing.witness import Counter, Sequence, WordBroken

TICK: Final = 100
_THREE: Final = ("/a", "/b", "/c")
_WRITERS: Final = 8
_LONG: Final = 20 * TICK
_SHORT: Final = 2 * TICK
_PATIENCE: Final = 30.0


class Crashes:
    """A server, its clients, and what they know."""

    def __init__(self, reactor: Any, server: EmbeddedProcess, chance: Random) -> None:
        self.written = 0
        self._reactor = reactor
        self._server = server
        self._chance = chance
        self._sequence = Sequence()
        self._number = Counter()
        self._three = Counter()
        self._client = self._new_client(_LONG)
        self._reader = self._new_client(_LONG)
        self._writing = False

    async def begin(self) -> None:
        """Start the server, and make what is written to."""
        self._server.launch()
        await self._client.connect()
        await self._reader.connect()
        for path in ("/seq", "/number", "/silent", *_THREE):
            await self._client.create(path, b"0")
        await self._client.create("/mine", flags=EPHEMERAL)

    async def round(self) -> None:
        """Write, kill in the middle of it, and compare."""
        self._writing = True
        deeds = [self._write_sequence] * _WRITERS
        deeds += [self._write_number, self._write_three, self._read]
        coroutines = [*map(self._repeat, deeds), self._fall_silent()]
        work = [Deferred.fromCoroutine(each) for each in coroutines]
        await self._sleep(self._chance.uniform(0.0, 0.25))
        self._writing = False
        self._server.kill()
        self._server.launch()
        while self._chance.random() < 0.15:
            await self._sleep(self._chance.uniform(0.0, 0.5))
            self._server.kill()
            self._server.launch()
        await gatherResults(work)
        # Nobody may have noticed yet that a server was killed which had no work.
        await retry(self._client, self._compare)

    async def end(self) -> None:
        """Close all clients, and stop the server."""
        for client in (self._reader, self._client):
            await client.close()
        self._server.stop()

    async def _repeat(self, deed: Callable[[], Awaitable[None]]) -> None:
        """Do something again and again, until the server is killed."""
        while self._writing:
            try:
                await deed()
            except ZooKeeperException:
                return
            self.written += 1

    async def _write_sequence(self) -> None:
        data = f"{self._chance.getrandbits(64):x}"
        self._sequence.begin(data)
        path = await self._client.fail_fast.create("/seq/n-", data.encode(), flags=SEQUENCE)
        self._sequence.made(path[5:], data)
        if self._chance.random() < 0.8:
            name = self._chance.choice(sorted(self._sequence.kept))
            self._sequence.going(name)
            await self._client.fail_fast.delete(f"/seq/{name}")
            self._sequence.gone(name)

    async def _write_number(self) -> None:
        number = self._number.next()
        await self._client.fail_fast.set("/number", b"%d" % number)
        self._number.saw(number)

    async def _write_three(self) -> None:
        number = self._three.next()
        transaction = self._client.fail_fast.transaction()
        for path in _THREE:
            transaction.set(path, b"%d" % number)
        await transaction.commit()
        self._three.saw(number)

    async def _read(self) -> None:
        reading, watch = self._reader.fail_fast.get_and_watch("/number")
        watch.addErrback(lambda _: None)
        number = int((await reading)[0])
        self._number.saw(number)
        # Whoever is told that it was set knows of the next one.
        watch.addCallback(lambda event: None if event is None else self._number.saw(number + 1))
        self._three.saw(int((await self._reader.fail_fast.get("/b"))[0]))

    async def _fall_silent(self) -> None:
        """Make an ephemeral node in a session that nobody hears of any more."""
        client = self._new_client(_SHORT)
        try:
            await client.connect(timeout=_LONG)
            await client.fail_fast.create("/silent/e-", flags=EPHEMERAL | SEQUENCE)
            await client.hand_over()
        except ZooKeeperException:
            pass
        finally:
            await client.close()

    async def _compare(self) -> None:
        """Look at everything; calls wait for the server."""
        client = self._client
        names = await client.get_children("/seq")
        paths = ["/number", *_THREE, *(f"/seq/{name}" for name in names)]
        found = [data.decode() for data, _ in await gatherResults(map(client.get, paths))]
        self._number.compare(int(found[0]))
        self._three.compare(*map(int, found[1:4]))
        self._sequence.compare(dict(zip(names, found[4:], strict=True)))
        mine = await client.exists("/mine")
        if mine is None or mine.ephemeral_owner != client.client_id[0]:
            raise WordBroken("The ephemeral node of a living session is gone.")
        await self._await_silence()

    async def _await_silence(self) -> None:
        """Require that the nodes of silent sessions go within twice the time that they have."""
        for _ in range(2 * (_SHORT + TICK) // 50):
            if not await self._client.get_children("/silent"):
                return
            await self._sleep(0.05)
        raise WordBroken("Ephemeral nodes outlive their sessions.")

    def _new_client(self, timeout: int) -> ZookeeperClient:
        chance = Random(self._chance.getrandbits(32))
        return ZookeeperClient(self._server.servers, timeout, reactor=self._reactor, random=chance)

    def _sleep(self, seconds: float) -> Deferred[None]:
        return deferLater(self._reactor, seconds, lambda: None)


async def crash(reactor: Any, rounds: int, seed: int, told: Callable[[str], object]) -> None:
    """Do so many rounds; raises `WordBroken`. ``told`` hears how it goes."""
    server = EmbeddedProcess(tick=TICK)
    crashes = Crashes(reactor, server, Random(seed))
    began = time.monotonic()
    try:
        await _within(reactor, crashes.begin())
        for number in range(1, rounds + 1):
            await _within(reactor, crashes.round())
            if not number % 10 or number == rounds:
                seconds = time.monotonic() - began
                told(f"{number} rounds, {crashes.written:,} writes and reads, {seconds:.0f} s")
        await _within(reactor, crashes.end())
    except TimeoutError as error:
        raise WordBroken(
            f"The server does not answer. Its log ends:\n{server.log[-2000:]}"
        ) from error
    finally:
        server.close()


def _within(reactor: Any, work: Coroutine[Deferred[Any], Any, None]) -> Deferred[None]:
    return Deferred.fromCoroutine(work).addTimeout(_PATIENCE, reactor)


def main(words: list[str]) -> None:
    """Read the command line, and do as it says."""
    parser = argparse.ArgumentParser(
        prog="python -m txzookeeper.testing.crashes", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--rounds", type=int, default=200, metavar="N", help="(200)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of what is chosen (1)")
    arguments = parser.parse_args(words)

    async def work(reactor: Any) -> None:
        try:
            await crash(reactor, arguments.rounds, arguments.seed, _say)
        except WordBroken as broken:
            raise SystemExit(str(broken)) from broken

    react(lambda reactor: Deferred.fromCoroutine(work(reactor)))


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
