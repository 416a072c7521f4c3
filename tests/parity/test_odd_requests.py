"""Requests that nobody would write, made by Hypothesis: the numbers of lm-evaluation-harness's own HF backend."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parity.families import FAMILIES, build
from parity.harness import check_rolling, check_scores, check_texts, we_say
from tianti.engine import Failure, ScoreRequest
from tiny import tiny_metaspace_tokenizer, tiny_tokenizer

POSITIONS = 256
TOKENIZERS = {
    "bytes": tiny_tokenizer(),
    "bytes after bos": tiny_tokenizer(add_bos=True),
    "pieces after bos": tiny_metaspace_tokenizer(),
}
_MOST_TOKENS = max(len(tokenizer) for tokenizer in TOKENIZERS.values())
_FAMILIES = {family.name: family for family in FAMILIES}
NETWORKS = {
    "llama": build(_FAMILIES["llama-gqa"], vocab_size=_MOST_TOKENS, max_position_embeddings=POSITIONS),
    "gpt2": build(_FAMILIES["gpt2"], vocab_size=_MOST_TOKENS, n_positions=POSITIONS),
}
PLACES = [("llama", name) for name in TOKENIZERS] + [("gpt2", "bytes"), ("gpt2", "pieces after bos")]
everywhere = pytest.mark.parametrize(("network", "tokenizer"), PLACES)

ENGLISH = (
    "the",
    " the",
    "th",
    "e",
    " mill",
    "lett",
    "ers",
    "A",
    " B",
    "Answer:",
    "0",
    "12",
    " town lies by the",
)
SPACES = ("\n", "\n\n", " ", "  ", "\t", "\r\n", "\u3000", "\xa0", "\u200b")
FOREIGN = ("小", "小镇", "，", "🙂", "👩\u200d👧", "é", "e\u0301", "\u0301", "क्षि")
SPECIAL = ("<s>", "</s>", "<unk>", "▁", "<0x41>", "def add(a, b):\n    ")
FRAGMENTS = st.sampled_from((*ENGLISH, *SPACES, *FOREIGN, *SPECIAL))
SHORT = st.lists(FRAGMENTS | st.text(max_size=4), max_size=8).map("".join)
LONG = st.tuples(SHORT, st.sampled_from([" the", "小", "e ", "mill\n"]), st.integers(60, 400)).map(
    lambda drawn: drawn[0] + drawn[1] * drawn[2]
)
CONTEXTS = st.one_of(st.just(""), st.text(" \n\t\u3000", max_size=4), SHORT, SHORT, LONG)
CONTINUATIONS = st.one_of(
    st.sampled_from([" A", " B", "A", "ers", " the" * 100, " the" * 200]), SHORT.filter(bool), LONG
)


@st.composite
def shared_pairs(draw: Any) -> list[tuple[str, str]]:
    """Few contexts, each asked often: some begin others, some come twice."""
    contexts = draw(st.lists(CONTEXTS, min_size=1, max_size=3))
    contexts += [context + draw(CONTINUATIONS) for context in contexts[:1]]
    chosen = st.tuples(st.sampled_from(contexts), CONTINUATIONS)
    asked = draw(st.lists(chosen, min_size=1, max_size=9))
    return asked + asked[: draw(st.integers(0, 2))]


@cache
def lm_eval_reader(tokenizer: str) -> Any:
    from lm_eval.models.huggingface import HFLM

    return HFLM(pretrained=NETWORKS["llama"], tokenizer=TOKENIZERS[tokenizer])


def lm_eval_asserts(tokenizer: str, context: str, continuation: str) -> bool:
    """Whether lm-eval stops with a bare assertion at this pair: a side without tokens, or more than is read at once."""
    reader = lm_eval_reader(tokenizer)
    if context:
        before, after = reader._encode_pair(context, continuation)
    else:
        before, after = [reader.prefix_token_id], reader.tok_encode(continuation, add_special_tokens=False)
        after = after[1:] if after[:1] == before else after
    return not before or not after or len(after) > POSITIONS


few = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@everywhere
@few
@given(asked=shared_pairs())
def test_scores(network: str, tokenizer: str, asked: list[tuple[str, str]]) -> None:
    reader = TOKENIZERS[tokenizer]
    refused = [pair for pair in asked if lm_eval_asserts(tokenizer, *pair)]
    answered = [pair for pair in asked if pair not in refused]
    if answered:
        check_scores(NETWORKS[network], reader, answered, logits_cache=False)
    requests = [ScoreRequest(*pair, truncate=True) for pair in refused]
    for request, found in zip(requests, we_say(NETWORKS[network], reader, requests), strict=True):
        # A context of nothing but spaces leaves lm-eval without a token to start from; it is as good as none.
        assert isinstance(found, Failure) or not request.context.strip()


@everywhere
@few
@given(texts=st.lists(SHORT | LONG, min_size=1, max_size=4))
def test_rolling(network: str, tokenizer: str, texts: list[str]) -> None:
    # The windows of a text that repeats itself may be the same tokens, split at different points.
    check_rolling(NETWORKS[network], TOKENIZERS[tokenizer], texts, logits_cache=False)


@everywhere
@few
@given(
    contexts=st.lists(CONTEXTS, min_size=1, max_size=4),
    stop=st.lists(st.sampled_from(["e", "\n", " ", "小", "the", "ow", "�"]), max_size=3, unique=True),
)
def test_greedy_texts(network: str, tokenizer: str, contexts: list[str], stop: list[str]) -> None:
    reader = TOKENIZERS[tokenizer]
    # lm-eval hands a prompt without a token to the network, which fails.
    askable = [context for context in contexts if reader.encode(context)]
    if askable:
        check_texts(NETWORKS[network], reader, askable, stop, rows=1, most=8)
