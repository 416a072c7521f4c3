"""Contextual calibration of labels: what a model says of an input without content is taken out of its answers.

Zhao et al. 2021, "Calibrate Before Use: Improving Few-Shot Performance of Language Models" (arXiv 2102.09690): the
probabilities of the labels are averaged over the inputs "N/A", "[MASK]" and "" (p_cf, which sums to one), and those of
a question are multiplied by diag(p_cf)⁻¹. The label with the highest product is the answer.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tianti.engine import ChooseResponse, Response, ScoreResponse
from tianti.tasks.kinds.kind import Sample
from tianti.tasks.task_file import TaskFile
from tianti.tasks.template import Field, bind, names_in

CONTENT_FREE = ("N/A", "[MASK]", "")


def without_content(file: TaskFile, sample: Sample, where: str) -> list[str]:
    """The sample's text with each of `CONTENT_FREE` in place of every column of text that its prompt reads, except
    what gives the answer."""
    columns = frozenset(sample.row)
    text = bind("doc_to_text", file.doc_to_text, where, columns)
    read = _read(text)
    if isinstance(file.doc_to_target, str):
        read -= _read(bind("doc_to_target", file.doc_to_target, where, columns))
    place = f"sample {sample.id}"
    replaced = [column for column in sorted(read) if isinstance(sample.row.get(column), str)]
    return [text.text({**sample.row, **dict.fromkeys(replaced, nothing)}, place) for nothing in CONTENT_FREE]


def calibrated(responses: Sequence[Response], labels: int) -> list[ChooseResponse]:
    """The answers to some questions, each the scores of the `labels`, with the prior of the labels taken out.

    The last `labels` · len(CONTENT_FREE) responses are those to the inputs without content. Each answer is a
    `ChooseResponse`: log-probabilities over the labels, which know no length.
    """
    scores = np.array([response.logprob for response in responses if isinstance(response, ScoreResponse)])
    table = scores.reshape(-1, labels)
    asked, free = table[: -len(CONTENT_FREE)], table[-len(CONTENT_FREE) :]
    highest = free.max()
    prior = np.log(np.exp(free - highest).mean(axis=0))  # up to a constant, which the softmax below takes out
    weighed = asked - prior
    weighed = weighed - weighed.max(axis=1, keepdims=True)
    logprobs = weighed - np.log(np.exp(weighed).sum(axis=1, keepdims=True))
    return [ChooseResponse(tuple(map(float, row))) for row in logprobs]


def _read(field: Field) -> set[str]:
    return {field.source} if field.is_column else names_in(field.source)
