"""What fits a model is the same of its outline as of its weights, and costs none of them."""

from __future__ import annotations

import pytest

from tianti.adapt import ADAPTATIONS, Adaptation, parse_adaptation
from tianti.core.exceptions import IncompatibleError, ModelError
from tianti.models import LoadedModel, LoadOptions, load_model, open_model
from tianti.models.outline import outline_model
from tianti.tasks import load_tasks
from tianti.tasks.task import Task

FURTHER = ("full(frozen=9)", "lora(targets=[nowhere])", "zero-shot(chat=true)", "prompt-tuning(length=5000)")


def _reason(adaptation: Adaptation, model: LoadedModel, task: Task) -> str:
    try:
        adaptation.check(model, task)
    except IncompatibleError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    "name", ["nano:llama", "nano:bert", "nano:t5", "nano:llama-untrained", "baseline:tfidf"]
)
def test_the_same_adaptations_fit(name: str) -> None:
    model, (task,) = open_model(name), load_tasks("nano/sentiment")
    outline, loaded = outline_model(model, LoadOptions()), load_model(model)
    if outline.network is not None:
        assert {parameter.device.type for parameter in outline.network.parameters()} == {"meta"}
    for text in (*ADAPTATIONS, *FURTHER):
        adaptation = parse_adaptation(text)
        assert _reason(adaptation, outline, task) == _reason(adaptation, loaded, task), text


def test_an_engine_that_does_not_run_it() -> None:
    model = open_model("nano:bert")
    with pytest.raises(IncompatibleError, match="vllm does not fit nano:bert: it is masked"):
        outline_model(model, LoadOptions(engine="vllm"))
    with pytest.raises(ModelError, match="not the device 'cpu'"):
        outline_model(open_model("nano:llama"), LoadOptions("cpu", engine="vllm"))
