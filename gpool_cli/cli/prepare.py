"""A pooling run before it begins: its inputs are found, its outputs named, and both checked."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gpool_cli.batch.destination import Destination, parse_destination
from gpool_cli.batch.discover import Found, discover, with_distinct_names
from gpool_cli.batch.masks import check_pattern, companions_of, split_masks
from gpool_cli.batch.plan import Planned, check_beside, check_plan, check_reports, plan
from gpool_cli.batch.planfar import check_far_outputs
from gpool_cli.batch.workers import Scout
from gpool_cli.cli.inputs import named_inputs
from gpool_cli.cli.options import RunOptions
from gpool_cli.errors import UsageError
from gpool_cli.formats.interface import WriteStyle
from gpool_cli.model import Failed, InputFile, Skipped
from gpool_cli.poolings import check_weighted
from gpool_cli.recipe import PoolingSpec, Recipe

if TYPE_CHECKING:
    from gpool_cli.batch.confidences import Classifier


@dataclass(frozen=True, eq=False)
class Prepared:
    """A run that was checked, and that has written nothing yet.

    Attributes:
        recipe: What is computed.
        destination: Where the results go.
        planned: The inputs, with their outputs.
        missing: Inputs that are not there.
        masks: Inputs that are left out, as the masks of others.
        alone: Whether one file was named, and no directory.
        words: The inputs as they were named.
        style: How results are written.
    """

    recipe: Recipe
    destination: Destination
    planned: Sequence[Planned]
    missing: Sequence[Failed]
    masks: Sequence[Skipped]
    alone: bool
    words: Sequence[str]
    style: WriteStyle

    @property
    def aside(self) -> list[Failed | Skipped]:
        """The inputs that no work is to be done on."""
        return [*self.missing, *self.masks]


def prepare(
    specs: Sequence[PoolingSpec], options: RunOptions, classifier: Classifier | None
) -> Prepared:
    """Find the inputs of a run, name its outputs, and check both.

    Args:
        specs: The poolings.
        options: What the user asked for.
        classifier: What makes confidences of the pooled channels; None writes those.

    Raises:
        GpoolError: The run can't begin.
    """
    if options.count:
        specs = [*specs, PoolingSpec("count")]
    destination = _destination(specs, options)
    _check_companions(specs, options)
    with Scout(options.timeout) as scout:
        found = discover(
            named_inputs(options),
            options.keys,
            options.base,
            _own_paths(destination),
            scout.list_tree,
        )
        recipe = _recipe(specs, options, found, classifier)
        files, masks = split_masks(found.files, recipe)
        if destination.kind != "directory":
            files = with_distinct_names(files)
        if options.shard is not None:
            from gpool_cli.cli.share import check_shard

            check_shard(files, options)
        planned = list(plan(files, destination, options.layout, options.access, scout))
        check_plan(planned, destination)
        check_far_outputs(planned, destination, scout)
    _check_outputs(planned, files, destination, recipe, options)
    return Prepared(
        recipe=recipe,
        destination=destination,
        planned=planned,
        missing=[Failed(file, "", error.message, error.hint) for file, error in found.missing],
        masks=masks,
        alone=found.alone,
        words=found.words,
        style=_style(destination, recipe, found, options),
    )


def _destination(specs: Sequence[PoolingSpec], options: RunOptions) -> Destination:
    destination = parse_destination(
        options.output,
        options.format,
        options.stack,
        [spec.label for spec in specs],
        options.overwrite,
        options.resume,
    )
    row = destination.format
    if destination.kind == "stdout" and row and not row.text and sys.stdout.isatty():
        raise UsageError(
            f"{row.name} is binary, and standard output is a terminal",
            "pipe it into a program, choose -f csv, or name a file with -o",
        )
    if options.shard is not None:
        from gpool_cli.cli.share import with_part

        return with_part(destination, options.shard)
    return destination


def _check_companions(specs: Sequence[PoolingSpec], options: RunOptions) -> None:
    if options.mask is not None:
        check_pattern(options.mask, "--mask")
    if options.weights_map is not None:
        check_pattern(options.weights_map, "--weights-map")
        check_weighted(specs)


def _own_paths(destination: Destination) -> list[str]:
    """What a walk must not take for inputs."""
    if destination.kind == "file":
        return destination.outputs_of_file()
    return [destination.path] if destination.kind == "directory" else []


def _recipe(
    specs: Sequence[PoolingSpec], options: RunOptions, found: Found, classifier: Classifier | None
) -> Recipe:
    return Recipe(
        poolings=tuple(specs),
        layout=options.layout,
        nan=options.nan,
        dtype=options.dtype if classifier is None else None,
        shape=options.shape,
        batched=options.stack or not found.alone,
        activation=classifier.activation if classifier is not None else "",
        head=classifier.fingerprint() if classifier is not None else "",
        mask=options.mask,
        weights=options.weights_map,
        fill=options.fill_value,
        unpack=options.unpack,
        normalize=options.normalize,
    )


def _check_outputs(
    planned: Sequence[Planned],
    files: Sequence[InputFile],
    destination: Destination,
    recipe: Recipe,
    options: RunOptions,
) -> None:
    if recipe.has_companions:
        beside = (one.path for file in files for one in companions_of(file, recipe))
        check_beside(planned, destination, options.reports, beside)
    check_reports(options.reports, planned, destination)
    if (
        options.copy_others
        and planned
        and not any(destination.carries(one.file) for one in planned)
    ):
        raise UsageError(
            "--copy-others needs an HDF5 output to copy to", "write to .h5, or leave it out"
        )
    if options.copy_others and options.scheduler is not None:
        raise UsageError(
            "--copy-others passes datasets through files of this machine", "leave out --scheduler"
        )


def _style(
    destination: Destination, recipe: Recipe, found: Found, options: RunOptions
) -> WriteStyle:
    return WriteStyle(
        stack=destination.stack,
        batched=recipe.batched,
        recipe=recipe.describe(),
        several_poolings=len(recipe.poolings) > 1,
        several_inputs=destination.kind != "directory" and not found.alone,
        copy_others=options.copy_others,
    )
