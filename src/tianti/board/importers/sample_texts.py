"""What a record of lm-evaluation-harness tells of one answer, as text."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class SampleText:
    """The prompt as it was sent, the answer (of choices a line each, with its log-probability), and what is right;
    empty where the record does not say."""

    prompt: str
    answer: str
    target: str


def text_of(record: Mapping[str, Any]) -> SampleText:
    """The texts of a record, of whatever age."""
    requests = _requests(record)
    choices = [choice for _, choice in requests if choice]
    given = record.get("filtered_resps", record.get("resps"))
    responses = given if isinstance(given, list) else [] if given is None else [given]
    if choices and len(choices) == len(responses):
        answer = "\n".join(
            f"{choice.strip()}: {_first(response)}"
            for choice, response in zip(choices, responses, strict=True)
        )
    else:
        answer = "\n".join(map(_plain, responses))
    prompt = requests[0][0] if requests else _plain(record["doc"]) if "doc" in record else ""
    return SampleText(prompt, answer, _plain(record.get("target", record.get("truth", ""))))


def _requests(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(prompt, choice) of each request; the choice is empty where the model wrote freely."""
    given = record.get("arguments")
    each: Sequence[Any] = list(given.values()) if isinstance(given, Mapping) else given or []
    if not isinstance(each, list) or not each:
        return [(str(record["prompt_0"]), "")] if "prompt_0" in record else []
    parts = [list(one.values()) if isinstance(one, Mapping) else one for one in each]
    lists = [part if isinstance(part, list) else [part] for part in parts]
    return [
        (_plain(part[0]), part[1] if len(part) > 1 and isinstance(part[1], str) else "")
        for part in lists
        if part
    ]


def _first(response: Any) -> str:
    """The log-probability of a choice: what stands before whether it is the likeliest text."""
    while isinstance(response, list) and response:
        response = response[0]
    return _plain(response)


def _plain(value: Any) -> str:
    """Text as it is, also where it is alone in a list; all else as JSON."""
    while isinstance(value, list) and len(value) == 1:
        value = value[0]
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
