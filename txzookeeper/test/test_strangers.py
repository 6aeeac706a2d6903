"""Clients that know nothing of us find a ZooKeeper: kazoo's recipes, and Apache's own shell."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final

from twisted.trial.unittest import SynchronousTestCase

from txzookeeper.test.kazoo_worker import ROUNDS
from txzookeeper.test.shell import ZKCLI, Said, zkcli
from txzookeeper.testing import NOT_INSTALLED, RealServer, available
from txzookeeper.testing.embedded import EmbeddedProcess

WORKERS: Final = 3

SCRIPT: Final = """
create /x data
get /x
get -s /x
ls /
ls -s /x
ls -R /
ls -w /x
set /x new
set -v 0 /x old
set -v 1 /x v1
set -s /x v2
stat /x
create -s /x/s a
create -e /x/e b
create -e -s /x/es c
stat /x/e
create -c /x/c d
create -c /x/c/d
create -t 100000 /x/t e
create -s -t 100000 /x/ts e
create -e /x/e/below
create /x/s0000000000/y z
create /nope/x y
create /x again
get /nope
delete /x
create /x/c/kept k
delete -v 7 /x/c/d
delete /x/c/d
getAcl /x
setAcl /x world:anyone:cdrwa
getAcl -s /x
addauth digest u:p
setAcl /x/t auth::cdrwa
setAcl /x/t nobody:x:r
getAcl /x/t
whoami
getEphemerals
getEphemerals /x/es
getAllChildrenNumber /x
getAllChildrenNumber /
sync /x
addWatch /x
addWatch -m PERSISTENT /x/s0000000000
set /x/s0000000000 w
create /x/q q
create /x/s0000000000/z z
delete /x/q
removewatches /x
removewatches /x/s0000000000
set /x/s0000000000 w
create /y abc
create /y/a aaaa
setquota -n 3 /y
setquota -b 10 /y
setquota -N 2 /y
listquota /y
listquota /z
create /y/b bbbb
create -e /y/b/c cccccc
create /yy other
set /y/a 1234567890
delete /y/b/c
listquota /y
get -s /zookeeper/quota/y/zookeeper_stats
get -s /zookeeper/quota/y/zookeeper_limits
setquota -n 3 /y/a
deleteall /y
listquota /y
delquota -n /y
delquota /y
ls -R /zookeeper
stat -w /x/t
set /x/t f
config
reconfig -remove 1
deleteall /x
stat /x
ls /
bogus
quit
"""

COMMANDS: Final = [("create", "/one", "1"), ("get", "/none"), ("bogus",)]


class KazooTests(SynchronousTestCase):
    """Several processes use kazoo's recipes at the same time, on the same nodes."""

    def setUp(self) -> None:
        """Start a server, and the processes."""
        self.server = EmbeddedProcess()
        self.addCleanup(self.server.close)
        self.server.start()
        self.workers = [self.worker(number) for number in range(WORKERS)]

    def worker(self, number: int) -> subprocess.Popen[str]:
        """Start one of the processes; in the end it is to leave in peace."""
        module = "txzookeeper.test.kazoo_worker"
        arguments = [self.server.servers, str(number), str(WORKERS)]
        worker = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.addCleanup(self.leave, worker)
        return worker

    def leave(self, worker: subprocess.Popen[str]) -> None:
        """Let a process end, and see that it does so without an error."""
        worker.communicate()
        self.assertEqual(worker.returncode, 0)

    def play(self, scene: str) -> list[Any]:
        """Let all play a scene, and give what each says of it."""
        for worker in self.workers:
            assert worker.stdin is not None
            worker.stdin.write(json.dumps([scene, f"/{scene}"]) + "\n")
            worker.stdin.flush()
        return [json.loads(worker.stdout.readline()) for worker in self.workers if worker.stdout]

    def test_exclusion(self) -> None:
        """Locks admit one, semaphores and leases as many as they have places, and all lead once."""
        total = WORKERS * ROUNDS
        self.assertEqual(self.play("lock"), [total] * WORKERS)
        self.assertEqual(self.play("read_write_lock"), [[total, *[0] * ROUNDS]] * WORKERS)
        self.assertLessEqual(set(self.play("semaphore")), {1, 2})
        leases = self.play("lease")
        self.assertEqual([sum(held) for held in zip(*leases, strict=True)], [1, 2])
        led = sorted(self.play("election"), key=len)
        self.assertEqual(led, [led[-1][:number] for number in (1, 2, 3)])
        self.assertEqual(set(led[-1]), set(range(WORKERS)))

    def test_cooperation(self) -> None:
        """Items are taken once, barriers wait for all, and counters lose nothing."""
        items = [f"{worker}.{number}" for worker in range(WORKERS) for number in range(ROUNDS)]
        for queue in ("queue", "locking_queue"):
            taken = [item for items in self.play(queue) for item in items]
            self.assertEqual(sorted(taken), items, queue)
        self.assertEqual(self.play("barrier"), [True] * WORKERS)
        self.assertEqual(self.play("double_barrier"), [[WORKERS, 0]] * WORKERS)
        total = WORKERS * ROUNDS
        self.assertEqual(self.play("counter"), [total] * WORKERS)
        shares = self.play("partitioner")
        self.assertEqual(sorted(thing for share in shares for thing in share), list("abcdef"))

    def test_company(self) -> None:
        """Parties, watches and mirrors of a tree show who else is there, and what they do."""
        names = [f"worker {number}" for number in range(WORKERS)]
        self.assertEqual(self.play("party"), [[names, names]] * WORKERS)
        numbers = [str(number) for number in range(WORKERS)]
        self.assertEqual(self.play("children_watch"), [numbers] * WORKERS)
        mirrored = {number: number for number in numbers}
        self.assertEqual(self.play("tree_cache"), [mirrored] * WORKERS)
        self.assertEqual(self.play("data_watch"), [str(WORKERS * ROUNDS)] * WORKERS)

    def test_rules(self) -> None:
        """Transactions are carried out whole or not at all; a node kept by a password is kept."""
        refused = ["RolledBackError", "NoNodeError", "2"]
        wanted = [[f"/transaction/{number}", 1, *refused] for number in range(WORKERS)]
        self.assertEqual(self.play("transaction"), wanted)
        self.assertEqual(self.play("access"), [["refused", "1"]] * WORKERS)


class ShellTests(SynchronousTestCase):
    """Apache's own shell, on the embedded server and on a real one."""

    skip = None if available() and ZKCLI else NOT_INSTALLED

    def setUp(self) -> None:
        """Start both."""
        self.servers: list[EmbeddedProcess | RealServer] = [EmbeddedProcess(), RealServer()]
        self.crew = ThreadPoolExecutor(len(self.servers))
        self.addCleanup(self.crew.shutdown)
        for server in self.servers:
            self.addCleanup(server.close)
        list(self.crew.map(lambda server: server.start(), self.servers))

    def both(self, command: tuple[str, ...] = (), script: str = "") -> list[Said]:
        """Say the same to both."""
        run = partial(zkcli, command=command, script=script)
        return list(self.crew.map(run, [server.servers for server in self.servers]))

    def test_same(self) -> None:
        """It prints the same, hears the same events, and ends with the same status."""
        for embedded, real in [
            self.both(script=SCRIPT),
            *map(self.both, COMMANDS),
        ]:
            self.assertEqual(embedded, real)
        self.assertEqual(self.both(("get", "/one"))[0].output[-1], "1")
