"""What a model's page says of a stream: its figures with what they are, what it costs, why it was refused."""

from __future__ import annotations

from dataclasses import replace

from charted import MODEL, record_charted, stream
from tianti.board.streams import Stream
from tianti.store import Store
from tianti.web.site import Site


def page(store: Store, found: Stream, language: str = "en") -> str:
    site = Site(replace(record_charted(store), streams=(found,)), store)
    text, _ = site.render(f"{language}/m/nano-llama/")
    assert isinstance(text, str)
    return text[text.index('<table class="matrix">') :]


def test_figures_stand_with_what_they_are_and_what_they_cost(store: Store) -> None:
    shown = page(store, stream())
    assert "backward transfer with its sign turned" in shown
    assert "Chaudhry" not in shown  # it has no such figure
    assert (
        "12.3 s of training for each seed; training added up to 56.0 MB of memory; 1.4 MB are kept" in shown
    )
    assert "每个种子训练 12.3 秒" in page(store, stream(), "zh")


def test_what_was_refused_has_its_reason_and_no_empty_figures(store: Store) -> None:
    nothing = ((None, None),) * 3
    refused = Stream(
        MODEL, "full", "o-lora", ("sentiment", "topics"), (0,), nothing, reasons=("does not fit",)
    )
    shown = page(store, refused)
    assert "does not fit" in shown
    assert "Figures of the stream" not in shown
    assert "Cost:" not in shown
