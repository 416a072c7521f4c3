"""Named places where a test may let the process die, as `kill -9` or a power cut would.

`TIANTI_FAILPOINT=name` ends the process the first time the place is reached, `name:3` the third time. Without
the variable a failpoint costs one look into the environment.
"""

from __future__ import annotations

import os
from collections import Counter

_reached: Counter[str] = Counter()


def failpoint(name: str) -> None:
    """End the process here, as SIGKILL would, when the environment asks for it."""
    wanted, _, nth = os.environ.get("TIANTI_FAILPOINT", "").partition(":")
    if wanted != name:
        return
    _reached[name] += 1
    if _reached[name] == int(nth or 1):
        os._exit(137)
