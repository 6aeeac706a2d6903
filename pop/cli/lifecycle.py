"""C{pop start}, C{pop stop} and C{pop fg}."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import click
import psutil
from twisted.internet.task import deferLater

from pop.cli.session import LONG, Session, pass_session
from pop.cluster import Cluster
from pop.errors import AgentFailed, AgentRuns, AgentStays, NoAgent, PopError, Unreachable
from pop.machine import parse_labels
from pop.model import AgentInfo, Service, Target

LOOK_AGAIN = 0.05
"""Seconds between two looks at an agent that is starting."""

label_option = click.option(
    "--label", "labels", multiple=True, metavar="KEY=VALUE", help="Say something of this machine."
)
session_timeout_option = click.option(
    "--session-timeout",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="How soon ZooKeeper gives the agent up.  [default: 30]",
)

admin_option = click.option(
    "--admin",
    metavar="tls:PORT[:interface=ADDRESS][:host=NAME]",
    help="Have it administered from other machines by TLS, by the admin identity; or POP_ADMIN.",
)
embedded_option = click.option(
    "--embedded",
    is_flag=True,
    help="With a ZooKeeper of its own, for this one machine; its data are in the state directory.",
)


@click.command("start")
@click.argument("service", required=False)
@label_option
@session_timeout_option
@admin_option
@embedded_option
@pass_session
def start_(
    session: Session,
    service: str | None,
    labels: tuple[str, ...],
    session_timeout: float | None,
    admin: str | None,
    embedded: bool,
) -> None:
    """Start this machine's agent in the background; or have SERVICE run where it is deployed."""
    if service:
        found = _aim(session, service, lambda target: replace(target, run=True))
        where = ", ".join(found.machines) or "no machine yet"
        session.say(f"{service} should run, on {where}.", service=service, run=True)
    else:
        _start_agent(_administered(session, admin), labels, session_timeout, embedded)


@click.command("stop")
@click.argument("service", required=False)
@click.option("--keep-services", is_flag=True, help="Leave them running, to the next agent.")
@pass_session
def stop_(session: Session, service: str | None, keep_services: bool) -> None:
    """Stop this machine's agent and what it runs; or hold SERVICE on all its machines."""
    if service and keep_services:
        raise click.UsageError("--keep-services is for stopping the agent, not a service.")
    if service:
        _aim(session, service, lambda target: replace(target, run=False))
        said = f'{service} should not run, until "pop start {service}".'
        session.say(said, service=service, run=False)
    else:
        _stop_agent(session, keep_services)


@click.command("fg")
@label_option
@session_timeout_option
@admin_option
@embedded_option
@pass_session
def fg_(
    session: Session,
    labels: tuple[str, ...],
    session_timeout: float | None,
    admin: str | None,
    embedded: bool,
) -> None:
    """Run this machine's agent in the foreground, until Ctrl-C."""
    _refuse_second(_administered(session, admin))
    if not embedded:
        try:
            session.run(partial(_check, session))
        except Unreachable as error:
            _go_by_memory(session, error)
    command, environment = _agent_command(session, labels, session_timeout, embedded)
    os.execve(command[0], command, environment)


def _aim(session: Session, service: str, change: Callable[[Target], Target]) -> Service:
    return session.run(lambda cluster: cluster.aim(service, change))


def _administered(session: Session, admin: str | None) -> Session:
    """The same, with what was said of where its agent can be administered."""
    if admin:
        session.options = {**session.options, "admin": admin}
    session.configuration.check_agent()
    return session


async def _check(session: Session, cluster: Cluster) -> None:
    """Whether an agent could do what it is told to."""
    await cluster.check()
    if session.configuration.admin:
        from time import time  # noqa: TID251  # the root, where clocks come from

        from pop.authority import Authority  # these load OpenSSL
        from pop.trust import authority

        await authority(cluster, session.configuration.identity, lambda: Authority.make(time()))


def _go_by_memory(session: Session, error: Unreachable) -> None:
    """Have an agent begin without ZooKeeper, where another one has been: it knows what to run.

    @raise Unreachable: there was none, so that the address may be the mistake.
    """
    if not session.configuration.state_dir.snapshot.exists():
        raise error
    session.note(f"{error} Until then the agent goes by what was last wanted here.")


def _refuse_second(session: Session) -> None:
    state_dir = session.configuration.state_dir
    pid = state_dir.holder()
    if pid is not None:
        raise AgentRuns(pid=pid, directory=state_dir.path)


def _agent_command(
    session: Session, labels: tuple[str, ...], session_timeout: float | None, embedded: bool
) -> tuple[list[str], dict[str, str]]:
    """C{twistd -n pop} with our options; the identity goes where no process list shows it."""
    parse_labels(labels)
    configuration = session.configuration
    twistd = Path(sys.executable).with_name("twistd")
    script = (
        [str(twistd)]
        if twistd.exists()
        else ["-c", "from twisted.scripts.twistd import run; run()"]
    )
    command = [
        *(sys.executable, *script, "--nodaemon", "--pidfile=", "pop"),
        *("--zookeeper", configuration.servers),
        *("--path-prefix", configuration.paths.root),
        *("--state-dir", str(configuration.state_dir.path)),
        *("--machine-id", configuration.machine),
        *(word for label in labels for word in ("--label", label)),
    ]
    if embedded:
        command.append("--embedded")
    if session.options.get("admin"):
        command += ["--admin", session.options["admin"]]
    if session_timeout:
        command += ["--session-timeout", str(session_timeout)]
    environment = dict(os.environ)
    if configuration.identity:
        environment["POP_ADMIN_IDENTITY"] = configuration.identity
    return command, environment


def _start_agent(
    session: Session, labels: tuple[str, ...], session_timeout: float | None, embedded: bool
) -> None:
    state_dir = session.configuration.state_dir
    if (pid := state_dir.holder()) is not None:
        session.say(f"The agent runs already (pid {pid}).", pid=pid, started=False)
        return
    launch = _Launch(session, *_agent_command(session, labels, session_timeout, embedded))
    state_dir.make()
    if embedded:  # then its ZooKeeper answers the questions below
        launch.now()

    async def start(cluster: Cluster) -> int:
        if not embedded:
            await _check(session, cluster)
            launch.now()
        return await launch.until_registered(cluster)

    try:
        pid = session.run(start, patience=session.patience(LONG) + 10)
    except Unreachable as error:
        launch.check()
        if embedded:  # it is the agent's own that does not answer, not one that is away
            raise
        _go_by_memory(session, error)
        pid = launch.until_it_holds()
    except PopError:
        launch.check()
        raise
    session.say(
        f"Started the agent (pid {pid}) of machine {session.configuration.machine}."
        f" Its log is {state_dir.log}.",
        pid=pid,
        machine=session.configuration.machine,
        started=True,
    )


class _Launch:
    """An agent on its way into the background."""

    def __init__(self, session: Session, command: list[str], environment: dict[str, str]) -> None:
        self._session = session
        self._command = command
        self._environment = environment
        self._log = session.configuration.state_dir.log
        self._begin = 0
        self._process: subprocess.Popen[bytes] | None = None

    def now(self) -> int:
        """Start it, and give its pid."""
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        with os.fdopen(os.open(self._log, flags, 0o600), "ab") as log:
            self._begin = os.fstat(log.fileno()).st_size
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment,
                start_new_session=True,
            )
        return self._process.pid

    def check(self) -> None:
        """Say so if it has ended already, and why."""
        if self._process is not None and self._process.poll() is not None:
            raise AgentFailed(reason=_last_words(self._log, self._begin)) from None

    async def until_registered(self, cluster: Cluster) -> int:
        """Wait until it is there, and give its pid; or until it has ended."""
        path = cluster.paths.agent(self._session.configuration.machine)
        patience = self._session.patience(LONG)
        for _ in range(int(patience / LOOK_AGAIN)):
            self.check()
            node = await cluster.node(path)
            pid = AgentInfo.from_json(path, node[0]).pid if node else None
            if self._process is not None and pid == self._process.pid:
                return pid
            await deferLater(cluster.clock, LOOK_AGAIN)
        reason = f"it has not registered within {patience:g} seconds; see {self._log}"
        raise AgentFailed(reason=reason)

    def until_it_holds(self) -> int:
        """Start it unless it is started, and wait until it holds its state directory."""
        if self._process is None:
            self.now()
        assert self._process is not None  # it is started
        pid, patience = self._process.pid, self._session.patience(LONG)
        for _ in range(int(patience / LOOK_AGAIN)):
            if self._session.configuration.state_dir.holder() == pid:
                return pid
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(LOOK_AGAIN)
            self.check()
        reason = f"it does not hold its state directory after {patience:g} seconds; see {self._log}"
        raise AgentFailed(reason=reason)


def _last_words(log: Path, begin: int) -> str:
    """Why an agent ended: what it said for people, else the end of its log."""
    with open(log, "rb") as file:
        file.seek(begin)
        lines = file.read().decode("utf-8", "replace").splitlines()
    words = [line.removeprefix("pop: ") for line in lines if line.startswith("pop: ")]
    return words[-1] if words else f"see {log}"


def _stop_agent(session: Session, keep_services: bool) -> None:
    state_dir = session.configuration.state_dir
    pid = state_dir.holder()
    if pid is None:
        raise NoAgent(directory=state_dir.path)
    patience = session.patience(LONG)
    try:
        agent = psutil.Process(pid)
        os.kill(pid, signal.SIGQUIT if keep_services else signal.SIGTERM)
        agent.wait(patience)
    except (psutil.NoSuchProcess, ProcessLookupError):
        pass
    except psutil.TimeoutExpired as error:
        raise AgentStays(pid=pid, seconds=patience, log=state_dir.log) from error
    services = "; its services go on." if keep_services else " and its services."
    session.say(f"Stopped the agent (pid {pid}){services}", pid=pid, services=keep_services)
