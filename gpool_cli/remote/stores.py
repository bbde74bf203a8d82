"""From a URL to its store, where what it needs is installed."""

from __future__ import annotations

import importlib

from gpool_cli.errors import InputError
from gpool_cli.remote import INSTALL, TABLE, scheme_of
from gpool_cli.remote.interface import Store


def store_of(url: str) -> Store:
    """The store of a URL.

    Raises:
        InputError: What it needs is not installed.
        UsageError: gpool knows no such URLs.
    """
    row = scheme_of(url)
    name = url.partition("://")[0].lower()
    try:
        importlib.import_module(row.package)
        module, _, kind = row.store.partition(":")
        store: Store = getattr(importlib.import_module(module), kind)(name)
    except ImportError as error:
        raise InputError(
            f"needs {error.name or row.package}, which is not installed",
            "install it with: pip install gcsfs" if row is TABLE["gs"] else INSTALL,
        ) from None
    return store
