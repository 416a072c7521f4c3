"""Records of every age as texts, and the samples of an imported task on its page."""

import json

import pyarrow as pa
import pytest
from pyarrow import parquet

from tianti.board.importers.add import import_files
from tianti.board.importers.sample_texts import SampleText, text_of
from tianti.board.snapshot import take_snapshot
from tianti.store import Store
from tianti.web.site import Site

CHOSEN = {
    "arguments": {
        "gen_args_0": {"arg_0": "2 + 2 =", "arg_1": " 4"},
        "gen_args_1": {"arg_0": "2 + 2 =", "arg_1": " 5"},
    },
    "filtered_resps": [["-1.5", "True"], ["-3.0", "False"]],
    "target": "0",
}
WRITTEN = {
    "arguments": [["Say A", {"until": ["."]}]],
    "resps": [["A  "]],
    "filtered_resps": ["A"],
    "target": ["A", "B"],
}


@pytest.mark.parametrize(
    ("record", "prompt", "answer", "target"),
    [
        (CHOSEN, "2 + 2 =", "4: -1.5\n5: -3.0", "0"),
        (CHOSEN | {"arguments": [["2 + 2 =", " 4"], ["2 + 2 =", " 5"]]}, "2 + 2 =", "4: -1.5\n5: -3.0", "0"),
        (WRITTEN, "Say A", "A", '["A", "B"]'),
        ({"prompt_0": "?", "logit_0": -1.5, "truth": 0}, "?", "", "0"),
        ({"arguments": {}, "doc": {"q": "问"}, "resps": [["x"]], "target": 1}, '{"q": "问"}', "x", "1"),
        ({}, "", "", ""),
    ],
)
def test_records_as_texts(record, prompt, answer, target):
    assert text_of(record) == SampleText(prompt, answer, target)


def samples(folder, model, right, said):
    """Two samples of a task, of which the first is right or not."""
    path = folder / f"org__{model}" / "quiz.jsonl"
    path.parent.mkdir(parents=True)
    records = [
        CHOSEN
        | {"doc_id": number, "doc": {}, "acc": value, "filtered_resps": [[said, "True"], ["-3.0", "False"]]}
        for number, value in enumerate([right, 1.0])
    ]
    path.write_text("\n".join(map(json.dumps, records)), encoding="utf-8")
    return path


def test_the_page_of_a_task_has_the_texts_of_the_samples_that_it_lists(tmp_path):
    hostile = "<script>alert(1)</script>"
    with Store(tmp_path / "store") as store:
        import_files(store, [samples(tmp_path, "a", 0.0, hostile), samples(tmp_path, "b", 1.0, "-0.5")])
        site = Site(take_snapshot(store), store)
        page, chinese = (site.render(f"{language}/t/quiz/")[0] for language in ("en", "zh"))
    assert '<a href="#sample-1"><code>0</code></a>' in page
    assert page.count('<details class="fold">') == 1
    assert "2 + 2 =" in page
    assert "4: -0.5\n5: -3.0" in page
    assert hostile not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "Links lead to the texts below" in page
    assert "first entry" not in page
    assert "这些样本的文本" in chinese


def test_where_no_file_has_texts_no_link_is_promised(tmp_path):
    path = tmp_path / "live.parquet"
    columns = {"question_id": ["1", "2"], "task": ["quiz", "quiz"], "model": ["m", "m"], "score": [0.0, 1.0]}
    parquet.write_table(pa.table(columns), path)
    with Store(tmp_path / "store") as store:
        import_files(store, [path])
        page = Site(take_snapshot(store), store).render("en/t/quiz/")[0]
    assert "The imported files have no texts of these samples." in page
    assert "Links lead" not in page


def test_the_page_of_a_model_says_of_what_part_its_scores_are(tmp_path):
    whole, part = samples(tmp_path, "a", 0.0, "-1"), samples(tmp_path, "b", 1.0, "-1")
    part.write_text(part.read_text(encoding="utf-8").splitlines()[0], encoding="utf-8")
    with Store(tmp_path / "store") as store:
        import_files(store, [whole, part])
        site = Site(take_snapshot(store), store)
        pages = [site.render(f"en/m/org-{name}/")[0].partition("What is missing")[2] for name in "ab"]
    assert "1 of 2 samples" in pages[1]
    assert pages[0] == ""
