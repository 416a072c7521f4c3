"""Between lm-evaluation-harness's instances and our requests and responses."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tianti.core.exceptions import TaskError
from tianti.core.seeds import derive_seed
from tianti.engine import (
    ChooseResponse,
    GenerateRequest,
    GenerateResponse,
    Request,
    Response,
    RollingRequest,
    RollingResponse,
    ScoreRequest,
    ScoreResponse,
)
from tianti.tasks.chat import Chat

# lm-eval's own default, and the names that it takes for the same thing, the first one given wins.
MAX_TOKENS = 256
_MAX_TOKENS_NAMES = ("max_gen_toks", "max_new_tokens", "max_tokens", "max_completion_tokens")
_USED = {"until", "do_sample", "temperature", "top_p", *_MAX_TOKENS_NAMES}
# Settings that change nothing at these values.
_NEUTRAL = {"num_beams": 1, "num_return_sequences": 1, "repetition_penalty": 1.0, "use_cache": True}


def chat_arguments(chat: Chat | None) -> dict[str, Any]:
    """How lm-eval's `build_all_requests` is told to have its prompts said in a chat."""
    if chat is None:
        return {}
    return {
        "apply_chat_template": True,
        "chat_template": chat.render,
        "fewshot_as_multiturn": chat.multiturn,
        "system_instruction": chat.system,
    }


def to_request(instance: Any, repeat: int, seed: int) -> Request:
    """One instance as a request with lm-eval's meaning: left-truncated where it is too long.

    Raises:
        TaskError: the task asks for a way of generating that the engine does not have.
    """
    match instance.request_type:
        case "loglikelihood":
            context, continuation = instance.args
            return ScoreRequest(context, continuation, truncate=True)
        case "loglikelihood_rolling":
            return RollingRequest(instance.args[0])
        case _:
            context, settings = instance.args
            return _generate(instance, context, settings, repeat, seed)


def _generate(
    instance: Any, context: str, settings: Mapping[str, Any], repeat: int, seed: int
) -> GenerateRequest:
    sampled = settings.get("do_sample", float(settings.get("temperature", 0.0)) > 0)
    for key, value in settings.items():
        # What only shapes sampling has no effect on greedy decoding.
        if (
            key not in _USED
            and _NEUTRAL.get(key) != value
            and not (key in {"top_k", "min_p"} and not sampled)
        ):
            raise TaskError(
                f"harness:{instance.task_name}: generation_kwargs {key}={value!r} is not supported",
                remedy=f"supported are {', '.join(sorted(_USED))}; override generation_kwargs in a YAML of your own",
            )
    until = settings.get("until") or []
    limits = [settings[name] for name in _MAX_TOKENS_NAMES if settings.get(name) is not None]
    return GenerateRequest(
        context,
        stop=(until,) if isinstance(until, str) else tuple(until),
        max_tokens=int(limits[0]) if limits else MAX_TOKENS,
        temperature=float(settings.get("temperature", 1.0)) if sampled else 0.0,
        top_p=float(settings.get("top_p", 1.0)) if sampled else 1.0,
        seed=derive_seed(seed, instance.task_name, instance.doc_id, instance.idx, repeat) if sampled else 0,
        truncate=True,
    )


def to_result(response: Response) -> tuple[float, bool] | float | str:
    """A response as lm-eval's models return it."""
    match response:
        case ScoreResponse(logprob, is_greedy):
            return logprob, is_greedy
        case RollingResponse(logprob):
            return logprob
        case GenerateResponse(text):
            return text
        case _:
            raise AssertionError(f"no result for a {type(response).__name__}")


def choice_results(response: ChooseResponse) -> list[tuple[float, bool]]:
    """A head's log-probabilities as one log-likelihood result for each choice; the best one counts as greedy."""
    best = int(np.argmax(response.logprobs))
    return [(logprob, index == best) for index, logprob in enumerate(response.logprobs)]


def answered(instances: Sequence[Any], responses: Sequence[Response]) -> list[Any]:
    """Copies of a document's instances that hold the responses."""
    if isinstance(responses[0], ChooseResponse):
        results: list[Any] = choice_results(responses[0])
        # Unconditional instances (mutual information) follow the choices; a head has no such thing: they weigh nothing.
        results += [(0.0, False)] * (len(instances) - len(results))
        return [
            replace(instance, resps=[result] * instance.repeats, filtered_resps={})
            for instance, result in zip(instances, results, strict=True)
        ]
    left = iter([to_result(response) for response in responses])
    return [
        replace(instance, resps=[next(left) for _ in range(instance.repeats)], filtered_resps={})
        for instance in instances
    ]


def to_value(name: str, value: Any) -> Any:
    """A metric's value as JSON data: tuples and arrays become lists, NaN and infinities become null.

    Strings stay, since corpus metrics such as BLEU are computed from the texts.

    Raises:
        TaskError: the value has no JSON form.
    """
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return float(value) if math.isfinite(value) else None
        case np.generic() | np.ndarray():
            return to_value(name, value.tolist())
        case list() | tuple():
            return [to_value(name, item) for item in value]
        case Mapping():
            return {str(key): to_value(name, item) for key, item in value.items()}
        case _:
            raise TaskError(f"the metric {name} gives a {type(value).__name__}, which cannot be stored")


def from_value(value: Any) -> Any:
    """A stored value as lm-eval's aggregations expect it: a list becomes a tuple again, a null NaN."""
    if isinstance(value, list):
        return tuple(math.nan if item is None else item for item in value)
    return value
