"""Writes a task to start from: a commented task file and a little data."""

from __future__ import annotations

import re
import string
from pathlib import Path

from tianti.core.exceptions import InputError, TaskError, UnknownNameError
from tianti.tasks.kinds import KINDS

STARTERS = Path(__file__).parent / "kinds" / "starters"


def new_task(name: str, folder: Path, kind: str = "classification") -> Path:
    """Write `name`.yaml and its data files into `folder` and return the path of the task file.

    Raises:
        UnknownNameError: no such kind.
        InputError: a name that cannot be a file's.
        TaskError: one of the files is there already; nothing is written.
    """
    if kind not in KINDS:
        raise UnknownNameError("kind", kind, KINDS)
    if not re.fullmatch(r"\w[\w.-]*", name):
        raise InputError(
            f"{name!r} cannot name a task", remedy="take letters, digits, _, - and . for its name"
        )
    texts = {
        folder / starter.name.replace(kind, name, 1): string.Template(starter.read_text("utf-8"))
        for starter in sorted(STARTERS.glob(f"{kind}.*"))
    }
    for path in texts:
        if path.exists():
            raise TaskError(f"{path} is there already", remedy="take another name, or remove it")
    folder.mkdir(parents=True, exist_ok=True)
    for path, text in texts.items():
        path.write_text(text.safe_substitute(name=name), "utf-8")
    return folder / f"{name}.yaml"
