"""Real processes: what they are given, and that all of them ends."""

import os
import pwd
import shutil
import signal
import stat
import sys
import tempfile
from pathlib import Path

from twisted.internet.defer import gatherResults
from twisted.internet.error import ProcessDone, ProcessTerminated
from twisted.trial.unittest import SkipTest, TestCase

from pop.directories import notify_directory
from pop.kin import alive
from pop.program import Launch, Program
from pop.test.processes import Nursery, died, kin, living, python, said, shell, turn

EVERYBODYS = "/usr/bin/python3"
FAMILY = """
def child(body):
    pid = os.fork()
    if not pid:
        body()
        os._exit(0)
    return pid

def deaf():
    os.setpgid(0, 0)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    notify("STATUS=deaf")
    signal.pause()

def tame():
    os.setpgid(0, 0)
    notify("STATUS=tame")
    signal.pause()
"""
POOL = """
import time
def hop():
    # Each has a successor soon, and is there for a while yet; after 15 seconds they die out.
    for _ in range(300):
        time.sleep(0.05)
        if os.fork():
            time.sleep(0.25)
            os._exit(0)
"""


class Tests(TestCase):
    """A nursery for each test."""

    timeout = 20

    def setUp(self) -> None:
        self.nursery = Nursery(self)


class TreeTests(Tests):
    """A process with all that it started."""

    async def test_session(self) -> None:
        """A process leads a session of its own, so that no Ctrl-C meant for the agent hits it."""
        process, witness = self.nursery.spawn(shell("exec sleep 600"))
        self.assertEqual(
            (process.pid, process.pid), (os.getsid(process.pid), os.getpgid(process.pid))
        )
        process.kill()
        await witness.ended

    async def test_whole_tree(self) -> None:
        """The stop signal ends children and grandchildren, whatever their process groups."""
        process, witness = self.nursery.spawn(
            python(FAMILY + "child(lambda: (child(tame), child(tame), tame()))\nsignal.pause()")
        )
        while len([n for n in witness.notices if n.status == "tame"]) < 3:
            await witness.heard(lambda notice: notice is witness.notices[-1])
            await turn()
        family = living(kin(process.pid))
        self.assertEqual(4, len(family))
        process.stop("TERM")
        end = await witness.ended
        assert isinstance(end, ProcessTerminated)
        self.assertEqual(signal.SIGTERM, end.signal)
        self.assertEqual([], [pid for pid in family if alive(pid)])

    async def test_not_before_the_last(self) -> None:
        """It has ended when nothing of it is left: what ignores the signal lasts until the kill."""
        process, witness = self.nursery.spawn(python(FAMILY + "child(deaf)\nsignal.pause()"))
        family = kin(process.pid)
        await said(witness, "deaf")
        process.stop("TERM")
        await died(process.pid)
        await turn()
        self.assertEqual(([], 1), (witness.ends, len(living(family))))
        process.kill()
        end = await witness.ended
        assert isinstance(end, ProcessTerminated)
        self.assertEqual(signal.SIGTERM, end.signal, "the end that is told is the leader's")
        self.assertEqual([], living(family))

    async def test_orphans(self) -> None:
        """What a process that ended by itself leaves behind, and would be in the way, is ended."""
        launch = python(FAMILY + "hold(signal.SIGUSR1); child(deaf); wait(signal.SIGUSR1)")
        process, witness = self.nursery.spawn(launch)
        await said(witness, "deaf")
        family = living(kin(process.pid))
        os.kill(process.pid, signal.SIGUSR1)
        self.assertIsInstance(await witness.ended, ProcessDone)
        self.assertEqual([], [pid for pid in family if alive(pid)])

    async def test_forking_tree(self) -> None:
        """What is born while the others are killed, as in a pool of workers, is ended as well."""
        script = FAMILY + POOL + "for _ in range(5): child(hop)\nnotify('READY=1')\nsignal.pause()"
        process, witness = self.nursery.spawn(python(script))
        await witness.ready()
        family = kin(process.pid)
        process.kill()
        await witness.ended
        self.assertEqual([], living(family))

    test_forking_tree.timeout = 10  # type: ignore[attr-defined]

    async def test_graceful(self) -> None:
        """A program that ends in its own way when it is asked to is done, not terminated."""
        script = "hold(signal.SIGINT); notify('READY=1'); wait(signal.SIGINT)"
        process, witness = self.nursery.spawn(python(script))
        await witness.ready()
        process.stop("INT")
        self.assertIsInstance(await witness.ended, ProcessDone)

    async def test_standing_still(self) -> None:
        """What was made to stand still ends like any other, in its own way."""
        script = "hold(15); notify('READY=1'); wait(15); raise SystemExit(3)"
        process, witness = self.nursery.spawn(python(script))
        await witness.ready()
        os.kill(process.pid, signal.SIGSTOP)
        process.stop("TERM")
        end = await witness.ended
        assert isinstance(end, ProcessTerminated)
        self.assertEqual(3, end.exitCode)

    async def test_many(self) -> None:
        """Many at once each end once."""
        names = [f"web{i}" for i in range(20)]
        started = [self.nursery.spawn(shell("read x"), name) for name in names]
        waiting = [self.nursery.spawn(shell("exec sleep 600"), f"{name}w") for name in names]
        for process, _ in waiting:
            process.stop("TERM")
        await gatherResults([witness.ended for _, witness in started + waiting])
        self.assertEqual([1] * 40, [len(witness.ends) for _, witness in started + waiting])

    async def test_killed_at_birth(self) -> None:
        """A process that is killed as soon as it is started ends as any other."""
        process, witness = self.nursery.spawn(shell("exec sleep 600"))
        process.kill()
        self.assertIsInstance(await witness.ended, ProcessTerminated)

    async def test_reaped(self) -> None:
        """No zombie stays behind."""
        process, witness = self.nursery.spawn(shell("exit 3"))
        await witness.ended
        self.assertRaises(ChildProcessError, os.waitpid, process.pid, os.WNOHANG)


class GivenTests(Tests):
    """What a process is given."""

    async def test_log(self) -> None:
        """All its output goes to its log, after what is there, which is for the owner only."""
        await self.nursery.finish(shell("echo one; echo two >&2"))
        self.assertEqual("one\ntwo\nthree\n", await self.nursery.finish(shell("echo three")))
        self.assertEqual(0o600, stat.S_IMODE(self.nursery.log().stat().st_mode))

    async def test_log_is_measured(self) -> None:
        """How far its log has come is known, whether there is one or not."""
        self.assertEqual(0, self.nursery.spawner.written("other"))
        await self.nursery.finish(shell("echo one"), "other")
        self.assertEqual(4, self.nursery.spawner.written("other"))

    async def test_log_is_appended(self) -> None:
        """A log that is cut while it is written goes on at its new end."""
        process, witness = self.nursery.spawn(
            python(
                "hold(15); print('a' * 100, flush=True); notify('READY=1'); wait(15); print('b')"
            )
        )
        await witness.ready()
        os.truncate(self.nursery.log(), 0)
        process.stop("TERM")
        await witness.ended
        self.assertEqual("b\n", self.nursery.log().read_text())

    async def test_stdin(self) -> None:
        """It can read what it is given, however much, and then the end."""
        data = b"x" * 200_000 + b"\n"
        launch = Launch(Program(("wc", "-c"), stdin=data))
        self.assertEqual("200001", (await self.nursery.finish(launch)).strip())

    async def test_no_stdin(self) -> None:
        """Without that it reads the end at once."""
        self.assertEqual("", await self.nursery.finish(Launch(Program(("cat",)))))

    async def test_private_directory(self) -> None:
        """It works in a directory of its own, which lasts, unless it is given another."""
        own = self.nursery.path / "services" / "web"
        self.assertEqual(f"{own}\n", await self.nursery.finish(shell("pwd; touch kept")))
        self.assertTrue((own / "kept").exists())
        self.assertEqual(0o700, stat.S_IMODE(own.stat().st_mode))
        self.assertEqual("/\n", await self.nursery.finish(shell("pwd", directory="/"), "other"))

    async def test_environment(self) -> None:
        """It inherits the agent's; the service's own variables and the program's go before."""
        nursery = Nursery(self, environment={"PATH": os.defpath, "A": "1", "B": "1", "C": "1"})
        launch = Launch(
            Program(("/bin/sh", "-c", "echo $A$B$C"), environment={"C": "3"}),
            environment={"B": "2", "C": "2"},
        )
        self.assertEqual("123\n", await nursery.finish(launch))

    async def test_secrets(self) -> None:
        """It inherits neither the agent's secrets nor what somebody told the agent alone."""
        secrets = (
            "POP_ADMIN_IDENTITY",
            "NOTIFY_SOCKET",
            "LISTEN_FDS",
            "LISTEN_PID",
            "WATCHDOG_USEC",
        )
        nursery = Nursery(self, environment={"PATH": os.defpath} | dict.fromkeys(secrets, "hush"))
        self.assertNotIn("hush", await nursery.finish(shell("env")))

    async def test_path(self) -> None:
        """A program is looked for on the service's own PATH."""
        directory = Path(self.mktemp()).absolute()
        directory.mkdir()
        (directory / "greet").write_text("#!/bin/sh\necho hello\n")
        (directory / "greet").chmod(0o700)
        launch = Launch(Program(("greet",)), environment={"PATH": str(directory)})
        self.assertEqual("hello\n", await self.nursery.finish(launch))
        beside = Launch(Program(("./greet",)), directory=str(directory))
        self.assertEqual("hello\n", await self.nursery.finish(beside, "other"))

    async def test_nothing_else(self) -> None:
        """It inherits no file of the agent's beside the three, and no signal that is ignored or
        blocked there."""
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2})
        self.addCleanup(signal.pthread_sigmask, signal.SIG_SETMASK, before)
        script = "notify('STATUS=' + ' '.join(sorted(os.listdir('/proc/self/fd'))))"
        _, witness = self.nursery.spawn(python(script))
        self.assertEqual("0 1 2 3", (await witness.heard()).status, "the last one lists them")
        status = await self.nursery.finish(Launch(Program(("cat", "/proc/self/status"))), "cat")
        for line in [line for line in status.splitlines() if line.startswith(("SigBlk", "SigIgn"))]:
            # From 32 on they are the C library's own, which may leave them ignored.
            self.assertEqual(0, int(line.split()[1], 16) & 0x7FFFFFFF, line)

    if not sys.platform.startswith("linux"):
        test_nothing_else.skip = "looks into /proc"  # type: ignore[attr-defined]


class UserTests(Tests):
    """Other users."""

    def setUp(self) -> None:
        super().setUp()
        if os.geteuid():
            raise SkipTest("only root may run processes of others")
        self.nobody = pwd.getpwnam("nobody")
        # Others may pass through to it, wherever the tests themselves run.
        reachable = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, reachable)
        os.chmod(reachable, 0o711)
        self.nursery = Nursery(self, Path(reachable, "state"))

    async def test_user(self) -> None:
        """It runs as its user with that user's groups and home, in a directory of its own."""
        script = "id -u; id -g; id -G; echo $HOME $USER $LOGNAME; touch mine; stat -c %u . mine"
        text = await self.nursery.finish(shell(script, user="nobody"))
        who = self.nobody
        groups = " ".join(map(str, sorted(os.getgrouplist("nobody", who.pw_gid))))
        self.assertEqual(
            [
                str(who.pw_uid),
                str(who.pw_gid),
                groups,
                f"{who.pw_dir} nobody nobody",
                str(who.pw_uid),
                str(who.pw_uid),
            ],
            text.splitlines(),
        )

    async def test_notices(self) -> None:
        """It can tell the agent of itself, although the socket is nobody else's."""
        if not os.access(EVERYBODYS, os.X_OK):
            raise SkipTest(f"needs {EVERYBODYS}, which other users may run")
        argv = python("notify('READY=1'); signal.pause()").program.argv
        program = Program((EVERYBODYS, *argv[1:]), notifies=True)
        _, witness = self.nursery.spawn(Launch(program, user="nobody"))
        self.assertTrue((await witness.ready()).ready)

    async def test_own_variables_win(self) -> None:
        """A home that the service is given is its home."""
        launch = shell("echo $HOME", user="nobody", environment={"HOME": "/srv"})
        self.assertEqual("/srv\n", await self.nursery.finish(launch))


class NoticeTests(Tests):
    """C{NOTIFY_SOCKET}, in places where it is not easy."""

    async def test_long_state_directory(self) -> None:
        """It works below a path that is too long for a socket's name."""
        path = Path(self.mktemp()).absolute() / ("x" * 120)
        nursery = Nursery(self, path)
        self.assertNotIn(path, notify_directory(path).parents)
        _, witness = nursery.spawn(python("notify('READY=1'); signal.pause()"))
        await witness.ready()

    async def test_long_names(self) -> None:
        """It works for any name that a service may have."""
        for name in ("n" * 200, "a b", "日本", "web.json"):
            _, witness = self.nursery.spawn(python("notify('READY=1'); signal.pause()"), name)
            await witness.ready()

    async def test_not_asked_for(self) -> None:
        """A program that does not notify is given no socket."""
        self.assertEqual("-\n", await self.nursery.finish(shell("echo ${NOTIFY_SOCKET:--}")))

    async def test_swept_away(self) -> None:
        """It works again when somebody cleaned up the temporary directory it was in."""
        path = Path(self.mktemp()).absolute() / ("x" * 120)
        nursery = Nursery(self, path)
        shutil.rmtree(notify_directory(path))
        _, witness = nursery.spawn(python("notify('READY=1'); signal.pause()"))
        await witness.ready()

    async def test_nothing_left(self) -> None:
        """When it has ended, its socket is gone."""
        _, witness = self.nursery.spawn(python("notify('READY=1')"))
        await witness.ended
        await turn()
        self.assertEqual([], os.listdir(notify_directory(self.nursery.path)))
