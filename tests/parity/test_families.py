"""Every family of networks, request by request: the numbers of lm-evaluation-harness's own HF backend."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
import torch

from parity.families import FAMILIES, LONGROPE, POSITIONS, Family, build
from parity.harness import check_rolling, check_scores, check_texts
from tiny import tiny_tokenizer

every_family = pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)

SHOT = "Question: Where does Anna work? Answer: in the mill.\n\n"
SHOTS = SHOT + "Question: What does Ben read? Answer: letters.\n\n"
QUESTIONS = (
    SHOTS + "Question: Which one is right? Answer:",
    SHOTS + "Question: Which film is dull? Answer:",
    SHOT + "Question: Where is the town? Answer:",
    "The little town lies by",
    "安娜在老磨坊里",
)
LETTERS = (" A", " B", " C", " D")
TEXTS = (" in the mill", " in the mill by the river", " in the old shop", " letters", "小镇 🙂")
OPENINGS = (*QUESTIONS, "A", "the town", "def add(a", "Ben reads", "这部电影", "bread")
LONG = SHOTS * 3


def tokenizer() -> Any:
    made = tiny_tokenizer()
    # Networks without positions of their own (alibi, recurrence) read as much as the tokenizer says.
    made.model_max_length = POSITIONS
    return made


@cache
def network_of(family: Family) -> Any:
    return build(family)


def _rows(family: Family) -> int:
    """lm-eval's batch."""
    return 1 if family.alone else 4


def pairs() -> list[tuple[str, str]]:
    """What a prefix-sharing engine can get wrong: one prefix under many branches, inside another, twice, cut off."""
    asked = [(question, letter) for question in QUESTIONS for letter in LETTERS]
    asked += [(question, text) for question in QUESTIONS for text in TEXTS]
    # One request's tokens are where another's begin, or the same tokens split elsewhere.
    asked += [(SHOT, "Question: What"), (SHOT + "Question:", " What"), (SHOTS, "Question:")]
    asked += [
        (QUESTIONS[2] + " in the mill", " by the river"),
        (QUESTIONS[2] + " in the", " mill by the river"),
    ]
    asked += [
        asked[0],
        asked[21],
        (QUESTIONS[3], " the river. Anna bakes bread in the old mill, and Ben reads"),
    ]
    asked += [("", "A"), ("", " the town"), ("", "<s>a town"), ("", LONG[:40])]
    asked += [(LONG + question, text) for question in QUESTIONS[:2] for text in (*LETTERS[:2], *TEXTS[:2])]
    asked += [(LONG * 2, TEXTS[0]), (LONG[7:], TEXTS[0])]
    # The longest texts that are not cut, with everything or almost nothing scored.
    asked += [("", " the" * POSITIONS), (" the", " the" * (POSITIONS - 1)), (" the" * POSITIONS, " the")]
    return asked


def likeliest(network: Any, contexts: tuple[str, ...], most: int = 3) -> list[tuple[str, str]]:
    """Pairs whose continuation the network itself would write, where the tokenizer reads back what it wrote."""
    encode = tokenizer().encode
    found = []
    for context in contexts:
        tokens = written = encode(context)
        for _ in range(most):
            with torch.no_grad():
                written = [*written, int(network(torch.tensor([written])).logits[0, -1].argmax())]
            continuation = tokenizer().decode(written[len(tokens) :])
            if continuation.strip() and encode(context + continuation) == written:
                found.append((context, continuation))
    return found


def check_family_scores(family: Family) -> None:
    network = network_of(family)
    own = likeliest(network, OPENINGS)
    assert own
    greedy = check_scores(network, tokenizer(), pairs() + own, rows=_rows(family), logits_cache=False)
    assert all(greedy[-len(own) :])
    assert not all(greedy)


def check_family_rolling(family: Family) -> None:
    """Texts of one window, of exactly one, of one and a token, and of several."""
    texts = ["A", SHOTS, " the" * POSITIONS, " the" * (POSITIONS + 1), LONG * 2, LONG + "小镇 🙂", SHOTS]
    check_rolling(network_of(family), tokenizer(), texts, _rows(family))


def check_family_texts(family: Family) -> None:
    """In batches that lm-eval pads and, one by one, with stop strings."""
    contexts = [*QUESTIONS, "A", LONG, QUESTIONS[0], LONG + QUESTIONS[1]]
    check_texts(network_of(family), tokenizer(), contexts, (), _rows(family), most=12)
    check_texts(network_of(family), tokenizer(), contexts, ("e", "\n", "ow", "it", "th"), rows=1, most=12)


@pytest.mark.parametrize("family", [*FAMILIES, LONGROPE], ids=lambda family: family.name)
def test_its_answers_depend_on_what_stands_before(family: Family):
    """On far tokens, on their order, on what the entry is there for: otherwise the tests below would say nothing."""
    network = network_of(family)
    tokens = (3 + 7 * torch.arange(100))[None] % 420
    swapped, other = tokens.clone(), tokens.clone()
    swapped[0, [97, 98]] = tokens[0, [98, 97]]
    other[0, 75] = 5
    with torch.no_grad():
        logits, after_swap, after_other = (network(ids).logits[0, -1] for ids in (tokens, swapped, other))
        assert (after_swap - logits).abs().max() > 3e-3
        assert (after_other - logits).abs().max() > 3e-3
        if family.without:
            changed = build(family, **family.without)
            assert (changed(tokens).logits[0, -1] - logits).abs().max() > 1e-2


@every_family
def test_scores(family: Family):
    check_family_scores(family)


@every_family
def test_rolling(family: Family):
    check_family_rolling(family)


@every_family
def test_greedy_texts(family: Family):
    check_family_texts(family)


@pytest.mark.xfail(
    strict=True, reason="rows on both sides of the length share a batch, and so its frequencies"
)
@pytest.mark.parametrize("check", [check_family_scores, check_family_rolling, check_family_texts])
def test_frequencies_that_depend_on_the_longest_row_of_a_batch(check: Callable[[Family], None]):
    """lm-eval's numbers, too, are right only in batches of one row."""
    check(LONGROPE)
