from __future__ import annotations

import json
import os
import random
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from chats import chat_tokenizer
from tianti.adapt import parse_adaptation
from tianti.api import run_study
from tianti.conductor import Outcome, conduct
from tianti.core.exceptions import StoreError
from tianti.core.progress import Silent
from tianti.estimate import estimate
from tianti.evaluation.evaluate import SHARD_SIZE
from tianti.store import Store
from tianti.study import Study, repeat_command, study_of, trials
from tiny import tiny_llama, tiny_tokenizer

ROWS = [
    {"text": f"{'This film is wonderful' if index % 2 else 'This film is dull'} {index}", "label": index % 2}
    for index in range(150)
]
TASK = """\
task: films
kind: classification
data: {train: train.jsonl, validation: validation.jsonl, test: test.jsonl}
doc_to_text: "Review: {{text}}\\nSentiment:"
doc_to_target: label
doc_to_choice: [dull, wonderful]
"""


@pytest.fixture
def world(tmp_path: Path) -> Path:
    """A folder with a tiny model and a task of 150 test samples."""
    tiny_llama().save_pretrained(tmp_path / "model")
    tiny_tokenizer().save_pretrained(tmp_path / "model")
    for split, rows in {"train": ROWS[:24], "validation": ROWS[24:32], "test": ROWS}.items():
        (tmp_path / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "task.yaml").write_text(TASK)
    return tmp_path


def _study(world: Path, **fields: Any) -> Study:
    usual: dict[str, Any] = {"models": [str(world / "model")], "tasks": [str(world / "task.yaml")]}
    return study_of(**{**usual, **fields})


def _conduct(study: Study, store: Path) -> list[Outcome]:
    with Store(store) as opened:
        return list(conduct(trials(study), opened, Silent()))


def _kept(store: Path) -> dict[str, Any]:
    """All that must not depend on how often a study was stopped: answers and scores, by trial."""
    with Store(store) as opened:
        return {
            run.trial_id: {
                "answers": [asdict(answer) for answer in opened.answers(run.run_id)],
                "scores": [asdict(score) for score in opened.scores(run.run_id)],
                "state": run.state,
            }
            for run in opened.runs()
        }


def test_chats_are_trials_of_their_own(world: Path) -> None:
    chat_tokenizer("turns").save_pretrained(world / "model")
    adaptations = ["zero-shot", "zero-shot(chat=true)", "few-shot(k=2, chat=true, system='Judge, please.')"]
    study = _study(world, adaptations=adaptations, limit=3)
    plain, said, told = _conduct(study, world / "store")
    assert [outcome.state for outcome in (plain, said, told)] == ["measured"] * 3
    assert plain.trial.manifest["adaptation"]["settings"] == {}
    assert said.trial.title.split(" · ")[1] == "zero-shot(chat=true)"
    with Store(world / "store") as store:
        prompts = [store.answers(outcome.run.run_id)[0].prompt for outcome in (plain, said, told)]
    assert prompts[0] == "Review: This film is dull 0\nSentiment:"
    assert prompts[1] == f"<s>|user|\n{prompts[0]}|end|\n|assistant|\n"
    assert prompts[2].startswith("<s>|system|\nJudge, please.|end|\n|user|\nReview: ")
    assert prompts[2].count("|assistant|") == 3
    written = shlex.split(repeat_command(told.trial.manifest))
    again = parse_adaptation(written[written.index("--adapt") + 1])
    assert again == told.trial.adaptation
    assert [each.samples for each in estimate(trials(study))] == [3, 3, 3]
    tokens = [each.tokens for each in estimate(trials(study))]
    assert tokens == sorted(set(tokens))


def test_a_model_without_a_chat_template_is_refused_before_it_computes(world: Path) -> None:
    (outcome,) = _conduct(_study(world, adaptations=["zero-shot(chat=true)"]), world / "store")
    assert outcome.state == "refused"
    assert "a chat needs a chat template, and the model's tokenizer has none" in outcome.reason
    assert outcome.run.answers_count == 0
    assert [line.refused for line in estimate([outcome.trial])] == [outcome.reason]


def test_what_was_trained_is_checked_for_its_own_test_items(world: Path) -> None:
    """The first 32 of the 150 test samples are those that are trained on or chosen by."""
    trained, asked = _conduct(_study(world, adaptations=["lora(epochs=1)", "zero-shot"]), world / "store")
    found = trained.run.cost["contamination"]
    assert (found["items"], found["training_examples"]) == (150, 32)
    assert found["overlapping_items"] == [str(index) for index in range(32)]
    assert found["exact_duplicates"] == 32
    assert found["inflation"]["n_first"] == 32
    assert "contamination" not in asked.run.cost


def test_a_study_is_measured_once(world: Path) -> None:
    study = _study(world, adaptations=["zero-shot", "lora(epochs=1)"], limit=70)
    first = _conduct(study, world / "store")
    assert [outcome.state for outcome in first] == ["measured", "measured"]
    for outcome in first:
        assert outcome.run.answers_count == 70
        assert outcome.run.cost["evaluation_tokens"] > 0
        assert outcome.run.environment["versions"]["torch"]
        assert outcome.run.cost["peak_memory_bytes"] > 0
    assert first[1].run.cost["adaptation"]["trainable_parameters"] > 0
    kept = _kept(world / "store")
    second = _conduct(study, world / "store")
    assert [outcome.state for outcome in second] == ["found", "found"]
    assert [outcome.run for outcome in second] == [outcome.run for outcome in first]
    assert _kept(world / "store") == kept


def test_a_chain_is_a_row_of_its_own_and_trains_each_step_once(world: Path) -> None:
    names = ["lora(epochs=1)", "lora(epochs=1) + few-shot(k=2)", "lora(epochs=1) + update(share=0.25)"]
    outcomes = _conduct(_study(world, adaptations=names, limit=5), world / "store")
    assert [outcome.state for outcome in outcomes] == ["measured"] * 3
    alone, asked, updated = (outcome.run for outcome in outcomes)
    assert asked.manifest["adaptation"]["label"] == names[1]
    assert asked.cost["adaptation"] == alone.cost["adaptation"]
    assert updated.cost["adaptation"]["examples"] == alone.cost["adaptation"]["examples"] == 24
    assert len(list((world / "store" / "adapted").glob("*/adapted.json"))) == 3
    assert updated.cost["contamination"]["training_examples"] == 32
    for outcome in outcomes:
        written = shlex.split(repeat_command(outcome.trial.manifest))
        assert parse_adaptation(written[written.index("--adapt") + 1]) == outcome.trial.adaptation
    longer = _conduct(_study(world, adaptations=names, limit=6), world / "store")
    assert [outcome.run.cost["adaptation"] for outcome in longer] == [
        run.cost["adaptation"] for run in (alone, asked, updated)
    ]
    assert [line.training_tokens > 0 for line in estimate([outcome.trial for outcome in outcomes])] == [
        True
    ] * 3


def test_more_examples_than_a_task_has_are_told_before_and_are_on_record(world: Path) -> None:
    said: list[str] = []

    class Heard(Silent):
        def say(self, text: str) -> None:
            said.append(text)

    study = _study(world, adaptations=["head-only(max_examples=24)", "head-only(max_examples=500)"], limit=4)
    with Store(world / "store") as opened:
        run_study(study, trials(study), opened, Heard())
        again = run_study(study, trials(study), opened, Heard())
    assert said == [
        "head-only(max_examples=500) on films: max_examples=500, and there are 24 examples to learn from: all are "
        "learned."
    ]
    costs = [outcome.run.cost for outcome in again.outcomes]
    assert "max_examples" not in costs[0]
    assert costs[1]["max_examples"] == {"asked": 500, "there": 24}
    assert costs[1]["adaptation"]["examples"] == 24


def test_what_does_not_fit_is_refused_with_its_reason_and_stops_nothing(world: Path) -> None:
    (world / "plain.yaml").write_text(TASK.replace("train: train.jsonl, validation: validation.jsonl, ", ""))
    study = _study(
        world, adaptations=["lora(epochs=1)", "zero-shot"], tasks=[str(world / "plain.yaml")], limit=5
    )
    refused, measured = _conduct(study, world / "store")
    assert (refused.state, measured.state) == ("refused", "measured")
    assert "train" in refused.reason
    assert refused.run.state == "failed"
    assert refused.run.reason == refused.reason


@pytest.mark.parametrize("text", ["lora(targets=[q_pro])", "ia3(targets=[q_pro], feedforward=[down_proj])"])
def test_layers_that_are_not_there_are_refused_with_those_that_are(world: Path, text: str) -> None:
    (outcome,) = _conduct(_study(world, adaptations=[text], limit=4), world / "store")
    assert outcome.state == "refused"
    assert "does not fit model: unknown target layer 'q_pro': did you mean 'q_proj'" in outcome.reason
    assert "Valid: down_proj, gate_proj, k_proj, o_proj, q_proj, up_proj, v_proj" in outcome.reason


def test_feedforward_layers_that_are_no_targets_are_refused(world: Path) -> None:
    text = "ia3(targets=[q_proj], feedforward=[down_proj])"
    (outcome,) = _conduct(_study(world, adaptations=[text], limit=4), world / "store")
    assert outcome.state == "refused"
    assert "feedforward names down_proj, and the targets are q_proj" in outcome.reason


def test_a_model_that_cannot_be_loaded_fails_its_own_trials_only(world: Path) -> None:
    broken = world / "broken"
    tiny_llama().save_pretrained(broken)
    tiny_tokenizer().save_pretrained(broken)
    study = _study(world, models=[str(broken), str(world / "model")], limit=5)
    planned = trials(study)
    weights = broken / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with Store(world / "store") as opened:
        outcomes = list(conduct(planned, opened, Silent()))
    assert [outcome.state for outcome in outcomes] == ["failed", "measured"]


def test_a_bug_is_on_record_and_raised(world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def buggy(*_: object) -> Iterator[list[Any]]:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("tianti.conductor.evaluate", buggy)
    with pytest.raises(ZeroDivisionError):
        _conduct(_study(world), world / "store")
    with Store(world / "store") as opened:
        (run,) = opened.runs()
    assert (run.state, run.reason) == ("failed", "ZeroDivisionError: a bug")


def test_a_store_that_fails_stops_the_study(world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise StoreError("disk full")

    monkeypatch.setattr(Store, "append", full)
    with pytest.raises(StoreError):
        _conduct(_study(world), world / "store")
    monkeypatch.undo()
    (outcome,) = _conduct(_study(world), world / "store")
    assert outcome.state == "measured"
    assert outcome.run.attempts == 2
    assert outcome.run.cost["answers_of_earlier_attempts"] == 0


def test_what_another_process_finishes_meanwhile_is_found(
    world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study, finish = _study(world, limit=8), Store.finish_run

    def second(store: Store, *arguments: Any) -> Any:
        finish(store, *arguments)
        return finish(store, *arguments)

    monkeypatch.setattr(Store, "finish_run", second)
    outcomes = _conduct(study, world / "store")
    assert [outcome.state for outcome in outcomes] == ["found"]
    assert outcomes[0].run.state == "finished"


def test_a_run_that_goes_on_says_how_much_was_there(world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    append, shards = Store.append, iter([True, False])

    def full_after_one_shard(*arguments: Any) -> None:
        if not next(shards):
            raise StoreError("disk full")
        append(*arguments)

    monkeypatch.setattr(Store, "append", full_after_one_shard)
    with pytest.raises(StoreError):
        _conduct(_study(world), world / "store")
    monkeypatch.undo()
    (outcome,) = _conduct(_study(world), world / "store")
    assert outcome.run.cost["answers_of_earlier_attempts"] == SHARD_SIZE


def _start(world: Path, store: str, arguments: Sequence[str], **environment: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "tianti", "run", str(world / "model"), "--task", str(world / "task.yaml"),
         "--store", str(world / store), *arguments],
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )  # fmt: skip


def _finish(process: subprocess.Popen[bytes]) -> int:
    _, errors = process.communicate(timeout=300)
    assert process.returncode in (0, 137, -signal.SIGKILL), errors.decode()
    return process.returncode


def test_killed_at_any_point_a_study_ends_as_if_nothing_had_happened(world: Path) -> None:
    arguments = ["--adapt", "zero-shot", "--adapt", "lora(epochs=1)"]
    started = time.monotonic()
    assert _finish(_start(world, "undisturbed", arguments)) == 0
    whole = time.monotonic() - started
    kills = 0
    for point in (
        "after_append:2",
        "before_append_commit:1",
        "before_finish_commit",
        "after_part_rename",
        "after_finish",
    ):
        kills += _finish(_start(world, "killed", arguments, TIANTI_FAILPOINT=point)) != 0
    chance = random.Random(7)
    for _ in range(3):
        process = _start(world, "killed", arguments)
        time.sleep(whole * chance.uniform(0.2, 0.9))
        process.send_signal(signal.SIGKILL)
        kills += _finish(process) != 0
    assert kills >= 4
    assert _finish(_start(world, "killed", arguments)) == 0
    undisturbed, killed = _kept(world / "undisturbed"), _kept(world / "killed")
    assert json.dumps(killed, sort_keys=True) == json.dumps(undisturbed, sort_keys=True)
    digests = [
        {path.name for path in (world / store / "parts").glob("*.parquet")}
        for store in ("undisturbed", "killed")
    ]
    assert digests[0] <= digests[1]


def test_a_search_of_a_study_is_a_row_that_says_so_and_shows_its_tries(world: Path) -> None:
    from typer.testing import CliRunner

    from tianti.cli.application import application

    words = [
        "--adapt",
        "zero-shot",
        "--adapt",
        "lora(r=2)",
        "--search",
        "lr=1e-4..1e-2",
        "epochs=1,2",
        "trials=3",
    ]
    arguments = [str(world / "model"), "--task", str(world / "task.yaml"), "--limit", "4", "--workers", "1"]
    run = ["run", *arguments[:1], *words, *arguments[1:], "--store", str(world / "store"), "--json"]
    printed = CliRunner().invoke(application(), run)
    assert printed.exit_code == 0, printed.output
    rows = {entry["adaptation"]: entry for entry in json.loads(printed.stdout)["entries"]}
    row = rows["lora(r=2, epochs=1|2, lr=0.0001..0.01, trials=3)"]
    assert "zero-shot" in rows
    (run_id,) = row["cells"]["films"]["run_ids"]
    shown = CliRunner().invoke(application(), ["show", run_id, "--store", str(world / "store"), "--json"])
    facts = json.loads(shown.stdout)
    assert len(facts["search"]) == 3
    assert sum("(chosen)" in line for line in facts["search"]) == 1
    assert facts["manifest"]["adaptation"]["settings"]["trials"] == 3
    written = shlex.split(facts["repeat it"])
    study = _study(world, adaptations=[written[written.index("--adapt") + 1]], limit=4)
    (outcome,) = _conduct(study, world / "store")
    assert outcome.state == "found"
