"""The standard classifier of texts: logistic regression over TF-IDF features.

scikit-learn is imported when it is used.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any


def text_features(language: str) -> Any:
    """Words and pairs of words; in Chinese, which writes no spaces, runs of one to three characters."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    if language.startswith("zh"):
        return TfidfVectorizer(analyzer="char", ngram_range=(1, 3), sublinear_tf=True)
    return TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"(?u)\b\w+\b")


def logistic_regression() -> Any:
    """With the weight of its L2 penalty (C = 10) that suits a few hundred short texts."""
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=10.0, max_iter=1000)


def fit_classifier(
    texts: Sequence[str], labels: Sequence[str], language: str
) -> Callable[[Sequence[str]], list[str]]:
    """A function from texts to labels, learned from at least one text; of one label alone it is that label."""
    if len(set(labels)) == 1:
        return lambda asked: [labels[0]] * len(asked)
    features, regression = text_features(language), logistic_regression()
    regression.fit(features.fit_transform(texts), labels)

    def classify(asked: Sequence[str]) -> list[str]:
        return [str(label) for label in regression.predict(features.transform(asked))] if asked else []

    return classify
