"""The backend protocol: a backend is a class of two methods and a few facts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from tianti.engine.requests import Request, Response


def network_facts(network: Any) -> dict[str, str]:
    """What every backend of transformers records about its network."""
    parameter = next(network.parameters())
    return {
        "class": type(network).__name__,
        "dtype": str(parameter.dtype).removeprefix("torch."),
        "device": str(parameter.device),
    }


class Backend(Protocol):
    """Something that answers requests: a transformers model, a classifier, an API, a fake."""

    @property
    def request_types(self) -> frozenset[type]:
        """The kinds of request that this backend can answer."""
        ...

    def prepare(self, requests: Sequence[Request]) -> None:
        """Get ready for requests like these: what they have in common may be computed once and kept.

        Nothing has to be prepared. But after the same preparation equal requests give equal responses, which is why a
        run that goes on where another one stopped prepares with the same requests.
        """
        ...

    def answer(self, requests: Sequence[Request]) -> Iterator[tuple[int, Response]]:
        """Yield (index of the request, its response) as they become ready, in any order, each exactly once.

        Equal sequences of requests give, after equal preparation, equal responses, bit for bit, on the same machine. A
        request that cannot be answered gives a `Failure`, never an exception and never a made-up number.
        """
        ...

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """The number of tokens of each text, for estimates and truncation reports."""
        ...

    def facts(self) -> Mapping[str, Any]:
        """What a run records about this backend: class, dtype, device, batch sizes used."""
        ...
