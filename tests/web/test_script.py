"""The script of the board in a real browser, opened from a file."""

import html
import json
import os
import re
import shutil
import subprocess

import pytest

from tianti.board.snapshot import take_snapshot
from tianti.web.export import write_site

DRIVER = """
const shown = () => [...document.querySelectorAll("#board tbody tr")].filter((row) => !row.hidden);
const rows = () => shown().map((row) => row.cells[1].textContent.trim());
const button = (index) => document.querySelectorAll("#board thead th")[index].querySelector("button");
const found = { start: rows(), tools: !tools.hidden };
button(0).click();
found.ascending = rows();
found.sorted = document.querySelectorAll("#board thead th")[0].getAttribute("aria-sort");
button(0).click();
found.descending = rows();
tools.elements.text.value = "ALPHA";
tools.dispatchEvent(new Event("input"));
found.searched = rows();
found.count = tools.elements.count.value;
tools.elements.text.value = "";
tools.elements.method.value = "lora";
tools.dispatchEvent(new Event("input"));
found.method = rows();
tools.elements.method.value = "";
tools.elements.language.value = "zh";
tools.dispatchEvent(new Event("input"));
found.headings = [...document.querySelectorAll("#board thead th")].filter((th) => !th.hidden).length;
document.title = JSON.stringify(found);
"""


@pytest.fixture
def browser():
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        if os.environ.get("CI") == "true":
            pytest.fail("no chromium on this machine: apt-get install chromium")
        pytest.skip("no chromium on this machine: apt-get install chromium")
    return found


def test_sorting_and_filtering(browser, store, world, tmp_path):
    world.languages["topics"] = "zh"
    for model, chance in (("alpha", 0.95), ("beta", 0.75), ("gamma", 0.55)):
        for task in ("sentiment", "topics"):
            world.record(store, model, "zero-shot", task, chance)
    world.record(store, "partial", "lora", "sentiment")
    write_site(take_snapshot(store), store, tmp_path / "site")
    index = tmp_path / "site/en/b/all/index.html"
    (tmp_path / "site" / "static" / "driver.js").write_text(DRIVER, encoding="utf-8")
    page = index.read_text(encoding="utf-8")
    index.write_text(
        page.replace("</body>", '<script defer src="../../../static/driver.js"></script></body>'),
        encoding="utf-8",
    )
    options = [
        "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync", "--virtual-time-budget=2000", "--dump-dom",
        f"--user-data-dir={tmp_path / 'profile'}",
    ]  # fmt: skip
    dom = subprocess.run(
        [browser, *options, index.as_uri()], capture_output=True, text=True, timeout=120, check=True
    ).stdout
    found = json.loads(html.unescape(re.search(r"<title>(.*?)</title>", dom, re.DOTALL)[1]))
    assert found["tools"] is True
    assert found["start"] == ["alpha", "beta", "gamma", "partial"]
    assert found["sorted"] == "ascending"
    assert found["ascending"] == ["alpha", "beta", "gamma", "partial"]
    # What is missing stays last in either direction.
    assert found["descending"] == ["gamma", "beta", "alpha", "partial"]
    assert found["searched"] == ["alpha"]
    assert found["count"] == "1 of 4 entries"
    assert found["method"] == ["partial"]
    assert found["headings"] == 7
