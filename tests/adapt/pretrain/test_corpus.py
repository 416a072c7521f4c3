"""Corpora: documents of files and of the nano world, some of them held out."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path

import pytest

from tianti.adapt.pretrain import NanoCorpus, open_corpus
from tianti.core.exceptions import InputError, TaskError
from tianti.tasks.nano import documents


def test_blank_lines_part_the_documents_of_a_text(tmp_path: Path) -> None:
    path = tmp_path / "town.txt"
    path.write_text("".join(f"Document {number}.\nIts second line.\n\n\n" for number in range(40)), "utf-8")
    corpus = open_corpus([str(path)], seed=0)
    assert corpus.finite is not None
    assert (len(corpus.finite), len(corpus.held)) == (38, 2)
    everything = sorted([*corpus.finite, *corpus.held])
    assert everything == sorted(f"Document {number}.\nIts second line." for number in range(40))
    assert open_corpus([str(path)], seed=0).held == corpus.held != open_corpus([str(path)], seed=1).held


def test_rows_of_a_table_are_documents(tmp_path: Path) -> None:
    path = tmp_path / "town.jsonl"
    path.write_text("".join(json.dumps({"story": f"Story {n}."}) + "\n" for n in range(10)), "utf-8")
    corpus = open_corpus([str(path)], 0, "story")
    assert corpus.finite is not None
    assert len(corpus.finite) == 9
    with pytest.raises(TaskError, match=r"no column 'text'; there is story(.|\n)*--column"):
        open_corpus([str(path)], 0)


def test_the_end_of_one_long_document_is_held_out(tmp_path: Path) -> None:
    path = tmp_path / "book.txt"
    path.write_text("word " * 1000, "utf-8")
    corpus = open_corpus([str(path)], 0)
    assert corpus.finite is not None
    assert sum(text.count("word") for text in (*corpus.finite, *corpus.held)) == 1000


def test_what_is_no_data_is_refused(tmp_path: Path) -> None:
    (tmp_path / "little.txt").write_text("word", "utf-8")
    (tmp_path / "binary.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="too little data: 1 document"):
        open_corpus([str(tmp_path / "little.txt")], 0)
    with pytest.raises(InputError, match="cannot be read as UTF-8"):
        open_corpus([str(tmp_path / "binary.txt")], 0)
    with pytest.raises(InputError, match=r"there is no file .*binry.txt\n.*did you mean binary.txt"):
        open_corpus([str(tmp_path / "binry.txt")], 0)
    with pytest.raises(InputError, match="nano never ends"):
        open_corpus(["nano", str(tmp_path / "little.txt")], 0)


def test_the_nano_corpus_is_the_nano_world() -> None:
    corpus = open_corpus(["nano"], 5)
    assert isinstance(corpus, NanoCorpus)
    assert [corpus.text(number) for number in (0, 1, 7)] == [
        list(islice(documents(5), 8))[n] for n in (0, 1, 7)
    ]
    assert not set(corpus.held) & set(islice(documents(5), 200))
