"""The files below a prefix of an object store."""

from __future__ import annotations

from collections.abc import Sequence

from gpool_cli.errors import InputError
from gpool_cli.remote import calls
from gpool_cli.remote.interface import Entry
from gpool_cli.remote.stores import store_of

# For more it takes fewer requests to list everything.
_FEW = 16


def list_tree(url: str, suffixes: tuple[str, ...]) -> list[Entry]:
    """What a walk takes from a prefix: as a walk takes it from a directory, in the same order.

    Args:
        url: The prefix.
        suffixes: Those of the files that are wanted.

    Raises:
        InputError: It can't be listed, or there is nothing.
    """
    found, count = calls.call(_listed(url, suffixes))
    if not count:
        raise InputError("has nothing below it", "check the URL")
    return sorted(found, key=lambda entry: entry.name.split("/"))


def existing(urls: Sequence[str], top: str) -> list[str]:
    """Those of the URLs that there are.

    Args:
        urls: What to look for.
        top: A prefix that all but a few have.

    Raises:
        InputError: The store can't be asked.
    """
    if len(urls) <= _FEW:
        return [url for url in urls if calls.call(_exists(url))]
    there, _ = calls.call(_listed(top, ("",)))
    names = {f"{top.rstrip('/')}/{entry.name}" for entry in there}
    return [url for url in urls if url in names]


async def _exists(url: str) -> bool:
    return await calls.trying(lambda: store_of(url).exists(url))


async def _listed(url: str, suffixes: tuple[str, ...]) -> tuple[list[Entry], int]:
    """The files that are wanted, and how many there are in all."""
    found: list[Entry] = []
    count = 0
    async for entries in store_of(url).entries(url):
        count += len(entries)
        found += (entry for entry in entries if _is_wanted(entry.name, suffixes))
    return found, count


def _is_wanted(name: str, suffixes: tuple[str, ...]) -> bool:
    hidden = any(part.startswith(".") for part in name.split("/"))
    return name.lower().endswith(suffixes) and not hidden
