"""A function that is offered is not hidden by a module of its name."""

import importlib
import pkgutil

import tianti.stats


def test_every_name_stays_what_it_is_when_all_modules_are_loaded():
    before = {name: getattr(tianti.stats, name) for name in tianti.stats.__all__}
    for module in pkgutil.walk_packages(tianti.stats.__path__, "tianti.stats."):
        importlib.import_module(module.name)
    assert {name: getattr(tianti.stats, name) for name in before} == before
    assert all(not isinstance(value, type(pkgutil)) for value in before.values())
