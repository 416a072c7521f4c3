import json
import re
import socket
import subprocess
import sys
import urllib.request

import pytest

from tianti.cli.web import checked_base, listen
from tianti.core.exceptions import InputError
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


def test_it_starts_without_torch(tmp_path):
    with Store(tmp_path) as store:
        World(items=5).record(store, "a")
    code = (
        "import sys; from tianti.board.snapshot import take_snapshot; from tianti.store import open_store; "
        "from tianti.web.app import make_app; import uvicorn; "
        f"store = open_store({str(tmp_path)!r}); make_app(take_snapshot(store), store); "
        "print([m for m in ('torch', 'transformers', 'sklearn', 'pandas') if m in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said == "[]\n"
