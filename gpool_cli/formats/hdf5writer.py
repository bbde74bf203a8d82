"""HDF5, written: results with their attributes and labels."""

from __future__ import annotations

from typing import Any, BinaryIO

import h5py
import numpy as np

from gpool_cli.errors import InputError
from gpool_cli.formats.hdf5groups import Groups
from gpool_cli.formats.hdf5mirror import Mirror, write_history, write_text
from gpool_cli.formats.hdf5opening import keep_metadata_small
from gpool_cli.formats.hdf5results import VERSIONS, ResultMaker, write_rows
from gpool_cli.formats.interface import Writer, WriteStyle
from gpool_cli.formats.naming import member_name
from gpool_cli.formats.stacks import Stacks
from gpool_cli.model import InputFile, Result
from gpool_cli.recipe import PoolingSpec
from gpool_cli.surroundings import Surroundings

# Results are written once, and most groups are done with when the next begins.
_METADATA_BYTES = 512 << 10


class Hdf5Writer(Writer):
    """Writes one dataset per result under the names of its input, or a stack per pooling."""

    in_turns = True

    def __init__(self, file: BinaryIO, style: WriteStyle) -> None:
        super().__init__(file, style)
        self._h5 = h5py.File(file, "w", libver=VERSIONS)
        keep_metadata_small(self._h5, _METADATA_BYTES)
        self._file: InputFile | None = None
        self._mirror: Mirror | None = None
        self._stacks = Stacks()
        self._groups = Groups(self._h5.id)
        self._maker = ResultMaker()
        self._open: dict[PoolingSpec, Any] = {}

    def begin(self, file: InputFile) -> None:
        self.end()
        self._file = file

    def surround(self, surroundings: Surroundings) -> None:
        assert self._file is not None
        if self.style.stack:
            return
        if self._mirror is None:
            self._mirror = Mirror(self._file, self._groups, self.style)
        self._mirror.surround(surroundings)

    def end(self) -> None:
        if self._mirror is not None:
            mirror, self._mirror = self._mirror, None
            mirror.finish()

    def add(self, result: Result) -> None:
        if self.style.stack:
            self._stacks.add(result)
        elif result.start == 0:
            self._open.pop(result.pooling, None)
            self._begin_dataset(result)
        elif result.pooling not in self._open:
            raise InputError("has no place in the output, as its first rows had none")
        else:
            write_rows(self._open[result.pooling], result)
        if result.is_last:
            self._open.pop(result.pooling, None)

    def _begin_dataset(self, result: Result) -> None:
        """Write a result, or the first rows of one; the others go where they are."""
        group, name = self._groups.place_of(member_name(result, self.style))
        dataset = self._maker.create(group, name, result)
        if self._mirror is not None:
            self._mirror.describe(result, group, name)
        if dataset is not None:
            write_rows(dataset, result)
        if result.rows is not None:
            self._open[result.pooling] = dataset

    def finish(self) -> None:
        self.end()
        for name, rows in self._stacks.spools.items():
            dataset = self._h5.create_dataset(name, rows.shape(True), rows.dtype)
            first = 0
            for chunk in rows.chunks():
                dataset[first : first + len(chunk)] = chunk
                first += len(chunk)
            write_text(dataset, "pooling", name)
        if self._stacks.rows:
            dataset = self._h5.create_dataset("sources", (self._stacks.rows,), h5py.string_dtype())
            first = 0
            for names in self._stacks.names():
                dataset[first : first + len(names)] = np.array(names, object)
                first += len(names)
        self._stacks.close()
        self._maker.close()
        write_history(self._h5, self.style.recipe)
        self._h5.close()

    def abandon(self) -> None:
        if self._mirror is not None:
            self._mirror.close()
        self._stacks.close()
        self._maker.close()
        self._h5.close()
