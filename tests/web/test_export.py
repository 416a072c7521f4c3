"""Where a site is written, and where it is not."""

import pytest

from tianti.board.snapshot import take_snapshot
from tianti.core.exceptions import InputError
from tianti.web.export import write_site


def test_a_site_is_replaced_and_nothing_else_is(store, world, tmp_path):
    world.record(store, "a")
    folder = tmp_path / "site"
    write_site(take_snapshot(store), store, folder, samples=1)
    old = folder / "en" / "r" / "old" / "index.html"
    old.parent.mkdir()
    own = folder / "notes.txt"
    old.write_text("old")
    own.write_text("mine")
    write_site(take_snapshot(store), store, folder, samples=1)
    assert not old.parent.exists()
    assert own.read_text() == "mine"


def test_a_folder_with_other_things_is_left_alone(store, tmp_path):
    (tmp_path / "x" / "api" / "v1").mkdir(parents=True)
    (tmp_path / "x" / "api" / "v1" / "index.json").write_text("[]")
    with pytest.raises(InputError, match="no site"):
        write_site(take_snapshot(store), store, tmp_path / "x")
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(InputError, match="is a file"):
        write_site(take_snapshot(store), store, file)


def test_a_folder_that_cannot_be_written_is_named(store, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"file/site/index.html cannot be written: Not a directory"):
        write_site(take_snapshot(store), store, tmp_path / "file" / "site")
