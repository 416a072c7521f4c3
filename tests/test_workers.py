from __future__ import annotations

import signal
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psutil
import pytest

from tianti import workers
from tianti.conductor import conduct
from tianti.core.environment import cores
from tianti.core.progress import Silent
from tianti.store import Store
from tianti.study import Study, study_of, trials
from tianti.workers import conduct_in_parallel, count_workers
from tiny import tiny_llama, tiny_tokenizer


def _study(**fields: Any) -> Study:
    usual: dict[str, Any] = {
        "models": ["nano:llama-untrained", "baseline:majority"],
        "tasks": ["nano/sentiment", "nano/qa"],
        "adaptations": ["few-shot(k=1)"],
        "seeds": [0, 1],
        "limit": 12,
    }
    return study_of(**{**usual, **fields})


def _kept(store: Store) -> dict[str, Any]:
    return {
        run.trial_id: (
            [asdict(answer) for answer in store.answers(run.run_id)],
            [asdict(score) for score in store.scores(run.run_id)],
        )
        for run in store.runs()
    }


def test_the_numbers_are_those_of_one_process_and_in_the_order_of_the_study(tmp_path: Path) -> None:
    study = _study()
    planned = trials(study)
    with Store(tmp_path / "one") as one, Store(tmp_path / "two") as two:
        alone = list(conduct(planned, one, Silent()))
        together = list(conduct_in_parallel(study, planned, two, Silent(), 2))
        assert [outcome.trial.id for outcome in together] == [outcome.trial.id for outcome in alone]
        assert {outcome.state for outcome in together} == {"measured"}
        assert _kept(two) == _kept(one)
        again = list(conduct_in_parallel(study, planned, two, Silent(), 2))
        assert {outcome.state for outcome in again} == {"found"}


def test_several_cuda_devices_get_a_process_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "count_cuda_devices", lambda: 3)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    study = _study(seeds=list(range(8)))
    with Store(tmp_path / "store") as store:
        assert count_workers(study, trials(study), store) == 3
        assert count_workers(_study(workers=2), trials(study), store) == 2
    assert workers.cuda_devices(study, 4) == ["0", "1", "2", "0"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,GPU-8a,6")
    assert workers.cuda_devices(study, 3) == ["4", "GPU-8a", "6"]
    assert workers.cuda_devices(_study(device="cpu"), 2) == [None, None]


def test_small_models_get_all_cores_when_there_is_enough_to_do(tmp_path: Path) -> None:
    study = _study(seeds=list(range(8)))
    with Store(tmp_path / "store") as store:
        assert count_workers(study, trials(study), store) == min(cores(), 18 // 4)
        assert count_workers(study, trials(study)[:3], store) == 1
        assert count_workers(_study(workers=3), trials(study), store) == 3
        assert count_workers(_study(workers=3), trials(study)[:2], store) == 2


def test_a_large_model_has_the_machine_for_itself(tmp_path: Path) -> None:
    tiny_llama(vocab_size=400_000).save_pretrained(tmp_path / "large")
    tiny_tokenizer().save_pretrained(tmp_path / "large")
    study = _study(models=[str(tmp_path / "large")], seeds=list(range(8)))
    with Store(tmp_path / "store") as store:
        assert count_workers(study, trials(study), store) == 1


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_no_worker_outlives_its_parent(tmp_path: Path, number: signal.Signals) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "tianti", "run", "nano:llama-untrained", "--task", "nano/qa", "--adapt", "few-shot(k=4)",
         *(word for seed in range(12) for word in ("--seed", str(seed))), "--workers", "2",
         "--store", str(tmp_path / "store")],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        # What a shell starts in the background ignores SIGINT, and so do its children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    deadline = time.monotonic() + 120
    children: list[psutil.Process] = []
    while (
        len(children) < 3 and time.monotonic() < deadline
    ):  # two workers and multiprocessing's resource tracker
        time.sleep(0.2)
        children = psutil.Process(process.pid).children()
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode in (130, -signal.SIGKILL), errors.decode()
    assert b"Traceback" not in errors
    gone, alive = psutil.wait_procs(children, timeout=30)
    assert not alive
    assert gone
