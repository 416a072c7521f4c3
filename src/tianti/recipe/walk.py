"""Step by step through a course: what is done, what it gave, and what each stage brought."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tianti.adapt import Adaptation
from tianti.adapt.stages import address, stages
from tianti.board import Board, Entry
from tianti.board.build import build_board
from tianti.board.compare import Difference, compare
from tianti.board.show import cell_text
from tianti.conductor import Conductor, Outcome, adapt, set_threads
from tianti.core.exceptions import EngineError
from tianti.core.progress import Progress
from tianti.recipe.course import Course, Station
from tianti.recipe.telling import about_data, about_model, about_search, about_stage, about_use
from tianti.store import Store
from tianti.study import Trial


@dataclass(frozen=True)
class Reached:
    """A station that was reached: what there is to say of it, and for a stage its row.

    `brought` is the row's score minus that of the stage that it starts from (`before`), paired on the samples that both
    answered.
    """

    station: Station
    lines: tuple[str, ...] = ()
    outcome: Outcome | None = None
    entry: str = ""
    brought: Difference | None = None
    before: str = ""


@dataclass
class _Walk:
    """What the stations so far have left behind."""

    course: Course
    store: Store
    progress: Progress
    conductor: Conductor
    measured: list[Reached] = field(default_factory=list)

    def reach(self, station: Station) -> Reached:
        if station.left_out:
            because = station.step.because
            return Reached(station, (f"Left out: {because.en if because else 'nothing for this model'}.",))
        course, trial = self.course, station.trial
        match station.step.do:
            case "data":
                return Reached(station, tuple(about_data(course)))
            case "model":
                return Reached(station, tuple(about_model(course)))
            case "search" if trial is not None:
                return Reached(station, tuple(self._search(trial)))
            case "stage" if trial is not None:
                return self._stage(station, trial)
            case "save":
                return Reached(station, tuple(self._saved()))
            case _:
                return Reached(station, tuple(about_use(self._best(), self.store)))

    def _search(self, trial: Trial) -> list[str]:
        """Choose the settings; the stage that measures them finds what is learned here."""
        finished = self.store.find_run(trial.id)
        if finished is not None and finished.state == "finished":
            return about_search(finished.cost["adaptation"]["tried"], found=True)
        set_threads(trial.model)
        adapted = adapt(trial, self.course.model, self.store, self.progress)
        return about_search(adapted.cost.tried, found=False)

    def _stage(self, station: Station, trial: Trial) -> Reached:
        outcome = self.conductor.conduct(trial)
        if outcome.state in ("refused", "failed"):
            raise EngineError(
                f"recipe {self.course.recipe.recipe}, step {station.number} ({station.step.name.en}): {outcome.reason}",
                remedy="the same command goes on from here",
            )
        board = build_board(self.store, self.course.study.study)
        entry = _entry_of(board, outcome)
        before = self._base(trial)
        brought = None
        if before is not None and before.entry != entry.name:
            found = compare(self.store, board, entry.name, before.entry)
            brought = found.tasks[0] if found.tasks else None
        column = board.columns[0]
        score = f"{column.metric} {cell_text(entry.cells[column.name], column)}"
        reached = Reached(
            station,
            tuple(about_stage(outcome, score, brought, _name(before), learned_in=self._learned_in(trial))),
            outcome,
            entry.name,
            brought,
            before.entry if before else "",
        )
        self.measured.append(reached)
        return reached

    def _base(self, trial: Trial) -> Reached | None:
        """The stage that a trial is compared with: the one that it goes on from, else the model as it was."""
        steps = _steps(trial)
        earlier = [
            (_steps(reached.station.trial), reached) for reached in self.measured if reached.station.trial
        ]
        begun = [(each, reached) for each, reached in earlier if each == steps[: len(each)] and each != steps]
        alike = [(each, reached) for each, reached in earlier if len(each) == 1 < len(steps)]
        same_method = [(each, reached) for each, reached in alike if each[0].name == steps[0].name]
        untrained = [(each, reached) for each, reached in earlier if not any(step.trains for step in each)]
        for found in (begun, same_method, untrained[:1], earlier[-1:]):
            if found:
                return max(found, key=lambda pair: len(pair[0]))[1]
        return None

    def _saved(self) -> list[str]:
        lines = []
        for reached in self.measured:
            trial = reached.station.trial
            if trial is None or not trial.adaptation.trains:
                continue
            folder = self._folder(trial)
            size = sum(path.stat().st_size for path in folder.rglob("*.safetensors"))
            lines.append(f"{reached.station.step.name.en}: {folder} ({size:,} bytes)")
        return lines or ["Nothing was trained, so there is nothing to save."]

    def _folder(self, trial: Trial) -> Path:
        """Where what a trial has trained lies."""
        learned = stages(trial.adaptation, trial.task, trial.seed or 0, self.course.model.tokenizer)
        return self.store.adapted_folder(address(self.course.model, learned))

    def _learned_in(self, trial: Trial) -> str:
        """The earlier stage that trained the same; empty where there is none."""
        if not trial.adaptation.trains:
            return ""
        folder = self._folder(trial)
        for reached in self.measured:
            earlier = reached.station.trial
            if earlier is not None and earlier.adaptation.trains and self._folder(earlier) == folder:
                return _name(reached)
        return ""

    def _best(self) -> Reached:
        """The stage that is highest on the board."""
        board = build_board(self.store, self.course.study.study)
        names = [entry.name for entry in board.entries]
        return min(self.measured, key=lambda reached: names.index(reached.entry))


def walk(
    course: Course, store: Store, progress: Progress, starts: Callable[[Station], None] = lambda station: None
) -> Iterator[Reached]:
    """Go through a course, and yield each station when it is done; `starts` is told before. What was done is found.

    Raises:
        EngineError: a stage could not be measured; the next walk goes on from there.
    """
    store.record_study(course.study.study, [trial.id for trial in course.trials], course.study.to_yaml())
    going = _Walk(course, store, progress, Conductor(store, progress, [course.model]))
    for station in course.stations:
        starts(station)
        yield going.reach(station)


def _steps(trial: Trial) -> tuple[Adaptation, ...]:
    """The adaptations of which a trial's is the chain."""
    steps: tuple[Adaptation, ...] = getattr(trial.adaptation, "steps", (trial.adaptation,))
    return steps


def _name(reached: Reached | None) -> str:
    return reached.station.step.name.en if reached else ""


def _entry_of(board: Board, outcome: Outcome) -> Entry:
    """The row that a run belongs to."""
    return next(
        entry
        for entry in board.entries
        if any(outcome.run.run_id in cell.run_ids for cell in entry.cells.values())
    )
