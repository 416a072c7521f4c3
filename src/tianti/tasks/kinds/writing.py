"""What the kinds share whose answer is a written text: right answers, one request, and the example to learn from."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from tianti.core.exceptions import TaskError
from tianti.engine import GenerateRequest, GenerateResponse, Request, Response
from tianti.tasks.kinds.kind import Fields, Form, Sample, Setting, incompatible, prompted_example
from tianti.tasks.task import Example
from tianti.tasks.template import Row

WRITING_REFUSES = ("doc_to_choice", "option_order", "repeats")
"""Keys that mean nothing where one text is written to each sample."""
TEXTS = "a text, or a list of texts that are all right"


class Writing:
    """A kind that reads right answers from `doc_to_target` and asks for a text; a subclass names and grades it."""

    name: ClassVar[str]
    takes_shots: ClassVar[bool] = True
    needs: ClassVar[tuple[str, ...]] = ("doc_to_text",)
    refuses: ClassVar[tuple[str, ...]] = WRITING_REFUSES
    expected: ClassVar[str] = TEXTS
    """What `doc_to_target` is to give, in words, for the error where it gives something else."""

    def read(self, fields: Fields, row: Row, place: str) -> Form:
        return read_texts(fields, row, place, self.expected)

    def requests(
        self, prompt: str, sample: Sample, setting: Setting, types: frozenset[type]
    ) -> tuple[Request, ...]:
        if GenerateRequest not in types:
            raise incompatible(setting.task, self.name, "writes text", types, taught=False)
        return (replace(setting.generation, context=prompt),)

    def example(self, sample: Sample, setting: Setting) -> Example:
        return prompted_example(sample, setting)


def read_texts(fields: Fields, row: Row, place: str, expected: str = TEXTS) -> Form:
    """`doc_to_target` as one right text, or as a list of them; the first is what shots and training show.

    Raises:
        TaskError: it gives something else than is `expected`.
    """
    value = fields.target if isinstance(fields.target, int) else fields.target.parsed(row, place)
    answers = value if isinstance(value, list | tuple) else [value]
    texts = tuple(str(answer) for answer in answers if isinstance(answer, str | int | float))
    if not texts or len(texts) < len(answers) or not all(texts):
        raise TaskError(
            f"{fields.where}: {place}: doc_to_target gives {value!r}",
            remedy=f"give {expected}, none of them empty",
        )
    return Form(texts)


def written(response: Response) -> str:
    """The answer without the spaces around it; TypeError for anything that is no written text."""
    if not isinstance(response, GenerateResponse):
        raise TypeError(f"expected a written text, found {response!r:.60}")
    return response.text.strip()
