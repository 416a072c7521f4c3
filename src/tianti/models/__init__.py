"""What answers: how models are named, pinned and brought into memory. Importing this imports no torch."""

from tianti.models.loading import check_device, from_objects, load_model
from tianti.models.model import LoadedModel, LoadOptions, Model
from tianti.models.reference import list_models, open_model

__all__ = [
    "LoadOptions",
    "LoadedModel",
    "Model",
    "check_device",
    "from_objects",
    "list_models",
    "load_model",
    "open_model",
]
