from __future__ import annotations

from typing import Any

import pytest

from tianti.evaluation.attribution.words import by_word


def _tokens(*pieces: str) -> list[dict[str, Any]]:
    found, start = [], 0
    for number, piece in enumerate(pieces, 1):
        found.append({"text": piece, "start": start, "end": start + len(piece), "weight": float(number)})
        start += len(piece)
    return found


@pytest.mark.parametrize(
    ("pieces", "words"),
    [
        (("The", " wa", "iter", "."), [("The", 1), ("waiter", 5), (".", 4)]),
        ((" ", "ug", "ly", " hall"), [("ugly", 5), ("hall", 4)]),
        (("so", " ", "ug", "ly"), [("so", 1), ("ugly", 7)]),
        (("服", "务", "员", "很"), [("服", 1), ("务", 2), ("员", 3), ("很", 4)]),
    ],
)
def test_pieces_of_a_word_are_put_together(pieces: tuple[str, ...], words: list[tuple[str, float]]) -> None:
    assert by_word(_tokens(*pieces)) == words
