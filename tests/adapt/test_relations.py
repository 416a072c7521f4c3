"""Heads on marked parts of a text: what they read, learn and answer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tianti.adapt import Full, HeadOnly, LoRA
from tianti.adapt.lesson import Lesson
from tianti.adapt.objectives import choose_objective
from tianti.adapt.objectives.labels import Labels
from tianti.adapt.objectives.relations import (
    Related,
    RelationNetwork,
    Relations,
    is_marked,
    read_marked,
    unmarked,
)
from tianti.adapt.token_rows import TokenReader
from tianti.core.exceptions import IncompatibleError
from tianti.core.progress import Silent
from tianti.engine import ChooseRequest, ChooseResponse, Failure, TagRequest
from tianti.models import from_objects
from tianti.tasks.task import Example, TaskInfo
from tiny import tiny_bert, tiny_llama, tiny_tokenizer

RELATIONS = ("sells to(e1,e2)", "sells to(e2,e1)")
PEOPLE = ("Anna", "Ben", "Carla", "Dan", "Eve", "Finn")


@dataclass
class StubTask:
    """Examples to learn a relation from."""

    train: list[Example]
    fingerprint: str = "0" * 64

    @property
    def info(self) -> TaskInfo:
        return TaskInfo("stub/related", "relation-extraction")

    def examples(self, split: Literal["train", "validation"]) -> list[Example]:
        return self.train if split == "train" else []


def related() -> StubTask:
    """The same sentence with its names marked in either order: the text alone does not say which relation it is."""
    examples = []
    for seller in PEOPLE:
        for buyer in PEOPLE:
            if seller == buyer:
                continue
            for label, (one, two) in enumerate((("e1", "e2"), ("e2", "e1"))):
                text = f"<{one}>{seller}</{one}> sells bread to <{two}>{buyer}</{two}>."
                answer = f" {RELATIONS[label]}"
                examples.append(Example(text, answer, text, RELATIONS[label], RELATIONS, label))
    return StubTask(examples)


def encoder(network: Any = None) -> Any:
    return from_objects(network or tiny_bert(), tiny_tokenizer(), name="tiny-bert")


def right(adapted: Any, task: StubTask) -> float:
    requests = [ChooseRequest(example.text, example.choices) for example in task.train]
    answers = dict(adapted.backend.answer(requests))
    return sum(
        max(range(2), key=answers[number].logprobs.__getitem__) == example.label
        for number, example in enumerate(task.train)
    ) / len(task.train)


@given(
    st.lists(st.sampled_from(["Anna", " sells ", "面包", "<e1>", "</e1>", "<e2>", "</e2>", "."]), max_size=12)
)
def test_parts_stand_in_the_text_without_marks(pieces: list[str]) -> None:
    text = "".join(pieces)
    bare, parts = unmarked(text)
    assert bare == "".join(piece for piece in pieces if not piece.startswith("<"))
    for start, end in parts:
        assert 0 <= start < end <= len(bare)


def test_the_first_place_of_each_part_counts() -> None:
    bare, parts = unmarked("<e2>Oak</e2> and <e1>Anna</e1>, again <e1>Ann</e1>")
    assert [bare[start:end] for start, end in parts] == ["Anna", "Oak"]
    bare, parts = unmarked("<e1>the <e2>old</e2> mill</e1>")
    assert [bare[start:end] for start, end in parts] == ["the old mill", "old"]


def test_the_head_reads_the_mean_of_the_text_and_of_both_parts() -> None:
    tokenizer, network = tiny_tokenizer(), RelationNetwork(tiny_bert(), 2).train(False)
    reader = TokenReader(network, tokenizer)
    texts = [example.text for example in related().train[:3]] + [
        "Look: <e2>Dan Ash</e2>, and far away <e1>Eve</e1>."
    ]
    items = [item for item in read_marked(texts, reader) if isinstance(item, Related)]
    with torch.no_grad():
        together = network.item_features(items)
        for item, read, text in zip(items, together, texts, strict=True):
            bare, parts = unmarked(text)
            hidden = network.body(input_ids=torch.from_numpy(item.rows[0])[None].long()).last_hidden_state[0]
            expected = [hidden.mean(dim=0)]
            for (start, end), place in zip(item.parts, parts, strict=True):
                expected.append(hidden[start:end].mean(dim=0))
                assert bare[slice(*place)] in tokenizer.decode(item.rows[0][start:end])
            assert torch.allclose(read, torch.cat(expected), atol=1e-5)


def test_marked_examples_are_learned_so_and_others_are_not() -> None:
    task = related()
    assert is_marked(task.train)
    assert type(choose_objective(Lesson(Full(), encoder(), task, 0))) is Relations
    plain = StubTask([replace(example, text=unmarked(example.text)[0]) for example in task.train])
    assert not is_marked(plain.train)
    assert type(choose_objective(Lesson(Full(), encoder(), plain, 0))) is Labels


@pytest.mark.parametrize(
    ("adaptation", "network"),
    [
        (HeadOnly(), tiny_bert),
        (Full(lr=3e-3, epochs=8), tiny_bert),
        (LoRA(lr=1e-2, epochs=12, head=True), tiny_llama),
    ],
)
def test_directions_are_learned_where_only_the_marks_tell_them(
    adaptation: Any, network: Any, tmp_path: Path
) -> None:
    task, model = related(), encoder(network())
    adapted = adaptation.adapt(model, task, 0, tmp_path, Silent())
    assert right(adapted, task) > 0.9
    again = adaptation.adapt(model, task, 0, tmp_path, Silent())
    assert again.cost.steps == adapted.cost.steps
    assert right(again, task) == right(adapted, task)


def test_what_cannot_be_read_is_skipped_and_the_rest_is_answered(tmp_path: Path) -> None:
    backend = HeadOnly().adapt(encoder(), related(), 0, tmp_path, Silent()).backend
    long = "<e1>Anna</e1> sells " + "bread " * 600 + "to <e2>Ben</e2>."
    texts = ["Anna sells bread.", "<e1>Eve</e1> sells fish to <e2>Ben</e2>.", long]
    requests = [*(ChooseRequest(text, RELATIONS) for text in texts), TagRequest("Anna", ((0, 4),), RELATIONS)]
    answers = dict(backend.answer(requests))
    assert isinstance(answers[1], ChooseResponse)
    assert sum(map(pow, [2.718281828] * 2, answers[1].logprobs)) == pytest.approx(1)
    reasons = {number: answer.reason for number, answer in answers.items() if isinstance(answer, Failure)}
    assert reasons.keys() == {0, 2, 3}
    assert "no two parts" in reasons[0]
    assert "the model reads" in reasons[2]
    assert "cannot answer a TagRequest" in reasons[3]
    assert answers[1].tokens == backend.count_tokens(["Eve sells fish to Ben."])[0]


def test_training_cuts_a_text_behind_its_parts_and_refuses_it_where_they_are_cut_off() -> None:
    network = RelationNetwork(tiny_bert(), 2)
    reader = TokenReader(network, tiny_tokenizer(), 24)
    late = "bread " * 30
    kept, lost = read_marked(
        [f"<e1>Anna</e1> sells <e2>Ben</e2> {late}", f"<e1>Anna</e1> {late}<e2>Ben</e2>"], reader, cut=True
    )
    assert isinstance(kept, Related)
    assert len(kept.rows[0]) == 24
    assert isinstance(lost, Failure)
    task = related()
    task.train[3] = replace(task.train[3], text=f"<e1>Anna</e1> {late}<e2>Ben</e2>")
    lesson = Lesson(Full(max_length=24), encoder(), task, 0)
    with pytest.raises(IncompatibleError, match="marked part"):
        choose_objective(lesson).items(network, task.train)
