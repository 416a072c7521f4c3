"""Learning rates where the user gives none, in one table.

A rate is right for a method and a size of model. Sources:

- up to 10 M parameters: swept by us on the built-in tasks with a Llama of 1 M, full from 3e-4 to 3e-3, LoRA from 2e-3
  to 2e-2 (from 1e-2 on it fails to learn);
- up to 60 M: run by us on 2,000 rows of SST-2 with all-MiniLM-L6-v2 (22.7 M), accuracy 0.835 full, 0.827 LoRA;
- up to 500 M: full 2e-5 to 5e-5 (Devlin et al. 2019, BERT, appendix A.3); LoRA 4e-4 to 5e-4 (Hu et al. 2021, LoRA,
  table 9, RoBERTa-base);
- above: full 1e-5 (Touvron et al. 2023, Llama 2, use 2e-5 with batch 64); LoRA 2e-4 (Dettmers et al. 2023, QLoRA,
  table 9).
"""

from __future__ import annotations

from typing import Literal

LEARNING_RATES: tuple[tuple[float, dict[str, float]], ...] = (
    (10e6, {"full": 5e-4, "lora": 3e-3}),
    (60e6, {"full": 1e-4, "lora": 1e-3}),
    (500e6, {"full": 3e-5, "lora": 4e-4}),
    (float("inf"), {"full": 1e-5, "lora": 2e-4}),
)
"""(largest number of parameters, method → learning rate)."""


def learning_rate(method: Literal["full", "lora"], parameters: int) -> float:
    """The default learning rate of a method for a model of so many parameters."""
    return next(rates[method] for largest, rates in LEARNING_RATES if parameters <= largest)
