"""Seeds are derived from what they are for, never drawn from a shared generator.

So a result does not depend on batch size, order, sharding or the number of workers.
"""

from __future__ import annotations

import hashlib
import random


def derive_seed(*parts: str | int) -> int:
    """A seed in [0, 2**63) from the names of what it is for, such as (study seed, task, sample).

    >>> derive_seed(0, "nano/sentiment", "17") == derive_seed(0, "nano/sentiment", "17")
    True
    """
    text = "\x1f".join(f"{type(part).__name__}:{part}" for part in parts)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def derived_random(*parts: str | int) -> random.Random:
    """A generator of its own for each purpose, seeded by `derive_seed`."""
    return random.Random(derive_seed(*parts))
