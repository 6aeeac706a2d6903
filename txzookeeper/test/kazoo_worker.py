"""One of several processes that use kazoo's recipes at the same time, on the same nodes.

Reads lines ``[name of a scene, node]`` in JSON and answers each with a line of what came of it:
``python -m txzookeeper.test.kazoo_worker SERVERS NUMBER OF``.
"""

from __future__ import annotations

import faulthandler
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Event
from typing import Any, Final

from kazoo.client import KazooClient
from kazoo.exceptions import KazooException, NoAuthError, RolledBackError
from kazoo.recipe.cache import TreeCache
from kazoo.recipe.lease import MultiNonBlockingLease, NonBlockingLease
from kazoo.security import make_digest_acl

PATIENCE: Final = 20.0
ROUNDS: Final = 5


class Worker:
    """A client of kazoo's, one of ``count``; each scene takes a node of its own."""

    def __init__(self, servers: str, number: int, count: int) -> None:
        self.client = KazooClient(servers, timeout=10.0)
        self.client.start(PATIENCE)
        self.number = number
        self.count = count

    def close(self) -> None:
        """End the session."""
        self.client.stop()
        self.client.close()

    @contextmanager
    def everybody(self, path: str) -> Iterator[None]:
        """Go on when all are here, and again when all are through."""
        self.meet(f"{path}/before")
        yield
        self.meet(f"{path}/after")

    def meet(self, path: str) -> list[str]:
        """Wait for all others, and say who is there."""
        self.client.ensure_path(path)
        with self._awaited(lambda names: len(names) == self.count) as seen:
            self.client.ChildrenWatch(path)(seen)
            self.client.create(f"{path}/{self.number}")
        return sorted(self.client.get_children(path))

    def add_carelessly(self, path: str) -> None:
        """Add one to a number in a way that loses count if two do it at once."""
        value = int(self.client.get(path)[0] or b"0")
        self.client.sync(path)
        self.client.set(path, b"%d" % (value + 1))

    def lock(self, path: str) -> int:
        """Count under a lock, and say what all have come to."""
        self.client.ensure_path(f"{path}/number")
        for _ in range(ROUNDS):
            with self.client.Lock(f"{path}/lock", f"worker {self.number}"):
                self.add_carelessly(f"{path}/number")
        with self.everybody(path):
            return int(self.client.get(f"{path}/number")[0])

    def read_write_lock(self, path: str) -> list[int]:
        """Count under a lock for writers, and say by how much it grows under one for readers."""
        self.client.ensure_path(f"{path}/number")
        grown = []
        for _ in range(ROUNDS):
            with self.client.WriteLock(f"{path}/lock"):
                self.add_carelessly(f"{path}/number")
            with self.client.ReadLock(f"{path}/lock"):
                first, second = (self.client.get(f"{path}/number")[0] for _ in range(2))
                grown.append(int(second) - int(first))
        with self.everybody(path):
            return [int(self.client.get(f"{path}/number")[0]), *grown]

    def semaphore(self, path: str) -> int:
        """Say how many had one of two leases at once, at most."""
        self.client.ensure_path(f"{path}/holders")
        most = 0
        for _ in range(ROUNDS):
            with self.client.Semaphore(f"{path}/leases", max_leases=2):
                mine = self.client.create(f"{path}/holders/", ephemeral=True, sequence=True)
                most = max(most, len(self.client.get_children(f"{path}/holders")))
                self.client.delete(mine)
        return most

    def lease(self, path: str) -> list[bool]:
        """Say which leases are ours: one that a single one can have, and one for two."""
        me, long = f"worker {self.number}", timedelta(minutes=5)
        alone = NonBlockingLease(self.client, f"{path}/one", long, identifier=me)
        couple = MultiNonBlockingLease(self.client, 2, f"{path}/two", long, identifier=me)
        return [bool(alone), bool(couple)]

    def election(self, path: str) -> list[int]:
        """Lead once, and say who has led until then."""
        self.client.ensure_path(f"{path}/log")
        election = self.client.Election(f"{path}/election", f"worker {self.number}")
        led: list[int] = []

        def lead() -> None:
            before = json.loads(self.client.get(f"{path}/log")[0] or b"[]")
            led.extend([*before, self.number])
            self.client.set(f"{path}/log", json.dumps(led).encode())

        election.run(lead)
        return led

    def queue(self, path: str) -> list[str]:
        """Put items and, when all have, take as many."""
        queue = self.client.Queue(f"{path}/queue")
        for number in range(ROUNDS):
            queue.put(b"%d.%d" % (self.number, number), priority=10 + number)
        with self.everybody(path):
            return [queue.get().decode() for _ in range(ROUNDS)]

    def locking_queue(self, path: str) -> list[str]:
        """Put items, and take as many, each of which nobody else sees meanwhile."""
        queue = self.client.LockingQueue(f"{path}/queue")
        queue.put_all([b"%d.%d" % (self.number, number) for number in range(ROUNDS)])
        taken = []
        for _ in range(ROUNDS):
            taken.append(queue.get(PATIENCE).decode())
            queue.consume()
        return taken

    def barrier(self, path: str) -> bool:
        """Wait for what the first one takes away when all are there."""
        barrier = self.client.Barrier(f"{path}/barrier")
        barrier.create()
        with self.everybody(path):
            if self.number == 0:
                barrier.remove()
            return bool(barrier.wait(PATIENCE))

    def double_barrier(self, path: str) -> list[int]:
        """Say how many are inside when we are, and that all leave together."""
        self.client.ensure_path(f"{path}/inside")
        barrier = self.client.DoubleBarrier(f"{path}/barrier", self.count)
        mine = self.client.create(f"{path}/inside/{self.number}")
        barrier.enter()
        inside = len(self.client.get_children(f"{path}/inside"))
        # Who leaves while others still look whether they may enter keeps kazoo's waiting for ever.
        self.meet(f"{path}/entered")
        self.client.delete(mine)
        barrier.leave()
        return [inside, len(self.client.get_children(f"{path}/inside"))]

    def counter(self, path: str) -> int:
        """Count with all the others, and say what it is when all have."""
        counter = self.client.Counter(f"{path}/counter")
        for _ in range(ROUNDS):
            counter += 2
            counter -= 1
        with self.everybody(path):
            return int(counter.value)

    def party(self, path: str) -> list[list[str]]:
        """Say who is there while all are, by both kinds of parties."""
        name = f"worker {self.number}"
        party = self.client.Party(f"{path}/party", name)
        shallow = self.client.ShallowParty(f"{path}/shallow", name)
        party.join()
        shallow.join()
        with self.everybody(path):
            members = [sorted(party), sorted(shallow)]
        party.leave()
        shallow.leave()
        return members

    def children_watch(self, path: str) -> list[str]:
        """Watch the others come."""
        return self.meet(f"{path}/all")

    def data_watch(self, path: str) -> str:
        """Watch a number grow to what all make of it."""
        total = str(self.count * ROUNDS).encode()
        with self._awaited(lambda data, stat: data == total) as seen:
            self.client.DataWatch(f"{path}/number")(lambda data, stat: seen(data, stat))
            counter = self.client.Counter(f"{path}/number")
            for _ in range(ROUNDS):
                counter += 1
        return str(self.client.get(f"{path}/number")[0].decode())

    def tree_cache(self, path: str) -> dict[str, str]:
        """Give what a mirror of everybody's nodes has come to."""
        self.client.ensure_path(f"{path}/tree")
        wanted = {str(number) for number in range(self.count)}
        cache = TreeCache(self.client, f"{path}/tree")
        with self._awaited(lambda event: set(self._mirrored(cache, path)) == wanted) as seen:
            cache.listen(seen)
            cache.start()
            self.client.create(f"{path}/tree/x{self.number}/deep", makepath=True)
            self.client.create(f"{path}/tree/{self.number}", b"%d" % self.number)
            self.client.delete(f"{path}/tree/x{self.number}", recursive=True)
        with self.everybody(path):
            mirrored = self._mirrored(cache, path)
            cache.close()
        return mirrored

    def transaction(self, path: str) -> list[Any]:
        """Change several nodes at once; then fail to, for the reason that the last one gives."""
        node = f"{path}/{self.number}"
        good = self.client.transaction()
        good.create(node, b"1")
        good.create(f"{node}/child", ephemeral=True)
        good.set_data(node, b"2")
        good.check(node, 1)
        good.delete(f"{node}/child")
        results = good.commit()
        bad = self.client.transaction()
        bad.set_data(node, b"3")
        bad.delete(f"{node}/none")
        refused = [type(each).__name__ for each in bad.commit()]
        return [results[0], results[2].version, *refused, self.client.get(node)[0].decode()]

    def access(self, path: str) -> list[Any]:
        """Keep a node for who knows a password."""
        user = f"user{self.number}"
        self.client.create(f"{path}/{user}", b"1", [make_digest_acl(user, "secret", all=True)])
        try:
            self.client.get(f"{path}/{user}")
        except NoAuthError:
            self.client.add_auth("digest", f"{user}:secret")
            return ["refused", self.client.get(f"{path}/{user}")[0].decode()]
        return ["not refused"]

    def partitioner(self, path: str) -> list[str]:
        """Share some things out among all, and say which are ours."""
        shares = self.client.SetPartitioner(
            f"{path}/shares", ("a", "b", "c", "d", "e", "f"), time_boundary=0.3
        )
        while not shares.acquired:
            if shares.release:
                shares.release_set()
            else:
                shares.wait_for_acquire(PATIENCE)
        mine = list(shares)
        with self.everybody(path):
            shares.finish()
        return mine

    def _mirrored(self, cache: TreeCache, path: str) -> dict[str, str]:
        names = cache.get_children(f"{path}/tree") or []
        nodes = {name: cache.get_data(f"{path}/tree/{name}") for name in names}
        return {name: node.data.decode() for name, node in nodes.items() if node}

    @contextmanager
    def _awaited(self, enough: Callable[..., bool]) -> Iterator[Callable[..., None]]:
        """Give a watcher, and wait in the end until it has been told enough."""
        came = Event()

        def told(*news: Any) -> None:
            if enough(*news):
                came.set()

        yield told
        if not came.wait(PATIENCE):
            raise TimeoutError("a watcher was not told enough")


def main(servers: str, number: str, count: str) -> None:
    """Play the scenes that the lines of the standard input name."""
    worker = Worker(servers, int(number), int(count))
    for line in sys.stdin:
        # What hangs in spite of all patience is shown, and ends.
        faulthandler.dump_traceback_later(2 * PATIENCE, exit=True)
        scene, path = json.loads(line)
        try:
            worker.client.ensure_path(path)
            answer = getattr(worker, scene)(path)
        except (KazooException, RolledBackError, TimeoutError) as error:
            answer = repr(error)
        print(json.dumps(answer), flush=True)
    worker.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
