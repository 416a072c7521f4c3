from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tianti.engine.fake import FakeBackend
from tianti.tasks import Shots, list_tasks, load_tasks, nano
from tianti.tasks.registry import LIBRARY
from tianti.tasks.task_file import read_task_file

NAMES = [f"nano/{kind}{suffix}" for kind in sorted(nano.KINDS) for suffix in ("", "-zh")]


def load(reference, **options):
    (task,) = load_tasks(reference, **options)
    return task


def test_the_library():
    assert [info.name for info in list_tasks()] == NAMES
    for info in list_tasks():
        assert info.description
        assert info.licence
        assert info.language == ("zh" if info.name.endswith("-zh") else "en")
        assert read_task_file(LIBRARY / f"{info.name}.yaml").task == info.name


@pytest.mark.parametrize("name", NAMES)
def test_a_library_task_asks_what_the_world_says(name):
    task = load(name)
    rows = nano.samples(name[5:].removesuffix("-zh"), "zh" if name.endswith("-zh") else "en", "test")
    assert task.count() == len(rows)
    assert task.count(7) == 7
    assert [sample.row for sample in task.samples("test")] == rows
    assert [sample.id for sample in task.samples("test")] == [row["id"] for row in rows]
    episodes = "augmentation" in name
    assert len(task.examples("train")) == (20 * 8 if episodes else 256)
    assert task.examples("validation")


@pytest.mark.parametrize(
    ("reference", "name", "split", "seed"),
    [
        ("nano/sentiment", "nano/sentiment", "test", None),
        ("nano/sentiment(split=fresh)", "nano/sentiment(split=fresh)", "fresh", None),
        ("nano/qa(split=validation, seed=7)", "nano/qa(split=validation, seed=7)", "validation", 7),
    ],
)
def test_references(reference, name, split, seed):
    task = load(reference)
    assert (task.info.name, task.info.reference, task.info.split) == (name, name, split)
    kind = name[5:].partition("(")[0]
    rows = nano.samples(kind, "en", split, *([seed] if seed is not None else []))
    assert [sample.row for sample in task.samples(split)] == rows


def test_a_common_seed_serves_where_the_reference_gives_none():
    assert load("nano/qa", seed=7).info.name == "nano/qa(seed=7)"
    assert load("nano/qa", seed=7).fingerprint == load("nano/qa(seed=7)").fingerprint
    assert load("nano/qa(seed=8)", seed=7).fingerprint == load("nano/qa(seed=8)").fingerprint


def test_fingerprints_tell_tasks_apart_and_stay():
    references = [*NAMES, "nano/qa(seed=7)", "nano/qa(split=fresh)", "nano/qa(split=validation)"]
    fingerprints = {load(reference).fingerprint for reference in references}
    assert len(fingerprints) == len(references)
    assert fingerprints == {load(reference).fingerprint for reference in references}


def test_a_path_with_brackets_is_a_path(tmp_path):
    from tianti.tasks.new import new_task

    path = new_task("mine", tmp_path / "my tasks (old)")
    assert load(str(path)).info.name == "mine"
    assert load(str(path)).info.reference == str(path)
    (tmp_path / "b").mkdir()
    path = new_task("mine", tmp_path / "b")
    assert load(f"{path}(split=train)").info.split == "train"
    assert load(load(f"{path}(split=train)").info.reference).info.split == "train"


def test_harness_tasks_come_from_the_bridge(tmp_path):
    pytest.importorskip("lm_eval")
    rows = [{"q": "1+1=", "a": "2"}, {"q": "1+2=", "a": "3"}]
    (tmp_path / "sums.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (tmp_path / "my_sums.yaml").write_text(
        f"task: my_sums\ndataset_path: json\ndataset_kwargs: {{data_files: {{test: {tmp_path}/sums.jsonl}}}}\n"
        "test_split: test\noutput_type: generate_until\ndoc_to_text: '{{q}}'\ndoc_to_target: '{{a}}'\n"
        "metric_list: [{metric: exact_match}]\n"
    )
    task = load("harness:my_sums", include=[tmp_path])
    prompts = [question.prompt for question in task.questions(Shots(), FakeBackend.request_types)]
    assert prompts == ["1+1=", "1+2="]


def test_listing_imports_nothing_heavy():
    code = (
        "import sys; from tianti.tasks import list_tasks, load_tasks; list_tasks(); load_tasks('nano/qa');"
        "heavy = {'torch', 'transformers', 'sklearn', 'pandas', 'datasets', 'lm_eval', 'pyarrow', 'scipy'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"
