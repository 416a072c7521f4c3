"""The metrics of entities, relations and pairs beside independent ones."""

from __future__ import annotations

import math
import warnings
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tianti.core.seeds import derive_seed
from tianti.stats.bootstrap import bca_interval
from tianti.tasks.entities import entities_of, tag_set
from tianti.tasks.structure_metrics import (
    SPAN_F1,
    matthews,
    relation_f1,
    relation_micro_f1,
    span_f1,
    span_precision,
    span_recall,
    undirected_f1,
    undirected_micro_f1,
)

TAGS = st.lists(st.sampled_from(tag_set(("PER", "LOC"))), min_size=5, max_size=5)
RELATIONS = ("Cause", "Part", "Tool")
LABELS = ("Other", *(f"{name}({way})" for name in RELATIONS for way in ("e1,e2", "e2,e1")))
PAIRS = st.lists(st.tuples(st.sampled_from(LABELS), st.sampled_from(LABELS)), min_size=1, max_size=40)


def counts(gold, claimed):
    there, found = entities_of(gold), entities_of(claimed)
    return [len({*there} & {*found}), len(found), len(there)]


@given(st.lists(st.tuples(TAGS, TAGS), min_size=1, max_size=6))
@settings(max_examples=60, deadline=None)
def test_figures_of_entities_are_those_of_seqeval(samples):
    from seqeval.metrics import f1_score, precision_score, recall_score
    from seqeval.scheme import IOB2

    gold, claimed = ([list(each[side]) for each in samples] for side in (0, 1))
    values = [counts(*each) for each in samples]
    for ours, theirs in ((span_f1, f1_score), (span_precision, precision_score), (span_recall, recall_score)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if not any(there for *_, there in values) and not any(found for _, found, _ in values):
                assert ours(values) == 0.0
                continue
            expected = theirs(gold, claimed, mode="strict", scheme=IOB2, zero_division=0)
        assert ours(values) == pytest.approx(expected)


def numbered(label):
    if label == "Other":
        return [-1, 0]
    name, way = label[:-1].split("(")
    return [RELATIONS.index(name), int(way == "e2,e1")]


def official_macro(pairs):
    """SemEval-2010 task 8, (9+1)-way with directionality, as its scorer's comments describe it: a confusion matrix of
    relations without direction, with a column of its own for the right relation in the wrong direction."""
    matrix, wrong_way = Counter(), Counter()
    for gold, claimed in pairs:
        relation, other = gold.split("(")[0], claimed.split("(")[0]
        if relation == other and gold != claimed:
            wrong_way[relation] += 1
        else:
            matrix[relation, other] += 1
    figures = []
    for name in RELATIONS:
        hits = matrix[name, name]
        claimed = sum(matrix[row, name] for row in (*RELATIONS, "Other")) + wrong_way[name]
        there = sum(matrix[name, column] for column in (*RELATIONS, "Other")) + wrong_way[name]
        if claimed + there:
            precision, recall = hits / claimed if claimed else 0, hits / there if there else 0
            figures.append(2 * precision * recall / (precision + recall) if precision + recall else 0.0)
    return sum(figures) / len(figures) if figures else 0.0


@given(PAIRS)
def test_figures_of_relations(pairs):
    from sklearn.metrics import f1_score

    values = [[*numbered(gold), *numbered(claimed)] for gold, claimed in pairs]
    assert relation_f1(values) == pytest.approx(official_macro(pairs))
    gold, claimed = (list(side) for side in zip(*pairs, strict=True))
    labels = [label for label in LABELS if label != "Other"]
    micro = f1_score(gold, claimed, labels=labels, average="micro", zero_division=0)
    assert relation_micro_f1(values) == pytest.approx(micro)
    gold, claimed = ([label.split("(")[0] for label in side] for side in (gold, claimed))
    micro = f1_score(gold, claimed, labels=RELATIONS, average="micro", zero_division=0)
    assert undirected_micro_f1(values) == pytest.approx(micro)
    there = [name for name in RELATIONS if name in {*gold, *claimed}]
    if there:
        macro = f1_score(gold, claimed, labels=there, average="macro", zero_division=0)
        assert undirected_f1(values) == pytest.approx(macro)
    else:
        assert undirected_f1(values) == 0.0


def test_a_wrong_direction_is_half_right():
    right, turned = [0, 0, 0, 0], [0, 0, 0, 1]
    assert relation_f1([right, turned]) == relation_micro_f1([right, turned]) == 0.5
    assert undirected_f1([right, turned]) == undirected_micro_f1([right, turned]) == 1.0
    assert relation_f1([[-1, 0, -1, 0]]) == 0.0


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=30))
def test_matthews_correlation_is_that_of_scikit_learn(pairs):
    from sklearn.metrics import matthews_corrcoef

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = matthews_corrcoef(*zip(*pairs, strict=True))
    assert matthews([list(pair) for pair in pairs]) == pytest.approx(expected, abs=1e-12)


def test_the_interval_comes_from_the_counts_alone():
    """It holds the figure, narrows with the samples, and a half of everything right gives F1 one half."""
    generator = np.random.default_rng(0)
    values = [[int(generator.random() < 0.5), 1, 1] for _ in range(400)]
    interval = bca_interval(values, SPAN_F1.aggregate, seed=derive_seed("interval", "span_f1"), resamples=500)
    assert interval is not None
    assert interval.low < SPAN_F1.aggregate(values) < interval.high
    # Each entity is alone in its sample: F1 is a share, with a share's standard error.
    assert interval.high - interval.low == pytest.approx(2 * 1.96 * math.sqrt(0.25 / 400), rel=0.15)
