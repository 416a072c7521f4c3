"""How much of a site is there: all of it where pages are rendered when asked for, less where each is a file."""

from __future__ import annotations

from dataclasses import dataclass

LISTED = 50
"""Answers of each run that an export lists at least."""
MOST_SAMPLES = 2000
"""Answers that an export has pages for, over all runs, where nothing else was said."""
FEWEST = 3
"""Of each run, however many runs there are."""
COMPARED = 20
"""Entries of a board of which an export compares every two."""
LEAST, MOST = 2, 4
"""Entries that are compared at once."""


@dataclass(frozen=True)
class Extent:
    """What is left out of a site, whose pages say so.

    The first `listed` answers of each run are listed, and the first `samples` have pages of their own; the entries of
    boards of at most `compared` are compared, every two of them. None is no limit. `asks` says whether somebody is
    there who answers a form.
    """

    samples: int | None = None
    listed: int | None = None
    compared: int | None = None
    asks: bool = True

    def together(self, entries: int) -> int:
        """How many entries of a board of so many are compared at once; 0 where none are."""
        if self.asks:
            return MOST
        return LEAST if self.compared is None or entries <= self.compared else 0


LIVE = Extent()


def usual_samples(runs: int) -> int:
    """How many answers of each run have pages in an export: thousands of them, in two languages, times hundreds of
    runs would be millions of files."""
    return max(FEWEST, min(LISTED, MOST_SAMPLES // max(1, runs)))


def exported(samples: int) -> Extent:
    """What an export writes with pages for so many answers of each run."""
    return Extent(samples, max(samples, LISTED), COMPARED, asks=False)
