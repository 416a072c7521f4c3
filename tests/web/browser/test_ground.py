"""The ground of the browser tests itself: what a page does wrong is noticed."""

import pytest


def test_the_first_pages_make_no_trouble(page, address):
    page.goto(address)
    page.wait_for_url("**/en/**")
    page.get_by_role("main").get_by_role("link").first.click()
    page.wait_for_url("**/en/b/all/**")
    assert page.locator("h1").count() == 1


@pytest.mark.parametrize(
    ("deed", "trouble"),
    [
        ("console.error('x')", "console: x"),
        ("setTimeout(() => { throw new Error('x'); })", "script: x"),
        ("fetch('https://tianti.invalid/').catch(() => 0)", "forbids https://tianti.invalid/"),
        ("new Image().src = 'https://tianti.invalid/x.png'", "forbids https://tianti.invalid/x.png"),
        ("document.body.setAttribute('style', 'color: red')", "forbids inline"),
        ("setTimeout(() => alert(1))", "dialog: 1"),
    ],
)
def test_what_goes_wrong_is_noticed(page, shown, troubles, deed, trouble):
    page.goto(f"{shown.live}en/")
    page.evaluate(f"() => {{ {deed} }}")
    for _ in range(200):
        if any(trouble in seen for seen in troubles):
            break
        page.wait_for_timeout(20)
    else:
        pytest.fail(f"not noticed: {troubles}")
    troubles.clear()
