"""One file per page; a new one is a file here, a template, and a line below."""

from tianti.web.page import Page
from tianti.web.pages import board, home, model, plain, reported, run, task

PAGES: tuple[Page, ...] = (
    home.PAGE,
    board.PAGE,
    plain.PAGE,
    model.PAGE,
    task.PAGE,
    run.PAGE,
    reported.PAGE,
)
