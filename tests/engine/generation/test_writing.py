"""Thoughts before answers, and what ends a text; the same for both ways of generating."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripted import Scripted
from tianti.engine import Failure, GenerateRequest, GenerateResponse, Thinking
from tianti.engine.causal import CausalBackend
from tianti.engine.generation.transformers_generate import Generator
from tianti.engine.generation.writing import Ends, Prompt, Writing
from tiny import tiny_llama, tiny_metaspace_tokenizer, tiny_tokenizer

TOKENIZER = tiny_tokenizer()
CONTEXT = "the town"

both_ways = pytest.mark.parametrize("way", ["continuous", "transformers"])


def answer(way: str, network: Any, *requests: GenerateRequest) -> list[Any]:
    backend = CausalBackend(network, TOKENIZER)
    if way == "transformers":
        backend.generator = Generator(network, TOKENIZER)
    found = dict(backend.answer(requests))
    assert backend.facts()["generating"] == way
    return [found[index] for index in range(len(requests))]


def think(
    way: str, text: str | list[int], *stop: str, budget: int = 30, most: int = 12, end: str = "</think>"
) -> GenerateResponse:
    request = GenerateRequest(CONTEXT, stop, most, thinking=Thinking(budget, end))
    found = answer(way, Scripted(CONTEXT, text).network, request)[0]
    assert isinstance(found, GenerateResponse)
    return found


@both_ways
def test_the_thought_is_no_part_of_the_answer(way: str):
    found = think(way, "it is\n\nin the</think>\n\nmill\n\nQuestion", "\n\n")
    assert (found.text, found.truncated) == ("mill", False)
    assert (found.thought, found.thought_truncated) == ("it is\n\nin the", False)


@both_ways
def test_a_thought_that_reaches_its_limit_is_ended(way: str):
    budget = len(TOKENIZER.encode("Anna is in the"))
    end = TOKENIZER.encode("</think>")
    script = [*TOKENIZER.encode("Anna is in the"), *[7] * len(end), *TOKENIZER.encode("mill\n\nand")]
    found = think(way, script, "\n\n", budget=budget)
    assert (found.text, found.truncated) == ("mill", False)
    assert (found.thought, found.thought_truncated) == ("Anna is in the", True)
    mill = len(TOKENIZER.encode("mill\n\n"))
    assert found.tokens == len(TOKENIZER.encode(CONTEXT)) + budget + len(end) + mill


@both_ways
def test_the_answer_has_a_limit_of_its_own(way: str):
    found = think(way, "it is</think>letters and letters and letters", "\n\n", most=3)
    assert (found.truncated, found.thought, found.thought_truncated) == (True, "it is", False)
    whole = TOKENIZER.encode("it is</think>letters and letters and letters")
    ended = next(n for n in range(len(whole)) if "</think>" in TOKENIZER.decode(whole[:n]))
    assert found.text == TOKENIZER.decode(whole[ended : ended + 3]).lstrip()


@both_ways
def test_a_text_that_ends_in_its_thought_has_no_answer(way: str):
    found = think(way, [*TOKENIZER.encode("it is"), TOKENIZER.eos_token_id, 9, 9])
    assert (found.text, found.truncated, found.thought) == ("", False, "it is")
    assert not found.thought_truncated


@both_ways
def test_the_end_of_a_thought_may_be_a_special_token(way: str):
    found = think(way, [*TOKENIZER.encode("it is"), 3, *TOKENIZER.encode("mill\n\n")], "\n\n", end="<mask>")
    assert (found.text, found.thought, found.truncated) == ("mill", "it is", False)


@both_ways
def test_what_follows_the_end_within_its_token_is_answer(way: str):
    found = think(way, "the letters\n\n", "\n\n", end="let")
    assert (found.thought, found.text) == ("the ", "ters")


@both_ways
def test_thinking_and_other_requests_go_together(way: str):
    network = tiny_llama()
    asked = [
        GenerateRequest(context, ("e",), 6, temperature, seed=seed, thinking=thinking)
        for context in ("the town", "Question: Where does Anna work?", "A")
        for seed, (temperature, thinking) in enumerate(
            [(0.0, None), (0.0, Thinking(5)), (1.2, Thinking(4, "t")), (1.2, None), (1.2, Thinking(9, "t"))]
        )
    ]
    together = answer(way, network, *asked)
    assert [answer(way, network, request)[0] for request in asked] == together
    assert together == answer("continuous", network, *asked)
    assert any(response.thought_truncated for response in together)
    assert any(response.thought and not response.thought_truncated for response in together)


def test_thought_and_answer_have_to_fit():
    network = tiny_llama()
    fits = GenerateRequest("A", (), 20, thinking=Thinking(100 - len(TOKENIZER.encode("</think>"))))
    longer = GenerateRequest("A A A A A A A A A A A", (), 20, thinking=fits.thinking)
    too_long = GenerateRequest("A", (), 20, thinking=Thinking(110))
    no_end = GenerateRequest("A", (), 20, thinking=Thinking(10, ""))
    found = answer("continuous", network, fits, longer, too_long, no_end)
    assert isinstance(found[0], GenerateResponse)
    assert [response.state for response in found[1:]] == ["skipped"] * 3
    assert all(isinstance(response, Failure) for response in found[1:])
    assert "the model reads 128" in found[1].reason


@pytest.mark.parametrize("tokenizer", [TOKENIZER, tiny_metaspace_tokenizer()], ids=["bytes", "metaspace"])
@given(st.data())
def test_a_stop_string_is_found_at_the_token_that_completes_it(tokenizer: Any, data: st.DataObject):
    """However the text is cut into tokens: an independent look at the whole text after each token."""
    text = data.draw(st.text(st.sampled_from("the ab小镇🙂\n"), min_size=1, max_size=30))
    stops = tuple(
        data.draw(st.lists(st.text(st.sampled_from("the ab小🙂\n"), min_size=1, max_size=4), max_size=3))
    )
    pieces = data.draw(st.lists(st.integers(1, 5), min_size=30, max_size=30))
    tokens, start = [], 0
    for size in pieces:
        tokens += tokenizer.encode(text[start : start + size], add_special_tokens=False)
        start += size
    writing = Writing(Prompt(GenerateRequest("", stops, 1000), tokenizer.encode("")), Ends(tokenizer, ()))
    for count, token in enumerate(tokens, start=1):
        writing.add(token)
        whole = tokenizer.decode(tokens[:count])
        assert writing.done == any(stop in whole for stop in stops)
        if writing.done:
            break
