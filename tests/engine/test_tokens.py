"""Which tokens a model reads and is scored on."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tianti.engine import Failure, GenerateRequest, RollingRequest, ScoreRequest
from tianti.engine.tokens import CausalTokens, Window, find_max_length
from tiny import tiny_tokenizer

BOS = 1
PLAIN = tiny_tokenizer()
WITH_BOS = tiny_tokenizer(add_bos=True)
TEXTS = st.text(st.sampled_from("thewilm AB 小镇é\n 9🙂"), max_size=30)


def reader(tokenizer: Any = PLAIN, max_length: int = 64, vocabulary: int = 420) -> CausalTokens:
    return CausalTokens(tokenizer, max_length, vocabulary)


def window(context: str, continuation: str, *, truncate: bool = False, **how: Any) -> Window | Failure:
    return reader(**how).windows([ScoreRequest(context, continuation, truncate)])[0]


def parts(found: Window | Failure) -> tuple[list[int], list[int]]:
    """Context and continuation of a window."""
    assert isinstance(found, Window)
    split = len(found.tokens) - found.scored
    return found.tokens[:split].tolist(), found.tokens[split:].tolist()


def ids(text: str) -> list[int]:
    return PLAIN.encode(text, add_special_tokens=False)


def test_trailing_spaces_go_to_the_continuation():
    assert parts(window("the mill ", "town")) == (ids("the mill"), ids(" town"))
    assert parts(window("the mill \n", "town")) == (ids("the mill"), ids(" \ntown"))


def test_a_token_across_the_join_is_split_by_count():
    # " letters" is one token: the continuation starts after as many tokens as the context has when it stands alone.
    context, whole = ids("the lett"), ids("the letters are in the mill")
    assert whole[: len(context)] != context
    assert parts(window("the lett", "ers are in the mill")) == (context, whole[len(context) :])


def test_a_continuation_merged_into_the_context_is_skipped():
    assert len(ids("the lett")) == len(ids("the letters"))
    found = window("the lett", "ers")
    assert isinstance(found, Failure)
    assert found.state == "skipped"
    assert "no token of its own" in found.reason


@pytest.mark.parametrize("context", ["", " ", "\n "])
def test_an_empty_context_is_the_prefix_token(context: str):
    assert parts(window(context, "the town")) == ([BOS], ids(context + "the town"))


def test_a_prefix_token_in_the_continuation_becomes_the_context():
    assert parts(window("", "<s>the town")) == ([BOS], ids("the town"))
    assert isinstance(window("", "<s>"), Failure)


def test_eos_stands_in_for_a_missing_bos():
    tokenizer = tiny_tokenizer()
    tokenizer.bos_token = None
    assert parts(window("", "the", tokenizer=tokenizer))[0] == [2]
    tokenizer.eos_token = None
    for found in (
        window("", "the", tokenizer=tokenizer),
        reader(tokenizer).rolling([RollingRequest("the")])[0],
        reader(tokenizer).prompts([GenerateRequest("", max_tokens=2)])[0],
    ):
        assert isinstance(found, Failure)
        assert "no BOS or EOS" in found.reason
    assert parts(window("the", " town", tokenizer=tokenizer)) == (ids("the"), ids(" town"))


def test_bos_is_added_once():
    expected = ([BOS, *ids("the mill")], ids(" town"))
    assert parts(window("the mill", " town", tokenizer=WITH_BOS)) == expected
    assert parts(window("<s>the mill", " town", tokenizer=WITH_BOS)) == expected
    assert parts(window("", "the town", tokenizer=WITH_BOS)) == ([BOS], ids("the town"))
    prompts = reader(WITH_BOS).prompts(
        [GenerateRequest(text, max_tokens=4) for text in ("the", "<s>the", "")]
    )
    assert [prompt.tolist() for prompt in prompts] == [[BOS, *ids("the")], [BOS, *ids("the")], [BOS]]
    assert reader(WITH_BOS).count(["the", "<s>the", ""]) == [1 + len(ids("the")), 1 + len(ids("the")), 1]


def test_what_does_not_fit_is_skipped_or_cut_from_the_left():
    context, answer = "the mill by the river and the town", " the"
    whole = ids(context + answer)
    for room in (1, 2, 5, len(whole) - 2):
        kept, scored = parts(window(context, answer, truncate=True, max_length=room))
        assert kept + scored == whole[-(room + 1) :]
        refused = window(context, answer, max_length=room)
        assert isinstance(refused, Failure)
        assert refused.reason == f"prompt and answer of {len(whole)} tokens, the model reads {room}"
    # The last token is predicted and not read.
    assert sum(map(len, parts(window(context, answer, max_length=len(whole) - 1)))) == len(whole)


def test_a_continuation_longer_than_the_model_is_skipped_even_when_cutting():
    found = window("the", " town by the river", truncate=True, max_length=3)
    assert isinstance(found, Failure)
    assert "continuation of" in found.reason


def test_prompts_leave_room_for_what_is_generated():
    text = "the mill by the river and the town"
    whole = ids(text)
    requests = [
        GenerateRequest(text, max_tokens=4, truncate=True),
        GenerateRequest(text, max_tokens=4),
        GenerateRequest(text, max_tokens=8, truncate=True),
        GenerateRequest(text, max_tokens=0),
    ]
    cut, refused, no_room, nothing = reader(max_length=8).prompts(requests)
    assert cut.tolist() == whole[-4:]
    assert [found.state for found in (refused, no_room, nothing)] == ["skipped"] * 3
    assert f"prompt of {len(whole)} tokens and 4 to generate" in refused.reason


def test_tokens_without_an_embedding_are_an_error():
    for found in (
        window("the", " town", vocabulary=100),
        reader(vocabulary=100).rolling([RollingRequest("the town")])[0],
        reader(vocabulary=100).prompts([GenerateRequest("the", max_tokens=2)])[0],
    ):
        assert isinstance(found, Failure)
        assert found.state == "error"
        assert "outside the model's vocabulary of 100" in found.reason


@given(TEXTS, st.integers(1, 9))
def test_rolling_windows_score_each_token_once(text: str, max_length: int):
    windows = reader(max_length=max_length).rolling([RollingRequest(text)])[0]
    assert isinstance(windows, list)
    followed = [BOS, *ids(text)]
    scored = [token for w in windows for token in w.tokens[len(w.tokens) - w.scored :].tolist()]
    assert scored == followed[1:]
    end = 1
    for w in windows:
        end += w.scored
        assert w.tokens.tolist() == followed[max(0, end - max_length - 1) : end]


@given(st.lists(st.tuples(TEXTS, TEXTS), max_size=8))
def test_requests_do_not_touch_each_other(pairs: list[tuple[str, str]]):
    requests = [ScoreRequest(context, continuation) for context, continuation in pairs]
    together = reader().windows(requests)
    for request, found in zip(requests, together, strict=True):
        alone = reader().windows([request])[0]
        if isinstance(found, Window):
            assert isinstance(alone, Window)
            assert found.scored == alone.scored > 0
            np.testing.assert_array_equal(found.tokens, alone.tokens)
        else:
            assert found == alone


def test_max_length_is_found_where_lm_eval_finds_it():
    def found(model_max_length: float = int(1e30), **config: Any) -> int:
        return find_max_length(SimpleNamespace(**config), SimpleNamespace(model_max_length=model_max_length))

    assert found(max_position_embeddings=64, n_positions=32) == 32
    assert found(n_ctx=16) == 16
    assert found(model_max_length=99) == 99
    assert found() == 2048
    assert found(max_position_embeddings=8, text_config=SimpleNamespace(max_position_embeddings=70)) == 70
