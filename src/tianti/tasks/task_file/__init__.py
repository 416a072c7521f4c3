"""The task file: a short YAML that says where the data lies, how a prompt is written and what is measured.

Its keys have lm-evaluation-harness's names where they mean the same. task_file.py lists them all; those with keys of
their own stand in keys.py, those that say how else it can be asked in asking_keys.py, those of some kinds of written
text in text_keys.py. read.py reads a file, checks.py holds its keys against each other.
"""

from tianti.tasks.task_file.read import parse_task_file, read_task_file
from tianti.tasks.task_file.task_file import TaskFile

__all__ = ["TaskFile", "parse_task_file", "read_task_file"]
