"""What several have asked for, and hold together until the last of them closes it."""

from collections.abc import Callable
from typing import Any

from pop.components.reference import ServiceReference
from pop.components.remote.adminevent import AdminEventKind
from pop.components.remote.endpoint import Endpoint

Tell = Callable[[AdminEventKind, "Shared", Exception | None], None]
"""Called with what has become of one of them, and why if it is an error."""


class Shared:
    """An endpoint that is exported or imported, as long as somebody wants that.

    @param provider: who does it.
    @ivar endpoint: as it is now.
    @ivar ended: whether it is no more.
    """

    endpoint: Endpoint

    def __init__(self, provider: Any) -> None:
        self.provider = provider
        self.ended = False
        self._holders = 0

    @property
    def reference(self) -> ServiceReference | None:
        """The registration in this framework: what is exported, or what stands for an import."""
        raise NotImplementedError

    def update(self, given: Any) -> None:
        """Something is other than before."""
        raise NotImplementedError

    def hold(self) -> None:
        """Somebody else wants it."""
        self._holders += 1

    def release(self) -> None:
        """Somebody does not want it any more."""
        self._holders -= 1
        if not self._holders:
            self.end()

    def end(self) -> None:
        """Be no more, whoever wants it."""
        if not self.ended:
            self.ended = True
            self.close()

    def close(self) -> None:
        """For subclasses: what is to be done at the end."""
        raise NotImplementedError


class EndpointRegistration:
    """What somebody holds who asked for an export or an import; or the reason why there is none.

    The endpoint is there until all are closed who hold it.
    """

    def __init__(self, shared: Shared | None, error: Exception | None = None) -> None:
        self._shared = shared
        self._error = error
        if shared is not None:
            shared.hold()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.get_description() or self._error!r})"

    @property
    def live(self) -> bool:
        """Whether there is an endpoint, and it has not been closed here."""
        return self._shared is not None and not self._shared.ended

    def get_reference(self) -> ServiceReference | None:
        """The registration in this framework; L{None} while, or since, there is none."""
        return self._shared.reference if self._shared is not None and self.live else None

    def get_description(self) -> Endpoint | None:
        """The endpoint as it is now; L{None} if there is none."""
        return self._shared.endpoint if self._shared is not None and self.live else None

    def get_exception(self) -> Exception | None:
        """Why there has never been one."""
        return self._error

    def close(self) -> None:
        """Want it no more; a second time, nothing happens."""
        shared, self._shared = self._shared, None
        if shared is not None:
            shared.release()

    def _update(self, given: Any) -> Endpoint | None:
        if self._shared is not None and self.live:
            self._shared.update(given)
        return self.get_description()
