"""From the manifest of a trial back to the trial, or to the command that runs it again."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tianti.adapt.chain import BETWEEN
from tianti.adapt.transfer import FROM
from tianti.core.call import Call
from tianti.study.expand import trials
from tianti.study.read import study_of
from tianti.study.trial import Trial


def trial_of(manifest: Mapping[str, Any]) -> Trial:
    """The trial with this manifest, its model and task opened again."""
    model, task, engine = manifest["model"], manifest["task"], manifest["engine"]
    revision = f"@{model['revision']}" if model["revision"] and "@" not in model["reference"] else ""
    study = study_of(
        models=[model["reference"] + revision], adaptations=[full_notation(manifest)], tasks=[task["reference"]],
        seeds=[manifest["seed"] or 0], limit=manifest["limit"], include=[Path(folder) for folder in task["include"]],
        dtype=engine["dtype"], engine=engine.get("name", "transformers"),
    )  # fmt: skip
    found = trials(study)
    return next((trial for trial in found if trial.task.info.name == task["name"]), found[0])


def repeat_command(manifest: Mapping[str, Any]) -> str:
    """The command that runs a trial with this manifest again."""
    model, task = manifest["model"], manifest["task"]
    revision = f"@{model['revision']}" if model["revision"] and "@" not in model["reference"] else ""
    parts = [model["reference"] + revision, "--task", task["reference"], "--adapt", full_notation(manifest)]
    for folder in task["include"]:
        parts += ["--include", folder]
    if manifest["seed"] is not None:
        parts += ["--seed", str(manifest["seed"])]
    if manifest["limit"] is not None:
        parts += ["--limit", str(manifest["limit"])]
    if manifest["engine"]["dtype"] != "auto":
        parts += ["--dtype", manifest["engine"]["dtype"]]
    if "name" in manifest["engine"]:
        parts += ["--engine", manifest["engine"]["name"]]
    return "tianti run " + " ".join(shlex.quote(part) for part in parts)


def full_notation(manifest: Mapping[str, Any]) -> str:
    """The adaptation with every setting written out, so that later defaults change nothing."""
    adaptation = manifest["adaptation"]
    own = {key: value for key, value in adaptation["settings"].items() if key != "from"}
    steps = own.get("steps", [{"name": adaptation["name"], "settings": own}])
    source = adaptation["settings"].get("from")
    return BETWEEN.join(map(_full_step, steps)) + (f"{FROM}{source}" if source else "")


def _full_step(step: Mapping[str, Any]) -> str:
    return str(
        Call(step["name"], {key: value for key, value in step["settings"].items() if value is not None})
    )
