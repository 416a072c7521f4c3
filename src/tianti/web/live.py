"""The newest snapshot of a store, while it is served."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

from tianti.board.assemble import USUAL
from tianti.board.board import Rules
from tianti.board.snapshot import Snapshot, take_snapshot
from tianti.core.exceptions import TiantiError
from tianti.store import Store, has_store
from tianti.web.respond import Responder
from tianti.web.site import Site

SECONDS = 5.0
"""Between two looks at the store."""

_log = logging.getLogger(__name__)


class Live:
    """Answers from one snapshot at a time. `refresh` takes another where the store has changed, and puts it in the
    place of the old one at once and whole: a request is answered from the one or the other."""

    def __init__(
        self, store: Store, study: str | None = None, rules: Rules = USUAL, awaited: Path | None = None
    ) -> None:
        """`awaited` is where a store may appear that is then shown in place of this one."""
        self._store = store
        self._awaited = awaited
        self._appeared: Store | None = None
        self._asked = study, rules
        # The state is read first: what is added while the snapshot is taken is a change to the next look.
        self._state: str | None = store.state()
        self._show(take_snapshot(store, study, rules))

    def _show(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.responder = Responder(Site(snapshot, self._store))

    def refresh(self) -> bool:
        """Look at the store; whether there is something new to show.

        Raises:
            StoreError: the store cannot be read. What was shown before is shown further.
        """
        if self._awaited is not None and has_store(self._awaited):
            self._appeared = self._store = Store(self._awaited)
            self._awaited = self._state = None
        state = self._store.state()
        if state == self._state:
            return False
        snapshot = take_snapshot(self._store, *self._asked)
        new = snapshot.id != self.snapshot.id
        if new:
            self._show(snapshot)
        self._state = state
        return new

    def close(self) -> None:
        """Let go of the store that appeared, if one did; who gave the first one closes that."""
        if self._appeared is not None:
            self._appeared.close()

    @contextmanager
    def kept_fresh(self, seconds: float = SECONDS) -> Iterator[None]:
        """Within, a thread looks at the store every so many seconds, apart from all requests."""
        stop = Event()

        def look() -> None:
            while not stop.wait(seconds):
                try:
                    self.refresh()
                except TiantiError as error:
                    _log.warning("the store could not be read, and what it was before is shown: %s", error)

        thread = Thread(target=look, name="tianti-refresh", daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()
