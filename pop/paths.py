"""Where things lie in ZooKeeper: the one file that spells a path."""

from pop.errors import BadName, BadPrefix
from pop.frozen import frozen


@frozen
class Row:
    """One row of the znode table, as the documentation shows it."""

    path: str
    data: str
    format: str
    kind: str


TABLE = (
    Row("/machines/<machine-id>", "what the machine is", "JSON object", "persistent"),
    Row("/machines/<machine-id>/<service>", "the process id", "integer", "ephemeral"),
    Row("/services/<service>", "", "", "persistent"),
    Row("/services/<service>/type", "name of the service type", "text", "persistent"),
    Row(
        "/services/<service>/machines",
        "machine ids on which it should run",
        "JSON list",
        "persistent",
    ),
    Row(
        "/services/<service>/settings",
        "the settings, whichever the machine; changed, the service is restarted",
        "JSON object",
        "persistent",
    ),
    Row(
        "/services/<service>/target",
        "what the operator asked: run or hold, and a restart generation",
        "JSON object",
        "persistent",
    ),
    Row(
        "/services/<service>/state/<machine-id>",
        "set when the instance is up and ready; content is the type's own",
        "JSON object",
        "ephemeral",
    ),
    Row(
        "/services/<service>/status/<machine-id>",
        "the instance's phase, since when, why, how many restarts",
        "JSON object",
        "ephemeral",
    ),
    Row(
        "/services/<service>/runs/<run>",
        "a run of one of its tasks: which, who, when, where, how it ended",
        "JSON object",
        "persistent",
    ),
    Row("/services/<service>/runs/<run>/going", "", "", "ephemeral"),
    Row("/services/<service>/lock", "", "", "container"),
    Row(
        "/services/<service>/roll",
        "whose turn it is in a roll, and why it was stopped",
        "JSON object",
        "persistent",
    ),
    Row(
        "/services/<service>/roll/<machine-id>", "that it waits for its turn", "empty", "ephemeral"
    ),
    Row(
        "/agents/<machine-id>",
        "who the agent is and where its admin protocol listens",
        "JSON object",
        "ephemeral",
    ),
    Row(
        "/authority",
        "who vouches for agents and administrators: a certificate, and its key under the identity",
        "PEM",
        "persistent",
    ),
)

LONGEST_NAME = 200
"""Bytes of a service's or machine's name: it is also a file name, with something behind it."""


def check_name(kind: str, name: str) -> str:
    """The name, if it can be a znode, a file and an argument.

    @raise BadName: saying what is wrong with it.
    """
    reason = _fault(name)
    if reason:
        raise BadName(kind=kind, name=name, reason=reason)
    return name


def _fault(name: str) -> str | None:
    if not name:
        return "it is empty"
    if name in (".", ".."):
        return "ZooKeeper keeps . and .. for itself"
    if "/" in name:
        return "it has a slash"
    if name[0] in "-.":
        return f"it begins with {name[0]}"
    if not name.isprintable():
        return "it has characters that cannot be printed"
    if any(character >= "\ufff0" for character in name):
        return "it has characters that ZooKeeper does not take"
    if len(name.encode("utf-8", "replace")) > LONGEST_NAME:
        return f"it is longer than {LONGEST_NAME} bytes"
    return None


class Paths:
    """The paths of one namespace.

    @param prefix: under which all lies, C{/} for the root; an absolute path.
    """

    def __init__(self, prefix: str = "/") -> None:
        if not prefix.startswith("/"):
            raise BadPrefix(path=prefix, reason="it does not begin with a slash")
        self.prefix = prefix.rstrip("/")
        for part in self.prefix.split("/")[1:]:
            reason = _fault(part)
            if reason:
                raise BadPrefix(path=prefix, reason=reason.replace("it is empty", "it has //"))

    @property
    def root(self) -> str:
        """The prefix as a path of its own."""
        return self.prefix or "/"

    @property
    def roots(self) -> tuple[str, str, str]:
        """The nodes that make a namespace."""
        return (self.machines, self.services, self.agents)

    @property
    def machines(self) -> str:
        """The parent of all machines."""
        return f"{self.prefix}/machines"

    @property
    def services(self) -> str:
        """The parent of all services."""
        return f"{self.prefix}/services"

    @property
    def agents(self) -> str:
        """The parent of all agents."""
        return f"{self.prefix}/agents"

    @property
    def authority(self) -> str:
        """The certificate authority of a namespace that an identity protects."""
        return f"{self.prefix}/authority"

    def machine(self, machine: str) -> str:
        """What a machine is."""
        return f"{self.machines}/{machine}"

    def pid(self, machine: str, service: str) -> str:
        """The process id of an instance."""
        return f"{self.machines}/{machine}/{service}"

    def agent(self, machine: str) -> str:
        """The agent of a machine, while it lives."""
        return f"{self.agents}/{machine}"

    def service(self, service: str) -> str:
        """A service, the parent of what follows."""
        return f"{self.services}/{service}"

    def type(self, service: str) -> str:
        """The name of a service's type."""
        return f"{self.services}/{service}/type"

    def placement(self, service: str) -> str:
        """The machines a service should run on."""
        return f"{self.services}/{service}/machines"

    def settings(self, service: str) -> str:
        """The settings of a service."""
        return f"{self.services}/{service}/settings"

    def target(self, service: str) -> str:
        """What the operator asked of a service."""
        return f"{self.services}/{service}/target"

    def states(self, service: str) -> str:
        """The parent of a service's states."""
        return f"{self.services}/{service}/state"

    def statuses(self, service: str) -> str:
        """The parent of a service's statuses."""
        return f"{self.services}/{service}/status"

    def roll(self, service: str) -> str:
        """How far a roll of a service is, and the parent of those who wait for their turn."""
        return f"{self.services}/{service}/roll"

    def place(self, service: str, machine: str) -> str:
        """A machine that waits for its turn."""
        return f"{self.roll(service)}/{machine}"

    def state(self, service: str, machine: str) -> str:
        """What a ready instance says of itself."""
        return f"{self.states(service)}/{machine}"

    def status(self, service: str, machine: str) -> str:
        """The phase of an instance, for people."""
        return f"{self.statuses(service)}/{machine}"

    def runs(self, service: str) -> str:
        """The parent of the records of a service's tasks."""
        return f"{self.services}/{service}/runs"

    def run(self, service: str, run: str) -> str:
        """The record of one run of a task."""
        return f"{self.runs(service)}/{run}"

    def going(self, service: str, run: str) -> str:
        """There while whoever began the run is."""
        return f"{self.run(service, run)}/going"

    def lock(self, service: str) -> str:
        """Where those stand in line who want to run a task."""
        return f"{self.services}/{service}/lock"
