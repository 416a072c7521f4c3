"""A Study (YAML) → Trials.

study: which-way-to-adapt
models: [nano:llama, ./my-model]
adaptations: [zero-shot, few-shot(k=4), lora(r=8)]
tasks: [nano/sentiment, my_task.yaml, harness:hellaswag]
seeds: [0, 1, 2]
limit: 500

study.py has the keys, read.py reads and checks a file, expand.py makes the trials, trial.py says what one is and what
its id is made of, stream.py takes tasks that are learned one after another, repeat.py finds a trial again by its
manifest.
"""

from tianti.study.expand import trials
from tianti.study.read import checked_study, read_study, study_of
from tianti.study.repeat import full_notation, repeat_command, trial_of
from tianti.study.stream import nothing_fits
from tianti.study.study import Study
from tianti.study.trial import Trial

__all__ = [
    "Study",
    "Trial",
    "checked_study",
    "full_notation",
    "nothing_fits",
    "read_study",
    "repeat_command",
    "study_of",
    "trial_of",
    "trials",
]
