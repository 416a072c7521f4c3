"""The same requests to lm-evaluation-harness's own HF backend and to ours, and their answers compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from tianti.engine import (
    GenerateRequest,
    GenerateResponse,
    Request,
    RollingRequest,
    RollingResponse,
    ScoreRequest,
    ScoreResponse,
)
from tianti.engine.causal import CausalBackend


def lm_eval_says(
    network: Any, tokenizer: Any, kind: str, arguments: Sequence[Any], rows: int = 4, **settings: Any
) -> list[Any]:
    """What lm-eval's HFLM answers to requests of one kind."""
    from lm_eval.api.instance import Instance
    from lm_eval.models.huggingface import HFLM

    model = HFLM(pretrained=network, tokenizer=tokenizer, batch_size=rows, **settings)
    instances = [Instance(request_type=kind, doc={}, arguments=these, idx=0) for these in arguments]  # type: ignore[arg-type]
    found: list[Any] = getattr(model, kind)(instances, disable_tqdm=True)
    return found


def we_say(network: Any, tokenizer: Any, requests: Sequence[Request], **how: Any) -> list[Any]:
    found = dict(CausalBackend(network, tokenizer, **how).answer(requests))
    return [found[index] for index in range(len(requests))]


def check_scores(
    network: Any, tokenizer: Any, pairs: Sequence[tuple[str, str]], rows: int = 4, **settings: Any
) -> list[bool]:
    """Equal log-probabilities, within 1e-4, and greedy flags; gives the flags.

    `settings` go to HFLM. Without `logits_cache=False` it may be wrong where the same tokens are split differently.
    """
    ours = we_say(network, tokenizer, [ScoreRequest(*pair, truncate=True) for pair in pairs])
    theirs = lm_eval_says(network, tokenizer, "loglikelihood", pairs, rows, **settings)
    for pair, response, (logprob, is_greedy) in zip(pairs, ours, theirs, strict=True):
        assert isinstance(response, ScoreResponse), pair
        assert response.logprob == pytest.approx(logprob, abs=1e-4, rel=1e-6), pair
        assert response.is_greedy == is_greedy, pair
    return [is_greedy for _, is_greedy in theirs]


def check_rolling(network: Any, tokenizer: Any, texts: Sequence[str], rows: int = 4, **settings: Any) -> None:
    """Equal log-probabilities; `settings` as for `check_scores`."""
    ours = we_say(network, tokenizer, [RollingRequest(text) for text in texts])
    asked = [(text,) for text in texts]
    theirs = lm_eval_says(network, tokenizer, "loglikelihood_rolling", asked, rows, **settings)
    for text, response, logprob in zip(texts, ours, theirs, strict=True):
        assert isinstance(response, RollingResponse), text
        # The sum of up to a thousand tokens in float32.
        assert response.logprob == pytest.approx(logprob, abs=1e-4, rel=1e-6), text


def check_texts(
    network: Any, tokenizer: Any, contexts: Sequence[str], stop: Sequence[str], rows: int, most: int = 20
) -> None:
    """Equal greedy texts; contexts at even places may write `most` tokens, the others four fewer."""
    requests = [
        GenerateRequest(context, tuple(stop), most - 4 * (place % 2), truncate=True)
        for place, context in enumerate(contexts)
    ]
    settings = [
        (request.context, {"until": list(stop), "max_gen_toks": request.max_tokens, "do_sample": False})
        for request in requests
    ]
    theirs = lm_eval_says(network, tokenizer, "generate_until", settings, rows)
    for request, response, expected in zip(
        requests, we_say(network, tokenizer, requests), theirs, strict=True
    ):
        assert isinstance(response, GenerateResponse), request
        assert response.text == expected, request
