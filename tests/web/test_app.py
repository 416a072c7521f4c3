"""The live site: addresses, headers, caching, and that it serves what an export has."""

import gzip
import json

import pytest
from starlette.testclient import TestClient

from tianti.board import Board
from tianti.board.formats import FORMATS
from tianti.board.snapshot import board_json, take_snapshot
from tianti.store import Store
from tianti.web.app import make_app
from tianti.web.export import write_site
from tianti.web.extent import exported
from tianti.web.page import Address
from tianti.web.policy import headers_of
from tianti.web.respond import preferred_language
from tianti.web.site import Site
from worlds import PERPLEXITY, World


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    """A client of a live site, its snapshot, its store; tests only read them."""
    world = World(items=40, languages={"topics": "zh"}, metrics={"texts": PERPLEXITY})
    folder = tmp_path_factory.mktemp("live")
    with Store(folder / "store") as store:
        for model, chance in (("nano:llama", 0.9), ("模型/甲", 0.6), ("<b>&\"'", 0.4)):
            for task in ("sentiment", "topics"):
                world.record(store, model, "lora", task, chance, seed=0)
                world.record(store, model, "zero-shot", task, chance - 0.1)
        world.record(store, "nano:llama", "zero-shot", "texts", 0.5)
        world.record_failure(store, "nano:llama", "head-only", "topics", "topics has no choices")
        snapshot = take_snapshot(store)
        with TestClient(make_app(snapshot, store), follow_redirects=False) as client:
            yield client, snapshot, store


def test_every_address_is_served_with_its_headers(live):
    client, snapshot, store = live
    site = Site(snapshot, store)
    for address in Site(snapshot, store, extent=exported(2)).addresses():
        if not address:
            continue
        response = client.get(f"/{address}")
        content, media = site.render(address)
        assert response.status_code == 200, address
        assert response.content == (content if isinstance(content, bytes) else content.encode())
        assert response.headers["content-type"].partition(";")[0] == media
        expected = headers_of(f"/{address}")
        assert all(response.headers[name] == value for name, value in expected.items())


def test_the_api_the_export_and_the_terminal_give_the_same_data(live, tmp_path):
    client, snapshot, store = live
    write_site(snapshot, store, tmp_path / "site", samples=2)
    addresses = list(Site(snapshot, store, extent=exported(2)).addresses())
    data = [address for address in addresses if address.startswith("api/")]
    assert len(data) > 10
    for address in data:
        # A page of an export's samples ends where its pages do.
        if "/samples/" not in address:
            assert client.get(f"/{address}").content == (tmp_path / "site" / address).read_bytes()
    text = client.get("/api/v1/boards/all.json").text
    assert text == board_json(snapshot.board, snapshot.streams)
    assert Board.from_json(text) == snapshot.board


def test_models_tasks_and_runs_of_the_api_are_those_of_the_board(live):
    client, snapshot, store = live
    board = json.loads(client.get("/api/v1/boards/all.json").text)
    index = client.get("/api/v1/index.json").json()
    assert index["snapshot"] == snapshot.id
    assert index["boards"] == {"all": ""}
    entries = [
        entry
        for slug in index["models"]
        for entry in client.get(f"/api/v1/models/{slug}.json").json()["entries"]
    ]
    assert sorted(entries, key=lambda each: each["id"]) == sorted(
        board["entries"], key=lambda each: each["id"]
    )
    for slug, named in index["tasks"].items():
        task = client.get(f"/api/v1/tasks/{slug}.json").json()
        assert task["column"] in board["columns"]
        assert task["cells"] == {
            entry["id"]: entry["cells"][named["task"]]
            for entry in board["entries"]
            if named["task"] in entry["cells"]
        }
    for slug, named in index["runs"].items():
        run = client.get(f"/api/v1/runs/{slug}.json").json()
        assert run["run_id"] == named["run"]
        assert len(run["answers"]) == len(store.answers(named["run"]))


def test_the_description_of_the_api_names_every_file(live):
    client, snapshot, store = live
    described = client.get("/api/v1/openapi.json").json()
    patterns = [Address(path.removeprefix("/")) for path in described["paths"]]
    for address in Site(snapshot, store).addresses():
        if address.startswith("api/"):
            assert any(pattern.match(address) is not None for pattern in patterns), address
    for ending, form in FORMATS.items():
        answers = described["paths"][f"/api/v1/boards/{{board}}.{ending}"]["get"]["responses"]
        assert list(answers["200"]["content"]) == [form.media_type]
    assert "rank_low" in described["components"]["schemas"]["Entry"]["properties"]


def test_what_is_not_there(live):
    client, _, _ = live
    for path in (
        "/en/m/nothing/",
        "/en/b/all/p/99/",
        "/fr/",
        "/static/nothing.css",
        "/en/%2e%2e/%2e%2e/pyproject.toml",
        "/x/y/z",
    ):
        response = client.get(path)
        assert response.status_code == 404, path
    page = client.get("/zh/m/nothing/")
    assert "这里什么也没有" in page.text
    assert 'href="../../../static/style.css"' in page.text
    for path in ("/api/v1/models/nothing.json", "/api/v1/transfer.json", "/api/v1/", "/api/v1/x/y"):
        response = client.get(path)
        assert response.status_code == 404
        assert "index.json" in response.json()["detail"]
    assert client.post("/en/").status_code == 405


def test_the_root_leads_to_the_language_that_is_asked_for(live):
    client, _, _ = live
    for accepted, target in (("zh-CN,zh;q=0.9,en;q=0.8", "zh/"), ("en-GB", "en/"), ("fr", "en/")):
        response = client.get("/", headers={"accept-language": accepted})
        assert (response.status_code, response.headers["location"]) == (307, target)
        assert response.headers["vary"] == "Accept-Language"


@pytest.mark.parametrize(
    ("accepted", "language"),
    [("", "en"), ("*", "en"), ("zh", "zh"), ("de, zh-Hant;q=0.2", "zh"), ("en;q=0.1,zh;q=0.5", "zh"),
     ("zh;q=0", "en"), ("zh;q=x, en;q=0.1", "en"), ("en;q=0, zh;q=0.1", "zh")],
)  # fmt: skip
def test_preferred_languages(accepted, language):
    assert preferred_language(accepted) == language


def test_an_address_without_its_last_slash_leads_to_the_page(live):
    client, _, _ = live
    response = client.get("/en/m/nano-llama")
    assert (response.status_code, response.headers["location"]) == (308, "nano-llama/")
    assert client.get("/en").headers["location"] == "en/"


def test_a_page_that_is_known_is_not_sent_again(live):
    client, _, _ = live
    first = client.get("/en/b/all/")
    tag = first.headers["etag"]
    again = client.get("/en/b/all/", headers={"if-none-match": f'"x", {tag}'})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == tag
    assert client.get("/zh/b/all/", headers={"if-none-match": tag}).status_code == 200
    assert client.head("/en/b/all/").content == b""


def test_bodies_are_compressed_for_who_can_read_them(live):
    client, _, _ = live
    plain = client.get("/en/b/all/", headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    with client.stream("GET", "/en/b/all/", headers={"accept-encoding": "gzip"}) as packed:
        raw = b"".join(packed.iter_raw())
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.headers["vary"] == "Accept-Encoding"
    assert gzip.decompress(raw) == plain.content


@pytest.mark.parametrize("start", ["/boards/x", ""], ids=["as it is", "without it"])
def test_a_base_path_is_served_whether_or_not_a_proxy_takes_it_away(live, start):
    _, snapshot, store = live
    client = TestClient(make_app(snapshot, store, "/boards/x"), follow_redirects=False)
    page = client.get(f"{start}/en/")
    assert page.status_code == 200
    assert 'href="../static/style.css"' in page.text
    assert client.get(f"{start}/static/style.css").status_code == 200
    assert client.get(f"{start}/api/v1/index.json").json()["snapshot"] == snapshot.id
    assert client.get(f"{start}/").headers["location"] == "en/"
    assert client.get(f"{start}/en/nothing/").status_code == 404
    assert client.get("/boards/x").headers["location"] == "/boards/x/"
    assert client.get("/boards/xy/en/").status_code == 404


def test_a_cached_page_is_not_rendered_again(live, monkeypatch):
    _, snapshot, store = live
    client = TestClient(make_app(snapshot, store))
    first = client.get("/en/b/all/").text
    monkeypatch.setattr(Site, "render", None)
    assert client.get("/en/b/all/").text == first
