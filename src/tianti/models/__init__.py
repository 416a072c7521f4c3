"""What answers: how models are named, pinned and brought into memory. Importing this imports no torch."""

from tianti.models.loading import check_device, check_engine, from_objects, load_model
from tianti.models.model import ARCHITECTURES, LoadedModel, LoadOptions, Model
from tianti.models.reference import list_models, open_model

__all__ = [
    "ARCHITECTURES",
    "LoadOptions",
    "LoadedModel",
    "Model",
    "check_device",
    "check_engine",
    "from_objects",
    "list_models",
    "load_model",
    "open_model",
]
