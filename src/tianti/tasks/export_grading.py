"""The functions by which lm-evaluation-harness grades the written answers of an exported task as we do, as text."""

from __future__ import annotations

from tianti.tasks.translation_metrics import bleu_tokenizer
from tianti.tasks.yaml_task import YamlTask

_ANSWER = '''
def grade(document, results):
    """The values of one answer."""
    found, answers = results[0], document["answers"]
    return {{
        "exact_match": exact_match(found, answers, {language!r}),
        "f1": overlap_f1(found, answers, {language!r}),
    }}
'''
_TRANSLATION = '''
def grade(document, results):
    """What each metric takes of one answer: of corpus metrics its references and itself."""
    found, answers = results[0].strip(), document["answers"]
    # sacreBLEU wants as many references for each sample, and leaves out those that are None.
    pair = (answers + [None] * ({references} - len(answers)), found)
    return {{{values}}}
'''
_TRANSLATION_VALUES = {
    "bleu": "pair",
    "chrf": "pair",
    "chrf++": "pair",
    "sentence_chrf": "sacrebleu.sentence_chrf(found, answers).score / 100",
}
_BLEU = '''
def bleu(pairs):
    """sacreBLEU's score of the corpus; the aggregation of this name in lm-eval splits all languages alike."""
    references, found = zip(*pairs)
    return sacrebleu.corpus_bleu(found, list(zip(*references)), tokenize={tokenizer!r}).score
'''
_BLEU_OF_LM_EVAL = "13a"
"""How the aggregation `bleu` of lm-eval splits text: sacreBLEU's default."""


def grade_answer(task: YamlTask) -> str:
    """The function that grades an answer to a question, of our `exact_match` and `overlap_f1`."""
    return _ANSWER.format(language=task.file.language)


def grade_translation(task: YamlTask) -> str:
    """The functions that grade a translation by sacreBLEU."""
    references = max(len(sample.form.targets) for sample in task.samples(task.split))
    metrics = {name: _TRANSLATION_VALUES[name] for name in task.file.metric_names}
    values = ", ".join(f'"{name}": {value}' for name, value in metrics.items())
    grade = _TRANSLATION.format(references=references, values=values)
    if "bleu" not in metrics or not own_bleu(task):
        return grade
    return _BLEU.format(tokenizer=_tokenizer(task)).strip() + "\n\n\n" + grade.strip()


def own_bleu(task: YamlTask) -> bool:
    """Whether BLEU splits this task's answers into words in another way than lm-eval's."""
    return _tokenizer(task) != _BLEU_OF_LM_EVAL


def _tokenizer(task: YamlTask) -> str:
    return bleu_tokenizer(task.file.target_language or "")
