"""What a model answered to one sample."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class Answer:
    """One sample's answer with its metric values.

    `state`: `ok`, `skipped` (cannot be asked of this model: too long, say) or `error` (the model failed). Only `ok`
    answers have `values`; the others have a `reason` and are counted, never scored as wrong.
    """

    sample_id: str
    repeat: int
    state: Literal["ok", "error", "skipped"]
    prompt: str
    target: str
    prediction: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    responses: tuple[Mapping[str, Any], ...] = ()
    """The raw responses as JSON objects, so that scores can be computed again from the record alone."""
    reason: str = ""
    cluster: str = ""
    tokens: int = 0
    position: int = 0
    """The sample's place in the data, from 0: answers are scored in this order."""
