"""Everything in an HDF5 file that hard links and the file's own soft links lead to.

Links are looked at before they are followed: h5py's own walks follow a soft link that passes
through an external one. Groups are visited once, so that cycles end and fan-outs stay small.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import h5py

from gpool_cli.printable import printable

_MOST_SOFT_LINKS = 16


@dataclass(frozen=True)
class Node:
    """One name in a file.

    Attributes:
        name: The path from the root, without the leading ``/``; ``""`` is the root.
        item: The low-level group or dataset; None where the name leads to neither.
        reason: Why there is no item.
        broken: The file is damaged here, rather than only of no use.
    """

    name: str
    item: Any = None
    reason: str = ""
    broken: bool = False

    @property
    def is_group(self) -> bool:
        """Whether the name leads to a group."""
        return isinstance(self.item, h5py.h5g.GroupID)


class _Unreachable(Exception):
    """A link that leads nowhere, or out of the file."""


def walk(root: Any) -> Iterator[Node]:
    """Yield every group and dataset, groups before their members, names in sorted order.

    Args:
        root: The low-level root group of an open file.
    """
    seen: set[Any] = set()
    waiting = [Node("", root)]
    while waiting:
        node = waiting.pop()
        if node.is_group:
            address = h5py.h5o.get_info(node.item).addr
            if address in seen:
                continue
            seen.add(address)
        yield node
        if node.is_group:
            waiting += reversed(list(_members(root, node)))


def _members(root: Any, group: Node) -> Iterator[Node]:
    try:
        names = sorted(group.item)
    except (RuntimeError, OSError, KeyError, ValueError) as error:
        yield Node(group.name, None, f"can't be listed: {_said(error)}", broken=True)
        return
    for raw in names:
        text = raw.decode("utf-8", "surrogateescape")
        name = f"{group.name}/{text}" if group.name else text
        try:
            item = _open(root, group.item, raw, _MOST_SOFT_LINKS)
        except _Unreachable as error:
            yield Node(name, None, str(error))
        except (RuntimeError, OSError, KeyError, ValueError, TypeError) as error:
            yield Node(name, None, f"can't be opened: {_said(error)}", broken=True)
        else:
            if isinstance(item, (h5py.h5g.GroupID, h5py.h5d.DatasetID)):
                yield Node(name, item)
            else:
                yield Node(name, None, "is a named datatype")


def open_item(root: Any, name: str) -> Any:
    """Open what a name of `walk` leads to, by the same links."""
    here = root
    for part in name.encode("utf-8", "surrogateescape").split(b"/"):
        here = _open(root, here, part, _MOST_SOFT_LINKS)
    return here


def _open(root: Any, group: Any, name: bytes, soft_links: int) -> Any:
    """Open one member of a group, following soft links part by part, external ones never."""
    link = group.links.get_info(name)
    if link.type == h5py.h5l.TYPE_HARD:
        return h5py.h5o.open(group, name)
    if link.type != h5py.h5l.TYPE_SOFT:
        raise _Unreachable("is a link to another file, which is not followed")
    if soft_links == 0:
        raise _Unreachable("is a soft link in a circle")
    target = group.links.get_val(name)
    here = root if target.startswith(b"/") else group
    for part in target.split(b"/"):
        if part in (b"", b"."):
            continue
        if not isinstance(here, h5py.h5g.GroupID) or part not in here:
            shown = printable(target.decode("utf-8", "surrogateescape"))
            raise _Unreachable(f"is a soft link to {shown}, which is not there")
        here = _open(root, here, part, soft_links - 1)
    return here


def _said(error: Exception) -> str:
    return printable(str(error))
