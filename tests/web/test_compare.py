"""The pages that compare entries, and the addresses that lead to them."""

import json
import re

import pytest
from starlette.testclient import TestClient

from tianti.board.compare import compare
from tianti.board.rounding import rounded
from tianti.board.show import difference
from tianti.board.snapshot import take_snapshot
from tianti.store import Store
from tianti.web.app import make_app
from tianti.web.extent import Extent, exported
from tianti.web.page import NoSuchPageError
from tianti.web.pages import comparison
from tianti.web.site import Site
from worlds import World

LONG = "a,b/c & 🙂 مثال " + "x" * 300
NAMES = ("模型/甲", LONG, "<img src=x onerror=alert(1)>")


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    """A client, the site behind it and its store; tests only read them."""
    world = World(items=30)
    with Store(tmp_path_factory.mktemp("compare") / "store") as store:
        for model, chance in zip(NAMES, (0.9, 0.6, 0.3), strict=True):
            for task in ("sentiment", "topics"):
                world.record(store, model, "lora", task, chance, seed=0)
        snapshot = take_snapshot(store)
        with TestClient(make_app(snapshot, store), follow_redirects=False) as client:
            yield client, Site(snapshot, store), store


def ids(site):
    return {entry.model: entry.id for entry in site.snapshot.board.entries}


def test_repeated_keys_lead_to_the_page_of_these_entries(live):
    client, site, _ = live
    slugs = [ids(site)[name] for name in NAMES]
    names = {entry.model: entry.name for entry in site.snapshot.board.entries}
    for asked in (slugs, [names[name] for name in NAMES], [*slugs, "", slugs[0]]):
        found = client.get("/en/compare/", params={"m": asked})
        assert (found.status_code, found.headers["location"]) == (307, f"all/{'~'.join(slugs)}/")
        below = client.get("/zh/compare/all/", params={"m": asked})
        assert below.headers["location"] == f"../all/{'~'.join(slugs)}/"
    page = client.get(f"/en/compare/all/{'~'.join(slugs)}/")
    assert page.status_code == 200
    assert "<img" not in page.text
    assert "&lt;img src=x onerror=alert(1)&gt;" in page.text


def test_means_of_other_tasks_are_not_subtracted(tmp_path):
    world = World(items=30)
    with Store(tmp_path / "store") as store:
        for model, tasks in (
            ("a", ("sentiment", "topics")),
            ("b", ("sentiment", "topics")),
            ("c", ("topics",)),
        ):
            for task in tasks:
                world.record(store, model, "lora", task, 0.7, seed=0)
        snapshot = take_snapshot(store)
        table = (
            Site(snapshot, store)
            .render("en/compare/all/")[0]
            .partition("<tbody>")[2]
            .partition("</tbody>")[0]
        )
    found = {entry.model: entry for entry in snapshot.board.entries}
    cells = re.findall(r'href="[^"]*/([^"/]+)/">([^<]+)</a>', table)
    assert len(cells) == 3
    for pair, said in cells:
        whole = all(found[model].id not in pair.split("~") for model in "c")
        assert said == (difference(found["a"].mean - found["b"].mean) if whole else "Compare") or (
            whole and said == difference(found["b"].mean - found["a"].mean)
        )


def test_what_cannot_be_compared(live):
    client, site, _ = live
    slugs = list(ids(site).values())
    for asked, said in (
        (slugs[:1], "Two to four"),
        ([slugs[0], slugs[0]], "Two to four"),
        ([slugs[0], "<b>x"], "no entry called &lt;b&gt;x"),
        (["a", "b", "c", "d", "e"], "Two to four"),
    ):
        found = client.get("/en/compare/", params={"m": asked})
        assert found.status_code == 404
        assert said in found.text
    assert client.get("/en/compare/?m=").status_code == 200
    assert client.get("/en/compare/nothing/?m=a&m=b").status_code == 404
    assert client.get("/fr/compare/?m=a").status_code == 404
    for wrong in (slugs[0], f"{slugs[0]}~{slugs[0]}", f"{slugs[0]}~x", "~".join([*slugs, "a", "b"])):
        with pytest.raises(NoSuchPageError):
            site.render(f"en/compare/all/{wrong}/")


def test_a_page_says_what_the_comparison_says(live):
    _, site, store = live
    board = site.snapshot.board
    one, other = board.entries[0], board.entries[2]
    found = compare(store, board, one.name, other.name)
    text, _ = site.render(f"en/compare/all/{one.id}~{other.id}/")
    assert difference(found.overall.difference) in text
    rows = [text.index(f">{task}</a></th>") for task in sorted_tasks(found)]
    assert rows == sorted(rows)
    for task in found.tasks:
        ties = task.n - task.wins - task.losses
        assert f"{task.wins} · {ties} · {task.losses}" in text
        assert difference(task.difference) in text
    data = json.loads(site.render(f"api/v1/compare/all/{one.id}~{other.id}.json")[0])
    assert data["comparisons"] == [json.loads(json.dumps(rounded(found)))]


def sorted_tasks(found):
    return [task.task for task in sorted(found.tasks, key=lambda task: -abs(task.difference))]


def test_differing_samples_link_to_their_pages(live):
    _, site, _ = live
    first, second = site.snapshot.board.entries[0], site.snapshot.board.entries[2]
    context = comparison.context(site, "all", f"{first.id}~{second.id}")
    assert context["disagreements"]
    for found, places in context["disagreements"]:
        for sample, where in zip(found.largest, places, strict=True):
            for value, (run, number) in zip(sample.values, where, strict=True):
                answer = site.listing(run).answers[number - 1]
                assert answer.sample_id == sample.sample
                assert answer.values["acc"] == value


def test_an_export_has_the_pairs_of_small_boards(live, monkeypatch):
    _, site, store = live
    small = Site(site.snapshot, store, extent=exported(1))
    entries = [entry.id for entry in site.snapshot.board.entries]
    pairs = [keys["entries"] for keys in comparison.every(small)]
    assert pairs == [f"{entries[a]}~{entries[b]}" for a, b in ((0, 1), (0, 2), (1, 2))]
    text, _ = small.render("en/compare/all/")
    assert "<form" not in text
    assert all(pair in text for pair in pairs)
    monkeypatch.setattr("tianti.web.pages.compare.MOST_OF_TABLE", 2)
    fewer = Site(site.snapshot, store, extent=Extent(1, 1, 2, asks=False))
    text, _ = fewer.render("en/compare/all/")
    assert "more than 2 entries" in text
    assert not list(comparison.every(fewer))
    assert [each.extent.together(3) for each in (site, small, fewer)] == [4, 2, 0]
    assert "<form" in site.render("en/compare/all/")[0]
