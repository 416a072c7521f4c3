"""Numbers with their nouns, as a sentence has them."""

from __future__ import annotations


def counted(number: int, noun: str, plural: str = "") -> str:
    """The number with its noun in singular or plural; `plural` where it is not the noun with an s.

    >>> counted(1, "trial"), counted(1200, "trial"), counted(2, "entry", "entries")
    ('1 trial', '1,200 trials', '2 entries')
    """
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
