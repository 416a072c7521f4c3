"""How each architecture learns each form of examples: one objective per file, chosen here."""

from __future__ import annotations

from tianti.adapt.lesson import Lesson
from tianti.adapt.objectives.causal_text import CausalText
from tianti.adapt.objectives.choices import Choices
from tianti.adapt.objectives.labels import Labels
from tianti.adapt.objectives.objective import Objective
from tianti.adapt.objectives.relations import Relations, is_marked
from tianti.adapt.objectives.seq2seq_text import Seq2SeqText
from tianti.adapt.objectives.span import Span
from tianti.adapt.objectives.tags import Tags


def choose_objective(lesson: Lesson) -> Objective:
    """The objective of a lesson: language models learn answers as text, encoders learn by heads."""
    by_head = getattr(lesson.adaptation, "head", False)
    match "encoder" if by_head else lesson.model.model.architecture, lesson.form:
        case "causal", _:
            return CausalText(lesson)
        case "seq2seq", _:
            return Seq2SeqText(lesson)
        case _, "labels" if is_marked(lesson.task.examples("train")):
            return Relations(lesson)
        case _, "labels":
            return Labels(lesson)
        case _, "choices":
            return Choices(lesson)
        case _, "tags":
            return Tags(lesson)
        case _, "span":
            return Span(lesson)
        case architecture, form:
            raise AssertionError(f"need_trainable lets nothing else through: {architecture}, {form}")


__all__ = ["Objective", "choose_objective"]
