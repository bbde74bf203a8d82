"""What is recorded of the things that happen in a run: the facts that every form has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gpool_cli.events import DoneBefore, Event, Pooled, Together
from gpool_cli.model import Failed, InputFile, Skipped, Warned
from gpool_cli.printable import printable
from gpool_cli.quantities import finite_or_none
from gpool_cli.recipe import Recipe

LISTS = ("results", "done_before", "skipped", "warnings", "failures")


def singles(event: Event) -> Iterator[Event]:
    """The same one by one, where it stands for several that happened together."""
    if isinstance(event, Together):
        yield from event.alike.warnings()
        yield from map(event.tell, range(event.count))
    else:
        yield event


def item_of(event: Event) -> tuple[str, dict[str, Any]] | None:
    """The list that a single event belongs to, and what is recorded of it; None for nothing."""
    if isinstance(event, Pooled):
        return "results", _result(event)
    if isinstance(event, DoneBefore):
        paths = [printable(path) for path in event.outputs]
        return "done_before", {"source": printable(event.file.path), "written_to": paths}
    if isinstance(event, Skipped):
        place = _place(event.file, event.dataset)
        return "skipped", {**place, "reason": printable(event.reason)}
    if isinstance(event, (Warned, Failed)):
        said = {**_place(event.file, event.dataset), "message": printable(event.message)}
        if isinstance(event, Failed):
            return "failures", {**said, "hint": printable(event.hint)}
        return "warnings", {**said, "kind": event.kind}
    return None


def recipe_facts(recipe: Recipe) -> dict[str, Any]:
    """What was asked for."""
    facts = {
        "poolings": [spec.label for spec in recipe.poolings],
        "layout": recipe.layout,
        "nan": recipe.nan,
        "dtype": recipe.dtype,
        "shape": recipe.shape,
    }
    if recipe.activation:
        facts |= {"activation": recipe.activation, "head": recipe.head}
    return facts


def _place(file: InputFile, dataset: str) -> dict[str, str]:
    return {"source": printable(file.path), "dataset": printable(dataset)}


def _result(pooled: Pooled) -> dict[str, Any]:
    return {
        **_place(pooled.file, pooled.info.dataset),
        "shape": list(pooled.info.shape),
        "layout": pooled.layout.axes,
        "layout_from": pooled.layout.origin,
        "dtype": pooled.info.dtype_name,
        "pooling": pooled.pooling.label,
        "output_shape": list(pooled.shape),
        "output_dtype": pooled.dtype,
        "min": finite_or_none(pooled.low),
        "mean": finite_or_none(pooled.mean),
        "max": finite_or_none(pooled.high),
        "nan": pooled.nan_values,
        "written_to": printable(pooled.where),
    }
