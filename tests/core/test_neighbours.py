from __future__ import annotations

from pathlib import Path

from tianti.core.neighbours import YAML, name_neighbours


def test_an_ending_makes_no_name_near(tmp_path: Path) -> None:
    (tmp_path / "poisoned.jsonl").touch()
    said = name_neighbours(tmp_path / "nosuch.jsonl", {".jsonl"}, "data files")
    assert said == "data files there: poisoned.jsonl"


def test_the_nearest_else_all_else_that_there_is_nothing(tmp_path: Path) -> None:
    assert name_neighbours(tmp_path / "films.yaml", YAML, "task files") == "task files there: none"
    for name in ("film.yml", "town.YAML", "films.csv"):
        (tmp_path / name).touch()
    assert name_neighbours(tmp_path / "films.yaml", YAML, "task files") == "did you mean film.yml?"
    assert name_neighbours(tmp_path / "x.yaml", YAML, "task files") == "task files there: film.yml, town.YAML"
    for number in range(10):
        (tmp_path / f"{number}{number}{number}.yaml").touch()
    assert name_neighbours(tmp_path / "x", YAML, "task files").endswith("999.yaml, …")
    assert name_neighbours(tmp_path / "no" / "x.yaml", YAML, "x") == f"there is no folder {tmp_path / 'no'}"
