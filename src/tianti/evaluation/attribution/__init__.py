"""Why a model chose an answer: what each token of the question adds to the answer's score.

rows.py reads a question as the rows of tokens that were scored, scorers.py scores them again from their embeddings,
attribution.py attributes by integrated gradients, deletion.py checks that what was attributed matters, words.py puts
tokens together to words.
"""

from tianti.evaluation.attribution.attribution import Attribution, Token, attribute
from tianti.evaluation.attribution.deletion import Deletion, delete_tokens
from tianti.evaluation.attribution.rows import Rows, read_rows

__all__ = ["Attribution", "Deletion", "Rows", "Token", "attribute", "delete_tokens", "read_rows"]
