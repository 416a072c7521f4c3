"""One file per page; a new one is a file here, a template, and a line below."""

from tianti.web.page import Page
from tianti.web.pages import (
    about,
    answers,
    board,
    compare,
    comparison,
    embed,
    home,
    method,
    model,
    plain,
    reported,
    run,
    sample,
    task,
)

PAGES: tuple[Page, ...] = (
    home.PAGE,
    board.PAGE,
    plain.PAGE,
    model.PAGE,
    task.PAGE,
    run.PAGE,
    answers.PAGE,
    sample.PAGE,
    compare.PAGE,
    compare.BOARD_PAGE,
    comparison.PAGE,
    reported.PAGE,
    method.PAGE,
    about.PAGE,
    embed.PAGE,
)
