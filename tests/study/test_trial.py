from __future__ import annotations

from pathlib import Path

from studies import trials_of
from tianti.core.fingerprint import fingerprint


def test_the_id_depends_on_all_that_numbers_depend_on() -> None:
    usual = trials_of(adaptations=["lora"])[0]
    others = [
        trials_of(adaptations=["lora"], seeds=[1]),
        trials_of(adaptations=["lora"], limit=5),
        trials_of(adaptations=["lora(r=4)"]),
        trials_of(adaptations=["lora"], tasks=["nano/sentiment(split=fresh)"]),
        trials_of(adaptations=["lora"], dtype="bfloat16"),
        trials_of(adaptations=["lora"], engine="vllm"),
        trials_of(adaptations=["lora"], models=["nano:llama"]),
    ]
    ids = {usual.id, *(other[0].id for other in others)}
    assert len(ids) == 1 + len(others)
    assert trials_of(adaptations=["lora"])[0].id == usual.id
    assert trials_of(adaptations=["lora"], batch=3, device="cpu")[0].id == usual.id


def test_a_manifest_says_of_a_metric_what_it_always_said(tmp_path: Path) -> None:
    """A new part of a metric would change the ids of all trials that were ever run."""
    (tmp_path / "rows.jsonl").write_text(
        '{"q": "x", "label": 0, "who": "a"}\n{"q": "y", "label": 1, "who": "b"}\n'
    )
    path = tmp_path / "mine.yaml"
    path.write_text(
        "task: mine\nkind: classification\ndata: rows.jsonl\ndoc_to_text: q\ndoc_to_target: label\n"
        "doc_to_choice: [no one, all]\ngroup: who\nmetric_list: [acc, ece]\n"
    )
    (usual,), (grouped,) = trials_of(), trials_of(tasks=[str(path)])
    for trial in (usual, grouped):
        for metric in trial.manifest["task"]["metrics"]:
            assert set(metric) == {"name", "higher_is_better", "chance", "scale"}
        assert len(trial.id) == len(fingerprint(trial.manifest))


def test_the_engine_is_of_no_account_to_a_baseline() -> None:
    (usual,) = trials_of(models=["baseline:majority"], adaptations=["fit"])
    (other,) = trials_of(models=["baseline:majority"], adaptations=["fit"], engine="vllm")
    assert usual.id == other.id
