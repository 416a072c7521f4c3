"""Names with whatever characters come through LaTeX and Markdown as they are."""

import re

from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from tianti.board.assemble import assemble
from tianti.board.cut import cut
from tianti.board.filters import EVERYTHING, read
from tianti.board.paper import latex, markdown, paper_table, to_latex, to_markdown
from worlds import PERPLEXITY, World

HOSTILE = [
    "a_b & 50% #1",
    r"\input{x}",
    "{~^$}",
    "模型 · 甲",
    "a--b---c",
    "<b>|x|</b>",
    "`c` 'd' \"e\"",
    "[x](y)",
    "q\nr",
]
printable = st.text(st.characters(exclude_categories=["C", "Z"]), max_size=20)

COMMANDS = {
    "textbackslash": "\\", "textasciitilde": "~", "textasciicircum": "^", "textless": "<", "textgreater": ">",
    "textbar": "|", "textasciigrave": "`", "textquotesingle": "'", "textendash": "–",
}  # fmt: skip


def set_by_latex(text):
    """What LaTeX makes of the few commands that are written."""
    for maths, character in ((r"$\pm$", "±"), (r"$\uparrow$", "↑"), (r"$\downarrow$", "↓")):
        text = text.replace(maths, character)
    text = re.sub(r"-\{\}(?=-)", "-", text)
    return re.sub(
        r"\\([a-z]+)\{\}|\\([_&%#${}])", lambda found: COMMANDS[found[1]] if found[1] else found[2], text
    )


@given(printable)
def test_latex_sets_a_text_as_it_is(text):
    assert set_by_latex(latex(text)) == text
    assert not re.search(r"(?<!\\)[_&%#](?![a-z])", latex(text))
    assert "--" not in latex(text)


@given(printable)
def test_markdown_shows_a_text_as_it_is(text):
    (inline,) = [token for token in MarkdownIt("commonmark").parse(f"x {markdown(text)} x") if token.children]
    assert "".join(token.content for token in inline.children) == f"x {text} x"


def test_no_address_becomes_a_link_and_numbers_stay_readable():
    assert markdown("see https://evil.example or www.evil.example") == (
        r"see https\://evil.example or www\.evil.example"
    )
    assert markdown("nano:llama · few-shot(k=4) 82.8 ±1.5") == "nano:llama · few-shot(k=4) 82.8 ±1.5"


def _cut(address=""):
    world = World(items=20, languages={"话题": "zh"}, metrics={"p|p": PERPLEXITY})
    results = [world.result(name, "lora", task) for name in HOSTILE for task in ("a_task", "话题")]
    results += [
        world.result("t5", "lora", "p|p", value=12.0),
        world.failed("t5", "lora", "a_task", "no room"),
    ]
    return cut(assemble(results, "a % b\nc"), read(address) if address else EVERYTHING)


def test_every_cell_of_the_latex_table_is_that_of_the_board():
    made = _cut()
    lines = to_latex(made).splitlines()
    table = paper_table(made)
    width = len(table.headings)
    assert lines[0].startswith(f"% board a % b c, snapshot {made.whole.snapshot}")
    assert lines[1] == f"% {len(made.board.entries)} of {len(made.board.entries)} entries;"
    assert lines[3] == rf"\begin{{tabular}}{{rll{'r' * (width - 3)}}}"
    rows = [re.split(r"(?<!\\)&", line.removesuffix(r" \\")) for line in lines if line.endswith(r" \\")]
    read_back = [tuple(set_by_latex(cell.strip()) for cell in row) for row in rows]
    shown = [tuple(" ".join(text.split()) for text in row) for row in (table.headings, *table.rows)]
    assert read_back == shown
    assert lines[-1] == r"\end{tabular}"


def test_every_cell_of_the_markdown_table_is_that_of_the_board():
    made = _cut()
    tokens = MarkdownIt("commonmark").enable("table").parse(to_markdown(made))
    cells = [
        "".join(child.content for child in tokens[index + 1].children)
        for index, token in enumerate(tokens)
        if token.type in ("th_open", "td_open")
    ]
    table = paper_table(made)
    assert cells == [" ".join(text.split()) for row in (table.headings, *table.rows) for text in row]
    assert f"{len(made.board.entries)} of {len(made.whole.entries)} entries" in to_markdown(made)


def test_a_part_of_a_board_has_the_columns_that_were_asked_for():
    table = paper_table(_cut("q=t5&cols=mean,parameters,p|p"))
    assert table.headings == ("rank", "model", "adaptation", "mean %", "parameters", "p|p perplexity ↓")
    assert [row[1] for row in table.rows] == ["t5"]
    assert table.rows[0][4:] == ("1.00M", "12 ±1.2")
    assert "1 of 10 entries (q=t5&cols=mean,parameters,p%7Cp)" in table.notes[1]
    assert paper_table(_cut("cols=p|p,mean")).headings[3:] == ("p|p perplexity ↓", "mean %")
    failed = paper_table(_cut("q=t5"))
    assert failed.rows[0][failed.headings.index("a_task % ↑")] == "failed"
