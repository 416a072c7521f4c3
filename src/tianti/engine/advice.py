"""What a library advises while it is told to do what it does not do, which is checked here before it counts."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_advice() -> Iterator[None]:
    """Within it peft does not say that a model with virtual tokens counts positions by itself.

    The checks of the engine see whether the numbers are right; to the user the sentence says nothing.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Position ids are not supported", category=UserWarning)
        yield
