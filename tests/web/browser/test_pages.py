"""Samples, comparisons and the pages about the site, in a browser; a board in a frame on another site."""

import re
from urllib.parse import urlsplit

import pytest

from tianti.web.export import LEAF
from tianti.web.extent import exported
from tianti.web.pages import PAGES
from tianti.web.site import Site


def test_from_a_task_to_a_sample_and_its_neighbours(page, address):
    page.goto(f"{address}en/t/sentiment/")
    page.get_by_role("link", name="run 1").first.click()
    page.get_by_role("link", name=re.compile("^right")).click()
    page.wait_for_url("**/a/right/1/**")
    page.get_by_role("region", name="Answers").get_by_role("link").first.click()
    page.wait_for_url("**/s/**")
    page.goto(f"{page.url.partition('/s/')[0]}/s/1/")
    page.get_by_role("link", name="Next sample").click()
    page.wait_for_url("**/s/2/**")
    others = page.get_by_role("region", name="The same sample, answered by others")
    others.get_by_role("link").last.click()
    page.wait_for_url("**/s/2/**")
    assert page.get_by_role("heading", level=1).inner_text() == "Sample 1"


def test_entries_are_compared_by_a_plain_form(open_page, shown):
    page = open_page(java_script_enabled=False)
    page.goto(f"{shown.live}zh/compare/all/")
    entries = shown.snapshot.board.entries[:3]
    for field, entry in zip(page.get_by_role("combobox").all(), entries, strict=False):
        field.fill(entry.name)
    page.get_by_role("button", name="比较").click()
    page.wait_for_url(f"**/zh/compare/all/{'~'.join(entry.id for entry in entries)}/")
    assert page.get_by_role("heading", level=2).first.inner_text().startswith(entries[0].name)


def test_every_two_entries_of_a_small_board_are_compared(page, address):
    page.goto(f"{address}en/compare/all/")
    page.get_by_role("region").get_by_role("link").first.click()
    page.wait_for_url("**~**")
    assert page.get_by_role("heading", name="Samples on which they differ").count() == 1


@pytest.mark.parametrize(("path", "framed"), [("en/embed/b/all/", True), ("en/b/all/", False)])
def test_only_the_embed_page_stands_in_a_frame_of_another_site(
    page, shown, troubles, elsewhere, path, framed
):
    host = f'<!doctype html><title>x</title><link rel="icon" href="data:,"><iframe src="{shown.live}{path}"></iframe>'
    folder, address = elsewhere
    (folder / "index.html").write_text(host)
    page.goto(address)
    frame = page.frames[1]
    if framed:
        frame.wait_for_selector("table")
        assert frame.locator("tbody tr:visible").count() == 10
        assert not page.context.cookies()
        return
    for _ in range(200):
        if troubles:
            break
        page.wait_for_timeout(20)
    assert "frame-ancestors" in troubles[0]
    assert frame.locator("table").count() == 0
    troubles.clear()


@pytest.mark.parametrize(("asked", "rows"), [("", 10), ("?top=3", 3), ("?top=12", 12), ("?top=many", 10)])
def test_a_frame_shows_as_many_rows_as_its_address_asks_for(page, address, shown, asked, rows):
    leaf = "index.html" if address == shown.exported else ""
    page.goto(f"{address}zh/embed/b/all/{leaf}{asked}")
    assert page.locator("tbody tr:visible").count() == rows
    entry = shown.snapshot.board.entries[0]
    first = page.locator("tbody tr").first.inner_text()
    assert entry.model in first
    assert entry.adaptation in first


@pytest.mark.parametrize("path", ["en/b/all/", "zh/m/nano-llama/", "en/reported/"])
def test_a_page_that_is_opened_as_a_file_says_how_to_serve_it(browser, shown, path):
    # A page that is not watched: a browser says of each module that it does not load it.
    page = browser.new_page()
    page.goto(f"file://{shown.folder}/{path}index.html")
    assert "python -m http.server" in page.locator("#unserved").inner_text()
    page.close()
    served = browser.new_page()
    served.goto(f"{shown.exported}{path}")
    assert not served.locator("#unserved").is_visible()
    served.close()


def test_the_first_page_leads_to_the_boards_and_the_best_of_them(open_page, address, shown):
    page = open_page(viewport={"width": 390, "height": 800})
    page.goto(f"{address}en/")
    tile = page.locator(".tile").first
    assert shown.snapshot.board.entries[0].name in tile.inner_text()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    headings = page.locator(".tile h2").all_inner_texts()
    assert headings.index("Reported results") == 1
    tile.get_by_role("link").first.click()
    page.wait_for_url("**/en/b/all/**")
    # From every page, where the famous systems stand is one step away.
    page.get_by_role("navigation", name="Pages of this site").get_by_role("link", name="Reported").click()
    page.wait_for_url("**/en/reported/**")


@pytest.mark.parametrize("where", ["live", "exported", "at_root"])
def test_links_into_the_site_open_under_any_path(page, shown, where):
    site = Site(shown.snapshot, shown.store, LEAF, exported(3))
    address = getattr(shown, where)
    for kind in PAGES:
        deep = kind.address.of(next(iter(kind.every(site))))
        page.goto(f"{address}zh/{deep}{'' if where == 'live' else LEAF}")
        assert page.locator("h1").count() == 1
        assert page.evaluate("document.documentElement.lang") == "zh-Hans"
        assert page.evaluate("[...document.styleSheets].every((sheet) => sheet.cssRules.length > 100)")
        # Each address that it leads to lies below that of the site.
        links = page.evaluate("[...document.links].map((link) => link.href)")
        own = [link for link in links if urlsplit(link).netloc == urlsplit(address).netloc]
        assert [link for link in own if not link.startswith(address)] == []


def test_strange_and_long_names_are_compared(page, shown):
    named = [entry for entry in shown.snapshot.board.entries if entry.adaptation == "zero-shot"]
    entries = [entry for entry in named if re.match(r"<|=|org|模型", entry.model)][:4]
    assert len(entries) == 4
    page.set_viewport_size({"width": 360, "height": 780})
    page.goto(f"{shown.live}zh/compare/all/{'~'.join(entry.id for entry in entries)}/")
    listed = page.locator(".compared li a")
    assert listed.all_text_contents() == [entry.model for entry in entries]
    # Each of them against each, and no name makes the page wider than a phone.
    against = page.get_by_role("heading", level=2).all_text_contents()
    assert sum(entries[0].name in heading for heading in against) == 3
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_what_a_sample_says_is_text(page, address, shown):
    run = shown.snapshot.board.entry("nano-llama-zero-shot").cells["topics"].run_ids[0]
    leaf = LEAF if address == shown.exported else ""
    page.goto(f"{address}en/r/{run}/s/1/{leaf}")
    assert page.locator(".sample pre").first.text_content().startswith("<img src=x onerror=alert(1)>")
    assert page.locator("main img, main script").count() == 0
