"""Reported scores: what ships holds together, disagreeing figures stay side by side, and nothing wrong is read."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from real_data_folder import REAL_DATA
from tianti.board import Board
from tianti.board.reported import read_reported, reported_board, reported_scores
from tianti.board.reported.layout import METHODS, select
from tianti.board.reported.terminal import WORDS, render_reported
from tianti.core.exceptions import InputError, UnknownNameError

HEADER = "model,regime,shots,protocol,task,metric,split,score,citation,url,quoted_in,status,note"
ROW = "GPT-3,few-shot,5,,MMLU,acc,test,43.9,Somebody 2021,https://arxiv.org/abs/1,,primary,"


def lines(*rows):
    return [HEADER, *rows]


def text(renderable, width=160):
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(renderable)
    return console.file.getvalue()


def test_what_ships_is_read_and_covers_the_famous_systems():
    models = {score.model.split()[0] for score in reported_scores()}
    assert {"GPT-3", "GPT-3.5", "ChatGPT", "GPT-4", "PaLM", "BERT-large", "T5-11B"} <= models
    assert {score.method for score in reported_scores()} == set(METHODS)


@pytest.mark.real_data
@pytest.mark.skipif(not REAL_DATA.exists(), reason="no real data beside the checkout")
def test_every_figure_that_was_read_ships_and_none_from_memory():
    path = REAL_DATA.parent / "reference" / "published_scores.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    shipped = {(s.model, s.task, s.score) for s in reported_scores()}
    read = {(r["system"], r["task"], float(r["score"])) for r in rows if r["status"] in ("S", "S2")}
    remembered = {(r["system"], r["task"], float(r["score"])) for r in rows if r["status"] == "M"}
    assert read <= shipped
    assert not (remembered - read) & shipped
    # What goes beyond the rows are figures that their notes quote from another text.
    assert {figure[2] for figure in shipped - read} == {41.1, 43.4, 56.5, 14.57, 78.4, 80.0}


def test_figures_that_disagree_stand_side_by_side():
    board = reported_board()
    cell = board.entry("PaLM 2-L · few-shot(k=5)").cells["MMLU · acc"]
    assert cell.value is None
    assert [source.value for source in cell.sources] == pytest.approx([0.783, 0.784])
    assert cell.sources[1].quoted_in == "Gemini report 2023"
    values = [row["value"] for row in board.to_arrow().to_pylist()]
    assert len(values) == len(reported_scores())
    assert sorted(values) == pytest.approx(sorted(score.score / 100 for score in reported_scores()))


def test_reported_entries_have_no_rank_no_mean_and_no_interval():
    for entry in reported_board().entries:
        assert entry.provenance == "reported"
        assert (entry.rank, entry.mean, entry.complete) == (None, None, False)
        for cell in entry.cells.values():
            assert (cell.low, cell.rank, cell.n) == (None, None, None)


def test_the_board_comes_back_from_its_json():
    board = reported_board()
    assert Board.from_json(board.to_json()) == board


def test_the_table_shows_methods_side_by_side_in_both_languages():
    shown = text(render_reported(select(reported_scores(), "gsm8k")))
    assert "80.7 / 80 (k=8)" in shown
    assert "54 / 56.5 (k=8); 58 (k=8, calculator)" in shown
    assert "zero-shot" not in shown  # no column without a figure
    assert "not measured here" in shown
    assert WORDS["en"].keys() == WORDS["zh"].keys()
    assert "并非在此测得" in text(render_reported(reported_scores(), "zh"))


def test_sources_are_named():
    shown = text(render_reported(select(reported_scores(), "MMLU", "GPT-4"), sources=True), 200)
    assert "86.4; OpenAI 2023 GPT-4 report, Table 2; https://arxiv.org/abs/2303.08774" in shown


def test_selection_takes_a_name_or_a_part_of_one():
    assert {score.model for score in select(reported_scores(), model="palm 540b")} == {"PaLM 540B"}
    assert len({score.task for score in select(reported_scores(), "superglue")}) > 3
    with pytest.raises(UnknownNameError, match="unknown reported model 'GPT-9'"):
        select(reported_scores(), model="GPT-9")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("43.9", "439", "line 2: score is '439', expected points"),
        ("43.9", "nan", "score is 'nan'"),
        ("43.9", "", "score is ''"),
        (",5,", ",five,", "shots is 'five'"),
        ("few-shot", "few-shots", "unknown regime 'few-shots': did you mean 'few-shot'"),
        ("few-shot", "zero-shot", "zero-shot with 5 shots"),
        ("primary", "memory", "unknown status 'memory'"),
        ("https://arxiv.org/abs/1", "arxiv", "url is 'arxiv'"),
        ("MMLU", "", "no task"),
        (",primary,", ",primary", "expected 13 fields"),
        (",primary,", ",primary,,", "expected 13 fields"),
    ],
)
def test_a_wrong_row_is_refused_with_its_line(old, new, said):
    with pytest.raises(InputError, match=said):
        read_reported(lines(ROW.replace(old, new)), "file")


def test_the_same_row_twice_and_another_header_are_refused():
    with pytest.raises(InputError, match="lines 2 and 3 say the same"):
        read_reported(lines(ROW, ROW), "file")
    with pytest.raises(InputError, match="the header is"):
        read_reported(["model,score", "a,1"], "file")


@given(st.lists(st.text(max_size=60), max_size=5))
def test_broken_text_is_read_or_refused_on_purpose(rows):
    try:
        found = read_reported(lines(*rows), "file")
    except InputError:
        return
    assert all(0 <= score.score <= 100 and score.model for score in found)
