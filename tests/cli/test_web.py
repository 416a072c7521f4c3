import json
import re
import socket
import subprocess
import sys
import urllib.request
from time import sleep

import pytest
from starlette.testclient import TestClient

from tianti.adapt import Continual
from tianti.cli.web import Place, checked_base, listen, serve_store
from tianti.core.exceptions import InputError, StoreError
from tianti.store import Store
from worlds import World


def test_it_serves_until_it_is_stopped(tmp_path):
    with Store(tmp_path / "store") as store:
        World(items=5).record(store, "a")
    command = [
        "-m",
        "tianti",
        "web",
        "--port",
        "0",
        "--base",
        "boards/x/",
        "--store",
        str(tmp_path / "store"),
    ]
    with subprocess.Popen([sys.executable, "-u", *command], stdout=subprocess.PIPE, text=True) as server:
        try:
            address = re.search(r"http://127\.0\.0\.1:\d+/boards/x/", server.stdout.readline())[0]
            with urllib.request.urlopen(address, timeout=30) as page:
                assert page.url == f"{address}en/"
                assert 'href="../en/b/all/"' in page.read().decode()
            with urllib.request.urlopen(f"{address}api/v1/index.json", timeout=30) as index:
                assert list(json.load(index)["models"]) == ["a"]
                assert "server" not in {name.lower() for name in index.headers}
        finally:
            server.terminate()


def test_base_paths():
    for text, path in (("", ""), ("/", ""), ("boards", "/boards"), ("/a/b-c/", "/a/b-c")):
        assert checked_base(text) == path
    for text in ("a//b", "a b", "a?b", "http://x", "天"):
        with pytest.raises(InputError, match="--base"):
            checked_base(text)


def test_a_port_that_is_taken_and_a_host_that_is_none():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=f"port {port}"):
            listen("127.0.0.1", port)
    with pytest.raises(InputError, match="cannot listen on 192"):
        listen("192.0.2.1", 0)


def record_stream(store, strategy):
    """The runs of a stream of two tasks, as if a model had learned them."""
    world, tasks = World(items=5), ("one", "two")
    stream = [{"name": task, "fingerprint": world.task(task)["fingerprint"]} for task in tasks]
    for stage in (0, 1, 2):
        method, policy = ("lora", strategy) if stage else ("full", "plain")
        made = Continual(method=method, strategy=policy, stream=tasks, stage=stage)
        said = {"name": "continual", "label": made.label, "settings": made.in_full, "stream": stream}
        usual = World(items=5).manifest
        world.manifest = lambda *given, said=said, usual=usual: usual(*given) | {"adaptation": said}
        for task in tasks:
            world.record(store, "m", task=task, seed=0)


def test_it_starts_without_torch_whatever_is_in_the_store(tmp_path):
    with Store(tmp_path) as store:
        World(items=5).record(store, "a")
        for strategy in ("plain", "replay(size=8)", "adapters", "ewc"):
            record_stream(store, strategy)
    code = (
        "import sys; from tianti.store import open_store; from tianti.web.app import app_of; "
        "from tianti.web.live import Live; import tianti.web.export; import uvicorn; "
        f"live = Live(open_store({str(tmp_path)!r})); app_of(lambda: live.responder); "
        "assert len(live.snapshot.streams) == 4; "
        "print([m for m in ('torch', 'transformers', 'sklearn', 'pandas') if m in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said == "[]\n"


def test_it_shows_what_is_added_while_it_serves(tmp_path, monkeypatch):
    monkeypatch.setattr("tianti.web.live.SECONDS", 0.05)
    world = World(items=5)
    with Store(tmp_path) as store:
        world.record(store, "first")

        def add_another(server, sockets):
            # In place of serving: the store changes, and the site follows.
            with TestClient(server.config.app) as client:
                assert list(client.get("/api/v1/index.json").json()["models"]) == ["first"]
                world.record(store, "second")
                while "second" not in client.get("/api/v1/index.json").json()["models"]:
                    sleep(0.01)
                assert "second" in client.get("/en/b/all/").text

        monkeypatch.setattr("uvicorn.Server.run", add_another)
        serve_store(tmp_path, None, Place(port=0))


def test_without_a_store_it_shows_what_papers_report_until_there_is_one(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("tianti.web.live.SECONDS", 0.05)

    def run_the_first_study(server, sockets):
        with TestClient(server.config.app) as client:
            home = client.get("/en/").text
            assert "<code>tianti demo</code>" in home
            assert "GPT-4" in home
            assert not (tmp_path / "store").exists()
            with Store(tmp_path / "store") as store:
                World(items=5).record(store, "first")
                while "first" not in client.get("/api/v1/index.json").json()["models"]:
                    sleep(0.01)
                (slug,) = client.get("/api/v1/index.json").json()["runs"]
                assert "first" in client.get(f"/en/r/{slug}/").text
                assert "<code>tianti demo</code>" not in client.get("/en/").text

    monkeypatch.setattr("uvicorn.Server.run", run_the_first_study)
    serve_store(tmp_path / "store", None, Place(port=0), or_none=True)
    assert f"no results in {tmp_path / 'store'} yet" in capsys.readouterr().out


def test_a_store_that_is_named_has_to_be_there(tmp_path):
    with pytest.raises(StoreError, match="no results in"):
        serve_store(tmp_path / "store", None, Place(port=0))


def test_without_refreshing_it_shows_what_there_was(tmp_path, monkeypatch):
    monkeypatch.setattr("tianti.web.live.Live.kept_fresh", None)
    seen = []
    with Store(tmp_path) as store:
        World(items=5).record(store, "first")
        monkeypatch.setattr("uvicorn.Server.run", lambda server, sockets: seen.append(server))
        serve_store(tmp_path, None, Place(port=0), refresh=False)
    assert len(seen) == 1
