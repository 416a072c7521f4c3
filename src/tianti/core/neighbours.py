"""What lies where a file was looked for."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from tianti.core.exceptions import nearest

YAML = (".yaml", ".yml")


def name_neighbours(path: Path, suffixes: Collection[str], what: str) -> str:
    """A remedy for a file that is not there: the nearest names beside it, or else all `what` that lie there."""
    folder = path.parent
    there = (
        sorted(entry.name for entry in folder.iterdir() if entry.suffix.lower() in suffixes)
        if folder.is_dir()
        else []
    )
    # Endings are alike by themselves, and make a name look nearer than it is: nosuch.jsonl, poisoned.jsonl.
    near = [name for name in nearest(path.name, there) if nearest(path.stem, [Path(name).stem])]
    if near:
        return f"did you mean {' or '.join(near)}?"
    if not folder.is_dir():
        return f"there is no folder {folder}"
    more = ", …" if len(there) > 10 else ""
    return f"{what} there: {', '.join(there[:10]) or 'none'}{more}"
