"""What is asked: tasks with a prompt, an answer form and metrics."""

from tianti.tasks.registry import list_tasks, load_tasks
from tianti.tasks.task import Example, Grade, Metric, Question, Shots, Task, TaskInfo

__all__ = ["Example", "Grade", "Metric", "Question", "Shots", "Task", "TaskInfo", "list_tasks", "load_tasks"]
