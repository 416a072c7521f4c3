"""A recipe is carried out: its steps one after another, each stage a row of the board, resumed where it was stopped."""

from tianti.recipe.course import Course, Station, plan
from tianti.recipe.walk import Reached, walk

__all__ = ["Course", "Reached", "Station", "plan", "walk"]
