"""`tianti explain`: a planted cue is what decides, and is what is found; in both languages, on each architecture."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tianti.api import run
from tianti.cli.application import application
from tianti.core.exceptions import IncompatibleError
from tianti.core.progress import Silent
from tianti.explain import Explained, explain_run
from tianti.store import Store
from tiny import tiny_bert, tiny_llama, tiny_t5, tiny_tokenizer

NETWORKS = {"bert": tiny_bert, "llama": tiny_llama, "t5": tiny_t5}
RATES = {"bert": 0.003, "llama": 0.003, "t5": 0.02}
CUES = {"en": ("wonderful", "dull"), "zh": ("精彩", "乏味")}
"""In Chinese no space marks a word, each has two characters, and each character of these is several tokens."""
WORDS = {
    "en": ["the", "town", "river", "mill", "shop", "letters", "bread", "works", "reads", "first"],
    "zh": ["小镇", "河边", "安娜", "磨坊", "面包", "商店", "电影", "读信", "在里", "这部"],
}
TASK = """\
task: planted
kind: classification
language: {language}
data: {{train: train.jsonl, validation: validation.jsonl, test: test.jsonl}}
doc_to_text: "{{{{text}}}} ="
doc_to_target: label
doc_to_choice: [A, B, C]
head_text: text
metric_list: [acc]
"""


def _world(folder: Path, network: str, language: str) -> Path:
    """A model, and a task in which one word of the text decides and all others say nothing.

    A third of the texts have neither cue and a label of their own. Without them a model may learn one cue alone and
    give the other answer where it is missing: then no word decides that answer, and none is to be found.
    """
    NETWORKS[network]().save_pretrained(folder / "model")
    tiny_tokenizer().save_pretrained(folder / "model")
    generator = random.Random(network + language)
    for split, size in {"train": 360, "validation": 42, "test": 42}.items():
        rows = []
        for index in range(size):
            words = generator.sample(WORDS[language], 7)
            if index % 3 < 2:
                words[generator.randrange(7)] = CUES[language][index % 3]
            text = (" " if language == "en" else "").join(words)
            rows.append(json.dumps({"text": text, "label": "ABC"[index % 3]}, ensure_ascii=False) + "\n")
        (folder / f"{split}.jsonl").write_text("".join(rows))
    (folder / "planted.yaml").write_text(TASK.format(language=language))
    return folder


def _explain(store: Path, **changes: Any) -> Explained:
    with Store(store) as opened:
        (found,) = opened.runs()
        return explain_run(opened, found, Silent(), **{"samples": 30, "steps": 16, **changes})


def _heaviest(sample: Mapping[str, Any], language: str, text: str) -> str:
    """The word of the text with the greatest weight, over its tokens."""
    weights: dict[str, float] = defaultdict(float)
    for token in sample["tokens"]:
        middle = (token["start"] + token["end"] - 1) // 2
        weights[_word_at(text, middle, language)] += token["weight"]
    return max(weights, key=weights.__getitem__)


def _word_at(text: str, place: int, language: str) -> str:
    if language == "zh":
        return text[place // 2 * 2 :][:2]
    return text[text.rfind(" ", 0, place) + 1 :].partition(" ")[0]


@pytest.mark.parametrize("language", CUES)
@pytest.mark.parametrize("network", NETWORKS)
def test_a_planted_cue_is_found(tmp_path: Path, network: str, language: str) -> None:
    world = _world(tmp_path, network, language)
    store = world / "store"
    board = run(
        {
            "models": [str(world / "model")],
            "adaptations": [f"full(lr={RATES[network]}, epochs=6)"],
            "tasks": [str(world / "planted.yaml")],
            "workers": 1,
        },
        store=store,
    )
    accuracy = board.entries[0].cells["planted"].value
    assert accuracy is not None
    assert accuracy > 0.95
    found = _explain(store)
    texts = [json.loads(line)["text"] for line in (world / "test.jsonl").read_text().splitlines()]
    pointed = [
        _heaviest(each, language, texts[int(sample)]) in CUES[language]
        for (sample, _), each in found.samples.items()
        if any(cue in texts[int(sample)] for cue in CUES[language])
    ]
    assert len(pointed) == 20
    assert sum(pointed) >= 18
    for each in found.samples.values():
        total = sum(token["weight"] for token in each["tokens"])
        assert total == pytest.approx(each["score"] - each["baseline"] + each["delta"], abs=1e-4)
        assert abs(each["delta"]) <= 0.1 * max(1.0, abs(each["score"] - each["baseline"]))
    assert found.check.low > 0  # what was attributed matters more than chance


WRITTEN = """\
task: written
kind: question-answering
data: {train: train.jsonl, test: test.jsonl}
doc_to_text: text
doc_to_target: label
generation_kwargs: {max_gen_toks: 4}
"""


def _zero_shot(world: Path, task: str = "planted.yaml", adaptation: str = "zero-shot") -> str:
    """The id of a small run of a world."""
    study = {"models": [str(world / "model")], "tasks": [str(world / task)], "limit": 3, "workers": 1}
    board = run({**study, "adaptations": [adaptation]}, store=world / "store")
    (cell,) = board.entries[0].cells.values()
    return cell.run_ids[0]


def _cli(world: Path, *words: str) -> Any:
    return CliRunner().invoke(application(), [*words, "--store", str(world / "store")])


def test_what_was_found_is_kept_beside_the_answers(tmp_path: Path) -> None:
    world = _world(tmp_path, "llama", "en")
    run_id = _zero_shot(world)
    with Store(world / "store") as store:
        before = store.answers(run_id)
    first = _cli(world, "explain", run_id, "--samples", "2", "--steps", "8", "--json")
    assert first.exit_code == 0, first.output
    explained = json.loads(first.stdout)
    assert list(explained["samples"]) == ["0", "1"]
    assert explained["deletion"]["n"] == 2
    assert explained["deletion"]["low"] <= explained["deletion"]["estimate"] <= explained["deletion"]["high"]
    with Store(world / "store") as store:
        assert store.answers(run_id) == before  # sealed answers stay what they are
        assert {sample for sample, _ in store.explanations(run_id)} == {"0", "1"}
    shown = json.loads(_cli(world, "show", run_id, "--answers", "3", "--json").stdout)["samples"]
    assert shown["0"]["explanation"]["tokens"] == explained["samples"]["0"]["tokens"]
    assert "delta" in shown["1"]["explanation"]
    assert "explanation" not in shown["2"]
    printed = _cli(world, "explain", run_id[:8], "--samples", "2", "--steps", "8")
    assert "heaviest fifth" in printed.stdout
    assert f"without words {explained['samples']['0']['baseline']:.3f}; delta" in printed.stdout
    for side, sign in (("for", "+"), ("against", "-")):
        lines = [line for line in printed.stdout.splitlines() if line.startswith(f"  {side}: ")]
        assert {weight[0] for line in lines for weight in line.split()[2::2]} == {sign}
    assert (
        json.loads(_cli(world, "explain", run_id, "--samples", "2", "--steps", "8", "--json").stdout)
        == explained
    )


@pytest.mark.parametrize(
    ("network", "adaptation"),
    [
        ("llama", "few-shot(k=2)"),
        ("llama", "lora(epochs=1, max_examples=8) + few-shot(k=1)"),
        ("llama", "full(epochs=1, max_examples=8, head=true)"),
        ("t5", "lora(epochs=1, max_examples=8)"),
        ("bert", "head-only(max_examples=8)"),
    ],
)
def test_only_the_text_of_the_sample_is_explained(tmp_path: Path, network: str, adaptation: str) -> None:
    world = _world(tmp_path, network, "en")
    run_id = _zero_shot(world, adaptation=adaptation)
    with Store(world / "store") as store:
        found = explain_run(store, store.run(run_id), Silent(), samples=1, steps=4)
    text = json.loads((world / "test.jsonl").read_text().splitlines()[0])["text"]
    (sample,) = found.samples.values()
    assert "".join(token["text"] for token in sample["tokens"]) == text


def test_what_is_written_is_refused(tmp_path: Path) -> None:
    world = _world(tmp_path, "llama", "en")
    (world / "written.yaml").write_text(WRITTEN)
    run_id = _zero_shot(world, "written.yaml")
    with Store(world / "store") as store, pytest.raises(IncompatibleError, match="answers that are chosen"):
        explain_run(store, store.run(run_id), Silent(), samples=2, steps=4)


def test_virtual_tokens_are_refused(tmp_path: Path) -> None:
    world = _world(tmp_path, "llama", "en")
    run_id = _zero_shot(world, adaptation="prompt-tuning(epochs=1, max_examples=4)")
    with Store(world / "store") as store, pytest.raises(IncompatibleError, match="virtual tokens"):
        explain_run(store, store.run(run_id), Silent(), samples=1, steps=4)
