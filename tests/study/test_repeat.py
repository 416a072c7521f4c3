from __future__ import annotations

import shlex

from studies import trials_of
from tianti.study import repeat_command, trial_of


def test_the_repeating_command_names_another_engine() -> None:
    (usual,), (other,) = trials_of(), trials_of(engine="vllm")
    assert "--engine" not in repeat_command(usual.manifest)
    assert repeat_command(other.manifest).endswith(" --engine vllm")


def test_the_repeating_command_gives_the_same_trial() -> None:
    planned = trials_of(
        adaptations=["few-shot(k=2)", "lora(r=4)"], tasks=["nano/qa(split=fresh)"], seeds=[3], limit=9
    )
    for trial in planned:
        words = shlex.split(repeat_command(trial.manifest))
        assert words[:2] == ["tianti", "run"]
        options = dict(zip(words[3::2], words[4::2], strict=True))
        again = trials_of(
            models=[words[2]], adaptations=[options["--adapt"]], tasks=[options["--task"]],
            seeds=[int(options["--seed"])], limit=int(options["--limit"]),
        )  # fmt: skip
        assert [one.id for one in again] == [trial.id]


def test_a_manifest_gives_the_same_trial() -> None:
    planned = trials_of(adaptations=["few-shot(k=2)", "lora(r=4) + few-shot(k=1)"], seeds=[3], limit=9)
    assert [trial_of(trial.manifest).id for trial in planned] == [trial.id for trial in planned]
