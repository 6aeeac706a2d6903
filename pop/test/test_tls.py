"""Tests for the admin protocol between machines: on real sockets, with real certificates."""

import ssl
import sys
from collections.abc import Callable, Coroutine
from time import time  # noqa: TID251  # OpenSSL knows no other
from typing import Any

from twisted.internet.utils import getProcessOutputAndValue
from twisted.logger import capturedLogs
from twisted.trial.unittest import TestCase

from pop.authority import Authority
from pop.errors import AgentSilent
from pop.portal import Portal
from pop.protocols.amp import Answering
from pop.protocols.remote import Remote
from pop.protocols.tls import STRANGERS, Entrance, Porter
from pop.reception import Complaints, Visitors
from pop.sockets import Sockets
from pop.test.intruders import answer, connected, context, in_thread, said_in_clear
from pop.test.scripted import Scripted
from pop.test.shells import free_port

HELLO = b"\x00\x04_ask\x00\x011\x00\x08_command\x00\x05Hello\x00\x07version\x00\x011\x00\x00"
DAY = 86400.0
FLOOD = """
import contextlib, resource, socket, sys
_, most = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
held = []
for number in range(10_000):
    one = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    with contextlib.suppress(OSError):
        one.sendall(b"\\x16\\x03\\x01\\x02" if number % 2 else b"")
    held.append(one)
    if len(held) > most - 100:
        held.pop(0).close()
"""
"""Connects again and again, says little or nothing, and leaves as few as it can."""


class DoorTestCase(TestCase):
    """An agent that listens, of a cluster with an authority."""

    patience = 0.5
    slowest = 10.0
    timeout = 60

    def setUp(self) -> None:
        from twisted.internet import reactor

        self.reactor: Any = reactor
        self.authority = Authority.make(time())
        self.agent = Scripted()
        self.agent.answer = {"pid": 12}
        self.refused: list[str] = []
        self.now = time()
        self.door = Porter("m1", lambda: self.now)
        self.door.trust(self.authority)
        self.visitors = Visitors(self.welcome, Complaints(self.reactor, "here"), 4 * STRANGERS)
        complaints = Complaints(self.reactor, "here")
        entrance = Entrance(self.door, self.visitors, complaints, self.reactor)
        self.port = free_port()
        sockets = Sockets()
        at = f"tcp:{self.port}:interface=127.0.0.1"
        portal = Portal(self.reactor, sockets, at, lambda: entrance)
        portal.open()
        self.addCleanup(portal.close, keep=False)

    def welcome(self, refused: Callable[[str], None], left: Callable[[], None]) -> Answering:
        """The agent's end of a connection."""

        def turned_away(why: str) -> None:
            self.refused.append(why)
            refused(why)

        return Answering("m1", self.agent, self.reactor, turned_away, left, patience=self.patience)

    def remote(self, authority: Authority | None = None) -> Remote:
        """An administrator elsewhere."""
        return Remote(self.reactor, authority or self.authority, "me@there", time)

    def administrator(self, life: float = 3600.0, born: float | None = None) -> bytes:
        """An administrator's certificate."""
        return self.authority.administrator("me@there", born or time(), life).pem

    async def unharmed(self) -> None:
        """The agent answers those who may ask."""
        admin = await self.remote().administrator("m1", ["127.0.0.1"], self.port, self.slowest)
        self.assertEqual({"pid": 12}, await admin.info())
        await admin.close()

    async def fails(self, work: Coroutine[Any, Any, Any]) -> str:
        """What is said when it cannot be reached."""
        try:
            await work
        except AgentSilent as error:
            return str(error)
        raise self.failureException("reached")


class AdministratorTests(DoorTestCase):
    """Those who may come in."""

    async def test_reached(self) -> None:
        """Whoever the authority vouches for asks the agent as if it were here."""
        await self.unharmed()

    async def test_older(self) -> None:
        """TLS 1.2 will do; older versions, which are broken, will not."""
        come = context(self.administrator(), newest=False)
        self.assertIn(b"machine", await in_thread(answer, self.port, come, HELLO))
        oldest = context(self.administrator())
        oldest.set_ciphers("ALL:@SECLEVEL=0")
        oldest.minimum_version = ssl.TLSVersion.TLSv1
        oldest.maximum_version = ssl.TLSVersion.TLSv1_1
        self.assertEqual(b"", await in_thread(answer, self.port, oldest, HELLO))

    async def test_another_machine(self) -> None:
        """An agent that is not that of the machine in question is not believed."""
        asked = self.remote().administrator("m2", ["127.0.0.1"], self.port)
        self.assertIn("certificate is not for", await self.fails(asked))

    async def test_another_cluster(self) -> None:
        """Nor is one of another cluster, whose authority anybody can make."""
        foreign = self.remote(Authority.make(time()))
        asked = foreign.administrator("m1", ["127.0.0.1"], self.port)
        self.assertIn("no authority that we trust", await self.fails(asked))

    async def test_not_there(self) -> None:
        """Where nobody answers, it is said where, and why."""
        asked = self.remote().administrator("m1", ["127.0.0.1"], 1)
        sentence = await self.fails(asked)
        self.assertIn("127.0.0.1, port 1", sentence)
        self.assertIn("refused", sentence)

    async def test_other_addresses(self) -> None:
        """Of several addresses, the one where it is will do."""
        hosts = ["127.0.0.9", "127.0.0.1"]
        admin = await self.remote().administrator("m1", hosts, self.port)
        await admin.close()

    async def test_renewed(self) -> None:
        """The agent has another certificate in good time, without being told."""
        self.now = time() - DAY / 2 - 1  # as if it had begun then
        await self.unharmed()
        before = await in_thread(self.serial)
        self.assertEqual(before, await in_thread(self.serial))
        self.now = time()
        self.assertNotEqual(before, await in_thread(self.serial))
        await self.unharmed()

    async def test_renewed_here(self) -> None:
        """So has an administrator who goes on for longer than one is good for."""
        now = time() - 7200
        remote = Remote(self.reactor, self.authority, "me@there", lambda: now)
        asked = remote.administrator("m1", ["127.0.0.1"], self.port, self.slowest)
        self.assertIn("expired", await self.fails(asked))
        now = time()
        admin = await remote.administrator("m1", ["127.0.0.1"], self.port, self.slowest)
        await admin.close()

    def serial(self) -> bytes:
        """The agent's certificate."""
        come = context(self.administrator())
        with connected(self.port) as raw, come.wrap_socket(raw) as connection:
            return connection.getpeercert(binary_form=True) or b""

    async def test_no_way_back(self) -> None:
        """Who comes back proves again who they are: no session is resumed."""
        for newest in (True, False):
            come = context(self.administrator(), newest=newest)
            self.assertFalse(await in_thread(self.resumed, come))

    def resumed(self, come: ssl.SSLContext) -> bool | None:
        """Whether somebody who comes twice is known the second time."""
        session = None
        for _ in range(2):
            with (
                connected(self.port) as raw,
                come.wrap_socket(raw, session=session) as connection,
            ):
                connection.sendall(HELLO)
                connection.recv(1000)
                session, reused = connection.session, connection.session_reused
        return reused

    async def test_another_authority(self) -> None:
        """When the cluster has another authority, the former's friends are strangers at once."""
        before = context(self.administrator())
        self.authority = Authority.make(time())
        self.door.trust(self.authority)
        self.assertEqual(b"", await in_thread(answer, self.port, before, HELLO))
        await self.unharmed()


class IntruderTests(DoorTestCase):
    """Those who may not."""

    async def refuse(self, certificate: bytes | None) -> None:
        """Whoever comes with this is not answered, nor is the agent harmed."""
        for newest in (True, False):
            come = context(certificate, newest=newest)
            self.assertEqual(b"", await in_thread(answer, self.port, come, HELLO))
        self.assertEqual([], self.agent.asked)
        await self.unharmed()

    async def test_no_certificate(self) -> None:
        """Without a certificate, nobody comes in."""
        await self.refuse(None)

    async def test_foreign(self) -> None:
        """With that of another authority, nobody does: not if it bears the same name."""
        await self.refuse(Authority.make(time()).administrator("me@there", time()).pem)

    async def test_expired(self) -> None:
        """With one whose time is over, nobody does."""
        await self.refuse(self.administrator(life=3600, born=time() - 3601))

    async def test_not_yet(self) -> None:
        """Nor with one whose time is yet to come."""
        await self.refuse(self.administrator(born=time() + DAY))

    async def test_agents(self) -> None:
        """An agent's certificate, which is on every machine, is no administrator's."""
        await self.refuse(self.authority.agent("m2", time()).pem)

    async def test_vouched_by_no_authority(self) -> None:
        """An administrator cannot vouch for others."""
        friend = Authority(
            *_parts(self.administrator()),
        ).administrator("friend", time())
        await self.refuse(friend.pem + self.administrator())

    async def test_plain_text(self) -> None:
        """Whoever speaks no TLS gets no answer to what they say."""
        for said in (HELLO, b"GET / HTTP/1.1\r\nHost: agent\r\n\r\n", b"SSH-2.0-x\r\n"):
            answered = await in_thread(said_in_clear, self.port, said)
            self.assertNotIn(b"machine", answered)
            self.assertLess(len(answered), 100)
        await self.unharmed()

    async def test_garbage(self) -> None:
        """Nor does garbage, be there ever so much of it."""
        for said in (b"\0" * 100_000, b"\xff" * 100_000, b"\x16\x03\x01\xff\xff" + b"\1" * 100_000):
            await in_thread(said_in_clear, self.port, said)
        await self.unharmed()

    async def test_slow_loris(self) -> None:
        """Who says nothing, or too little, is sent away after a while."""
        for said in (b"", b"\x16", b"\x16\x03\x01\x02\x00\x01"):
            self.assertEqual(b"", await in_thread(said_in_clear, self.port, said))
        self.assertEqual(3, len(self.refused))
        await self.unharmed()

    async def test_slow_administrator(self) -> None:
        """So is who may come in and then says nothing."""
        come = context(self.administrator())
        self.assertEqual(b"", await in_thread(answer, self.port, come, HELLO[:5]))
        await self.unharmed()

    async def test_said_once(self) -> None:
        """Who comes again and again without being let in is no reason to fill the log."""
        with capturedLogs() as logged:
            for _ in range(5):
                await in_thread(answer, self.port, context(None), HELLO)
        said = [event["what"] for event in logged if "Turned away" in event["log_format"]]
        self.assertEqual(["TLS failed (peer did not return a certificate)"], said)

    async def test_closed(self) -> None:
        """While the agent knows no authority to go by, nobody comes in."""
        self.door.trust(None)
        come = context(self.administrator())
        self.assertEqual(b"", await in_thread(answer, self.port, come, HELLO))
        self.door.trust(self.authority)
        await self.unharmed()


class FloodTests(DoorTestCase):
    """Very many at once."""

    patience = 10.0
    slowest = 100.0
    timeout = 200

    async def test_ten_thousand(self) -> None:
        """However many come who prove nothing, few of them are there at a time, whoever can prove
        who they are gets in meanwhile, and it is said once."""
        with capturedLogs() as logged:
            flood = getProcessOutputAndValue(
                sys.executable, ["-c", FLOOD, str(self.port)], reactor=self.reactor
            )
            most = reached = 0
            while not flood.called:
                await self.unharmed()
                reached += 1
                most = max(most, self.visitors.here)
            self.assertEqual((b"", b"", 0), await flood)
        self.assertLessEqual(most, 4 * STRANGERS)
        self.assertGreater(reached, 1)
        said = [event["what"] for event in logged if "Turned away" in event["log_format"]]
        self.assertEqual(len(set(said)), len(said))
        self.assertIn(f"there are {STRANGERS} already who prove nothing", said)
        await self.unharmed()


def _parts(pem: bytes) -> tuple[Any, Any]:
    """The key and the certificate that a PEM has."""
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from cryptography.x509 import load_pem_x509_certificate

    return load_pem_private_key(pem, None), load_pem_x509_certificate(pem)
