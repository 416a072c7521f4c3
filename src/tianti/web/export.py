"""A site as static files, for any web server and any base path, or a browser without a server.

The files lie at the addresses of the site (tianti.web.site); `index.html` in each folder is the page of the folder.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from importlib.resources import as_file, files
from pathlib import Path

from tianti.board.formats import FORMATS
from tianti.board.snapshot import Snapshot
from tianti.core.exceptions import InputError
from tianti.store import Store
from tianti.web.data import ROOT
from tianti.web.extent import exported, usual_samples
from tianti.web.site import Site
from tianti.web.words import LANGUAGES

LEAF = "index.html"
WRITTEN: Sequence[str] = (".html", ".json", *(f".{ending}" for ending in FORMATS))
"""The endings of what a site consists of, beside what is the same in all."""
OWN_FOLDERS: Sequence[str] = ("api", "static", *LANGUAGES)


@dataclass
class _Writer:
    """Writes below a folder and remembers what it wrote."""

    folder: Path
    written: set[Path] = field(default_factory=set)

    def write(self, name: str, content: str | bytes) -> Path:
        path = self.folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        except OSError as error:
            raise InputError(
                f"{path} cannot be written: {error.strerror or error}",
                remedy="name a folder in which you may write, on a disk with room",
            ) from error
        self.written.add(path)
        return path


def write_site(snapshot: Snapshot, store: Store, folder: Path, samples: int | None = None) -> Path:
    """Write the site and return the path of its first page, which leads to each language.

    A site that is there already is replaced: pages of runs that are gone are removed. The first `samples` of each run
    have pages of their own; by default as many as keep the site small.

    Raises:
        InputError: the folder holds something that is no site, or cannot be written.
        StoreError: answers are gone or were changed since they were sealed.
    """
    _check(folder)
    writer = _Writer(folder)
    site = Site(
        snapshot, store, LEAF, exported(usual_samples(len(snapshot.runs)) if samples is None else samples)
    )
    for address in site.addresses():
        content, _ = site.render(address)
        writer.write(file_of(address), content)
    _copy_static(writer)
    _remove_old(folder, writer.written)
    return folder / LEAF


def file_of(address: str) -> str:
    """The name of the file of an address: `en/` → `en/index.html`."""
    return f"{address}{LEAF}" if address == "" or address.endswith("/") else address


def _check(folder: Path) -> None:
    if not folder.exists():
        return
    if not folder.is_dir():
        raise InputError(f"{folder} is a file", remedy="name a folder for the site")
    if any(folder.iterdir()) and not _is_site(folder):
        raise InputError(
            f"{folder} holds something that is no site of tianti", remedy="name an empty or a new folder"
        )


def _is_site(folder: Path) -> bool:
    try:
        content = json.loads((folder / ROOT / "index.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and "snapshot" in content


def _copy_static(writer: _Writer) -> None:
    with as_file(files("tianti.web") / "static") as source:
        for path in sorted(path for path in source.rglob("*") if path.is_file()):
            target = writer.folder / "static" / path.relative_to(source)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
            writer.written.add(target)


def _remove_old(folder: Path, written: Iterable[Path]) -> None:
    """Remove the files of an earlier site, and folders that are empty then."""
    kept = set(written)
    for name in OWN_FOLDERS:
        for path in sorted((folder / name).rglob("*"), reverse=True):
            if path.is_dir():
                if not any(path.iterdir()):
                    path.rmdir()
            elif path.suffix in WRITTEN and path not in kept:
                path.unlink()
