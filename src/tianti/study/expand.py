"""A Study → its Trials: every model under every adaptation that fits it, on every task, with every seed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tianti.adapt import Adaptation, label, parse_adaptation
from tianti.adapt.search import with_search
from tianti.adapt.sizes import check_sizes, with_sizes
from tianti.core.exceptions import IncompatibleError
from tianti.models import Model, open_model
from tianti.study.stream import over_stream
from tianti.study.study import Study
from tianti.study.transfer import find_sources, learned_from
from tianti.study.trial import Trial
from tianti.tasks import load_tasks


def trials(study: Study, in_memory: Sequence[Model] = ()) -> list[Trial]:
    """The trials of a study, ordered so that each model is loaded once.

    `in_memory` are models that exist as objects only; the study names them by their names.

    A baseline is fitted and a network is not: each takes from the study's adaptations those that fit its nature, and a
    baseline beside networks is fitted without being told.

    With `transfer` what trains learns each of those tasks, whichever is asked; where that is the task itself, it is the
    ordinary trial.

    Raises:
        StudyError: transfer, and nothing trains.
        InputError: a model, adaptation or task that does not exist or cannot be read, or a size of train_sizes that is
            more than a task has to learn from.
        IncompatibleError: a model for which no adaptation of the study is left.
    """
    searched = with_search([parse_adaptation(text) for text in study.adaptations], study.search)
    adaptations = with_sizes(searched, study.train_sizes)
    tasks = [task for reference in study.tasks for task in load_tasks(reference, study.include)]
    sources = find_sources(study, adaptations, tasks)
    for adaptation in adaptations if study.train_sizes else ():
        for task in [source.task for source in sources] or tasks:
            check_sizes(adaptation, task, study.train_sizes)
    objects = {model.name: model for model in in_memory}
    order_seed = study.order_seed if study.until else None
    models = [objects.get(reference) or open_model(reference) for reference in study.models]
    if study.stream:
        cells = over_stream(study, adaptations, tasks)
        return [
            Trial(model, adaptation, task, seed, study.limit, study.load_options, study.include)
            for model in models
            for adaptation, task, seed in cells
        ]
    return [
        Trial(model, at_task, task, seed, study.limit, study.load_options, study.include, order_seed)
        for model in models
        for adaptation in _fitting(model, adaptations, models)
        for row in learned_from(adaptation, sources)
        for task in tasks
        for at_task in [row(task)]
        for seed in _seeds(at_task, study.seeds)
    ]


def _fitting(model: Model, adaptations: Sequence[Adaptation], models: Sequence[Model]) -> list[Adaptation]:
    is_baseline = model.architecture == "baseline"
    fitting = [adaptation for adaptation in adaptations if (adaptation.name == "fit") == is_baseline]
    if not fitting and is_baseline and any(other.architecture != "baseline" for other in models):
        return [parse_adaptation("fit")]
    if not fitting:
        listed = ", ".join(label(adaptation) for adaptation in adaptations)
        raise IncompatibleError(
            f"{model.name} cannot be adapted by {listed}: "
            + ("a baseline has no weights to adapt" if is_baseline else "only a baseline is fitted"),
            remedy=f"use --adapt {'fit' if is_baseline else 'zero-shot'}",
        )
    return fitting


def _seeds(adaptation: Adaptation, seeds: Sequence[int]) -> Iterator[int | None]:
    yield from seeds if adaptation.seeded else (None,)
