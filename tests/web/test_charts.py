import re
from dataclasses import replace
from html import unescape

import pytest

from charted import HOSTILE, MODEL, cost, record_charted
from tianti.board.assemble import assemble
from tianti.board.board import Rules
from tianti.board.entries import Price
from tianti.board.gains import gains
from tianti.web.charts import NEAR, by_epoch, fronts, training_chart, written
from tianti.web.site import Site


@pytest.fixture
def site(store):
    return Site(record_charted(store), store)


def figures(page):
    """The rows of each chart of a page, by its id: the values that it is drawn from."""
    found = {}
    for name, body in re.findall(
        r'<figure class="chart" id="([^"]+)".*?<tbody>(.*?)</tbody>', page, re.DOTALL
    ):
        rows = re.findall(r"<tr.*?</tr>", body, re.DOTALL)
        found[name] = [
            (
                [unescape(text) for text in re.findall(r'<th scope="row">(.*?)</th>', row)],
                [float(value) for value in re.findall(r'data-(?:value|low|high)="([^"]+)"', row)],
            )
            for row in rows
        ]
    return found


def test_every_number_that_is_drawn_is_in_the_page(site):
    view = site.views[0]
    page, _ = site.render("en/m/nano-llama/")
    drawn = figures(page)
    assert set(drawn) == {
        "gains", *(f"learning-{n}" for n in (1, 2, 3)), *(f"shots-{n}" for n in (1, 2, 3)),
        "training-1", "training-2",
    }  # fmt: skip
    _, found = gains(view.board, site.items[view.slug], view.entries[MODEL])
    expected = {gain.entry.adaptation: gain.overall for gain in found}
    assert len(drawn["gains"]) == len(expected)
    for (name,), (value, low, high) in drawn["gains"]:
        assert value == pytest.approx(100 * expected[name].difference)
        assert (low, high) == pytest.approx((100 * expected[name].low, 100 * expected[name].high))
    lora = [(x, y) for (name,), (x, y, *_) in drawn["learning-2"] if name == "lora"]
    scores = [
        100 * view.board.entry(f"{MODEL} · {name}").cells["sentiment"].value
        for name in ("lora(max_examples=16)", "lora(max_examples=64)", "lora(max_examples=256)", "lora")
    ]
    # The whole training split stands where the run says how many examples it has.
    assert [x for x, _ in lora] == [16, 64, 256, 1200]
    assert [y for _, y in lora] == pytest.approx(scores)
    assert [x for _, (x, *_) in drawn["shots-1"]] == [0, 1, 2, 4]


def test_the_page_of_a_model_says_what_was_forgotten_carried_over_run_before_and_how_to_repeat_it(site):
    page, _ = site.render("en/m/nano-llama/")
    assert "Stream: lora, replay(share=0.1)" in page
    assert re.search(r'taught">\s*90\.0', page)
    assert "-12.0 ±5.0" in page
    assert "Transfer: lora" in page
    (earlier,) = site.snapshot.earlier.values()
    assert earlier[0].run.run_id in page
    assert page.count("tianti run nano:llama") == sum(
        len(cell.run_ids) for entry in site.views[0].entries[MODEL] for cell in entry.cells.values()
    )
    other, _ = site.render(f"en/m/{site.views[0].models[HOSTILE]}/")
    assert figures(other) == {}
    assert "run once" in other


def test_a_run_shows_its_losses_as_a_chart_and_not_as_facts(site):
    entry = site.views[0].board.entry(f"{MODEL} · lora")
    run_id = entry.cells["sentiment"].run_ids[0]
    page, _ = site.render(f"en/r/{site.views[0].runs[run_id]}/")
    rows = figures(page)["training"]
    recorded = site.snapshot.runs[run_id].run.cost["adaptation"]
    learned = [tuple(values) for (name,), values in rows if name == "training"]
    assert learned == list(zip(recorded["loss_steps"], recorded["loss_by_step"], strict=True))
    held = [tuple(values) for (name,), values in rows if name == "held-out examples"]
    assert held == list(zip(recorded["epoch_steps"], recorded["validation"], strict=True))
    assert "loss_by_step" not in re.sub(r"<figure.*?</figure>", "", page, flags=re.DOTALL)


def test_losses_of_epochs_alone_are_drawn_by_epoch():
    old = {"train_loss": [0.6, 0.3], "validation": [0.5, 0.4]}
    assert by_epoch(old)
    chart = training_chart(old, "training", "held")
    assert [(row.x, row.y, row.series) for row in chart.rows] == [
        (1, 0.6, "training"), (2, 0.3, "training"), (1, 0.5, "held"), (2, 0.4, "held"),
    ]  # fmt: skip
    assert training_chart({"train_loss": [0.6]}, "training") is None
    assert training_chart({}, "training") is None


def test_a_long_curve_is_thinned_to_its_last_point():
    losses = cost(1, 6000)
    chart = training_chart(losses, "lora", most=10)
    assert len(chart.rows) <= 10
    assert chart.rows[-1].x == losses["loss_steps"][-1]
    assert [row.x for row in chart.rows] == sorted(row.x for row in chart.rows)


def test_the_front_is_marked_in_the_table_of_each_cost(site):
    page, _ = site.render("en/b/all/")
    drawn = figures(page)
    assert set(drawn) == {"pareto-trained", "pareto-examples", "pareto-seconds", "pareto-tokens"}
    names = [names[0] for names, values in drawn["pareto-trained"] if values[-1] == 1]
    assert names == [f"{HOSTILE} · zero-shot", "nano:llama · lora"]
    assert "Energy is not measured" in page
    assert "能耗未测量" in site.render("zh/b/all/")[0]


def test_energy_is_drawn_where_a_power_is_stated(world):
    results = [
        world.result("m", "zero-shot", price=Price(0, 0.0, 10.0)),
        world.result("m", "lora", price=Price(9, 90.0, 10.0)),
    ]
    found = {front.cost: front for front in fronts(assemble(results, "", Rules(watts=36.0)))}
    assert [row.x for row in found["energy"].chart.rows] == pytest.approx([0.1, 1.0])
    # A cost in which nobody differs says nothing.
    assert "examples" not in found
    assert fronts(assemble([replace(results[0], provenance="imported", price=Price())], "")) == []


def test_of_a_large_board_the_front_and_what_is_near_to_it_are_drawn(world):
    results = [
        world.result("m", f"lora(r={size})", chance=1.0 if size < 3 else 0.4, price=Price(size, 1.0, 1.0))
        for size in range(1, NEAR + 9)
    ]
    (front,) = [each for each in fronts(assemble(results, "")) if each.cost == "trained"]
    assert front.entries == len(results)
    assert (front.marked, len(front.chart.rows)) == (1, 1 + NEAR)
    assert {row.label for row in front.chart.rows[:2]} == {"m · lora(r=1)", "m · lora(r=2)"}


def test_how_numbers_are_written():
    assert [written(value) for value in (1234567, 0, 0.12345, 1234.5, None)] == [
        "1,234,567", "0", "0.1235", "1,234", "–",
    ]  # fmt: skip
