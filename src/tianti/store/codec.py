"""Answers and other records as JSON text and back, the same text for the same content."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from tianti.core.exceptions import StoreError
from tianti.evaluation.answer import Answer

_FIELDS = tuple(field.name for field in fields(Answer))
_TEXTS = ("sample_id", "state", "prompt", "target", "prediction", "reason", "cluster")
_KINDS: dict[str, type] = {
    **dict.fromkeys(_TEXTS, str),
    **dict.fromkeys(("repeat", "tokens", "position"), int),
}


def to_text(value: Any, what: str) -> str:
    """`value` as JSON text with sorted keys and no spaces. `what` names it in errors.

    Unlike RFC 8785 this keeps 1 and 1.0 apart and integers of any size: what is read is what was written.

    Raises:
        StoreError: it holds NaN, infinity, half a surrogate pair, or something that JSON has no form for.
    """
    try:
        text = json.dumps(
            value, ensure_ascii=False, sort_keys=True, allow_nan=False, separators=(",", ":"), default=_plain
        )
        text.encode()
    except UnicodeEncodeError as error:
        raise StoreError(
            f"{what} cannot be stored: {error.object[error.start]!r} is half a surrogate pair",
            remedy="mend the text in the data that it comes from",
        ) from error
    except (TypeError, ValueError, RecursionError) as error:
        raise StoreError(
            f"{what} cannot be stored as JSON: {error}",
            remedy="use finite numbers, text, true, false, null, lists and objects with text keys",
        ) from error
    return text


def answer_to_text(answer: Answer) -> str:
    """All fields of an answer as JSON text.

    Raises:
        StoreError: a field has the wrong type, or holds what JSON has no form for.
    """
    for name, kind in _KINDS.items():
        value = getattr(answer, name)
        if not isinstance(value, kind) or isinstance(value, bool):
            raise StoreError(
                f"the answer to sample {answer.sample_id!r} cannot be stored: "
                f"{name} must be {kind.__name__}, not {type(value).__name__} ({value!r})",
                remedy="this is a bug in the task or the engine that made the answer: please report it",
            )
    return to_text(
        {name: getattr(answer, name) for name in _FIELDS}, f"the answer to sample {answer.sample_id!r}"
    )


def answer_from_text(text: str) -> Answer:
    """The answer that `answer_to_text` wrote."""
    return answer_from_fields(json.loads(text))


def answer_from_fields(record: Mapping[str, Any]) -> Answer:
    """An answer from its fields, `responses` being a list."""
    return Answer(**{**record, "responses": tuple(record["responses"])})


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
