"""What is said at each step of a recipe: sizes, settings, losses per epoch, scores."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tianti.adapt import label
from tianti.adapt.dialogue import in_chat
from tianti.adapt.examples import split
from tianti.adapt.fitting import form_of
from tianti.adapt.search import said
from tianti.board.compare import Difference
from tianti.board.show import difference
from tianti.conductor import Outcome
from tianti.core.wording import counted
from tianti.recipe.course import Course
from tianti.store import Store
from tianti.study import repeat_command

if TYPE_CHECKING:
    from tianti.recipe.walk import Reached

LEARNERS = {
    "labels": "a linear head with one output a label learns on the mean of the hidden states (and of marked parts)",
    "choices": "one output scores the text with each choice, and a softmax compares them",
    "tags": "a linear head gives every word its tag",
    "span": "a linear head points at the two ends of the answer in the passage",
}
"""What learns on an encoder, by the form of the examples."""


def about_data(course: Course) -> list[str]:
    """The sizes of the splits, the labels, and one example as the model reads it."""
    trial = course.trials[0]
    task = trial.task
    train, validation = split(task, None, trial.seed or 0)
    given = len(task.examples("validation"))
    lines = [
        f"{task.info.name} ({task.info.kind}, {task.info.language}): {len(train):,} training examples, "
        f"{len(validation):,} to validate on{'' if given else ' (held out of them)'}, "
        f"{task.count(trial.limit):,} to test on."
    ]
    labels = Counter(example.target for example in train if example.label is not None)
    if 0 < len(labels) <= 20:
        lines.append("Labels: " + ", ".join(f"{name} {count:,}" for name, count in sorted(labels.items())))
    if course.recipe.form == "chat":
        lines.append(
            "Each example is said as a conversation, in the model's chat template."
            if course.in_chat
            else "This model has no chat template (or answers by a head): examples keep their plain form."
        )
    shown = in_chat(task, course.model.tokenizer).examples("train") if course.in_chat else train
    if shown:
        first = shown[0]
        read = first.context or first.text
        lines.append("An example, the answer in ⟦ ⟧:")
        lines += [f"  {line}" for line in f"{read}⟦{first.continuation}⟧".splitlines()]
    return lines


def about_model(course: Course) -> list[str]:
    """What was loaded, and what of it learns the task."""
    model = course.model.model
    examples = course.trials[0].task.examples("train")
    form = form_of(examples, course.trials[0].task.info.kind)
    learner = (
        "its decoder learns the tokens of the right answer, as it is asked for them in the test"
        if model.architecture in ("causal", "seq2seq")
        else LEARNERS.get(form, "it cannot learn this task")
    )
    return [f"{model.name} ({model.architecture}, {model.parameters or 0:,} parameters): {learner}."]


def about_search(tried: Sequence[Mapping[str, Any]], *, found: bool) -> list[str]:
    """All tries with their validation figures."""
    lines = [
        f"{counted(len(tried), 'setting')} tried on the validation split{', found from before' if found else ''}:"
    ]
    return lines + [f"  {said(each)}" for each in tried]


def about_stage(
    outcome: Outcome, score: str, brought: Difference | None, before: str, *, learned_in: str = ""
) -> list[str]:
    """The row: how it was trained, its score, and the difference to the stage that it starts from.

    `learned_in` is the earlier stage that trained the same weights, where there is one.
    """
    cost = outcome.run.cost["adaptation"]
    state = "found, measured before" if outcome.state == "found" else "measured"
    lines = [f"Row: {label(outcome.trial.adaptation)} ({state})"]
    if learned_in:
        lines.append(f"The weights are those of “{learned_in}”.")
    elif outcome.trial.adaptation.trains:
        tried = cost.get("tried") or ()
        over = f" (all {counted(len(tried), 'try', 'tries')} together)" if tried else ""
        lines.append(
            f"Trained {cost['trainable_parameters']:,} of {cost['total_parameters']:,} parameters on "
            f"{counted(cost['examples'], 'example')}: {cost['steps']:,} steps, {cost['tokens']:,} tokens, "
            f"{cost['seconds']:,.1f} s{over}."
        )
        lines += _epochs(cost)
    lines.append(f"Test: {score}")
    if brought is not None:
        lines.append(f"Against “{before}”: {difference_text(brought)}")
    return lines


def _epochs(cost: Mapping[str, Any]) -> list[str]:
    """Losses by epoch; those of several steps stand one behind the other."""
    losses, held = list(cost["train_loss"]), list(cost["validation"])
    lines = []
    for number_, loss in enumerate(losses):
        figure = f", validation {held[number_]:.4f}" if number_ < len(held) else ""
        lines.append(f"  epoch {number_ + 1}: loss {loss:.4f}{figure}")
    return lines if len(lines) <= 12 else [*lines[:3], f"  … {len(lines) - 6} more …", *lines[-3:]]


def difference_text(found: Difference) -> str:
    """`+12.0 points, interval +3.1 to +20.9, paired on 40 samples`; a plain difference where there is no interval."""
    if found.difference is None:
        return "no difference can be told"
    text = difference(found.difference, found.share) + (" points" if found.share else "")
    if found.low is not None and found.high is not None:
        low, high = (difference(end, found.share) for end in (found.low, found.high))
        text += f", interval {low} to {high}, paired on {found.n:,} samples"
    return text


def about_use(best: Reached, store: Store) -> list[str]:
    """Which stage did best, and how its model is used again."""
    if best.outcome is None:
        raise AssertionError("a stage without an outcome")
    run = best.outcome.run
    return [
        f"Highest on the board: “{best.station.step.name.en}”, run {run.run_id}",
        f"Test it again (what was trained is found): {repeat_command(run.manifest)} --store {store.folder}",
        f"All that is known of it: tianti show {run.run_id} --store {store.folder}",
        "Ask it from Python:",
        "  import tianti",
        "  from tianti.engine import GenerateRequest, ScoreRequest",
        f'  backend = tianti.load_adapted("{run.run_id}", store="{store.folder}").backend',
        '  answers = dict(backend.answer([ScoreRequest("question", " answer")]))',
        "tianti has no server for adapted models in this version.",
    ]
