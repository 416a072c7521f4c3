from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tianti.core.exceptions import StudyError
from tianti.core.yaml_file import read_yaml


def test_a_byte_order_mark_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(b"\xef\xbb\xbfkey: [1, text]\n")
    assert read_yaml(path, StudyError) == {"key": [1, "text"]}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"a: b: c\n", "line 1, column 5: no YAML: mapping values are not allowed here"),
        (b"x: 1\na: 'x\n", "line 3, column 1: .* a quoted scalar that begins in line 2"),
        (b"a: {{text}}\n", "line 1, column 5: .*unhashable key"),
        (b"a: \x07", "no YAML: unacceptable character"),
        (b"a: \xe9", "not UTF-8 at byte 3"),
    ],
)
def test_a_fault_is_one_line_with_its_place(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(content)
    with pytest.raises(StudyError, match=says) as caught:
        read_yaml(path, StudyError)
    assert caught.value.message.startswith(f"{path}: ")
    assert len(caught.value.message.splitlines()) == 1
    assert caught.value.remedy


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="cannot be read: Is a directory"):
        read_yaml(tmp_path, StudyError)


@given(st.text(alphabet="ab:-[]{}'\"&*!|>% \n\t#,?", max_size=30))
def test_any_text_is_read_or_refused_in_one_line(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_text(text, newline="")
    try:
        expected = yaml.safe_load(text)
    except yaml.YAMLError:
        with pytest.raises(StudyError) as caught:
            read_yaml(path, StudyError)
        assert len(caught.value.message.splitlines()) == 1
    else:
        assert read_yaml(path, StudyError) == expected
