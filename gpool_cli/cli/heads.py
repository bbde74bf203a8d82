"""From the options that name a head to the head."""

from __future__ import annotations

from gpool_cli.batch.heads import HeadFiles, load_head, load_labels
from gpool_cli.batch.workers import Scout
from gpool_cli.cli.headoptions import HeadOptions
from gpool_cli.cli.options import ArrayOptions
from gpool_cli.head.weights import Head


def read_head(named: HeadOptions, options: ArrayOptions) -> tuple[Head, tuple[str, ...]]:
    """Read a head and the labels of its classes.

    Raises:
        UsageError: They can't be read, or do not fit each other.
    """
    files = HeadFiles(named.weights_file, named.bias, named.weights_layout, named.labels)
    with Scout(options.timeout) as scout:
        head = load_head(files, options.access, scout)
    return head, load_labels(files.labels, head)
