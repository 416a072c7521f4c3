"""Other people's results → the store: one short file per format, all bringing files into one form."""

from __future__ import annotations

import pyarrow as pa

from tianti.board.importers import livebench, lm_eval_results, lm_eval_samples, mteb, openllm_v1, openllm_v2
from tianti.board.importers.form import Content
from tianti.board.importers.source import SourceFile
from tianti.core.exceptions import InputError
from tianti.core.neighbours import name_neighbours

__all__ = ["FORMATS", "Content", "SourceFile", "check_there", "read_import"]

FORMATS = (openllm_v2, openllm_v1, mteb, livebench, lm_eval_results, lm_eval_samples)
"""Each has `NAME`, `recognises(file)` and `read(file)`; a new format is a file and a place here."""
ENDINGS = (".json", ".jsonl", ".csv", ".csv.gz", ".parquet")


def read_import(file: SourceFile) -> Content:
    """What a file holds, in the form of its format.

    Raises:
        InputError: there is no such file, its format is not known, or it is broken (says where).
    """
    check_there(file)
    for known in FORMATS:
        if known.recognises(file):
            try:
                content: Content = known.read(file)
            except (pa.ArrowException, UnicodeError, OverflowError, RecursionError) as error:
                raise InputError(f"{file.path}: cannot be read as {known.NAME}: {error}") from error
            return content
    looked = f"its columns are {', '.join(file.columns[:8])}" if file.columns else "it has no such content"
    names = ", ".join(known.NAME for known in FORMATS)
    raise InputError(
        f"{file.path}: no known format: {looked}",
        remedy=f"known are {names}; a table with one score a row is for `tianti rank`",
    )


def check_there(file: SourceFile) -> None:
    """
    Raises:
        InputError: there is no such file; names the nearest.
    """
    if not file.path.is_file():
        raise InputError(
            f"no file {file.path}", remedy=name_neighbours(file.path, ENDINGS, "files of results")
        )
