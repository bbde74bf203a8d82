"""What a file has beside the values of its maps, as data that travels to outputs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Carry:
    """What an output takes over from an input beside pooled maps: groups, attributes, and more.

    Attributes:
        others_in: The directory where the datasets that are not pooled wait for the output; ''
            where they are left behind.
    """

    others_in: str = ""


@dataclass(frozen=True)
class Attribute:
    """An attribute of a group or a dataset, as HDF5 has it.

    Attributes:
        name: Its name.
        kind: Its HDF5 type, encoded.
        space: Its HDF5 dataspace, encoded.
        values: Its values; None where the space has none.
    """

    name: bytes
    kind: bytes
    space: bytes
    values: np.ndarray | None = field(compare=False)


Annotated = tuple[str, tuple[Attribute, ...]]
"""A name in a file, and the attributes of what has it."""


@dataclass(frozen=True)
class Surroundings:
    """What a file has beside the values of its maps, for outputs that take it over.

    Attributes:
        groups: Its groups, in the order of a walk, with their attributes; the root is ``""``.
        datasets: Those of its maps that have attributes.
        others: A temporary file with the datasets that are not pooled; '' where there is none.
    """

    groups: tuple[Annotated, ...] = ()
    datasets: tuple[Annotated, ...] = ()
    others: str = ""

    def and_more(self, more: Surroundings) -> Surroundings:
        """These, and what was found after them in the same file."""
        groups, datasets = self.groups + more.groups, self.datasets + more.datasets
        return Surroundings(groups, datasets, self.others or more.others)
