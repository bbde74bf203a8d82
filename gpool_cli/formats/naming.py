"""What results are called inside a container that holds several."""

from __future__ import annotations

import posixpath

from gpool_cli.formats.interface import WriteStyle
from gpool_cli.model import ArrayInfo, InputFile, Result


def stem(name: str) -> str:
    """A file's name without its suffix: ``maps/a.npy`` → ``maps/a``."""
    root, _ = posixpath.splitext(name)
    return root or name


def member_name(result: Result, style: WriteStyle) -> str:
    """The name of a result in a container, with ``/`` between its parts.

    The dataset's own name where there is one input, so that a container mirrors its input; the
    input's name before it where there are several; the pooling behind it where there are several.
    """
    name = array_name(result.file, result.info, style.several_inputs)
    return safe_name(f"{name}.{result.pooling.label}" if style.several_poolings else name)


def safe_name(name: str) -> str:
    """The name as every container takes it: no part is empty, climbs, or can't be encoded."""
    parts = [
        part.replace(".", "%2E") if part in (".", "..") else part.replace("\0", "%00")
        for part in name.split("/")
        if part
    ]
    return ("/".join(parts) or "%2F").encode("utf-8", "backslashreplace").decode("utf-8")


def array_name(file: InputFile, info: ArrayInfo, several_inputs: bool) -> str:
    """The name of an array among those of all inputs."""
    if several_inputs or not info.dataset:
        return "/".join(filter(None, [stem(file.name), info.dataset]))
    return info.dataset
