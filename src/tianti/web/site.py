"""A snapshot as a site: every page and every data file by its address, the same live and exported.

en/  zh/                    the boards                  {language}/reported/     what papers report
{language}/b/{board}/       a board                     {language}/b/{board}/p/{number}/   its rows as plain pages
{language}/m/{model}/       a model: its adaptations    {language}/t/{task}/     a task: prompts, metric, ranking
{language}/r/{run}/         a run: settings, cost, command, scores, answers
{language}/method/          how scores are made          {language}/about/       what this site is, and its data
{language}/embed/b/{board}/ the first rows of a board, for a frame on another site
api/v1/…                    the data, see tianti.web.data
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache, partial
from typing import Any, TypeVar

from tianti.board.entry_items import EntryItems
from tianti.board.imported_texts import imported_texts
from tianti.board.importers.form import NEWEST
from tianti.board.items import ItemAnalysis, analyse_items
from tianti.board.snapshot import Snapshot
from tianti.store import Store
from tianti.web.answered import Answered, answered
from tianti.web.comparing import Comparing, comparing
from tianti.web.data import FILES
from tianti.web.environment import environment
from tianti.web.extent import LIVE, Extent
from tianti.web.marking import marking
from tianti.web.page import NoSuchPageError, Page
from tianti.web.pages import PAGES
from tianti.web.pages.compare import Refused
from tianti.web.runs import RunPage, run_page
from tianti.web.samples import Listing, listing
from tianti.web.views import View, views_of
from tianti.web.words import LANGUAGES

HTML = "text/html"
_Found = TypeVar("_Found")


class Site:
    """Renders what lies at an address. Its answers do not depend on what was asked before."""

    def __init__(self, snapshot: Snapshot, store: Store, leaf: str = "", extent: Extent = LIVE) -> None:
        """`store` holds the answers behind the snapshot; `leaf` stands behind every link to a page (`index.html` for
        files that are opened without a server); `extent` is how much of the site is there."""
        self.snapshot = snapshot
        self.views = views_of(snapshot.boards)
        self.extent = extent
        self.read_answers = store.answers
        self._imports = store.imports
        self.imported_texts = partial(imported_texts, store)
        self.answers = lru_cache(maxsize=8)(store.answers)
        self.items = {view.slug: EntryItems(store, view.board) for view in self.views}
        self._leaf = leaf
        self._boards = {view.slug: view for view in self.views}
        self._models = {slug: (view, name) for view in self.views for name, slug in view.models.items()}
        self._tasks = {slug: (view, name) for view in self.views for name, slug in view.tasks.items()}
        self._runs = {slug: (view, run_id) for view in self.views for run_id, slug in view.runs.items()}
        # An export asks for a page in one language after the other: what it is filled with is the same.
        self._context = lru_cache(maxsize=2)(self._context_of)
        self.run_page = lru_cache(maxsize=8)(self._run_page)
        self.listing = lru_cache(maxsize=8)(self._listing)
        self.answered = lru_cache(maxsize=2)(self._answered)
        self.numbers = lru_cache(maxsize=512)(self._numbers)
        self.comparing = lru_cache(maxsize=8)(self._comparing)
        self.analysis = lru_cache(maxsize=64)(self._analysis)

    def addresses(self) -> Iterator[str]:
        """Every address there is; the site's own root is empty."""
        yield ""
        for file in FILES:
            yield from (file.address.of(keys) for keys in file.every(self))
        for page in PAGES:
            for keys in page.every(self):
                yield from (f"{language}/{page.address.of(keys)}" for language in LANGUAGES)

    def render(self, address: str) -> tuple[str | bytes, str]:
        """The text at an address, or the bytes of a file that is none, and the media type.

        Raises:
            NoSuchPageError: nothing is there.
            StoreError: answers are gone or were changed since they were sealed.
        """
        if address == "":
            return self._fill("start.html", LANGUAGES[0], ""), HTML
        language, slash, rest = address.partition("/")
        if language in LANGUAGES and slash:
            for page in PAGES:
                keys = page.address.match(rest)
                if keys is not None:
                    context = self._context(page, tuple(keys.items()))
                    return self._fill(page.template, language, rest, **context), HTML
        for file in FILES:
            keys = file.address.match(address)
            if keys is not None:
                return file.content(self, **keys), file.media_type
        raise NoSuchPageError(address)

    def render_missing(self, address: str, refused: Refused | None = None) -> str:
        """The page that says that nothing is at an address, or why nothing is compared there."""
        language, _, rest = address.partition("/")
        if language not in LANGUAGES:
            language, rest = LANGUAGES[0], ""
        depth = address.count("/")
        return self._fill("missing.html", language, rest, depth=depth, alternates={}, refused=refused)

    def view(self, board: str) -> View:
        """The board of a slug."""
        return _found(self._boards, board)

    def model(self, slug: str) -> tuple[View, str]:
        """The board and the name of a model."""
        return _found(self._models, slug)

    def task(self, slug: str) -> tuple[View, str]:
        """The board and the name of a task."""
        return _found(self._tasks, slug)

    def run(self, slug: str) -> tuple[View, str]:
        """The board and the id of a run."""
        return _found(self._runs, slug)

    def days(self, view: View) -> tuple[str, str]:
        """The days (UTC) of the newest result of a board, and of its newest import, as `2026-01-31`; each empty where
        there is none. Of a result that was imported only its file may say when it was."""
        finished = [
            self.snapshot.runs[run_id].run.finished_at for run_id in view.runs if run_id in self.snapshot.runs
        ]
        imports = [each for each in self._imports() if each.study == view.board.title]
        times = finished or [str(each.facts.get(NEWEST, "")) for each in imports]
        newest, imported = (
            max((time[:10] for time in found if time), default="")
            for found in (times, [each.imported_at for each in imports])
        )
        return newest, imported

    def _context_of(self, page: Page, keys: tuple[tuple[str, str], ...]) -> Mapping[str, Any]:
        return page.context(self, **dict(keys))

    def _run_page(self, run_id: str) -> RunPage:
        recorded = self.snapshot.runs[run_id]
        return run_page(recorded.run, recorded.scores, self.answers(run_id))

    def _listing(self, run_id: str) -> Listing:
        return listing(self.answers(run_id), marking(self.snapshot.runs[run_id].scores), self.extent)

    def _numbers(self, run_id: str) -> Mapping[str, int]:
        """The number of the first answer to each sample that has a page."""
        answers = self.read_answers(run_id)[: self.extent.samples]
        return {answer.sample_id: number for number, answer in enumerate(answers, 1) if not answer.repeat}

    def _comparing(self, board: str, entries: str) -> Comparing:
        return comparing(self.view(board), self.items[board], entries)

    def _answered(self, board: str, task: str) -> Answered:
        return answered(self, self.view(board), task)

    def _analysis(self, board: str, task: str) -> ItemAnalysis | None:
        view = self.view(board)
        column = next(column for column in view.board.columns if column.name == task)
        return analyse_items(view.board, self.items[board], column)

    def _fill(self, template: str, language: str, rest: str, **context: Any) -> str:
        """A template with its links: `page(address)` within the language, `file(address)` from the root."""
        address = f"{language}/{rest}" if template != "start.html" else ""
        root = "../" * context.pop("depth", address.count("/"))

        def page(address: str, language: str = language) -> str:
            return f"{root}{language}/{address}{self._leaf}"

        alternates = {each: page(rest, each) for each in LANGUAGES}
        return (
            environment(language)
            .get_template(template)
            .render(
                **{
                    "snapshot": self.snapshot,
                    "views": self.views,
                    "page": page,
                    "file": lambda address: root + address,
                    "alternates": alternates,
                    "view": self.views[0],
                    "extent": self.extent,
                    **context,
                }
            )
        )


def _found(known: Mapping[str, _Found], slug: str) -> _Found:
    try:
        return known[slug]
    except KeyError:
        raise NoSuchPageError(slug) from None
