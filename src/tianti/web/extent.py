"""How much of a site is there: all of it where pages are rendered when asked for, less where each is a file."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Extent:
    """What is left out of a site, whose pages say so.

    The first `samples` of each run have pages; the entries of boards of at most `compared` are compared, every two of
    them. None is no limit. `asks` says whether somebody is there who answers a form.
    """

    samples: int | None = None
    compared: int | None = None
    asks: bool = True


LIVE = Extent()
SAMPLES = 50
"""Sample pages of each run in an export, where nothing else was said."""


def exported(samples: int = SAMPLES) -> Extent:
    """What an export writes: thousands of samples times entries times languages would be millions of files."""
    return Extent(samples=samples, compared=20, asks=False)
