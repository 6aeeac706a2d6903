"""The four-letter words are answered as a real server answers them."""

from __future__ import annotations

import re

from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.threads import deferToThread
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase

from txzookeeper import constants as c
from txzookeeper.client import ZookeeperClient
from txzookeeper.records import AddWatchRequest, ExistsRequest, GetChildrenRequest
from txzookeeper.test.peers import ServerTests
from txzookeeper.testing.memory import MemoryServer
from txzookeeper.testing.real import NOT_INSTALLED, RealServer, available

ALIKE = ("ruok", "isro", "srvr", "stat", "cons", "wchs", "dump", "crst", "srst")


class Listener(Protocol):
    """Keeps what it hears until the end."""

    def __init__(self) -> None:
        self.heard = b""
        self.closed = False

    def dataReceived(self, data: bytes) -> None:
        """Keep it."""
        self.heard += data

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Note the end."""
        self.closed = True


def ask(server: MemoryServer, *pieces: bytes) -> Listener:
    """Say something on a connection of its own, and give what came of it."""
    listener = server.run(server.endpoint("h", 1).connect(Factory.forProtocol(Listener)))
    assert isinstance(listener, Listener)
    for piece in pieces:
        assert listener.transport is not None
        listener.transport.write(piece)
        server.settle()
    return listener


def shape(text: str) -> str:
    """Give a text with its numbers, versions and dates taken out."""
    text = re.sub(r"(version: ).*", r"\1V", text)
    text = re.sub(r"\w{3} \w{3} \d\d [\d:]{8} UTC \d{4}", "D", text)
    text = re.sub(r"(lop=)\w+|lresp=\d+,|llat=\d+,", r"\1", text)
    return re.sub(r"0x[0-9a-f]+|\d+(\.\d+)*", "N", text)


class WordTests(ServerTests):
    """Words to a server in memory."""

    def say(self, word: str) -> str:
        """Give the answer to a word, after which the connection is closed."""
        listener = ask(self.server, word.encode())
        self.assertTrue(listener.closed, word)
        return listener.heard.decode()

    def test_alive(self) -> None:
        """A server that serves says so, and that it can write."""
        self.assertEqual((self.say("ruok"), self.say("isro")), ("imok", "rw"))

    def test_in_pieces(self) -> None:
        """A word may come in pieces, and with a line's end, as by a terminal."""
        for pieces in [(b"r", b"u", b"o", b"k"), (b"ruok\r\n",), (b"ruok", b"\n")]:
            listener = ask(self.server, *pieces)
            self.assertEqual((listener.heard, listener.closed), (b"imok", True))

    def test_unknown(self) -> None:
        """What is no word is answered by a closed door."""
        for word in (b"xyzw", b"RUOK", b"\xff\xff\xff\xff"):
            listener = ask(self.server, word)
            self.assertEqual((listener.heard, listener.closed), (b"", True))

    def test_unlisted(self) -> None:
        """What a real server keeps to itself by default is refused in its words."""
        refusal = "wchc is not executed because it is not in the whitelist.\n"
        self.assertEqual(self.say("wchc"), refusal)

    def test_numbers(self) -> None:
        """Nodes, transactions, packets and latencies are counted until the counts are reset."""
        peer, _ = self.member()
        peer.create("/a")
        peer.create("/b")
        self.server.settle()
        self.assertIn(
            "Latency min/avg/max: 0/0.0/0\nReceived: 3\nSent: 3\nConnections: 2\nOutstanding: 0\n"
            "Zxid: 0x3\nMode: standalone\nNode count: 6\n",
            self.say("srvr"),
        )
        self.assertEqual(self.say("srst"), "Server stats reset.\n")
        self.assertIn("Received: 0\nSent: 0\n", self.say("srvr"))

    def test_connections(self) -> None:
        """Each connection is told with its session, its last request and its counts."""
        peer, session = self.member()
        peer.create("/a")
        self.server.settle()
        pattern = rf"/127.0.0.1:\d+\[1\]\(queued=0,recved=2,sent=2,sid={session.session_id:#x},"
        answer = self.say("cons")
        self.assertRegex(answer, pattern + r"lop=CREA,est=0,to=4000,lcxid=0x1,lzxid=0x2,minlat=0")
        self.say("crst")
        self.assertIn("recved=0,sent=0", self.say("stat"))

    def test_watches(self) -> None:
        """Watches on nodes are counted, with those who have them and where they are."""
        for _ in range(2):
            peer, _ = self.member()
            peer.ask(c.EXISTS_OP, ExistsRequest("/a", True))
            peer.ask(c.EXISTS_OP, ExistsRequest("/b", True))
            peer.ask(c.GET_CHILDREN_OP, GetChildrenRequest("/", True))
        peer.ask(c.ADD_WATCH_OP, AddWatchRequest("/c", c.PERSISTENT_WATCH))
        self.server.settle()
        self.assertEqual(self.say("wchs"), "2 connections watching 3 paths\nTotal watches:5\n")
        self.assertIn("zk_watch_count\t8\n", self.say("mntr"))

    def test_sessions(self) -> None:
        """Sessions are told with the time of their end, and what ends with them."""
        peer, session = self.member(4000)
        peer.create("/e", flags=c.EPHEMERAL)
        self.server.settle()
        answer, name = self.say("dump"), f"{session.session_id:#x}"
        end = "1 expire at Thu Jan 01 00:00:04 UTC 1970:\n"
        self.assertIn(f"Session Sets (1)/(1):\n{end}\t{name}\n", answer)
        self.assertIn(f"Sessions with Ephemerals (1):\n{name}:\n\t/e\n", answer)
        self.assertIn("Connections Sets (2)/(2):\n", answer)

    def test_configuration(self) -> None:
        """What sessions may last, and the version, are told."""
        self.assertIn("tickTime=500\n", self.say("conf"))
        self.assertIn("minSessionTimeout=1000\nmaxSessionTimeout=10000\n", self.say("conf"))
        self.assertIn("zookeeper.version=3.8.0-", self.say("envi"))


class ComparisonTests(TestCase):
    """The same questions to a real server."""

    skip = None if available() else NOT_INSTALLED
    timeout = 60

    async def test_alike(self) -> None:
        """Every answer has the form of a real server's, and tells nothing under another name."""
        from twisted.internet import reactor

        memory = MemoryServer()
        ours, theirs = {}, {}
        with RealServer() as real:
            client = ZookeeperClient(real.servers, 6000, reactor=reactor)
            await client.connect(timeout=10_000)
            await live(client)
            for word in (*ALIKE, "mntr"):
                theirs[word] = await deferToThread(real.process.ask, word)
            await client.close()
        client = ZookeeperClient(
            memory.servers, 6000, reactor=memory.clock, endpoint=memory.endpoint
        )
        memory.run(client.connect())
        memory.run(live(client))
        for word in (*ALIKE, "mntr"):
            ours[word] = ask(memory, word.encode()).heard.decode()
        memory.close()
        for word in ALIKE:
            self.assertEqual(self.sorted(ours[word]), self.sorted(theirs[word]), word)
        names = [
            {line.split("\t")[0] for line in each["mntr"].splitlines()} for each in (ours, theirs)
        ]
        self.assertEqual(names[0] - names[1], set())

    def sorted(self, text: str) -> list[str]:
        """Give the shapes of the lines, each once: connections come in no order."""
        return sorted(set(shape(text).splitlines()))


async def live(client: ZookeeperClient) -> None:
    """Do a little of everything."""
    await client.create("/words")
    await client.create("/words/e", flags=c.EPHEMERAL)
    for path in ("/words", "/words/e"):
        result, watch = client.get_and_watch(path)
        watch.addErrback(lambda _: None)
        await result
