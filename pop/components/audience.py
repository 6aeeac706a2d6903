"""Listeners to the lives of bundles and of the framework, who are waited for."""

from collections.abc import Hashable
from typing import Any, NamedTuple

from twisted.logger import Logger

from pop.components.errors import NotAListener
from pop.components.listeners import key_of
from pop.components.patience import Patience
from pop.components.reference import Owner

log = Logger()


class _Told(NamedTuple):
    owner: Owner
    listener: Any
    call: Any


class Audience:
    """Who is told of something, one after the other, in the order in which they came.

    @param method: the listeners' method; a listener without is called itself.
    """

    def __init__(self, method: str, patience: Patience) -> None:
        self._method = method
        self._patience = patience
        self._known: dict[Hashable, _Told] = {}

    def add(self, owner: Owner, listener: Any) -> bool:
        """Tell a listener from now on; C{False} if it is told already.

        @raise NotAListener: it cannot be called.
        """
        call = getattr(listener, self._method, listener)
        if not callable(call):
            raise NotAListener(object=repr(listener), method=self._method)
        key = key_of(listener)
        if key in self._known:
            return False
        self._known[key] = _Told(owner, listener, call)
        return True

    def remove(self, listener: Any) -> bool:
        """Tell it no more; whether it was told."""
        return self._known.pop(key_of(listener), None) is not None

    def end(self, owner: Owner) -> None:
        """Tell none of a bundle's listeners any more."""
        self._known = {key: told for key, told in self._known.items() if told.owner is not owner}

    async def tell(self, *event: Any) -> None:
        """Tell all; what one raises, or that it hangs, is logged, and the others are told."""
        for key, told in list(self._known.items()):
            if key in self._known:
                who = f"{self._method} of bundle {told.owner.get_symbolic_name()}"
                try:
                    await self._patience.call(who, told.call, *event)
                except Exception:
                    log.failure("{who} failed at {event}", who=who, event=event)
