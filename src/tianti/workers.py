"""Several processes on one machine share the trials of a study.

A small model keeps one core busy; on several cores several trials run at once, each in a process with one thread, so
that every trial's numbers are the same as if it had run alone. Several CUDA devices get a process each, which sees no
other. The store is the only thing that the processes share.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing.queues import SimpleQueue
from pathlib import Path

from tianti.conductor import SMALL_MODEL, Conductor, Outcome, OutcomeState
from tianti.core.environment import cores
from tianti.core.garbage import without_collection
from tianti.core.progress import Progress, Silent
from tianti.store import Store
from tianti.study import Study, Trial, trials

WORTH_A_PROCESS = 4
"""Unfinished trials for each process below which starting it costs more than it brings."""


def unfinished(planned: Sequence[Trial], store: Store) -> list[Trial]:
    """The trials that the store holds no finished run of."""
    runs = ((trial, store.find_run(trial.id)) for trial in planned)
    return [trial for trial, run in runs if run is None or run.state != "finished"]


def count_workers(study: Study, planned: Sequence[Trial], store: Store) -> int:
    """How many processes a study gets: what it asks for.

    With `auto` that is one for each CUDA device, or on the CPU one for each core when every model is small.
    """
    todo = unfinished(planned, store)
    if study.workers != "auto":
        return min(study.workers, max(1, len(todo)))
    if study.device in ("auto", "cuda") and count_cuda_devices() > 1:
        return max(1, min(count_cuda_devices(), len(todo)))
    small = all((trial.model.parameters or 0) < SMALL_MODEL for trial in todo)
    on_cpu = study.device == "cpu" or (study.device == "auto" and not _has_accelerator())
    return max(1, min(cores(), len(todo) // WORTH_A_PROCESS)) if small and on_cpu else 1


def conduct_in_parallel(
    study: Study, planned: Sequence[Trial], store: Store, progress: Progress, workers: int
) -> Iterator[Outcome]:
    """Run the trials of a study on `workers` processes and yield what became of each, in the order of the study."""
    outcomes: dict[int, Outcome] = {}
    with progress.meter(f"trials on {workers} processes", len(planned)) as meter:
        todo: list[int] = []
        for index, trial in enumerate(planned):
            finished = store.find_run(trial.id)
            if finished is not None and finished.state == "finished":
                outcomes[index] = Outcome(trial, finished, "found")
                meter.advance()
            else:
                todo.append(index)
        # Spawned, not forked: a forked child would inherit torch's threads in an unknown state.
        context = multiprocessing.get_context("spawn")
        devices = context.SimpleQueue()
        for device in cuda_devices(study, workers):
            devices.put(device)
        pool = ProcessPoolExecutor(workers, context, _start, (study, store.folder, os.getpid(), devices))
        try:
            futures: dict[Future[_Result], int] = {pool.submit(_conduct, index): index for index in todo}
            for future in as_completed(futures):
                result, trial = future.result(), planned[futures[future]]
                outcomes[futures[future]] = Outcome(
                    trial, store.run(result.run_id), result.state, result.reason
                )
                meter.advance(note=trial.title)
        except BaseException:
            # Whatever is under way is resumed by the next run; nobody should wait for it now.
            for process in multiprocessing.active_children():
                process.terminate()
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
    yield from (outcomes[index] for index in sorted(outcomes))


@dataclass(frozen=True)
class _Result:
    """An outcome without its trial, which the parent has."""

    run_id: str
    state: OutcomeState
    reason: str


_conductor: Conductor
_planned: list[Trial]


def cuda_devices(study: Study, workers: int) -> list[str | None]:
    """The CUDA device that each process may see, as the environment variable has it; None for all that there are."""
    count = count_cuda_devices() if study.device in ("auto", "cuda") else 0
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", ",".join(map(str, range(count)))).split(",")
    return [visible[number % count] if count > 1 else None for number in range(workers)]


def count_cuda_devices() -> int:
    """How many CUDA devices PyTorch sees."""
    with without_collection():
        import torch

    return torch.cuda.device_count() if torch.cuda.is_available() else 0


def _start(study: Study, store: Path, parent: int, devices: SimpleQueue[str | None]) -> None:
    """Make this process ready: its own device, its own store, its own trials, and an end with its parent."""
    global _conductor, _planned
    device = devices.get()
    if device is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = device  # Before CUDA starts in this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle.
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    _conductor = Conductor(Store(store), Silent())
    _planned = trials(study)


def _conduct(index: int) -> _Result:
    outcome = _conductor.conduct(_planned[index])
    return _Result(outcome.run.run_id, outcome.state, outcome.reason)


def _end_with(parent: int) -> None:
    """When the parent is killed nobody waits for this process, and a new one may take up its trial."""
    while os.getppid() == parent:
        time.sleep(0.2)
    os._exit(1)


def _has_accelerator() -> bool:
    with without_collection():
        import torch

    return torch.cuda.is_available() or torch.backends.mps.is_available()
