"""The scripts of others that the site carries are those of the lock, with their licences."""

import hashlib
import json
import re
from importlib.resources import files

import pytest

VENDOR = files("tianti.web") / "static/vendor"
LOCK = json.loads((VENDOR / "vendor.lock.json").read_text())


@pytest.mark.parametrize("name", sorted(LOCK["files"]))
def test_every_file_is_the_one_of_the_lock(name):
    content = (VENDOR / name).read_bytes()
    assert hashlib.sha256(content).hexdigest() == LOCK["files"][name]["sha256"]
    for package in LOCK["files"][name]["packages"]:
        assert LOCK["packages"][package]["integrity"].startswith("sha512-")
        assert (VENDOR / "LICENSES" / f"{package.replace('/', '-')}.txt").read_text().strip()


def test_nothing_lies_there_that_the_lock_does_not_name():
    there = {path.name for path in VENDOR.iterdir() if path.is_file()}
    assert there == {*LOCK["files"], "vendor.lock.json"}


@pytest.mark.parametrize("name", sorted(LOCK["files"]))
def test_it_names_no_host_and_needs_no_eval(name):
    text = (VENDOR / name).read_text()
    hosts = set(re.findall(r"https?://([\w.-]+)", text))
    assert hosts <= {"www.w3.org"}, "names of XML, no addresses"
    assert not re.search(r"\beval\(|new Function\(", text)
