"""What fits together: model, adaptation and task; and the form in which a task's examples are learned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from tianti.core.exceptions import IncompatibleError
from tianti.models.model import LoadedModel
from tianti.tasks.task import Example, Task

if TYPE_CHECKING:
    from tianti.engine import Backend

Form = Literal["labels", "choices", "tags", "span", "text"]
"""How examples can be learned without text: one set of labels for all, choices of their own, a tag for each word, the
ends of a span in a passage; or text only."""


def form_of(examples: Sequence[Example], kind: str) -> Form:
    """`tags` where all examples have them, `span` where all have a passage, `labels` when all examples share their
    choices, `choices` when each has its own, `text` without choices."""
    if examples and all(example.tags for example in examples):
        return "tags"
    if examples and all(example.passage for example in examples):
        return "span"
    if not examples or any(not example.choices or example.label is None for example in examples):
        return "text"
    if kind == "multiple-choice" or len({example.choices for example in examples}) > 1:
        return "choices"
    return "labels"


def join(text: str, choice: str) -> str:
    """Question and choice as one text, for whatever judges choices one by one; no space in Chinese."""
    return f"{text} {choice}" if text[-1:].isascii() else text + choice


def need_prompted(adaptation: str, model: LoadedModel) -> None:
    """Raise IncompatibleError unless the model answers prompts as it is."""
    need_network(adaptation, model)
    if model.model.architecture == "encoder":
        raise IncompatibleError(
            f"{adaptation} does not fit {model.model.name}: an encoder gives no answer before it has learned the task",
            remedy="use head-only, lora or full, or a masked language model (…ForMaskedLM), which can be prompted",
        )


def need_network(adaptation: str, model: LoadedModel) -> None:
    """Raise IncompatibleError for a baseline: it has no weights."""
    if model.model.architecture == "baseline":
        raise IncompatibleError(
            f"{adaptation} does not fit {model.model.name}: a baseline has no weights to adapt",
            remedy="use fit",
        )


def need_training_split(adaptation: str, task: Task) -> list[Example]:
    """The task's training examples; raises IncompatibleError when there are none."""
    examples = task.examples("train")
    if not examples:
        raise IncompatibleError(
            f"{adaptation} does not fit {task.info.name}: it has no training split to learn from",
            remedy="use zero-shot, or give the task a training split",
        )
    return examples


def need_trainable(adaptation: str, model: LoadedModel, task: Task) -> Form:
    """The form in which the task is learned; raises IncompatibleError when the model cannot learn it."""
    need_network(adaptation, model)
    if model.options.engine == "vllm":
        raise IncompatibleError(
            f"{adaptation} does not fit the engine vllm: vLLM answers and does not train",
            remedy="leave the engine at transformers, or use zero-shot or few-shot",
        )
    examples = need_training_split(adaptation, task)
    form = form_of(examples, task.info.kind)
    if model.model.architecture == "seq2seq" and any(not each.context for each in examples):
        raise IncompatibleError(
            f"{adaptation} does not fit {model.model.name} on {task.info.name}: its examples are texts without a "
            "question, and an encoder–decoder model is not scored on those",
            remedy="use a causal model, or a task with questions",
        )
    if model.model.architecture in ("encoder", "masked") and form == "text":
        raise IncompatibleError(
            f"{model.model.name} does not fit {task.info.name}: its answers are free text, which an encoder cannot "
            "write",
            remedy="use a causal model, or a task with labels or choices",
        )
    return form


def need_head(adaptation: str, model: LoadedModel, form: Form) -> None:
    """Raise IncompatibleError unless a head makes a difference for the model and can give such answers."""
    if model.model.architecture in ("encoder", "masked"):
        raise IncompatibleError(
            f"{adaptation}(head=true) does not fit {model.model.name}: an encoder always learns by a head",
            remedy="leave head out",
        )
    if form == "text":
        raise IncompatibleError(
            f"{adaptation}(head=true) does not fit the task: its answers are free text, which a head cannot write",
            remedy="leave head out",
        )


def prompted_backend(model: LoadedModel) -> Backend:
    """What answers for a model as it is.

    Raises:
        IncompatibleError: a masked language model without a mask token.
    """
    batch = model.options.batch
    if model.llm is not None:
        from tianti.engine.vllm import VllmBackend

        return VllmBackend(model.llm, model.tokenizer, batch=batch)
    if model.model.architecture == "seq2seq":
        return seq2seq_backend(model)
    if model.model.architecture == "masked":
        from tianti.engine.masked.backend import MaskedBackend

        return MaskedBackend(*model.pair(), batch=batch)
    return causal_backend(model)


def causal_backend(model: LoadedModel, network: Any = None) -> Backend:
    """What answers for a causal model, or for `network`, an adapted copy of it."""
    from tianti.engine.causal import CausalBackend

    original, tokenizer = model.pair()
    backend: Backend = CausalBackend(
        original if network is None else network, tokenizer, batch=model.options.batch
    )
    return backend


def seq2seq_backend(model: LoadedModel, network: Any = None) -> Backend:
    """What answers for an encoder–decoder model, or for `network`, an adapted copy of it."""
    from tianti.engine.seq2seq.backend import Seq2SeqBackend

    original, tokenizer = model.pair()
    backend: Backend = Seq2SeqBackend(
        original if network is None else network, tokenizer, batch=model.options.batch
    )
    return backend
