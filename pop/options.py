"""The options of C{twistd pop}."""

from typing import Any

from twisted.python.usage import Options as UsageOptions
from twisted.python.usage import UsageError


class Options(UsageOptions):
    """What C{twistd pop} is told."""

    synopsis = "[options]"
    longdesc = (
        "Runs the services of this machine as ZooKeeper says. Every option but --host, --port"
        " and --label may also come from the environment, as POP_ZOOKEEPER, POP_PATH_PREFIX,"
        " POP_MACHINE_ID, POP_STATE_DIR, POP_SESSION_TIMEOUT, POP_ADMIN,"
        " POP_ADMIN_IDENTITY and POP_ADMIN_IDENTITY_FILE."
    )
    optFlags = [  # noqa: RUF012  # so Twisted wants it
        [
            "embedded",
            None,
            "run a ZooKeeper of its own, for this one machine, at the address of --zookeeper and"
            " with its data in the state directory; several machines need Apache ZooKeeper",
        ],
    ]
    optParameters = [  # noqa: RUF012  # so Twisted wants it
        ["zookeeper", None, None, "HOST:PORT[,HOST:PORT...][/chroot]  [default: localhost:2181]"],
        ["host", None, None, "ZooKeeper's host, instead of --zookeeper"],
        ["port", None, None, "ZooKeeper's port, instead of --zookeeper"],
        ["path-prefix", None, None, "where pop's nodes lie in ZooKeeper  [default: /]"],
        ["machine-id", None, None, "this machine's id  [default: the hardware's or system's]"],
        ["state-dir", None, None, "where the agent keeps its files"],
        ["session-timeout", None, None, "seconds until ZooKeeper gives it up  [default: 30]"],
        ["admin-identity", None, None, "USER:PASSWORD; seen by all in the process list"],
        ["admin-identity-file", None, None, "a file with USER:PASSWORD"],
        [
            "admin",
            None,
            None,
            "tls:PORT[:interface=ADDRESS][:host=NAME], to be administered from other machines, by"
            " those who have the admin identity",
        ],
    ]

    def __init__(self) -> None:
        super().__init__()
        self.labels: tuple[str, ...] = ()

    def opt_label(self, label: str) -> None:
        """KEY=VALUE, something to say of this machine; may be repeated"""
        self.labels += (label,)

    def postOptions(self) -> None:
        """Refuse what contradicts itself."""
        if self["zookeeper"] and (self["host"] or self["port"]):
            raise UsageError("Give either --zookeeper or --host and --port.")

    def given(self) -> dict[str, Any]:
        """The options by the names that L{pop.configuration.configure} knows."""
        return {name.replace("-", "_"): value for name, value in self.items() if name != "embedded"}
