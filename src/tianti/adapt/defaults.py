"""Learning rates and batches where the user gives none, in one table.

A rate is right for a method and a size of model; where one is wrong, a method looks worse than it is. Sources:

- full, lora up to 10 M parameters: swept by us on the built-in tasks with a Llama of 1 M, full from 3e-4 to 3e-3, LoRA
  from 2e-3 to 2e-2 (from 1e-2 on it fails to learn);
- all but dora, rslora and p-tuning up to 60 M: these rates were run by us on 2,000 rows of SST-2 with all-MiniLM-L6-v2
  (22.7 M), three seeds, not swept; the accuracies stand in docs/reference/adaptations.md;
- full up to 500 M: 2e-5 to 5e-5 (Devlin et al. 2019, BERT, appendix A.3); above: 1e-5 (Touvron et al. 2023, Llama 2,
  use 2e-5 with batch 64);
- lora up to 500 M: 4e-4 to 5e-4 (Hu et al. 2021, LoRA, table 9, RoBERTa-base); above: 2e-4 (Dettmers et al. 2023,
  QLoRA, table 9); dora: LoRA's (Liu et al. 2024, DoRA, take 2e-4 where LoRA takes 3e-4);
- rslora: LoRA's divided by about √r at r = 8, since its update is √r times as large (Kalajdzievski 2023);
- ia3: 3e-3 for 3 B (Liu et al. 2022, T-Few), 5e-3 (peft's comparison of methods, Llama 3.2 3B); prefix-tuning: 5e-3,
  at which peft's comparison gains 23 points over 1e-3; prompt-tuning: 0.3 with Adafactor (Lester et al. 2021), 1e-3
  with AdamW in peft's comparison for 3 B; p-tuning: 1e-3 there;
- adapters: 3e-5 to 3e-3 for BERT-large (Houlsby et al. 2019), 1e-4 for base size (Pfeiffer et al. 2021); bitfit: 1e-4
  to 1e-3 for BERT (Ben Zaken et al. 2022); layer-norm: bitfit's, as it trains vectors as well;
- what these leave open below 500 M follows the ratio between sizes that we found for full and LoRA: fewer parameters,
  larger rates.

Batches: 16 or 32 for BERT (Devlin et al. 2019), 64 for Llama 2; methods with few parameters lose by batches above 32
(Schulman et al. 2025, LoRA without regret).
"""

from __future__ import annotations

from dataclasses import replace

from tianti.adapt.options import Training

SIZES: tuple[float, ...] = (10e6, 60e6, 500e6, float("inf"))
"""The largest number of parameters of a model, for each column of the tables."""

LEARNING_RATES: dict[str, tuple[float, ...]] = {
    "full": (5e-4, 1e-4, 3e-5, 1e-5),
    "lora": (3e-3, 1e-3, 4e-4, 2e-4),
    "dora": (3e-3, 1e-3, 4e-4, 2e-4),
    "rslora": (1e-3, 4e-4, 2e-4, 1e-4),
    "ia3": (3e-2, 1e-2, 1e-2, 5e-3),
    "prefix-tuning": (3e-2, 1e-2, 1e-2, 5e-3),
    "prompt-tuning": (1e-1, 3e-2, 1e-2, 1e-3),
    "p-tuning": (1e-2, 3e-3, 1e-3, 1e-3),
    "adapters": (3e-3, 1e-3, 3e-4, 1e-4),
    "bitfit": (1e-2, 3e-3, 1e-3, 4e-4),
    "layer-norm": (1e-2, 3e-3, 1e-3, 4e-4),
}
"""Method → learning rate for each size."""

BATCHES: dict[str, tuple[int, ...]] = {"full": (16, 16, 32, 64)}
"""Method → examples of a step for each size; the others take `FEW_PARAMETERS_BATCHES`."""

FEW_PARAMETERS_BATCHES = (16, 16, 16, 16)


def learning_rate(method: str, parameters: int) -> float:
    """The default learning rate of a method for a model of so many parameters."""
    return LEARNING_RATES[method][_size(parameters)]


def batch_size(method: str, parameters: int) -> int:
    """The default number of examples of a step."""
    return BATCHES.get(method, FEW_PARAMETERS_BATCHES)[_size(parameters)]


def resolved(settings: Training, parameters: int) -> Training:
    """The settings with numbers in place of auto, for a model of so many parameters.

    The rate of a method is the one under its name.
    """
    lr = learning_rate(settings.name, parameters) if settings.lr == "auto" else settings.lr
    batch = batch_size(settings.name, parameters) if settings.batch == "auto" else settings.batch
    return replace(settings, lr=lr, batch=batch)


def _size(parameters: int) -> int:
    return next(index for index, largest in enumerate(SIZES) if parameters <= largest)
