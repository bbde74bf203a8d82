"""Everything in an HDF5 file that hard links and the file's own soft links lead to.

Links are looked at before they are followed: h5py's own walks follow a soft link that passes
through an external one. Groups are visited once, so that cycles end and fan-outs stay small.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import h5py

from gpool_cli.errors import InputError
from gpool_cli.printable import printable

_MOST_SOFT_LINKS = 16
_DAMAGE = (RuntimeError, OSError, KeyError, ValueError, TypeError)


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


class _Unreachable(InputError):
    """A link that leads nowhere, or out of the file."""


def walk(root: Any) -> Iterator[Node]:
    """Yield every group and dataset, groups before their members, names in sorted order.

    Args:
        root: The low-level root group of an open file.
    """
    seen: set[Any] = set()
    waiting = [iter([Node("", root)])]
    while waiting:
        node = next(waiting[-1], None)
        if node is None:
            waiting.pop()
            continue
        if node.is_group:
            try:
                address = h5py.h5o.get_info(node.item).addr
            except _DAMAGE as error:
                yield Node(node.name, None, f"can't be opened: {_said(error)}", broken=True)
                continue
            if address in seen:
                continue
            seen.add(address)
        yield node
        if node.is_group:
            waiting.append(_members(root, node))


def _members(root: Any, group: Node) -> Iterator[Node]:
    links: list[tuple[bytes, int]] = []
    try:
        # Far quicker than to ask for the names and then for every link. The info is a reused one.
        group.item.links.iterate(lambda name, info: links.append((name, info.type)), info=True)
    except _DAMAGE as error:
        yield Node(group.name, None, f"can't be listed: {_said(error)}", broken=True)
        return
    for raw, kind in sorted(links):
        text = raw.decode("utf-8", "surrogateescape")
        name = f"{group.name}/{text}" if group.name else text
        try:
            item = _open(root, group.item, raw, kind, _MOST_SOFT_LINKS)
        except _Unreachable as error:
            yield Node(name, None, str(error))
        except _DAMAGE as error:
            yield Node(name, None, f"can't be opened: {_said(error)}", broken=True)
        else:
            if isinstance(item, (h5py.h5g.GroupID, h5py.h5d.DatasetID)):
                yield Node(name, item)
            else:
                yield Node(name, None, "is a named datatype")


def open_item(root: Any, name: str) -> Any:
    """Open what a name of `walk` leads to, by the same links.

    Raises:
        InputError: It leads there no more, or the file is damaged there.
    """
    here = root
    try:
        for part in name.encode("utf-8", "surrogateescape").split(b"/"):
            here = _open(root, here, part, here.links.get_info(part).type, _MOST_SOFT_LINKS)
    except _DAMAGE as error:
        hint = "copy or save the file again"
        raise InputError(f"can't be opened: {_said(error)}", hint) from None
    return here


def _open(root: Any, group: Any, name: bytes, kind: int, soft_links: int) -> Any:
    """Open one member of a group, following soft links part by part, external ones never."""
    if b"/" in name:
        raise ValueError("a name with a slash in it")  # HDF5 would take it for a path.
    if kind == h5py.h5l.TYPE_HARD:
        return h5py.h5o.open(group, name)
    if kind != h5py.h5l.TYPE_SOFT:
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
        here = _open(root, here, part, here.links.get_info(part).type, soft_links - 1)
    return here


def _said(error: Exception) -> str:
    return printable(str(error))
