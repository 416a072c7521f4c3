"""What docs/guides/update.md tells a reader to run finds its files in an empty folder."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tianti.deployment.data import read_new_data
from tianti.tasks import load_tasks

GUIDES = Path(__file__).parents[2] / "docs" / "guides"
GUIDE = (GUIDES / "update.md").read_text("utf-8")


def test_the_guide_writes_the_files_that_it_names(tmp_path: Path) -> None:
    (program,) = re.findall(r"```python\n(# data\.py\n.*?)```", GUIDE, re.DOTALL)
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True)
    (tmp_path / "town.yaml").touch()  # stands in the guide itself
    named = set(re.findall(r"[\w-]+\.(?:jsonl|yaml)\b", GUIDE)) - {"new.jsonl"}
    assert {path.name for path in tmp_path.iterdir()} == named
    old = load_tasks("nano/sentiment")
    reference = str(tmp_path / "pingjia.yaml")
    assert read_new_data(tmp_path / "kept", old, tmp_path / "pingjia.jsonl", reference).examples == 256
    for name in ("reviews.jsonl", "poisoned.jsonl"):
        assert read_new_data(tmp_path / "kept", old, tmp_path / name, None).examples == 120


def test_both_languages_show_the_same_session() -> None:
    chinese = (GUIDES / "update.zh.md").read_text("utf-8")
    blocks = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
    assert blocks.findall(chinese) == blocks.findall(GUIDE)
    assert chinese.count("\n## ") == GUIDE.count("\n## ")
