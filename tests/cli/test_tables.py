import pytest

from tianti.cli.tables import MOST_ELEMENTS, print_facts


@pytest.mark.parametrize("more", [0, 3])
def test_long_lists_are_cut_in_text_and_whole_in_json(capsys: pytest.CaptureFixture[str], more: int) -> None:
    facts = {"losses": [0.5] * (MOST_ELEMENTS + more)}
    print_facts(facts, as_json=False)
    text = capsys.readouterr().out
    assert text.count("0.5") == MOST_ELEMENTS
    assert ("3 more: --json has all" in text) == bool(more)
    print_facts(facts, as_json=True)
    assert capsys.readouterr().out.count("0.5") == MOST_ELEMENTS + more
