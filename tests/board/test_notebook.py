from tianti.board.assemble import assemble


def test_a_table_with_intervals_and_nothing_that_runs(world):
    hostile = "<img src=x onerror=alert(1)>"
    results = [
        world.result(hostile),
        world.result("b", task=f"t{hostile}"),
        world.failed("b", "lora", "sentiment", "x"),
    ]
    html = assemble(results, hostile)._repr_html_()
    assert "<img" not in html
    assert "&lt;img" in html
    assert html.count("<tr>") == 4
    assert "±" in html
    assert "failed" in html
