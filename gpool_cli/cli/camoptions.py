"""What `gpool cam` is asked for."""

from __future__ import annotations

from dataclasses import dataclass

from gpool_cli.cli.options import ArrayOptions


@dataclass(frozen=True)
class CamOptions(ArrayOptions):
    """Which map and class, and what is made of the activation map."""

    source: str
    wanted: str
    index: int
    relu: bool
    normalize: bool
    size: tuple[int, int] | None
    image: str | None
    output: str | None
    overwrite: bool
