"""Strategies that keep samples of earlier tasks and go on learning them: experience replay, and dark experience."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from tianti.adapt.continual.outputs import check_outputs, outputs
from tianti.adapt.continual.strategy import Kept, Practice, Stage, Strategy
from tianti.adapt.options import NotNegative, PositiveInt
from tianti.core.seeds import derived_random
from tianti.models.model import LoadedModel
from tianti.tasks.task import Task

if TYPE_CHECKING:
    from torch import Tensor

    from tianti.adapt.continual.family import OfTask

BUFFER = "buffer"
"""[samples, 2], the task and the place among its training examples of each sample that is kept."""


@dataclass(frozen=True)
class Replay(Strategy):
    """Each step learns, besides its own examples, as many that are drawn from a memory of `size` earlier ones.

    `memory`: `reservoir` gives every example seen so far the same chance to be in it (Vitter 1985), so that longer
    tasks have more; `balanced` gives every task the same number.
    """

    name: ClassVar[str] = "replay"
    summary: ClassVar[str] = "some samples of earlier tasks are kept, and learned again beside new ones"

    size: PositiveInt = 200
    memory: Literal["reservoir", "balanced"] = "balanced"
    weight: NotNegative = 1.0
    """Of the mean loss of the kept samples beside that of the new ones."""

    def begin(self, stage: Stage) -> Practice:
        return Rehearsal(stage, self)


class Rehearsal(Practice):
    """Draws from the memory in each step, and fills it up after the stage."""

    def __init__(self, stage: Stage, settings: Replay) -> None:
        super().__init__(stage)
        self.settings = settings
        kept = stage.kept[BUFFER].tolist() if BUFFER in stage.kept else []
        self.places = [(int(task), int(index)) for task, index in kept]
        self.samples = [stage.items(task)[index] for task, index in self.places]

    def penalty(self, network: Any, items: Sequence[Any]) -> Tensor | None:
        from tianti.adapt.continual.family import loss

        if not self.samples:
            return None
        summed, terms = loss(network, [self.samples[index] for index in self.drawn(len(items))])
        return self.settings.weight * summed / terms

    def drawn(self, count: int) -> list[int]:
        """Which of the kept samples are learned again in this step, by torch's global random state."""
        import torch

        found: list[int] = torch.randperm(len(self.samples))[:count].tolist()
        return found

    def keep(self) -> Kept:
        import torch

        self.places = self.filled()
        self.samples = [self.stage.items(task)[index] for task, index in self.places]
        return {BUFFER: torch.tensor(self.places, dtype=torch.int64)}

    def filled(self) -> list[tuple[int, int]]:
        """The memory after this stage."""
        stage, size = self.stage, self.settings.size
        counts = [len(stage.items(task)) for task in range(stage.number + 1)]
        if self.settings.memory == "balanced":
            return balanced(self.places, counts, size, stage.draw)
        return reservoir(self.places, counts, size, stage.draw)

    @property
    def sample_bytes(self) -> int:
        return sum(4 * sum(map(len, sample.rows)) for sample in self.samples)


@dataclass(frozen=True)
class DarkReplay(Replay):
    """DER++ (Buzzega et al. 2020, arXiv 2004.07211): with each kept sample the outputs z that the network gave for
    it when its task had been learned are kept too, and a step adds `dark` · mean (z − z′)² to replay's loss, on
    another draw.

    The mean is over samples and outputs alike, as in the authors' code; the paper writes a squared norm, which is the
    sum over outputs. The paper takes outputs along the way; here they are those of the end of the stage, which are
    better answers.
    """

    name: ClassVar[str] = "derpp"
    summary: ClassVar[str] = "replay, and the network's own outputs for the samples are kept as well (DER++)"

    dark: NotNegative = 0.5

    def check(self, method: Any, model: LoadedModel, tasks: Sequence[Task]) -> None:
        check_outputs(self.name, method, model, tasks)

    def begin(self, stage: Stage) -> Practice:
        return DarkRehearsal(stage, self, self.dark)


class DarkRehearsal(Rehearsal):
    """Keeps the outputs of every sample in one tensor, row on row, and how many rows each has."""

    def __init__(self, stage: Stage, settings: Replay, dark: float) -> None:
        super().__init__(stage, settings)
        self.dark = dark
        self.known = dict(zip(self.places, unpacked(stage.kept, self.places), strict=True))
        self.targets = [self.known[place] for place in self.places]

    def penalty(self, network: Any, items: Sequence[Any]) -> Tensor | None:
        import torch

        replayed = super().penalty(network, items)
        if replayed is None:
            return None
        chosen = self.drawn(len(items))
        distances = []
        for task in sorted({self.samples[index].task for index in chosen}):
            its = [index for index in chosen if self.samples[index].task == task]
            now = outputs(network, task, [self.samples[index].item for index in its])
            then = torch.cat([self.targets[index] for index in its]).to(now.device)
            distances.append((now.float() - then.float()).square().flatten())
        return replayed + self.dark * torch.cat(distances).mean()

    def keep(self) -> Kept:
        import torch

        found = super().keep()
        self.stage.family.train(False)
        with torch.no_grad():
            rows = [
                self._outputs(place, sample) for place, sample in zip(self.places, self.samples, strict=True)
            ]
        return found | packed(self.places, rows)

    def _outputs(self, place: tuple[int, int], sample: OfTask) -> Tensor:
        """Those that are known already stay as they were when their task was learned."""
        if place in self.known:
            return self.known[place]
        return outputs(self.stage.family, sample.task, [sample.item]).half().cpu()


def reservoir(
    kept: Sequence[tuple[int, int]], counts: Sequence[int], size: int, seed: int
) -> list[tuple[int, int]]:
    """The memory after the examples of the newest task: of n seen so far each is in it with the chance size / n."""
    places, seen = list(kept), sum(counts[:-1])
    draw = derived_random("reservoir", seed, len(counts))
    for index in range(counts[-1]):
        if len(places) < size:
            places.append((len(counts) - 1, index))
        elif (at := draw.randrange(seen + index + 1)) < size:
            places[at] = (len(counts) - 1, index)
    return places


def balanced(
    kept: Sequence[tuple[int, int]], counts: Sequence[int], size: int, seed: int
) -> list[tuple[int, int]]:
    """The memory after the newest task, with as many samples of each task as of any other, or one more."""
    draw = derived_random("balanced", seed, len(counts))
    found: list[tuple[int, int]] = []
    for task, count in enumerate(counts):
        share = size // len(counts) + (task < size % len(counts))
        if task < len(counts) - 1:
            found += [place for place in kept if place[0] == task][:share]
        else:
            found += [(task, index) for index in draw.sample(range(count), min(share, count))]
    return found


def packed(places: Sequence[tuple[int, int]], rows: Sequence[Tensor]) -> Kept:
    """Outputs of many samples as one tensor for each task, and how many rows each sample has."""
    import torch

    found: Kept = {"rows": torch.tensor([len(each) for each in rows], dtype=torch.int64)}
    for task in sorted({task for task, _ in places}):
        found[f"outputs.{task}"] = torch.cat(
            [each for place, each in zip(places, rows, strict=True) if place[0] == task]
        )
    return found


def unpacked(kept: Mapping[str, Tensor], places: Sequence[tuple[int, int]]) -> list[Tensor]:
    """What `packed` was given."""
    if not places:
        return []
    ends: dict[int, int] = {}
    found = []
    for (task, _), rows in zip(places, kept["rows"].tolist(), strict=True):
        start = ends.get(task, 0)
        found.append(kept[f"outputs.{task}"][start : start + rows])
        ends[task] = start + rows
    return found
