"""Everything in an HDF5 file that hard links and the file's own soft links lead to.

Links are looked at before they are followed: h5py's own walks follow a soft link that passes
through an external one. Groups are visited once, so that cycles end and fan-outs stay small.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import h5py

from gpool_cli.errors import InputError
from gpool_cli.formats.hdf5opening import DAMAGE
from gpool_cli.formats.hdf5path import OpenGroups
from gpool_cli.printable import printable

_MOST_LINKS = 16

# The names of nested groups grow with the square of their depth.
_DEEPEST = 2000


@dataclass(frozen=True)
class Node:
    """One name in a file.

    Attributes:
        name: The path from the root, without the leading ``/``; ``""`` is the root.
        item: The low-level group or dataset; None where the name leads to neither.
        reason: Why there is no item.
        broken: The file is damaged here, rather than only of no use.
        closed: It is a dataset, which nobody wanted to be opened.
    """

    name: str
    item: Any = None
    reason: str = ""
    broken: bool = False
    closed: bool = False

    @property
    def is_group(self) -> bool:
        """Whether the name leads to a group."""
        return isinstance(self.item, h5py.h5g.GroupID)


def any_name(name: str) -> bool:
    """Whatever it is called, it is wanted."""
    return True


Leave = Callable[[Any, bytes], Any]
"""Gives the root of the file that a group and the name of a file lead to."""


def walk(
    root: Any, wanted: Callable[[str], bool] = any_name, leave: Leave | None = None
) -> Iterator[Node]:
    """Yield every group and dataset, groups before their members, names in sorted order.

    Args:
        root: The low-level root group of an open file.
        leave: Follows links to other files; None where they are not followed.
        wanted: Whether to open a dataset of this name. To open one and let it go takes several
            times as long as to see that it is one.
    """
    seen: set[Any] = set()
    waiting = [iter([Node("", root)])]
    while waiting:
        node = next(waiting[-1], None)
        if node is None:
            waiting.pop()
            continue
        if not node.is_group:
            yield node
            continue
        try:
            address = _address(node.item)
            if address in seen:
                continue
            seen.add(address)
            links = _links(node.item)
        except DAMAGE as error:
            yield from _damaged(node, error)
            continue
        yield node
        if len(waiting) > _DEEPEST:
            reason = f"is nested deeper than {_DEEPEST:,} groups"
            yield Node(node.name, None, reason, broken=True)
        else:
            waiting.append(_members(node, links, leave, wanted))


def _address(group: Any) -> Any:
    """What tells a group from all others; cheaper than to ask for all there is to know of it."""
    info = h5py.h5g.get_objinfo(group)
    return info.fileno, info.objno


def _links(group: Any) -> list[tuple[bytes, int]]:
    """The names in a group, sorted, with the kind of each link."""
    links: list[tuple[bytes, int]] = []
    # Far quicker than to ask for the names and then for every link. The info is a reused one.
    group.links.iterate(lambda name, info: links.append((name, info.type)), info=True)
    return sorted(links)


def _damaged(group: Node, error: Exception) -> Iterator[Node]:
    """What there is to say of a group whose links can't be listed."""
    try:
        h5py.h5o.get_info(group.item)
    except DAMAGE as worse:
        yield Node(group.name, None, f"can't be opened: {_said(worse)}", broken=True)
    else:
        yield group
        yield Node(group.name, None, f"can't be listed: {_said(error)}", broken=True)


def _members(
    group: Node,
    links: list[tuple[bytes, int]],
    leave: Leave | None,
    wanted: Callable[[str], bool],
) -> Iterator[Node]:
    for raw, kind in links:
        text = raw.decode("utf-8", "surrogateescape")
        name = f"{group.name}/{text}" if group.name else text
        if not wanted(name) and _is_dataset(group.item, raw, kind):
            yield Node(name, closed=True)
            continue
        try:
            item = _open(group.item, raw, kind, leave)
        except InputError as error:
            yield Node(name, None, str(error))
        except DAMAGE as error:
            yield Node(name, None, f"can't be opened: {_said(error)}", broken=True)
        else:
            if isinstance(item, (h5py.h5g.GroupID, h5py.h5d.DatasetID)):
                yield Node(name, item)
            else:
                yield Node(name, None, "is a named datatype")


def _is_dataset(group: Any, name: bytes, kind: int) -> bool:
    """Whether a hard link leads to a dataset; False also where only opening it will tell."""
    if kind != h5py.h5l.TYPE_HARD or b"/" in name:
        return False
    try:
        return bool(h5py.h5g.get_objinfo(group, name).type == h5py.h5g.DATASET)
    except DAMAGE:
        return False


class Opener:
    """Opens what names of `walk` lead to, by the same links.

    Args:
        root: The low-level root group of an open file.
        leave: Follows links to other files; None where they are not followed.
    """

    def __init__(self, root: Any, leave: Leave | None = None) -> None:
        self._leave = leave
        self._groups = OpenGroups(root, self._member)

    def open(self, name: str) -> Any:
        """Open what a name leads to.

        Raises:
            InputError: It leads there no more, or the file is damaged there.
        """
        *above, last = name.encode("utf-8", "surrogateescape").split(b"/")
        try:
            return self._member(self._groups.descend(above), last)
        except DAMAGE as error:
            hint = "copy or save the file again"
            raise InputError(f"can't be opened: {_said(error)}", hint) from None

    def _member(self, group: Any, name: bytes) -> Any:
        return _open(group, name, group.links.get_info(name).type, self._leave)


def _open(group: Any, name: bytes, kind: int, leave: Leave | None, links: int = _MOST_LINKS) -> Any:
    """Open one member of a group, following links part by part, so many of them at most."""
    if b"/" in name:
        raise ValueError("a name with a slash in it")  # HDF5 would take it for a path.
    if kind == h5py.h5l.TYPE_HARD:
        return h5py.h5o.open(group, name)
    if links == 0:
        raise InputError("is a link in a circle")
    if kind == h5py.h5l.TYPE_SOFT:
        target = group.links.get_val(name)
        # The root of the file that the group lies in, which an outer link may have led to.
        here = h5py.h5g.open(group, b"/") if target.startswith(b"/") else group
        return _follow(here, target, leave, links - 1)
    if kind != h5py.h5l.TYPE_EXTERNAL or leave is None:
        raise InputError("is a link to another file, which only --follow-external follows")
    file, target = group.links.get_val(name)
    return _follow(leave(group, file), target, leave, links - 1)


def _follow(here: Any, path: bytes, leave: Leave | None, links: int = _MOST_LINKS) -> Any:
    """Open what a path leads to, part by part."""
    for part in path.split(b"/"):
        if part in (b"", b"."):
            continue
        if not isinstance(here, h5py.h5g.GroupID) or not here.links.exists(part):
            shown = printable(path.decode("utf-8", "surrogateescape"))
            raise InputError(f"is a link to {shown}, which is not there")
        here = _open(here, part, here.links.get_info(part).type, leave, links)
    return here


def open_path(root: Any, path: bytes) -> Any:
    """Open what a path from the root of a file leads to, by links within that file.

    Raises:
        InputError: It leads nowhere, or out of the file.
    """
    return _follow(root, path, None)


def _said(error: Exception) -> str:
    return printable(str(error))
