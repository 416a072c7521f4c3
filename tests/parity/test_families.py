"""Every family of networks, request by request: the numbers of lm-evaluation-harness's own HF backend."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from parity.families import FAMILIES, LONGROPE, Family, build, build_once
from parity.harness import check_rolling, check_scores, check_texts
from parity.prompts import OPENINGS, contexts, family_tokenizer, likeliest, pairs, rolling_texts

every_family = pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)


def _rows(family: Family) -> int:
    """lm-eval's batch."""
    return 1 if family.alone else 4


def check_family_scores(family: Family) -> None:
    network = build_once(family)
    own = likeliest(network, OPENINGS)
    assert own
    greedy = check_scores(network, family_tokenizer(), pairs() + own, rows=_rows(family), logits_cache=False)
    assert all(greedy[-len(own) :])
    assert not all(greedy)


def check_family_rolling(family: Family) -> None:
    check_rolling(build_once(family), family_tokenizer(), rolling_texts(), _rows(family))


def check_family_texts(family: Family) -> None:
    """In batches that lm-eval pads and, one by one, with stop strings."""
    network, tokenizer = build_once(family), family_tokenizer()
    check_texts(network, tokenizer, contexts(), (), _rows(family), most=10)
    check_texts(network, tokenizer, contexts()[3:8], ("e", "\n", "ow", "it", "th"), rows=1, most=10)


@pytest.mark.parametrize("family", [*FAMILIES, LONGROPE], ids=lambda family: family.name)
def test_its_answers_depend_on_what_stands_before(family: Family):
    """On far tokens, on their order, on what the entry is there for: otherwise the tests below would say nothing."""
    network = build_once(family)
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


@pytest.mark.parametrize("check", [check_family_scores, check_family_rolling, check_family_texts])
def test_frequencies_that_depend_on_the_longest_row_of_a_batch(check: Callable[[Family], None]):
    """Beside lm-eval with one row in a batch: in larger ones its numbers depend on what stands beside a text."""
    check(LONGROPE)
