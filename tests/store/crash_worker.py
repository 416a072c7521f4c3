"""A process that the tests kill: it answers the samples of a trial and finishes its run, as the conductor does.

It reads jobs from its input, one JSON object per line, and does each in a child of its own: printed are the child's
process id when it starts and its exit status when it ends. The child notes in a file what it asked and what the
store has acknowledged.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tianti.core.exceptions import StoreError
from tianti.evaluation.answer import Answer
from tianti.evaluation.score import Score
from tianti.store import Store

FULL = 3
"""The exit status when the store refused."""


def answer(number: int) -> Answer:
    return Answer(
        sample_id=f"sample {number}",
        repeat=0,
        state="error" if number % 11 == 5 else "ok",
        prompt=f"问题 {number} " * 20,
        target="yes",
        prediction="no",
        values={"acc": number % 7 / 7},
        responses=({"logprob": -number / 3},),
        position=number,
    )


def score(answers: list[Answer]) -> Score:
    ok = [answer.values["acc"] for answer in answers if answer.state == "ok"]
    mean = sum(ok) / len(ok)
    errors = len(answers) - len(ok)
    return Score(
        "acc",
        mean,
        mean / 2,
        None,
        0.95,
        "none",
        len(ok),
        None,
        "new items",
        errors,
        0,
        None,
        True,
        "mean",
        True,
    )


def work(job: dict[str, Any]) -> None:
    """Bring the trial of `job` to its end, from wherever it stands."""
    with Store(Path(job["folder"])) as store, Path(job["notes"]).open("a", buffering=1) as notes:
        found = store.find_run(job["trial"])
        if found is not None and found.state == "finished":
            return
        run = store.start_run(job["trial"], {"trial": job["trial"]}, {"pid": os.getpid()})
        done = store.answered(run.run_id)
        missing = [number for number in range(job["count"]) if (f"sample {number}", 0) not in done]
        for start in range(0, len(missing), job["batch"]):
            batch = missing[start : start + job["batch"]]
            notes.write(f"asked {json.dumps(batch)}\n")
            store.append(run.run_id, [answer(number) for number in batch])
            notes.write(f"acknowledged {json.dumps(batch)}\n")
        answers = store.answers(run.run_id)
        store.finish_run(run.run_id, [score(answers)], {}, job["count"])
        notes.write("finished []\n")


def child(job: dict[str, Any]) -> int:
    """Do one job; the exit status."""
    os.environ.update(job.get("environment", {}))
    if "dies_after" in job:
        # An alarm that nobody handles ends the process as a kill does, at any instruction. It is the child's own, so
        # that a child which has just ended cannot be missed, nor another process with its number be hit.
        signal.setitimer(signal.ITIMER_REAL, job["dies_after"])
    if "file_limit" in job:
        resource.setrlimit(resource.RLIMIT_FSIZE, (job["file_limit"], job["file_limit"]))
    try:
        work(job)
    except StoreError as error:
        print(error, file=sys.stderr, flush=True)
        return FULL
    return 0


def main() -> None:
    for line in sys.stdin:
        process = os.fork()
        if process == 0:
            os._exit(child(json.loads(line)))
        print(process, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), flush=True)


def record(store: Store, trial: str) -> dict[str, Any]:
    """All that must be equal between a disturbed run and an undisturbed one."""
    run = store.find_run(trial)
    assert run is not None
    with store._read("look") as connection:
        parts = connection.exec_driver_sql(
            "SELECT sha256, rows, uri FROM part WHERE run_id = ?", (run.run_id,)
        )
        return {
            "state": run.state,
            "counts": (run.answers_count, run.errors_count, run.skipped_count),
            "parts": [tuple(row) for row in parts],
            "answers": store.answers(run.run_id),
            "scores": [asdict(score) for score in store.scores(run.run_id)],
            "staged": connection.exec_driver_sql("SELECT count(*) FROM staging").scalar(),
            "integrity": connection.exec_driver_sql("PRAGMA integrity_check").scalar(),
        }


if __name__ == "__main__":
    main()
