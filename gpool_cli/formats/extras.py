"""Packages that some formats need and the base install leaves out: the table of extras.

An extra is one row here and one line in ``pyproject.toml``. Its packages are imported when a file
asks for them, and never before.
"""

from __future__ import annotations

import importlib
import importlib.util
from dataclasses import dataclass
from typing import Any

from gpool_cli.errors import InputError


@dataclass(frozen=True)
class Extra:
    """One extra in the table.

    Attributes:
        name: What stands in ``pip install 'gpool[name]'``.
        modules: What its packages are imported as.
        adds: What it adds, in a few words.
    """

    name: str
    modules: tuple[str, ...]
    adds: str

    @property
    def install(self) -> str:
        """The command that installs it."""
        return f"pip install 'gpool[{self.name}]'"

    @property
    def installed(self) -> bool:
        """Whether all of it is there; nothing is imported for that."""
        return all(importlib.util.find_spec(module) is not None for module in self.modules)


TABLE: tuple[Extra, ...] = (
    Extra("codecs", ("hdf5plugin",), "HDF5 filters: blosc, lz4, zstd, bitshuffle and others"),
    Extra("dtypes", ("ml_dtypes",), "bfloat16 and float8 values, and --view"),
    Extra("dask", ("distributed",), "--scheduler: a Dask cluster does the work"),
    Extra("parquet", ("pyarrow",), "Parquet output"),
    Extra("plot", ("PIL",), "PNG pictures, and photographs"),
    Extra("remote", ("aiohttp", "fsspec", "s3fs"), "URLs: http, https and s3"),
    Extra("zarr", ("numcodecs", "google_crc32c"), "zarr codecs: blosc, lz4, zstd, crc32c"),
)

ALL = "formats"
"""The extra that bundles those that formats need."""


def extra_of(module: str) -> Extra:
    """The extra that a module comes with."""
    return next(extra for extra in TABLE if module in extra.modules)


def load(module: str, what: str) -> Any:
    """Import a module of an extra.

    Args:
        module: The module, or one below it.
        what: What needs it, for the error.

    Raises:
        InputError: It is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError:
        top = module.partition(".")[0]
        hint = f"install it with: {extra_of(top).install}"
        raise InputError(f"{what} needs {top}, which is not installed", hint) from None
