"""A recipe from its first step to its last: rows, what each brought, refusals, and going on after being killed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from chats import chat_tokenizer
from tianti.adapt.recipes import Recipe, read_recipe
from tianti.api import load_adapted, load_board
from tianti.core.exceptions import IncompatibleError
from tianti.core.progress import Silent
from tianti.engine import ScoreRequest
from tianti.models import load_model, open_model
from tianti.recipe import plan, walk
from tianti.store import Store
from tiny import tiny_bert, tiny_llama, tiny_masked, tiny_t5, tiny_tokenizer

TASK = """\
task: films
kind: classification
data: {train: train.jsonl, validation: validation.jsonl, test: test.jsonl}
doc_to_text: "Review: {{text}}\\nSentiment:"
doc_to_target: label
doc_to_choice: [dull, wonderful]
"""
LORA = "lora(r=2, batch=8, lr=0.001|0.01, epochs=1, trials=2)"
RECIPE = f"""\
recipe: short
title: {{en: Short, zh: 短}}
about: {{en: Short, zh: 短}}
form: FORM
steps:
  - {{do: data, name: {{en: Data, zh: 数据}}, words: {{en: Sizes, zh: 大小}}}}
  - {{do: stage, name: {{en: As it is, zh: 原样}}, words: {{en: Before, zh: 之前}},
      adaptation: {{others: zero-shot, encoder: null}}, because: {{en: it cannot answer yet, zh: 还不能作答}}}}
  - {{do: model, name: {{en: Model, zh: 模型}}, words: {{en: Loading, zh: 加载}}}}
  - {{do: search, name: {{en: Search, zh: 搜索}}, words: {{en: Rates, zh: 学习率}}, adaptation: "{LORA}"}}
  - {{do: stage, name: {{en: Tuned, zh: 微调}}, words: {{en: LoRA, zh: 微调}}, adaptation: "{LORA}"}}
  - {{do: stage, name: {{en: Prompted, zh: 提示}}, words: {{en: Shots, zh: 示例}},
      adaptation: {{causal: "{LORA} + few-shot(k=1)", seq2seq: "{LORA} + few-shot(k=1)", others: null}},
      because: {{en: a head reads no prompt, zh: 输出头不读提示}}}}
  - {{do: stage, name: {{en: Updated, zh: 更新}}, words: {{en: Later, zh: 之后}},
      adaptation: "lora(r=2, epochs=1) + update(share=0.25)"}}
  - {{do: save, name: {{en: Saving, zh: 保存}}, words: {{en: Where, zh: 何处}}}}
  - {{do: use, name: {{en: Use, zh: 使用}}, words: {{en: How, zh: 如何}}}}
"""
NETWORKS = {"llama": tiny_llama, "bert": tiny_bert, "masked": tiny_masked, "t5": tiny_t5}


@pytest.fixture
def world(tmp_path: Path) -> Path:
    """A task of 30 test samples, a short recipe in its plain form, and a tiny Llama."""
    rows = [{"text": f"This film is {('dull', 'wonderful')[n % 2]} {n}", "label": n % 2} for n in range(62)]
    for split, part in {"train": rows[:24], "validation": rows[24:32], "test": rows[32:]}.items():
        (tmp_path / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in part))
    (tmp_path / "task.yaml").write_text(TASK)
    (tmp_path / "short.yaml").write_text(RECIPE.replace("FORM", "plain"), encoding="utf-8")
    _save(tmp_path, "llama")
    return tmp_path


def _save(world: Path, network: str, tokenizer: Any = None) -> Path:
    folder = world / network
    NETWORKS[network]().save_pretrained(folder)
    (tokenizer or tiny_tokenizer()).save_pretrained(folder)
    return folder


def _walk(world: Path, network: str, recipe: Recipe | None = None, store: str = "store") -> list[Any]:
    loaded = load_model(open_model(str(world / network)))
    recipe = recipe or read_recipe(str(world / "short.yaml"))
    course = plan(recipe, loaded, str(world / network), str(world / "task.yaml"), limit=8)
    with Store(world / store) as opened:
        return list(walk(course, opened, Silent()))


def test_every_stage_is_a_row_with_what_it_brought(world: Path) -> None:
    reached = _walk(world, "llama")
    rows = [each for each in reached if each.entry]
    assert [each.station.step.name.en for each in rows] == ["As it is", "Tuned", "Prompted", "Updated"]
    board = load_board(world / "store")
    assert {entry.name for entry in board.entries} == {each.entry for each in rows}
    assert rows[0].brought is None
    as_it_is, tuned, prompted, updated = rows
    for before, each in ((as_it_is, tuned), (tuned, prompted), (tuned, updated)):
        assert each.before == before.entry
        one, other = (board.entry(name).cells["films"].value for name in (each.entry, before.entry))
        assert one is not None
        assert other is not None
        assert each.brought.difference == pytest.approx(one - other)
    text = {each.station.step.name.en: "\n".join(each.lines) for each in reached}
    assert "24 training examples, 8 to validate on, 8 to test on" in text["Data"]
    assert "⟦ dull⟧" in text["Data"]
    assert "2 settings tried" in text["Search"]
    assert text["Search"].count("(chosen)") == 1
    assert "epoch 1: loss" in text["Tuned"]
    assert "The weights are those of “Tuned”." in text["Prompted"]
    assert "epoch 1: loss" not in text["Prompted"]
    assert "epoch 1: loss" in text["Updated"]
    assert str(world / "store" / "adapted") in text["Saving"]
    again = _walk(world, "llama")
    assert [each.outcome.state for each in again if each.outcome] == ["found"] * 4
    assert "found from before" in "\n".join(again[3].lines)
    (run,) = board.entry(rows[1].entry).cells["films"].run_ids
    adapted = load_adapted(run, world / "store")
    ((_, response),) = adapted.backend.answer(
        [ScoreRequest("Review: This film is dull\nSentiment:", " dull")]
    )
    assert response.logprob < 0  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("network", "rows"),
    [("bert", ["Tuned", "Updated"]), ("masked", ["As it is", "Tuned", "Updated"]),
     ("t5", ["As it is", "Tuned", "Prompted", "Updated"])],
)  # fmt: skip
def test_other_architectures_go_their_way(network: str, rows: list[str], world: Path) -> None:
    _save(world, network)
    reached = _walk(world, network)
    assert [each.station.step.name.en for each in reached if each.entry] == rows
    for each in reached:
        if each.station.left_out:
            assert each.lines[0].startswith("Left out: ")


def test_in_a_chat_examples_are_learned_as_turns(world: Path) -> None:
    _save(world, "llama", chat_tokenizer("turns"))
    recipe = read_recipe(str(world / "short.yaml")).model_copy(update={"form": "chat"})
    reached = _walk(world, "llama", recipe)
    assert "⟦dull⟧" in "\n".join(reached[0].lines)
    assert "|user|" in "\n".join(reached[0].lines)
    assert all("chat=true" in each.entry for each in reached if each.entry)
    told = _walk(world, "llama", read_recipe(str(world / "short.yaml")), "plain")
    one, other = (
        next(each for each in walked if each.station.step.name.en == "Tuned").outcome.run.cost["adaptation"]
        for walked in (reached, told)
    )
    assert one["tokens"] > other["tokens"]


def test_without_a_chat_template_the_plain_form_is_used_and_said(world: Path) -> None:
    recipe = read_recipe(str(world / "short.yaml")).model_copy(update={"form": "chat"})
    reached = _walk(world, "llama", recipe)
    assert "has no chat template" in "\n".join(reached[0].lines)
    assert not any("chat" in each.entry for each in reached)


def test_what_does_not_fit_is_refused_before_anything_is_trained(world: Path) -> None:
    from tianti.tasks import load_tasks

    loaded = load_model(open_model(str(_save(world, "bert"))))
    assert load_tasks("nano/qa")
    with pytest.raises(IncompatibleError, match=r"recipe gpt3, step \d+ \("):
        plan(read_recipe("gpt3"), loaded, str(world / "bert"), "nano/qa")
    with pytest.raises(IncompatibleError, match="a baseline has no weights"):
        plan(read_recipe("gpt3"), load_model(open_model("baseline:tfidf")), "baseline:tfidf", "nano/qa")


@pytest.mark.parametrize("recipe", ["gpt3", "gpt4", "chatgpt", "palm"])
@pytest.mark.parametrize("network", ["llama", "t5", "masked", "bert"])
def test_the_four_processes_can_be_planned_for_every_architecture(
    recipe: str, network: str, world: Path
) -> None:
    loaded = load_model(open_model(str(_save(world, network))))
    course = plan(read_recipe(recipe), loaded, str(world / network), str(world / "task.yaml"))
    assert len(course.trials) >= 1
    assert any(trial.adaptation.trains for trial in course.trials)


def _run(world: Path, store: str, failpoint: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tianti", "recipe", "run", str(world / "short.yaml"), "--model", str(world / "llama"),
         "--task", str(world / "task.yaml"), "--limit", "8", "--store", str(world / store), "--json"],
        env={**os.environ, "OMP_NUM_THREADS": "1", "TIANTI_FAILPOINT": failpoint},
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip


def test_killed_between_and_within_stages_it_goes_on(world: Path) -> None:
    assert _run(world, "killed", "after_finish").returncode == 137
    assert _run(world, "killed", "after_append").returncode == 137
    finished, whole = _run(world, "killed"), _run(world, "whole")
    assert finished.returncode == whole.returncode == 0, finished.stderr + whole.stderr
    one, other = json.loads(finished.stdout), json.loads(whole.stdout)
    assert [step["entry"] for step in one["steps"]] == [step["entry"] for step in other["steps"]]
    values = [[entry["mean"] for entry in each["board"]["entries"]] for each in (one, other)]
    assert values[0] == values[1]
    assert "measured before" in finished.stderr
    assert "Row: " in whole.stderr
    assert (
        "\n\nRow: " not in whole.stderr
    )  # its bars, which are not shown to a pipe, leave no empty lines there
