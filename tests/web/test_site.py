import html
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from result_files import write_all
from tianti.board import Board
from tianti.board.assemble import assemble
from tianti.board.importers.add import import_files
from tianti.board.reported import reported_board
from tianti.board.show import letter
from tianti.board.snapshot import Snapshot, take_snapshot
from tianti.store import Store
from tianti.web import extent
from tianti.web.export import file_of, write_site
from tianti.web.extent import exported
from tianti.web.page import NoSuchPageError
from tianti.web.pages import plain
from tianti.web.site import Site
from tianti.web.sizes import size_classes
from tianti.web.words import STARTS
from worlds import PERPLEXITY, World

HOSTILE = "<img src=x onerror=alert(1)>"
SAMPLES = 3
"""Sample pages of each run."""
VOID = {"meta", "link", "input", "img", "br", "line", "circle", "col", "wbr"}


class Page(HTMLParser):
    """The elements of a page with their attributes; complains about tags that are not closed in order."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.open = [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def pages(folder):
    return sorted(folder.rglob("*.html"))


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A site in a folder, the snapshot it shows and the store behind it; tests only read it."""
    world, folder = World(languages={"topics": "zh"}), tmp_path_factory.mktemp("site")
    with Store(folder / "store") as store:
        for model, chance in (("nano:llama", 0.9), ("模型/甲", 0.6)):
            for task in ("sentiment", "topics"):
                world.record(store, model, "lora", task, chance, seed=0)
                world.record(store, model, "lora", task, chance, seed=1)
                world.record(store, model, "zero-shot", task, chance - 0.1)
        world.record_failure(store, "nano:llama", "head-only", "topics", "topics has no choices")
        snapshot = take_snapshot(store)
        index = write_site(snapshot, store, folder / "site", samples=SAMPLES)
        assert index == folder / "site" / "index.html"
        yield folder / "site", snapshot, store


def test_pages_of_each_kind_in_each_language(site):
    folder, snapshot, _ = site
    names = {path.relative_to(folder).as_posix() for path in pages(folder)} - {"index.html"}
    english = {name.removeprefix("en/") for name in names if name.startswith("en/")}
    assert {f"{language}/{name}" for language in ("en", "zh") for name in english} == names
    kinds = [name.partition("/")[0] for name in english]
    counted = {kind: kinds.count(kind) for kind in ("index.html", "b", "m", "t", "reported", "embed")}
    assert counted == {"index.html": 1, "b": 2, "m": 2, "t": 2, "reported": 1, "embed": 1}
    assert [kinds.count(kind) for kind in ("method", "about")] == [1, 1]
    runs = [name for name in english if name.startswith("r/")]
    assert sum(name.count("/") == 2 for name in runs) == 13
    assert sum("/s/" in name for name in runs) == 12 * SAMPLES
    assert sum(name.startswith("compare/") for name in english) == 1 + 1 + 5 * 4 // 2
    assert english >= {"b/all/index.html", "b/all/p/1/index.html", "m/nano-llama/index.html"}
    data = folder / "api" / "v1" / "boards"
    assert Board.from_json((data / "all.json").read_text(encoding="utf-8")) == snapshot.board
    assert (data / "all.csv").read_bytes().decode() == snapshot.board.to_csv()


def test_every_page_is_well_formed_and_every_link_leads_to_a_file(site):
    folder, _, _ = site
    for path in pages(folder):
        page = Page(path.read_text(encoding="utf-8"))
        for tag, attributes in page.elements:
            address = attributes.get("href") if tag in ("a", "link") else attributes.get("src")
            if address is None:
                continue
            parts = urlsplit(address)
            if tag == "a" and attributes.get("rel") == "noreferrer" and parts.scheme == "https":
                continue  # the text that a reported figure is from: followed only by a reader's click
            assert not parts.scheme, f"{path}: {address}"
            assert not parts.netloc
            assert not address.startswith("/")
            if parts.path:
                assert (path.parent / unquote(parts.path)).is_file(), f"{path}: {address}"


def test_the_content_security_policy_holds(site):
    folder, _, _ = site
    for path in pages(folder):
        elements = Page(path.read_text(encoding="utf-8")).elements
        policy = [a["content"] for tag, a in elements if a.get("http-equiv") == "Content-Security-Policy"]
        assert len(policy) == 1
        assert policy[0].startswith("default-src 'none'; style-src 'self'; script-src 'self';")
        assert "unsafe" not in policy[0]
        for tag, attributes in elements:
            assert "style" not in attributes
            assert not any(name.startswith("on") for name in attributes)
            assert tag != "style"
            assert tag != "script" or "src" in attributes


def test_tables_have_captions_and_scopes(site):
    folder, _, _ = site
    for path in pages(folder):
        elements = Page(path.read_text(encoding="utf-8")).elements
        tags = [tag for tag, _ in elements]
        assert tags.count("table") == tags.count("caption")
        assert all("scope" in attributes for tag, attributes in elements if tag == "th")
        assert tags.count("h1") == 1
        assert ("html", {"lang": "zh-Hans" if path.is_relative_to(folder / "zh") else "en"}) in elements


def test_further_metrics_are_columns_behind_the_tasks(store, world, tmp_path):
    ece = {"metric": "ece", "main": False, "higher_is_better": False, "scale": "ratio"}
    world.record(store, "a", further=[world.score(0.2, "sentiment", **ece)])
    world.record(store, "b")
    write_site(take_snapshot(store), store, tmp_path / "site", samples=1)
    text = (tmp_path / "site" / "en/b/all/index.html").read_text(encoding="utf-8")
    assert '<span class="heading">sentiment · ece</span> <small>calibration % ↓</small>' in text
    assert "20.0 ±2.0" in text
    assert "They are no part of the mean or of a rank" in text
    chinese = (tmp_path / "site" / "zh/b/all/index.html").read_text(encoding="utf-8")
    assert '<span class="heading">sentiment · ece</span> <small>校准 % ↓</small>' in chinese
    Page(text)


def test_where_0_is_best_no_arrow_is_shown_and_tables_sort_by_the_distance_from_it(store):
    gap = {"name": "counterfactual_gap", "higher_is_better": False, "chance": None, "scale": "mean"}
    world = World(metrics={"pairs": gap})
    for model in ("a", "b"):
        world.record(store, model, task="pairs")
    site = Site(take_snapshot(store), store)
    assert "gap ↓" not in site.render("en/b/all/")[0] + site.render("en/t/pairs/")[0]
    page, _ = site.render("en/t/pairs/")
    assert 'data-best="near"' in page
    assert "counterfactual_gap (0 is best)" in page
    assert "those nearest to 0 first" in page
    assert "离 0 最近的在前" in site.render("zh/t/pairs/")[0]


def test_the_board_shows_ranks_scores_and_failures(site):
    folder, snapshot, _ = site
    board = snapshot.board
    text = (folder / "en/b/all/index.html").read_text(encoding="utf-8")
    assert text.count("<svg") == sum(e.mean is not None for e in board.entries)
    assert "failed" in text
    assert "topics has no choices" in text
    first = board.entries[0]
    assert f"{first.rank_low}–{first.rank_high}" in text or f">{first.rank_low}" in text
    assert snapshot.id[:12] in text
    chinese = (folder / "zh/b/all/index.html").read_text(encoding="utf-8")
    assert "怎样读这张榜" in chinese
    assert "How to read" not in chinese


def test_model_task_and_run_pages_say_what_they_should(site):
    folder, snapshot, _ = site
    model = (folder / "en/m/nano-llama/index.html").read_text(encoding="utf-8")
    assert "head-only" in model
    assert "topics has no choices" in model
    task = (folder / "en/t/sentiment/index.html").read_text(encoding="utf-8")
    assert task.count('class="sample ok"') == 3
    assert "Is it good? 0" in task
    run_id = snapshot.board.entries[0].cells["sentiment"].run_ids[0]
    run = (folder / "en/r" / run_id / "index.html").read_text(encoding="utf-8")
    assert "tianti run " in run
    assert re.findall(r'<td class="number"><a href="[^"]*">([^<]*)</a>', run) == ["1", "2", "3"]
    assert '<td class="number">50</td>' in run
    assert "lists the first 50 of 100 answers and has pages for the first 3" in run
    assert "versions.<wbr>tianti" in run
    data = json.loads((folder / "api/v1/runs" / f"{run_id}.json").read_text(encoding="utf-8"))
    assert len(data["answers"]) == 100


def test_hostile_names_and_answers_are_text(store, tmp_path):
    world = World(items=5)
    world.record(
        store, HOSTILE, f"lora({HOSTILE})", f"../../{HOSTILE}", prompt=HOSTILE, prediction='</pre><script>"'
    )
    world.record_failure(store, "b", "javascript:alert(1)", "sentiment", HOSTILE)
    folder = tmp_path / "deep" / "site"
    write_site(take_snapshot(store), store, folder, samples=1)
    assert {path.name for path in (tmp_path / "deep").iterdir()} == {"site"}
    for path in pages(folder):
        assert re.fullmatch(r"[a-z0-9._/~-]+", path.relative_to(folder).as_posix())
        elements = Page(path.read_text(encoding="utf-8")).elements
        assert "img" not in {tag for tag, _ in elements}
        assert not any("javascript:" in attributes.get("href", "") for _, attributes in elements)
        assert all(
            attributes.get("src", "").endswith(
                ("board/main.js", "chart.js", "sort.js", "start.js", "served.js", "embed.js", "reported.js")
            )
            for tag, attributes in elements
            if tag == "script"
        )


def test_the_same_board_gives_the_same_files(site, tmp_path):
    folder, snapshot, store = site
    write_site(snapshot, store, tmp_path / "again", samples=SAMPLES)
    for path in pages(folder):
        assert path.read_bytes() == (tmp_path / "again" / path.relative_to(folder)).read_bytes()


@pytest.mark.parametrize(
    ("entries", "rank_high", "said"),
    [
        (2, 1, "a · zero-shot is ahead of all others."),
        (2, 2, "of some others it is not shown that they are behind, so its rank is 1–2."),
        (1, 1, None),
    ],
)
def test_who_is_first_is_said_to_be_ahead_only_of_those_who_are_shown_to_be_behind(
    store, world, entries, rank_high, said
):
    for model in ("a", "b")[:entries]:
        world.record(store, model)
    snapshot = take_snapshot(store)
    first, *others = snapshot.board.entries
    # Of a pair without a test it is not known who is behind: the band of the first ends, and its interval goes on.
    first = replace(first, model="a", name="a · zero-shot", band=1, rank_low=1, rank_high=rank_high)
    board = replace(snapshot.board, entries=(first, *(replace(entry, band=2) for entry in others)))
    page, _ = Site(replace(snapshot, boards=(board,)), store).render("en/b/all/")
    if said is None:
        assert "ahead of" not in page
        assert "is first;" not in page
    else:
        assert said in page


def test_every_run_has_pages_for_its_first_samples(store, world, tmp_path):
    run = world.record(store, "a")
    write_site(take_snapshot(store), store, tmp_path / "site")
    samples = tmp_path / "site" / "en" / "r" / run.run_id / "s"
    assert {int(path.name) for path in samples.iterdir()} == set(range(1, extent.LISTED + 1))
    assert extent.usual_samples(0) == extent.LISTED
    assert extent.usual_samples(400) == extent.MOST_SAMPLES // 400
    assert extent.usual_samples(10**6) == extent.FEWEST


def test_an_empty_board_has_a_site(store):
    site = Site(take_snapshot(store), store)
    for address in ("zh/", "zh/b/all/"):
        assert "还没有任何运行结果" in site.render(address)[0]
    home = site.render("en/")[0]
    assert "Nothing has been run yet" in home
    assert "GPT-4" in home
    assert 'src="../static/reported.js"' in home
    for command in STARTS:
        assert f"<code>{command}</code>" in html.unescape(home)
    for address in site.addresses():
        site.render(address)


def test_a_model_has_the_tasks_that_it_was_asked_and_says_how_many_others_there_are(store):
    world = World(items=6)
    for model, task in (("a", "sentiment"), ("b", "sentiment"), ("b", "topics"), ("b", "names")):
        world.record(store, model, "zero-shot", task)
    site = Site(take_snapshot(store), store)
    some, all_of_them = (site.render(f"en/m/{model}/")[0] for model in "ab")
    assert re.findall(r'data-best="high">(\w+) <small>acc', some) == ["sentiment"]
    assert "Not run: 2 of the 3 tasks of the board." in some
    assert sorted(re.findall(r'data-best="high">(\w+) <small>acc', all_of_them)) == [
        "names",
        "sentiment",
        "topics",
    ]
    assert "Not run" not in all_of_them


def test_a_large_board_begins_with_its_first_rows_and_says_so(site, monkeypatch):
    _, snapshot, store = site
    monkeypatch.setattr(plain, "ROWS", 2)
    text, _ = Site(snapshot, store).render("en/b/all/")
    body = re.search(r"<tbody>(.*?)</tbody>", text, re.DOTALL)[1]
    assert body.count("<tr") == 2
    assert f"Here are the first 2 of {len(snapshot.board.entries)} entries." in text


def test_sizes_of_models_are_classes_that_some_model_is_of():
    world = World()
    huge = world.result("huge")
    huge = replace(huge, model=huge.model | {"parameters": 9 * 10**9})
    board = assemble([world.result("tiny"), huge], "")
    assert [(each.text, " ".join(each.conditions)) for each in size_classes(board.entries)] == [
        ("< 100M", "parameters:lt:100000000"),
        ("8B – 20B", "parameters:ge:8000000000 parameters:lt:20000000000"),
    ]


def test_the_first_page_has_a_tile_for_each_board(store):
    world = World()
    huge = world.result("huge", chance=0.9)
    huge = replace(huge, model=huge.model | {"parameters": 9 * 10**9})
    snapshot = Snapshot((assemble([world.result("tiny"), huge], ""),), (), (), reported_board(), {})
    text, _ = Site(snapshot, store).render("en/")
    tile = re.search(r'<section class="tile">(.*?)</section>', text, re.DOTALL)[1]
    assert "2 entries on 1 tasks" in tile
    assert re.search(r'class="best".*?huge · zero-shot', tile, re.DOTALL)
    assert (
        '<a href="../en/b/all/?f=parameters:ge:8000000000&amp;f=parameters:lt:20000000000">8B – 20B</a>'
        in tile
    )


@pytest.mark.parametrize(
    ("results", "why"),
    [
        ((("a", "sentiment"), ("b", "topics")), "no entry has all of the 2 tasks"),
        ((("a", "texts"),), "none of its tasks has a metric that a mean could be made of"),
        ((), "no entry has a score on any task"),
    ],
)
def test_a_tile_without_a_best_entry_says_why(store, results, why):
    world = World(metrics={"texts": PERPLEXITY})
    made = [
        world.result(model, task=task, value=9.0) if task == "texts" else world.result(model, task=task)
        for model, task in results
    ] or [world.failed("a", "lora", "sentiment", "no room")]
    snapshot = Snapshot((assemble(made, ""),), (), (), reported_board(), {})
    text, _ = Site(snapshot, store).render("en/")
    assert why in text
    assert 'class="best"' not in text


def test_captions_say_what_has_intervals(store):
    """An old file of another program has intervals of scores and no answers, so its means have none."""
    world = World()
    plain_board = assemble([world.result("a"), world.result("b")], "")
    without = tuple(replace(entry, low=None, high=None) for entry in plain_board.entries)
    bare = tuple(
        replace(entry, cells={name: replace(cell, low=None, high=None) for name, cell in entry.cells.items()})
        for entry in without
    )
    for entries, said in (
        (plain_board.entries, "Ranks and scores with their 95 % intervals"),
        (without, "Scores with their 95 % intervals; ranks and means have none"),
        (bare, "Ranks and scores; without answers to single samples there are no intervals"),
    ):
        snapshot = Snapshot((replace(plain_board, entries=entries),), (), (), reported_board(), {})
        for address in ("en/b/all/", "en/b/all/p/1/"):
            text, _ = Site(snapshot, store).render(address)
            assert f'<caption id="caption">{said}' in text
        frame, _ = Site(snapshot, store).render("en/embed/b/all/")
        assert ("intervals</caption>" in frame) == (entries is plain_board.entries)


def test_what_every_site_is_asked_for_is_there(site):
    folder, _, _ = site
    assert (folder / "robots.txt").read_text(encoding="ascii") == "User-agent: *\nAllow: /\n"
    assert (folder / "favicon.ico").read_bytes().startswith(b"\0\0\1\0")


def test_a_frame_shows_bands_and_how_many_tasks_a_mean_is_of(store):
    world = World()
    made = [
        world.result("a", chance=0.9),
        world.result("a", task="topics", chance=0.9),
        world.result("b", task="topics"),
    ]
    snapshot = Snapshot((assemble(made, ""),), (), (), reported_board(), {})
    text, _ = Site(snapshot, store).render("en/embed/b/all/")
    assert '<span class="band">A</span> 1' in text
    assert "<small>1 of 2 tasks</small>" in text
    assert "Letters are bands" in text


def test_what_is_not_known_is_the_last_that_one_can_choose(store):
    world = World()
    known, unknown = world.result("known"), world.result("unknown")
    unknown = replace(unknown, model=unknown.model | {"architecture": ""})
    snapshot = Snapshot((assemble([known, unknown], ""),), (), (), reported_board(), {})
    text, _ = Site(snapshot, store).render("en/b/all/")
    assert 'name="r" value="zero-shot"' in text
    assert re.findall('name="family" value="([^"]*)"', text) == ["causal", "unknown"]


def test_plain_pages_have_every_row_once(site, monkeypatch):
    _, snapshot, store = site
    monkeypatch.setattr(plain, "ROWS", 2)
    rendered = Site(snapshot, store)
    numbers = [keys["number"] for keys in plain.every(rendered)]
    assert numbers == ["1", "2", "3"]
    rows = []
    for number in numbers:
        text, _ = rendered.render(f"en/b/all/p/{number}/")
        rows += re.findall(
            r'scope="row" class="name"><a href="[^"]*">([^<]*)</a></th>\s*<td>([^<]*)</td>', text
        )
        assert ('rel="prev"' in text, 'rel="next"' in text) == (number != "1", number != "3")
    assert rows == [(entry.model, entry.adaptation) for entry in snapshot.board.entries]
    for number in ("0", "4", "01", "-1", "x", "²"):
        with pytest.raises(NoSuchPageError):
            rendered.render(f"en/b/all/p/{number}/")


def test_addresses_that_lead_nowhere(site):
    _, snapshot, store = site
    rendered = Site(snapshot, store)
    for address in (
        "fr/",
        "en",
        "en/b/",
        "en/b/other/",
        "en/m/../",
        "api/v1/",
        "api/v1/boards/all.xml",
        "api/v1/transfer.json",
    ):
        with pytest.raises(NoSuchPageError):
            rendered.render(address)


def test_pages_live_and_exported_differ_in_the_names_of_files_alone(site):
    folder, snapshot, store = site
    live = Site(snapshot, store, extent=exported(SAMPLES))
    for address in live.addresses():
        written = (folder / file_of(address)).read_bytes()
        content = live.render(address)[0]
        if isinstance(content, str):
            content, written = content.encode(), written.replace(b'index.html"', b'"')
        assert content == written


def test_imported_boards_have_pages_of_their_own(store, world, tmp_path):
    world.record(store, "a")
    import_files(store, list(write_all(tmp_path / "files").values()))
    snapshot = take_snapshot(store)
    write_site(snapshot, store, tmp_path / "site", samples=1)
    home = (tmp_path / "site/en/index.html").read_text(encoding="utf-8")
    for board in snapshot.boards[1:]:
        assert f'href="../en/b/{board.title}/index.html"' in home
        text = (tmp_path / "site/en/b" / board.title / "index.html").read_text(encoding="utf-8")
        assert "not measured here" in text
        models = {entry.model for entry in board.entries}
        assert text.count("/m/" + board.title + "-") == len(board.entries) >= len(models)
    for path in pages(tmp_path / "site"):
        Page(path.read_text(encoding="utf-8"))


def test_what_the_imported_file_does_not_say_is_missing_on_its_pages(store, tmp_path):
    import_files(store, [write_all(tmp_path / "files")["v2"]])
    site = Site(take_snapshot(store), store)
    why = 'title="the imported file does not say">–</abbr>'
    (view,) = site.views
    task = view.tasks["BBH (3-shot)"]
    for slug in view.models.values():
        text = site.render(f"en/m/{slug}/")[0]
        assert text.count(why) == 2 * len(view.entries[site.model(slug)[1]])
    assert site.render(f"en/t/{task}/")[0].count(why) == 3 * len(view.board.entries)
    one, other, _ = view.board.entries
    assert site.render(f"en/compare/{view.slug}/{one.id}~{other.id}/")[0].count(why) == 2 * 5
    for cell in json.loads(site.render(f"api/v1/tasks/{task}.json")[0])["cells"].values():
        assert (cell["n"], cell["errors"], cell["skipped"]) == (None, None, None)


def test_what_the_source_says_of_a_model_stands_on_its_page(store, tmp_path):
    import_files(store, [write_all(tmp_path / "files")["v2"]])
    site = Site(take_snapshot(store), store)
    (view,) = site.views
    slugs = {entry.cells["IFEval (0-shot)"].value: view.models[entry.model] for entry in view.board.entries}
    text = site.render(f"en/m/{slugs[0.5]}/")[0]
    rows = re.findall(
        "<tr><th scope=.row.>(.*?)</th><td>(.*?)</td></tr>",
        text.partition("As stated by the source")[2].replace("<wbr>", ""),
    )
    assert rows == [
        ("Precision", "bfloat16"), ("Model sha", "0123"), ("Hub License", "mit"), ("CO₂ cost (kg)", "11.35"),
        ("Submission Date", "2024-06-12"),
    ]  # fmt: skip
    stated = json.loads(site.render(f"api/v1/models/{slugs[0.5]}.json")[0])["entries"][0]["stated"]
    assert stated == dict(rows) | {"CO₂ cost (kg)": "11.351698937"}
    assert "CO₂" not in site.render(f"en/m/{slugs[0.4]}/")[0]
    assert "来源所述" in site.render(f"zh/m/{slugs[0.3]}/")[0]


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("v2", "newest result of 2025-02-01"),
        ("v1", "newest result of 2023-05-23"),
        ("mteb", "imported on 20"),
    ],
)
def test_the_newest_result_is_of_the_day_that_its_file_says(store, tmp_path, kind, said):
    import_files(store, [write_all(tmp_path / "files")[kind]])
    assert said in Site(take_snapshot(store), store).render("en/")[0]


def test_letters_of_bands():
    assert [letter(number) for number in (1, 26, 27, 52, 703)] == ["A", "Z", "AA", "AZ", "AAA"]


def test_static_files_name_no_other_host():
    static = Path(__file__).parents[2] / "src" / "tianti" / "web" / "static"
    # What others wrote has tests of its own (test_vendor.py).
    own = [path for path in static.rglob("*") if path.is_file() and "vendor" not in path.parts]
    assert own
    for path in own:
        text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert "http" not in text
        assert "innerHTML" not in text
