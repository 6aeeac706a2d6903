"""What the tutorial shows, and how it cleans up behind itself; see tutorial.py."""

import argparse
import json
import os
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from interruption import Interruption, Stopped

PREFIX = "/pop-tutorial"
READY = "is ready to run services"
"""What the agent's log says in the end of its start."""
LISTENS = "starting on"
"""What ZooKeeper's log says in the end of its start."""
TWISTD = [sys.executable, "-c", "from twisted.scripts.twistd import run; run()"]
USUAL = "localhost:2181"
REMOVE_TREE = Path(__file__).with_name("remove_tree.py")


class GaveUp(Exception):
    """The tutorial cannot go on, for the reason that is its text."""


def say(text: str = "") -> None:
    """Print at once, in order with what the commands print themselves."""
    try:
        print(text, flush=True)
    except OSError as error:  # nobody reads any more
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise Stopped from error


def answers(servers: str) -> bool:
    """Whether a ZooKeeper serves at HOST:PORT[/chroot]."""
    host, _, port = servers.partition("/")[0].rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=2) as connection:
            connection.sendall(b"srvr")
            said = b"".join(iter(lambda: connection.recv(4096), b""))
    except OSError:
        return False
    return b"Mode:" in said or b"whitelist" in said


def free_port() -> int:
    """A TCP port that nobody uses just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Background:
    """A program whose log is kept until it is time to show it; `begun` is in it once it serves."""

    def __init__(self, command: Sequence[str], environment: dict[str, str], begun: str) -> None:
        # Should we be killed, the kernel asks it to stop, where it can be told to.
        prefix = ["setpriv", "--pdeathsig", "TERM"] if shutil.which("setpriv") else []
        self._process = subprocess.Popen(
            [*prefix, *command],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self._begun = begun
        self._kept: list[str] | None = []
        self._lock = threading.Lock()
        self.ready = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None  # it is a pipe
        for line in self._process.stdout:
            if self._begun in line:
                self.ready.set()
            with self._lock:
                if self._kept is None:
                    self._show(line)
                else:
                    self._kept.append(line)
        self.ready.set()  # it has ended, so it is of no use to wait any longer

    def _show(self, line: str) -> None:
        with suppress(Stopped):
            say(line.rstrip("\n"))

    def show_log(self) -> None:
        """Show the log so far, and from now on each line as it comes."""
        with self._lock:
            kept, self._kept = self._kept or [], None
            for line in kept:
                self._show(line)

    def wait(self) -> int:
        """Wait until it ends, for its exit status."""
        return self._process.wait()

    def stop(self) -> None:
        """Ask it to end, with its services if it has any, and wait for that."""
        self._process.terminate()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(5)


class Tutorial:
    """One way through the tutorial; what it starts is ended through the stack."""

    def __init__(self, stack: ExitStack, interruption: Interruption) -> None:
        self._stack = stack
        self._interruption = interruption
        self._environment: dict[str, str] = {}

    def find_zookeeper(self, named: str | None) -> None:
        """Have a ZooKeeper: the one that was named, the usual one, or one of our own."""
        servers = named or USUAL
        ours = not answers(servers)
        if ours and named:
            raise GaveUp(f"No ZooKeeper answers at {named}.")
        if ours:
            servers = self._start_zookeeper()
        else:
            say(f"There is a ZooKeeper at {servers}; the tutorial stays under {PREFIX}.")
        self._set_environment(servers)
        if not ours:
            self._stack.callback(self._remove_namespace, servers)

    def _start_zookeeper(self) -> str:
        say(f"No ZooKeeper answers at {USUAL}: here is one for this machine, without Java.")
        data = tempfile.mkdtemp(prefix="pop-zookeeper-")
        self._stack.callback(shutil.rmtree, data, ignore_errors=True)
        endpoint = f"tcp:{(port := free_port())}:interface=127.0.0.1"
        words = ["zookeeper", "--data-dir", data, "--listen", endpoint]
        say(f"$ twistd -n {shlex.join(words)}")
        command = [*TWISTD, "--nodaemon", "--pidfile=", *words]
        server = Background(command, dict(os.environ), LISTENS)
        self._stack.callback(server.stop)
        with self._interruption.welcome():
            server.ready.wait(30)
        servers = f"127.0.0.1:{port}"
        if not answers(servers):
            server.show_log()
            raise GaveUp("ZooKeeper did not start.")
        return servers

    def _set_environment(self, servers: str) -> None:
        state = Path(tempfile.mkdtemp(prefix="pop-"))
        self._stack.callback(shutil.rmtree, state, ignore_errors=True)
        here = {name: value for name, value in os.environ.items() if not name.startswith("POP_")}
        path = os.pathsep.join([str(Path(sys.executable).parent), here.get("PATH", os.defpath)])
        options = {
            "POP_ZOOKEEPER": servers,
            "POP_PATH_PREFIX": PREFIX,
            "POP_STATE_DIR": str(state / "state"),
        }
        self._environment = {**here, **options, "PATH": path}
        say("\nFor all that follows:")
        for name, value in options.items():
            say(f"$ export {name}={shlex.quote(value)}")

    def _remove_namespace(self, servers: str) -> None:
        subprocess.run(
            [sys.executable, str(REMOVE_TREE), servers, PREFIX],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )

    def pop(self, *words: str, capture: bool = False) -> str:
        """Show a command, run it, and show what it prints; that is given back if captured."""
        say(f"\n$ {shlex.join(['pop', *words])}")
        process = subprocess.Popen(
            [sys.executable, "-m", "pop", *words],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if capture else None,
            text=True,
            start_new_session=True,  # Ctrl-C is for us alone
        )
        try:
            with self._interruption.welcome():
                output = process.communicate()[0] or ""
        finally:
            process.kill()
            process.wait()
        if process.returncode:
            raise GaveUp(f"That ended with status {process.returncode}.")
        if capture:
            say(output.rstrip("\n"))
        return output

    def start_agent(self) -> Background:
        """Start the agent as C{pop fg} does."""
        say("\n$ pop fg\n(In a terminal of its own, so to speak: its log follows below.)")
        agent = Background([sys.executable, "-m", "pop", "fg"], self._environment, READY)
        self._stack.callback(agent.stop)
        with self._interruption.welcome():
            agent.ready.wait(30)
        return agent

    def tour(self) -> Background:
        """All of the tutorial."""
        say("\n# A namespace for pop in ZooKeeper, and what can be run:")
        self.pop("init", "--force")
        self.pop("types")
        say("\n# A service is what you want to run: any program, for example.")
        port = free_port()
        argv = "python3 -m http.server {port} --bind 127.0.0.1"
        self.pop("add", "command", "--name", "web", "--argv", argv, "--port", str(port))
        self.pop("status", "web")
        say("\n# An agent makes this machine one that runs services.")
        agent = self.start_agent()
        say("\n# Deploy the service here, and wait until it is ready.")
        self.pop("deploy", "web", "--wait")
        self.pop("status")
        self.fetch(port)
        say("\n# A service that tells by itself where it listens:")
        self.pop("add", "twisted-echo", "--port", "0")
        self.pop("deploy", "twisted-echo", "--wait")
        shown = self.pop("--json", "status", "twisted-echo", capture=True)
        self.echo(find_port(json.loads(shown)))
        self.pop("status")
        return agent

    def fetch(self, port: int) -> None:
        """Show that the web server answers; it may need a moment to begin."""
        say(f"\n$ curl -s http://127.0.0.1:{port}/ | grep title")
        with self._interruption.welcome():
            page = self._patiently(lambda: get(port))
        for line in page.splitlines():
            if "title" in line:
                say(line)

    def echo(self, port: int) -> None:
        """Show that the echo server echoes."""
        say(f"\n$ echo 'Hello, pop!' | nc 127.0.0.1 {port}")
        with (
            self._interruption.welcome(),
            socket.create_connection(("127.0.0.1", port), timeout=10) as connection,
        ):
            connection.sendall(b"Hello, pop!\n")
            heard = connection.makefile().readline().rstrip("\n")
        say(heard)

    def _patiently(self, attempt: Any) -> str:
        pause = threading.Event()
        for _ in range(100):
            with suppress(OSError, HTTPException):
                return str(attempt())
            pause.wait(0.1)
        raise GaveUp("The service did not answer within 10 seconds.")


def get(port: int) -> str:
    """The page at the root of a web server here."""
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("GET", "/")
    return connection.getresponse().read().decode(errors="replace")


def find_port(status: dict[str, Any]) -> int:
    """Where the one instance of a service says that it listens."""
    [instance] = status["machines"].values()
    return int(instance["state"]["port"])


def main(argv: Sequence[str], interruption: Interruption) -> int:
    """Go through the tutorial, and end everything that it started, whatever happens."""
    parser = argparse.ArgumentParser(description="Show pop's tutorial, live.")
    parser.add_argument("--once", action="store_true", help="end after the tour")
    parser.add_argument("--zookeeper", metavar="HOST:PORT[/chroot]", help="use this ZooKeeper")
    options = parser.parse_args(argv)
    toured = False
    try:
        with ExitStack() as stack:
            tutorial = Tutorial(stack, interruption)
            tutorial.find_zookeeper(options.zookeeper)
            agent = tutorial.tour()
            toured = True
            if options.once:
                return 0
            say(
                "\n# The agent is in the foreground now, and this is its log. Ctrl-C ends it all.\n"
            )
            agent.show_log()
            with interruption.welcome():
                status = agent.wait()
            raise GaveUp(f"The agent ended by itself, with status {status}.")
    except GaveUp as error:
        with suppress(Stopped):
            say(f"{error}")
        return 1
    except Stopped:
        return 0 if toured else 130
