"""``gpool classify``: confidences of categories, from saved feature maps."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

from gpool_cli.cli.headoptions import collect_head, head_options
from gpool_cli.cli.options import RunOptions, collect, run_options
from gpool_cli.errors import UsageError
from gpool_cli.head import ACTIVATIONS
from gpool_cli.model import STDIN
from gpool_cli.poolings import parse_pooling


@click.command("classify")
@head_options
@click.option(
    "--pool",
    "pooling",
    default="avg",
    show_default=True,
    metavar="POOLING",
    help="The pooling before the layer.",
)
@click.option(
    "--activation",
    type=click.Choice(list(ACTIVATIONS)),
    default="softmax",
    show_default=True,
    help="What makes confidences of scores; none leaves the scores.",
)
@click.option(
    "--top",
    type=click.IntRange(1),
    default=5,
    show_default=True,
    metavar="N",
    help="How many classes text and the table name. npy, npz and h5 hold all of them.",
)
@click.option("--json", "as_json", is_flag=True, help="The same as -f json -o -, or to -o FILE.")
@run_options
def classify(pooling: str, activation: str, top: int, as_json: bool, **values: Any) -> int:
    """What is in the picture: the confidence of every class.

    Pools every map, and gives its D channels to the linear layer of the network's head: the
    scores W x pooled + b, and their softmax. Without a head the channels are the classes. Reads
    and writes what the poolings do; .csv, .jsonl and .json have the top classes of every map,
    .npy, .npz and .h5 the confidences of all classes.
    """
    # Imported when it is run, so that help needs no numpy.
    from gpool_cli.batch.confidences import Classifier
    from gpool_cli.cli.execute import execute
    from gpool_cli.cli.heads import read_head
    from gpool_cli.ranking import Ranking

    head = collect_head(values)
    options = collect(RunOptions, values)
    if as_json:
        options = _with_json(options)
    if options.dtype is not None and not options.dtype.startswith("float"):
        raise UsageError(f"confidences are no {options.dtype}", "choose a float with --dtype")
    if options.count:
        raise UsageError("--count goes with pooled values", "leave it out, or pool first")
    spec = parse_pooling(pooling)
    layer, labels = read_head(head, options)
    classifier = Classifier(layer, activation, Ranking(top, labels), options.dtype)
    return execute([spec], options, classifier)


def _with_json(options: RunOptions) -> RunOptions:
    if options.format not in (None, "json"):
        raise UsageError(f"--json and -f {options.format} are two formats", "leave out one")
    return replace(options, format="json", output=options.output or STDIN)
