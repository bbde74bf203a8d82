"""What the user's URLs lead to; only prefixes are asked for, by a worker."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from gpool_cli.errors import UsageError
from gpool_cli.formats import READ_SUFFIXES, row_of_suffix
from gpool_cli.model import InputFile
from gpool_cli.printable import printable
from gpool_cli.remote import is_url, name_of, scheme_of

if TYPE_CHECKING:
    from gpool_cli.remote.interface import Entry

    ListTree = Callable[[str], list[Entry]]


def is_tree(url: str) -> bool:
    """Whether a URL names a prefix, and no file: it ends in ``/``, or has no known suffix.

    What looks like a directory that is read as one file is no prefix: opening it says why not.

    Raises:
        UsageError: gpool knows no such URLs, or can't list what it names.
    """
    scheme = scheme_of(url)
    row = row_of_suffix(name_of(url.rstrip("/")))
    if row is not None and (row.marks or not url.endswith("/")):
        return False
    if not scheme.keeps:
        raise UsageError(
            f"{printable(url)} has no suffix that gpool reads, and a web server lists no files",
            "name files, or a list of them with --files-from",
        )
    return True


def walk_tree(
    url: str, prefix: str, keys: tuple[str, ...], avoid: Sequence[str], list_tree: ListTree
) -> list[InputFile]:
    """The files below a prefix, as those below a directory.

    Args:
        url: The prefix.
        prefix: What stands before their names.
        keys: The patterns for them.
        avoid: Where results go.
        list_tree: Asks the store.

    Raises:
        InputError: It can't be listed.
    """
    top = url.rstrip("/") + "/"
    # Not the output itself, unless it is what the user named.
    avoided = tuple(path.rstrip("/") + "/" for path in avoid if is_url(path))
    avoided = tuple(path for path in avoided if path != top)
    return [
        InputFile(
            top + entry.name,
            posixpath.join(prefix, entry.name.lstrip("/")),
            False,
            keys,
            (entry.size, entry.changed_ns),
        )
        for entry in list_tree(url)
        if not f"{top}{entry.name}/".startswith(avoided or ("\0",))
    ]


def list_suffixed(url: str) -> list[Entry]:
    """What is below a prefix and has a suffix that gpool reads; to be done by a worker."""
    from gpool_cli.remote.trees import list_tree

    return list_tree(url, READ_SUFFIXES)
