"""How a model answers: requests, responses, and the backends that turn one into the other."""

from tianti.engine.backend import Backend
from tianti.engine.requests import (
    ChooseRequest,
    ChooseResponse,
    Failure,
    GenerateRequest,
    GenerateResponse,
    Request,
    Response,
    RollingRequest,
    RollingResponse,
    ScoreRequest,
    ScoreResponse,
    SpanRequest,
    SpanResponse,
    TagRequest,
    TagResponse,
    Thinking,
)

__all__ = [
    "Backend",
    "ChooseRequest",
    "ChooseResponse",
    "Failure",
    "GenerateRequest",
    "GenerateResponse",
    "Request",
    "Response",
    "RollingRequest",
    "RollingResponse",
    "ScoreRequest",
    "ScoreResponse",
    "SpanRequest",
    "SpanResponse",
    "TagRequest",
    "TagResponse",
    "Thinking",
]
