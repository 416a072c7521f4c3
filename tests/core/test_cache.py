from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tianti.core.cache import cache_folder, write_whole


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"TIANTI_CACHE": "/a", "XDG_CACHE_HOME": "/b"}, "/a"),
        ({"XDG_CACHE_HOME": "/b"}, "/b/tianti"),
        ({"HOME": "/home/someone"}, "/home/someone/.cache/tianti"),
    ],
)
def test_cache_folder(environment: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TIANTI_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert cache_folder() == Path(expected)


def test_what_could_not_be_written_leaves_the_place_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def disk_full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    place = tmp_path / "folder" / "kept.json"
    write_whole(place, "whole")
    monkeypatch.setattr(Path, "replace", disk_full)
    with pytest.raises(OSError, match="No space"):
        write_whole(place, "half")
    assert [path.name for path in place.parent.iterdir()] == ["kept.json"]
    assert place.read_text() == "whole"
