"""The other forms in which a sample is asked: perturbed wordings, and other orders of its options."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tianti.core.exceptions import TaskError
from tianti.core.seeds import derived_random
from tianti.tasks.kinds.kind import Fields, Form, Sample, Variant, read_choices
from tianti.tasks.perturb import PERTURBATIONS
from tianti.tasks.task_file import TaskFile
from tianti.tasks.task_file.keys import OptionOrder, Perturbations
from tianti.tasks.template import Field, Row, missing_column, names_in


@dataclass(frozen=True)
class Binding:
    """All keys of a task file, bound to the columns of one split."""

    fields: Fields
    description: Field
    heads: tuple[Field, ...]
    """What a head reads: one text, or two as a pair."""
    cluster: Field | None
    group: Field | None

    def head_text(self, row: Row, place: str) -> str:
        """The text that a head reads; of a pair both, one a line."""
        return "\n".join(head.text(row, place) for head in self.heads)

    def pair(self, row: Row, place: str) -> tuple[str, str] | None:
        """The two texts of a pair."""
        if len(self.heads) == 1:
            return None
        first, second = self.heads
        return first.text(row, place), second.text(row, place)


@dataclass(frozen=True)
class Forms:
    """Makes the variants of samples that `perturbations`, `option_order` and `counterfactual` ask for.

    What is drawn is drawn from (task, sample).
    """

    file: TaskFile
    binding: Binding
    where: str

    def of(self, samples: Sequence[Sample]) -> dict[str, tuple[Variant, ...]]:
        """The variants of each sample, by its id: perturbed ones, the other orders, the one with its groups swapped.

        Raises:
            TaskError: a column is not there, a perturbation or swap changes nothing, or no order of the options shows.
        """
        perturbed = self._perturbed(samples, self.file.perturbations) if self.file.perturbations else {}
        ordered = self._ordered(samples, self.file.option_order) if self.file.option_order else {}
        swapped = self._swapped(samples, self.file.counterfactual) if self.file.counterfactual else {}
        parts = (perturbed, ordered, swapped)
        return {each.id: tuple(form for part in parts for form in part.get(each.id, ())) for each in samples}

    def _swapped(
        self, samples: Sequence[Sample], columns: Mapping[str, str]
    ) -> dict[str, tuple[Variant, ...]]:
        """Each sample with the text of other columns in place of its own."""
        known = self.binding.fields.text.columns
        for column in (*columns, *columns.values()):
            if column not in known:
                raise missing_column(column, known, self.where, "counterfactual")
        found: dict[str, tuple[Variant, ...]] = {}
        for number, sample in enumerate(samples, 1):
            row = {**sample.row, **{column: sample.row[other] for column, other in columns.items()}}
            variant = self._rendered(sample, row, sample.form, f"row {number}")
            if (variant.text, variant.head_text) == (sample.text, sample.head_text):
                raise TaskError(
                    f"{self.where}: row {number}: counterfactual changes nothing that is asked",
                    remedy="name the columns that doc_to_text reads, and give both texts of each pair",
                )
            found[sample.id] = (Variant(variant, swapped=True),)
        return found

    def _perturbed(self, samples: Sequence[Sample], asked: Perturbations) -> dict[str, tuple[Variant, ...]]:
        columns = self._columns(asked)
        found: dict[str, tuple[Variant, ...]] = {each.id: () for each in samples}
        for name in asked.kinds:
            changed = False
            for number, sample in enumerate(samples, 1):
                generator = derived_random("perturbation", self.file.task, sample.id, name)
                row = dict(sample.row)
                for column in columns:
                    if isinstance(row.get(column), str):
                        row[column] = PERTURBATIONS[name](row[column], generator, asked.rate)
                variant = self._rendered(sample, row, sample.form, f"row {number}, {name}")
                changed = changed or variant.text != sample.text or variant.head_text != sample.head_text
                found[sample.id] += (Variant(variant),)
            if not changed:
                raise TaskError(
                    f"{self.where}: perturbations: {name} changes no sample (columns: {', '.join(columns) or 'none'})",
                    remedy="leave it out, or name the columns that hold the wording: {kinds: […], columns: […]}",
                )
        return found

    def _columns(self, asked: Perturbations) -> list[str]:
        """The columns that are changed."""
        fields, known = self.binding.fields, self.binding.fields.text.columns
        for column in asked.columns or ():
            if column not in known:
                raise missing_column(column, known, self.where, "perturbations")
        if asked.columns is not None:
            return asked.columns
        answer = [each for each in (fields.target, fields.choices) if isinstance(each, Field)]
        return sorted(
            set().union(*map(_read, (fields.text, *self.binding.heads))) - set().union(*map(_read, answer))
        )

    def _ordered(self, samples: Sequence[Sample], asked: OptionOrder) -> dict[str, tuple[Variant, ...]]:
        columns = self._options(asked)
        found: dict[str, tuple[Variant, ...]] = {}
        shown = False
        for number, sample in enumerate(samples, 1):
            place = f"row {number}"
            options = self._read_options(sample, columns, place)
            gold = sample.form.label
            if gold is None:
                raise AssertionError("a choice without a label")
            variants = []
            for order in self._orders(asked.orders, len(options), gold, sample.id, place):
                row = _with_options(sample.row, columns, [options[index] for index in order])
                choices = read_choices(self.binding.fields.choices, row, place, self.where)
                label = order.index(gold)
                variant = self._rendered(sample, row, Form((choices[label],), choices, label), place)
                shown = shown or variant.text != sample.text or variant.head_text != sample.head_text
                variants.append(Variant(variant, order))
            found[sample.id] = tuple(variants)
        if not shown:
            raise TaskError(
                f"{self.where}: option_order: no prompt shows the options, so their order cannot matter",
                remedy="list the options in doc_to_text, or leave option_order out",
            )
        return found

    def _options(self, asked: OptionOrder) -> list[str]:
        """The column of the options, or the columns, one an option."""
        choices, known = self.binding.fields.choices, self.binding.fields.text.columns
        named = asked.options
        if named is None:
            named = choices.source if isinstance(choices, Field) and choices.is_column else None
        if named is None:
            raise TaskError(
                f"{self.where}: option_order: doc_to_choice is no column, so the options are to be named",
                remedy=f"write option_order: {{orders: {asked.orders}, options: COLUMN}}, or a list of columns",
            )
        columns = [named] if isinstance(named, str) else named
        for column in columns:
            if column not in known:
                raise missing_column(column, known, self.where, "option_order")
        return columns

    def _read_options(self, sample: Sample, columns: Sequence[str], place: str) -> list[object]:
        values = [sample.row.get(column) for column in columns]
        options = values[0] if len(columns) == 1 else values
        if not isinstance(options, list | tuple) or len(options) != len(sample.form.choices):
            raise TaskError(
                f"{self.where}: {place}: option_order: expected {len(sample.form.choices)} options in "
                f"{', '.join(columns)}, found {options!r:.60}",
                remedy="name the column that holds the list of options, or one column for each",
            )
        return list(options)

    def _orders(self, count: int, options: int, gold: int, sample: str, place: str) -> list[tuple[int, ...]]:
        if count > math.factorial(options):
            raise TaskError(
                f"{self.where}: {place}: option_order: {count} orders of {options} options",
                remedy=f"give at most {math.factorial(options)}",
            )
        return orders(count, options, gold, derived_random("order", self.file.task, sample))

    def _rendered(self, sample: Sample, row: Row, form: Form, place: str) -> Sample:
        return replace(
            sample,
            text=self.binding.fields.text.text(row, place),
            head_text=self.binding.head_text(row, place),
            pair=self.binding.pair(row, place),
            form=form,
            row=row,
        )


def orders(count: int, options: int, gold: int, generator: random.Random) -> list[tuple[int, ...]]:
    """`count` − 1 different orders besides the usual one, drawn so that over all of them the right option stands at
    each place equally often, give or take one. `order[j]` is the option that comes to place j."""
    usual = tuple(range(options))
    seen, times = {usual}, Counter({gold: 1})
    found: list[tuple[int, ...]] = []
    while len(found) < count - 1:
        fewest = min(times[place] for place in usual)
        place = generator.choice([place for place in usual if times[place] == fewest])
        others = [option for option in usual if option != gold]
        generator.shuffle(others)
        order = (*others[:place], gold, *others[place:])
        if order not in seen:
            seen.add(order)
            found.append(order)
            times[place] += 1
    return found


def _read(field: Field) -> set[str]:
    """The columns that a field reads."""
    return {field.source} if field.is_column else names_in(field.source)


def _with_options(row: Row, columns: Sequence[str], options: Sequence[object]) -> Row:
    if len(columns) == 1:
        return {**row, columns[0]: list(options)}
    return {**row, **dict(zip(columns, options, strict=True))}
