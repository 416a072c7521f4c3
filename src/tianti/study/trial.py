"""A Trial: one cell of a study, with the manifest of all that its numbers depend on."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tianti.adapt import Adaptation, Transfer, label, settings
from tianti.adapt.continual.continual import facts_of_stream
from tianti.adapt.stages import facts_of_data
from tianti.core.fingerprint import fingerprint
from tianti.models import LoadOptions, Model
from tianti.tasks import Task
from tianti.tasks.wording import ALL, OWN, Wording
from tianti.tasks.yaml_task import YamlTask

MANIFEST_VERSION = 1
"""Goes up when the same manifest would mean other numbers: a change of prompts, token split or training."""

CODE = ("aggregate", "interval", "over_draws")
"""Parts of a metric that are functions: the task's fingerprint stands for them, not the manifest."""


@dataclass(frozen=True)
class Trial:
    """One cell of a study. `id` is the sha256 (64 hex digits) of its canonical manifest.

    Where model and task were found (`reference`, `include`) is left out of the id: fingerprints say what they are.
    """

    model: Model
    adaptation: Adaptation
    task: Task
    seed: int | None
    """None where the adaptation draws nothing at random: one trial then serves for all seeds."""
    limit: int | None
    options: LoadOptions
    include: tuple[Path, ...] = ()
    order_seed: int | None = None
    """The seed of the random order in which samples are asked, as many as it takes; None asks all in their order."""

    @property
    def manifest(self) -> dict[str, Any]:
        """All that the numbers depend on, as JSON."""
        model, info = self.model, self.task.info
        return {
            "manifest_version": MANIFEST_VERSION,
            "model": {
                "name": model.name,
                "reference": model.reference or model.name,
                "source": model.source,
                "architecture": model.architecture,
                "fingerprint": model.fingerprint,
                "revision": model.revision,
                "parameters": model.parameters,
            },
            "adaptation": {
                "name": self.adaptation.name,
                "label": label(self.adaptation),
                "settings": settings(self.adaptation),
                **self._adaptation_facts,
            },
            "task": {
                "name": info.name,
                "reference": info.reference or info.name,
                "include": [str(folder) for folder in self.include],
                "kind": info.kind,
                "language": info.language,
                "split": info.split,
                "version": info.version,
                "fingerprint": self.task.fingerprint,
                "metrics": [
                    {
                        name: value
                        for name, value in asdict(metric).items()
                        if name not in CODE and (value or name != "signature")
                    }
                    for metric in self.task.metrics
                ],
            },
            "seed": self.seed,
            "limit": self.limit,
            # Left out where it is transformers, so that those trials keep their ids.
            "engine": {"dtype": self.options.dtype}
            | ({} if self._runs_in_transformers else {"name": self.options.engine}),
            **({} if self.order_seed is None else {"order": {"seed": self.order_seed}}),
        }

    @property
    def questions(self) -> int:
        """How many questions it asks: one for each sample, or one for each sample and template."""
        count, wording = self.task.count(self.limit), self._wording
        if wording is None or not isinstance(self.task, YamlTask):
            return count
        return count * self.task.questions_of_a_sample(wording)

    @property
    def templates(self) -> tuple[str, ...]:
        """The templates in which each sample is asked, in the order of its repeats; none where it is asked in one."""
        wording = self._wording
        if wording is None or wording.template != ALL or not isinstance(self.task, YamlTask):
            return ()
        return (OWN, *self.task.file.templates)

    @property
    def _wording(self) -> Wording | None:
        return getattr(getattr(self.adaptation, "prompt", None) or self.adaptation, "wording", None)

    @property
    def _adaptation_facts(self) -> dict[str, Any]:
        """What the numbers depend on besides the settings; left out where it is nothing, so that ids stay."""
        base = self.adaptation.base if isinstance(self.adaptation, Transfer) else self.adaptation
        steps = getattr(base, "steps", (base,))
        few = any(getattr(step, "max_examples", None) is not None for step in steps)
        data = facts_of_data(self.adaptation)
        wording = self._wording_facts
        return (
            ({"data": data} if data else {})
            | ({"wording": wording} if wording else {})
            | ({"examples": "nested"} if few else {})
            | facts_of_stream(self.adaptation)
        )

    @property
    def _wording_facts(self) -> dict[str, Any]:
        """What the prompt takes from the task file that is no part of the task's fingerprint."""
        wording = self._wording
        if wording is None or not isinstance(self.task, YamlTask):
            return {}
        return self.task.wording_facts(wording)

    @property
    def _runs_in_transformers(self) -> bool:
        return self.options.engine == "transformers" or self.model.architecture == "baseline"

    @property
    def id(self) -> str:
        manifest = self.manifest
        for part, name in (("model", "reference"), ("task", "reference"), ("task", "include")):
            del manifest[part][name]
        # Of a stream the names and fingerprints of its tasks stand beside its settings.
        manifest["adaptation"]["settings"].pop("stream", None)
        return fingerprint(manifest)

    @property
    def title(self) -> str:
        """What a person calls it: model · adaptation · task · seed."""
        seed = "" if self.seed is None else f" · seed {self.seed}"
        return f"{self.model.name} · {label(self.adaptation)} · {self.task.info.name}{seed}"
