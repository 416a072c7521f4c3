"""Progress, as a protocol of two methods: the command line shows it with rich, libraries and tests stay silent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Meter(Protocol):
    """One bar."""

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Go on by `steps`; `note` is shown behind the bar (a loss, say)."""
        ...


class Progress(Protocol):
    """Where work in progress is shown."""

    @contextmanager
    def meter(self, title: str, total: int | None) -> Iterator[Meter]:
        """A bar that lives as long as the context; `total` is None when it is not known."""
        ...

    def say(self, text: str) -> None:
        """One line that stays."""
        ...


class _SilentMeter:
    def advance(self, steps: int = 1, note: str = "") -> None:
        return None


class Silent:
    """Shows nothing."""

    @contextmanager
    def meter(self, title: str, total: int | None) -> Iterator[Meter]:
        yield _SilentMeter()

    def say(self, text: str) -> None:
        return None
