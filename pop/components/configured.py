"""What a component says of its configuration: the decorator that declares it."""

from typing import Final, TypeVar

from pop.components.decorators import declaring
from pop.frozen import frozen

__all__ = ["Configured", "RequiresConfiguration"]

Class = TypeVar("Class", bound=type)
HANDLER_CONFIGADMIN: Final = "ipopo.configadmin"
"""The handler that it takes; the bundle C{pop.components.configuration} has it."""
UPDATE_POLICY_RECONFIGURE: Final = "reconfigure"
UPDATE_POLICY_RESTART: Final = "restart"
POLICIES: Final = (UPDATE_POLICY_RECONFIGURE, UPDATE_POLICY_RESTART)
CONFIGURED: Final = "service.pid"
"""Where it is declared: there is one for a class. It is no field's name."""


@frozen
class Configured:
    """How the components of a class are configured.

    @ivar pid: under which; L{None} for what the component's property C{service.pid} says.
    @ivar optional: they may be valid without.
    @ivar restart: they are invalid while their configuration changes.
    """

    pid: str | None
    optional: bool
    restart: bool


class RequiresConfiguration:
    """Let the components of a class have the properties that a configuration says.

    They are invalid until there is one, and again when it is deleted. A property that the
    configuration says no more is what it was before. Until the bundle
    C{pop.components.configuration} is there, they wait.

    @param pid: the configuration's; without it, the one that the component's property
        C{service.pid} says.
    @param optional: they may be valid without.
    @param update_policy: C{"restart"} for components that are to be invalidated before their
        properties change, and validated with the new ones.
    """

    def __init__(
        self,
        pid: str | None = None,
        optional: bool = False,
        update_policy: str = UPDATE_POLICY_RECONFIGURE,
    ) -> None:
        if pid is not None and not isinstance(pid, str):
            raise TypeError(f"a PID is a text, not {pid!r}")
        if pid is not None and not pid.strip():
            raise ValueError("a PID is not blank")
        if update_policy not in POLICIES:
            raise ValueError(f"an update policy is one of {', '.join(POLICIES)}")
        self._configured = Configured(
            pid and pid.strip(), optional, update_policy == UPDATE_POLICY_RESTART
        )

    def __call__(self, cls: Class) -> Class:
        declaring(cls).configuration(HANDLER_CONFIGADMIN)[CONFIGURED] = self._configured
        return cls
