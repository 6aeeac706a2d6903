"""Between a tree and its store: what a turn of the reactor changed is saved, or never happened."""

from __future__ import annotations

from typing import Protocol

from twisted.logger import Logger

from txzookeeper.durable import DurableTree
from txzookeeper.store import Batch
from txzookeeper.trouble import Trouble


class Keeper(Protocol):
    """Who keeps what changed: a `txzookeeper.store.Store`."""

    def keep(self, batch: Batch) -> None:
        """Keep all of this, or raise and keep none of it."""

    def try_room(self) -> None:
        """Raise if nothing can be kept."""


class Journal:
    """Saves a tree's changes; where they cannot be saved, nothing can be changed any more.

    ``writable`` says whether changes are allowed. Who changes the tree nevertheless loses that.
    """

    log = Logger()

    def __init__(self, tree: DurableTree, keeper: Keeper) -> None:
        self.writable = True
        self._tree = tree
        self._keeper = keeper

    def save(self) -> bool:
        """Save what has changed; if that fails, undo it and give False."""
        if self._tree.is_saved:
            return True
        try:
            self._keeper.keep(self._tree.unsaved())
        except Exception as error:
            self._tree.undo()
            self._tell(error)
            self.writable = False
            return False
        self._tree.saved()
        return True

    def try_again(self) -> None:
        """Find out whether changes can be saved again, where they could not."""
        if self.writable:
            return
        try:
            self._keeper.try_room()
        except Trouble:
            return
        self.writable = True
        self.log.info("Writing is possible again.")

    def _tell(self, error: Exception) -> None:
        if not isinstance(error, Trouble):
            self.log.failure("Saving failed")
        self.log.critical(
            "{error} What could not be saved was not acknowledged, and is undone. Until writing is"
            " possible again, the server only reads.",
            error=error,
        )


class NoJournal:
    """What a server has that keeps nothing: all is as good as saved."""

    writable = True

    def save(self) -> bool:
        """Do nothing."""
        return True

    def try_again(self) -> None:
        """Do nothing."""
