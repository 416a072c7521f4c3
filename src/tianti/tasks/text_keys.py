"""The keys of a task file that mean something for some kinds of written text only."""

from __future__ import annotations

KEYS_OF_TEXTS = {
    "target_language": ("translation",),
}
"""Each key with the kinds of task that read it."""
