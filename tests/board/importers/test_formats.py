"""Every format is recognised, keeps what it does not know, and says where a broken file is broken."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from result_files import GROUPED, TIME, write_all
from tianti.board.importers import FORMATS, SourceFile, read_import
from tianti.board.importers.form import FIELD, ITEMS, SCORES
from tianti.core.exceptions import InputError, TiantiError

EXPECTED = {
    "bare": "lm-eval results",
    "old": "lm-eval results",
    "grouped": "lm-eval results",
    "indented": "lm-eval results",
    "new": "lm-eval results",
    "samples": "lm-eval samples",
    "list": "lm-eval samples",
    "write-out": "lm-eval samples",
    "v1": "open-llm-leaderboard-v1",
    "v2": "open-llm-leaderboard-v2",
    "mteb": "mteb",
    "livebench": "livebench",
}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return write_all(tmp_path_factory.mktemp("files"))


def read(path, model=None):
    return read_import(SourceFile(path, model))


def rows(path, table="scores", **where):
    found = read(path).tables[table].to_pylist()
    return [row for row in found if all(row[name] == value for name, value in where.items())]


def test_every_format_has_a_file_here():
    assert set(EXPECTED.values()) == {known.NAME for known in FORMATS}


@pytest.mark.parametrize("kind", EXPECTED)
def test_a_file_is_recognised_and_brought_into_the_form(files, kind):
    content = read(files[kind])
    assert content.format == EXPECTED[kind]
    for name, table in content.tables.items():
        schema = {"scores": SCORES, "items": ITEMS}[name]
        assert table.schema.names[: len(schema)] == schema.names
        assert table.schema.types[: len(schema)] == schema.types
        assert all(more.startswith(FIELD) for more in table.schema.names[len(schema) :])
        assert table["model"].null_count == table["task"].null_count == table["metric"].null_count == 0
        assert any(table["main"].to_pylist())


def test_old_results_have_their_model_shots_and_standard_errors(files):
    (row,) = rows(files["old"], main=True)
    assert (row["model"], row["task"], row["metric"]) == ("org/old", "hellaswag", "acc_norm")
    assert (row["value"], row["stderr"], row["shots"], row["version"]) == (0.5, 0.04, 10, "0")
    assert len(rows(files["old"])) == 2


def test_results_without_anything_else_take_the_name_of_their_folder(files, tmp_path):
    assert rows(files["bare"], main=True)[0]["model"] == "org/bare"
    (perplexity,) = rows(files["bare"], metric="perplexity")
    assert perplexity["higher_is_better"] is False
    moved = tmp_path / "results.json"
    moved.write_bytes(files["bare"].read_bytes())
    with pytest.raises(InputError, match="--model org/name"):
        read(moved)
    assert read(moved, "org/told").tables["scores"]["model"][0].as_py() == "org/told"


def test_groups_are_known_from_the_file_or_from_indentation(files):
    assert {row["task"]: row["part_of"] for row in rows(files["grouped"], main=True)} == {
        "mmlu": None, "mmlu_law": "mmlu", "mmlu_art": "mmlu", "gsm8k": None,
    }  # fmt: skip
    assert {row["task"]: row["part_of"] for row in rows(files["indented"], main=True)} == {
        "glue": None,
        "cola": "glue",
    }
    # The file says 0 shots for the group, and 5 for its tasks.
    assert {row["shots"] for row in rows(files["grouped"])} == {5}


def test_filters_are_told_apart_and_the_stricter_ranks(files):
    found = {row["metric"]: row["main"] for row in rows(files["grouped"], task="gsm8k")}
    assert found == {"exact_match@strict-match": True, "exact_match@flexible-extract": False}


def test_new_results_have_revision_adapter_chat_and_count(files):
    (row,) = rows(files["new"], main=True)
    assert (row["revision"], row["variant"]) == ("ab" * 20, "adapter org/adapter, chat template")
    assert (row["n"], row["parameters"], row["shots"]) == (4, 7, 0)
    (other,) = rows(files["new"], metric="macro_f1")
    assert other["stderr"] is None


def test_unknown_fields_are_kept(files):
    assert read(files["grouped"]).facts["something_new"] == GROUPED["something_new"]
    sample = json.loads(rows(files["samples"], "items")[0]["field.record"])
    assert (sample["something_new"], sample["doc"]) == ("kept", {"question": "问 0"})
    assert rows(files["v2"], model="a/b")[0]["field.Hub License"] == "mit"
    assert rows(files["mteb"])[0]["field.hf_subset"] == "de"
    assert rows(files["livebench"], "items")[0]["field.category"] == "x"


def test_samples_take_their_model_from_the_results_beside_them(files):
    found = rows(files["samples"], "items")
    assert {(row["model"], row["task"], row["metric"], row["shots"]) for row in found} == {
        ("org/new", "quiz", "acc", 0)
    }
    assert [row["value"] for row in found] == [1, 1, 0, 1]
    assert "macro_f1 is no number for each sample" in read(files["samples"]).notes[0]


def test_old_samples_are_lists_or_have_numbers_as_text(files):
    assert [row["value"] for row in rows(files["list"], "items", main=True)] == [1, 1, 0, 1]
    found = rows(files["write-out"], "items")
    assert {(row["model"], row["task"], row["metric"], row["value"]) for row in found} == {
        ("org/written", "quiz", "acc", 1.0), ("org/written", "quiz", "acc_norm", 0.0),
    }  # fmt: skip


def test_samples_without_a_number_are_left_out_and_said(files, tmp_path):
    text = files["samples"].read_text(encoding="utf-8").replace('"acc": 0.0', '"acc": null')
    path = tmp_path / files["samples"].name
    path.write_text(text, encoding="utf-8")
    content = read(path, "org/m")
    assert content.tables["items"].num_rows == 3
    assert "1 sample without any number left out" in content.notes


def test_samples_without_a_model_are_refused(files, tmp_path):
    moved = tmp_path / f"samples_quiz_{TIME}.jsonl"
    moved.write_bytes(files["samples"].read_bytes())
    with pytest.raises(InputError, match="keep the results file of the run beside it"):
        read(moved)


def test_the_first_leaderboard_has_raw_shares_and_says_what_is_there_twice(files):
    content = read(files["v1"])
    assert content.study == "open-llm-leaderboard-v1-20230523"
    assert content.notes == ("1 row left out: the same row stands before it",)
    (row,) = rows(files["v1"], model="a/b", task="ARC")
    assert (row["value"], row["shots"], row["metric"]) == (0.5, 25, "acc_norm")


def test_the_second_leaderboard_ranks_by_its_normalised_score_and_keeps_the_raw_one(files):
    found = rows(files["v2"], model="a/b", task="BBH", revision="0123 bfloat16")
    assert {row["metric"]: (row["value"], row["main"]) for row in found} == {
        "normalised": (0.3, True),
        "raw": (0.6, False),
    }
    assert rows(files["v2"], model="c/d")[0]["parameters"] is None
    assert found[0]["parameters"] == 7_200_000_000


def test_samples_of_a_part_of_a_task_are_said_to_be(files):
    assert read(files["new"]).notes == ("quiz: 4 of 100 samples",)
    assert "quiz: 4 of 100 samples" in read(files["samples"]).notes
    assert "of 100" not in " ".join(read(files["list"], "org/m").notes)


def test_mteb_rows_without_a_score_are_named(files, tmp_path):
    assert read(files["mteb"]).notes == ("1 row without a score: row 4 (c__d, STS, test, en)",)
    path = tmp_path / "many.csv"
    path.write_text(files["mteb"].read_text() + "c__d,r1,NLI,test,en,,\n" * 8, encoding="utf-8")
    (note,) = read(path).notes
    assert note.startswith(
        "9 rows without a score: row 4 (c__d, STS, test, en), row 5 (c__d, NLI, test, en), "
    )
    assert note.endswith("row 8 (c__d, NLI, test, en) and 4 more")


def test_mteb_names_models_as_the_hub_does_and_a_missing_score_is_missing(files):
    assert {row["model"] for row in rows(files["mteb"])} == {"a/b", "c/d"}
    assert [row["value"] for row in rows(files["mteb"])] == [0.5, 0.7, -0.2, None]


@pytest.mark.parametrize(
    ("kind", "old", "new", "said"),
    [
        ("samples", '"doc_id": 2,', '"doc_id": 2', "line 3: no JSON"),
        (
            "samples",
            '"something_new": "kept"}',
            '"something_new": "kept',
            "line 1: no JSON: Unterminated string, at character",
        ),
        ("samples", '"kept"', '"ke\tpt"', "line 1: no JSON: Invalid control character, at character"),
        ("samples", '{"doc_id": 1,', '[1]\n{"doc_id": 1,', "line 2: expected a JSON object"),
        ("samples", '"doc_id": 1,', "", "record 2: has no doc_id"),
        ("grouped", '"n-shot": {', '"n-shot": ', r"grouped.json, line \d\d: no JSON"),
        ("v1", "40,60", "40,sixty", r"row 2: HellaSwag \(10-shot\) is 'sixty', expected a number"),
        (
            "v1",
            "c/d,50,40,60,",
            "c/d,50",
            "row 2: has 2 columns, expected 5: c/d,50(.|\n)*one below the header",
        ),
        ("v2", "40.0", "forty", "row 2: IFEval is 'forty', expected a number"),
        ("mteb", "0.7", "x", "row 2: main_score is 'x', expected a number"),
    ],
)
def test_a_broken_file_says_where(files, tmp_path, kind, old, new, said):
    text = files[kind].read_text(encoding="utf-8")
    assert old in text
    broken = tmp_path / files[kind].name
    broken.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InputError, match=said):
        read(broken, "org/m")


def test_a_file_of_no_known_format_says_what_is_known(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("x,y\n1,2\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"no known format: its columns are x, y(.|\n)*lm-eval results"):
        read(path)
    with pytest.raises(InputError, match=r"no file .*\n.*a\.csv"):
        read(tmp_path / "b.csv")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_breaks_is_refused_on_purpose(files, tmp_path, data):
    kind = data.draw(st.sampled_from(sorted(EXPECTED)))
    content = files[kind].read_bytes()
    start = data.draw(st.integers(0, len(content)))
    length = data.draw(st.integers(0, 40))
    put = data.draw(
        st.one_of(
            st.binary(max_size=12),
            st.sampled_from([b"null", b"{}", b"[]", b"1e999", b'"\\ud800"', b"\n", b","]),
        )
    )
    broken = tmp_path / files[kind].name
    broken.write_bytes(content[:start] + put + content[start + length :])
    try:
        found = read(broken, "org/m")
    except TiantiError:
        return
    assert found.tables
