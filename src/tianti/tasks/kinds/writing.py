"""What the kinds whose answer is a written text share: right answers, one request, and the example to learn from."""

from __future__ import annotations

from dataclasses import replace

from tianti.core.exceptions import TaskError
from tianti.engine import GenerateRequest, GenerateResponse, Request, Response
from tianti.tasks.kinds.kind import Fields, Form, Sample, Setting, incompatible
from tianti.tasks.template import Row

WRITING_REFUSES = ("doc_to_choice", "option_order", "repeats")
"""Keys that mean nothing where one text is written to each sample."""


def read_texts(fields: Fields, row: Row, place: str) -> Form:
    """`doc_to_target` as one right text, or as a list of them; the first is what shots and training show."""
    value = fields.target if isinstance(fields.target, int) else fields.target.parsed(row, place)
    answers = value if isinstance(value, list | tuple) else [value]
    texts = tuple(str(answer) for answer in answers if isinstance(answer, str | int | float))
    if not texts or len(texts) < len(answers) or not all(texts):
        raise TaskError(
            f"{fields.where}: {place}: doc_to_target gives {value!r}",
            remedy="give a text, or a list of texts that are all right, none of them empty",
        )
    return Form(texts)


def write_request(
    prompt: str, sample: Sample, setting: Setting, types: frozenset[type], kind: str
) -> tuple[Request, ...]:
    """One request to write; IncompatibleError where the backend writes nothing."""
    if GenerateRequest not in types:
        raise incompatible(setting.task, kind, "writes text", types)
    return (replace(setting.generation, context=prompt),)


def written(response: Response) -> str:
    """The answer without the spaces around it; TypeError for anything that is no written text."""
    if not isinstance(response, GenerateResponse):
        raise TypeError(f"expected a written text, found {response!r:.60}")
    return response.text.strip()
