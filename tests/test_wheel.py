"""What a user installs holds everything that the demo needs."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)],
        cwd=ROOT, check=True, capture_output=True,
    )  # fmt: skip
    (built,) = folder.glob("*.whl")
    return built


def test_every_file_of_the_package_is_in_the_wheel(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        inside = set(archive.namelist())
    tracked = subprocess.check_output(["git", "ls-files", "src/tianti"], cwd=ROOT, text=True).splitlines()
    assert {file.removeprefix("src/") for file in tracked} <= inside
    for needed in (
        "models/nano/llama/model.safetensors",
        "models/nano/bert/model.safetensors",
        "models/nano/t5/model.safetensors",
        "demo.yaml",
        "demo-stream.yaml",
        "web/locale/zh.po",
        "web/static/style.css",
        "web/static/vendor/echarts.js",
    ):
        assert f"tianti/{needed}" in inside


def test_the_wheel_is_small(wheel: Path) -> None:
    assert wheel.stat().st_size < 12 * 2**20
