"""The API: the data files of the site (tianti.web.data), described with OpenAPI."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import JSONResponse, Response

from tianti.board import Board
from tianti.board.formats import FORMATS, Format
from tianti.web.data import ROOT

NOT_FOUND: dict[int | str, dict[str, Any]] = {404: {"description": "There is no such thing."}}
BOARD: dict[int | str, dict[str, Any]] = {
    200: {
        "model": Board,
        "description": "The board; beside it its `snapshot`, and `streams` where it has some.",
    }
}

router = APIRouter(prefix=f"/{ROOT.rstrip('/')}", responses=NOT_FOUND, default_response_class=JSONResponse)

BoardSlug = Annotated[str, Path(description="A board, as `index.json` names it.")]
ModelSlug = Annotated[str, Path(description="A model, as `index.json` names it.")]
TaskSlug = Annotated[str, Path(description="A task, as `index.json` names it.")]
LanguageTag = Annotated[str, Path(description="A language of the site: en or zh.")]
SamplesPage = Annotated[str, Path(description="From 1; fifty answers on each.")]
Entries = Annotated[
    str, Path(description="Two to four ids of entries, as the board has them, with `~` between them.")
]
RunSlug = Annotated[str, Path(description="A run, as `index.json` names it.")]


@router.get("/index.json", summary="What there is: the snapshot, and boards, models, tasks and runs by slug")
async def index(request: Request) -> Response:
    return await _answer(request, "index.json")


@router.get("/boards/{board}.json", summary="A board, as `tianti board --json` prints it", responses=BOARD)
async def board(request: Request, board: BoardSlug) -> Response:
    return await _answer(request, f"boards/{board}.json")


def _add_format(ending: str, form: Format) -> None:
    """A board in another format."""

    async def board_in(request: Request, board: BoardSlug) -> Response:
        return await _answer(request, f"boards/{board}.{ending}")

    router.add_api_route(
        f"/boards/{{board}}.{ending}",
        board_in,
        summary=f"A board: {form.summary}",
        operation_id=f"board_{ending}",
        response_class=Response,
        responses={200: {"content": {form.media_type: {}}, "description": "The file."}},
    )


for _ending, _form in FORMATS.items():
    if _ending != "json":
        _add_format(_ending, _form)


@router.get("/boards/{board}/table.json", summary="A board as the columns of a table, with numbers as shown")
async def table(request: Request, board: BoardSlug) -> Response:
    return await _answer(request, f"boards/{board}/table.json")


@router.get("/models/{model}.json", summary="A model: its entries on the board")
async def model(request: Request, model: ModelSlug) -> Response:
    return await _answer(request, f"models/{model}.json")


@router.get("/tasks/{task}.json", summary="A task: its column, and the cell of each entry")
async def task(request: Request, task: TaskSlug) -> Response:
    return await _answer(request, f"tasks/{task}.json")


@router.get(
    "/tasks/{task}/items.json", summary="Its samples: difficulty, and how well each tells entries apart"
)
async def items(request: Request, task: TaskSlug) -> Response:
    return await _answer(request, f"tasks/{task}/items.json")


@router.get("/runs/{run}.json", summary="A run: manifest, environment, cost, scores and every answer")
async def run(request: Request, run: RunSlug) -> Response:
    return await _answer(request, f"runs/{run}.json")


@router.get(
    "/runs/{run}/samples/{number}.json",
    summary="Fifty answers of a run with raw responses and token attributions",
)
async def samples(request: Request, run: RunSlug, number: SamplesPage) -> Response:
    return await _answer(request, f"runs/{run}/samples/{number}.json")


@router.get(
    "/compare/{board}/{entries}.json",
    summary="Two to four entries of a board: the first against each of the others, task by task",
)
async def compare(request: Request, board: BoardSlug, entries: Entries) -> Response:
    return await _answer(request, f"compare/{board}/{entries}.json")


@router.get("/transfer.json", summary="What was learned × what was asked, where something was transferred")
async def transfer(request: Request) -> Response:
    return await _answer(request, "transfer.json")


@router.get("/reported.json", summary="What papers report of famous systems, with sources", responses=BOARD)
async def reported(request: Request) -> Response:
    return await _answer(request, "reported.json")


@router.get("/words/{language}.json", summary="The words of the pages in a language, by the English ones")
async def words(request: Request, language: LanguageTag) -> Response:
    return await _answer(request, f"words/{language}.json")


async def _answer(request: Request, name: str) -> Response:
    answer: Response = await request.app.state.responder().respond(request, f"{ROOT}{name}")
    return answer
