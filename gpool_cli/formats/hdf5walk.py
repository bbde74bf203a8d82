"""Everything in an HDF5 file that hard links and the file's own soft links lead to.

Links are looked at before they are followed: h5py's own walks follow a soft link that passes
through an external one. Groups are visited once, so that cycles end and fan-outs stay small.
"""

from __future__ import annotations

from bisect import bisect_right
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

    @property
    def is_dataset(self) -> bool:
        """Whether it leads to a dataset, which was opened."""
        return isinstance(self.item, h5py.h5d.DatasetID)


def any_name(name: str) -> bool:
    """Whatever it is called, it is wanted."""
    return True


Leave = Callable[[Any, bytes], Any]
"""Gives the root of the file that a group and the name of a file lead to."""


@dataclass(frozen=True)
class Place:
    """Where a walk stopped, from where another one may go on; it can travel.

    Attributes:
        way: The groups that it was in, from the root down, each with the link that it was done
            with last; None where it was done with none.
        seen: What tells the groups that it has been to from all others of the file.
    """

    way: tuple[tuple[str, bytes | None], ...]
    seen: frozenset[Any]


@dataclass
class _Stage:
    """A group that a walk is in: its links, and how many of them it is done with."""

    group: Node
    links: list[tuple[bytes, int]]
    done: int = 0


class Walk:
    """Yields every group and dataset, groups before their members, names in sorted order.

    Args:
        root: The low-level root group of an open file.
        wanted: Whether to open a dataset of this name. To open one and let it go takes several
            times as long as to see that it is one.
        leave: Follows links to other files; None where they are not followed.
        place: Where to go on; None for the beginning. Only for files whose links to others are
            not followed.

    Raises:
        InputError: The place is not there any more.
    """

    def __init__(
        self,
        root: Any,
        wanted: Callable[[str], bool] = any_name,
        leave: Leave | None = None,
        place: Place | None = None,
    ) -> None:
        self._root = root
        self._wanted = wanted
        self._leave = leave
        self._seen: set[Any] = set()
        self._stages: list[_Stage] = []
        if place is not None:
            self._go_to(place)

    def __iter__(self) -> Iterator[Node]:
        if not self._stages:
            yield from self._enter(Node("", self._root))
        while self._stages:
            stage = self._stages[-1]
            if stage.done == len(stage.links):
                self._stages.pop()
                continue
            node = self._member(stage.group, *stage.links[stage.done])
            stage.done += 1
            if node.is_group:
                yield from self._enter(node)
            else:
                yield node

    def _enter(self, group: Node) -> Iterator[Node]:
        try:
            address = _address(group.item)
            if address in self._seen:
                return
            self._seen.add(address)
            links = _links(group.item)
        except DAMAGE as error:
            yield from _damaged(group, error)
            return
        yield group
        if len(self._stages) >= _DEEPEST:
            reason = f"is nested deeper than {_DEEPEST:,} groups"
            yield Node(group.name, None, reason, broken=True)
        else:
            self._stages.append(_Stage(group, links))

    def _member(self, group: Node, raw: bytes, kind: int) -> Node:
        text = raw.decode("utf-8", "surrogateescape")
        name = f"{group.name}/{text}" if group.name else text
        if not self._wanted(name) and _is_dataset(group.item, raw, kind):
            return Node(name, closed=True)
        try:
            item = _open(group.item, raw, kind, self._leave)
        except InputError as error:
            return Node(name, None, str(error))
        except DAMAGE as error:
            return Node(name, None, f"can't be opened: {_said(error)}", broken=True)
        if isinstance(item, (h5py.h5g.GroupID, h5py.h5d.DatasetID)):
            return Node(name, item)
        return Node(name, None, "is a named datatype")

    def place(self) -> Place:
        """The place before the dataset that came last."""
        done = [stage.done for stage in self._stages]
        done[-1] -= 1
        return Place(
            tuple(
                (stage.group.name, stage.links[count - 1][0] if count else None)
                for stage, count in zip(self._stages, done, strict=True)
            ),
            frozenset(number for _, number in self._seen),
        )

    def _go_to(self, place: Place) -> None:
        file, _ = _address(self._root)
        self._seen = {(file, number) for number in place.seen}
        opener = Opener(self._root)
        for name, link in place.way:
            group = opener.open(name) if name else self._root
            if not isinstance(group, h5py.h5g.GroupID):
                raise InputError("has changed since it was listed", "is it still being written?")
            links = _links(group)
            done = bisect_right([name for name, _ in links], link) if link is not None else 0
            self._stages.append(_Stage(Node(name, group), links, done))


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


def is_lacking(root: Any, path: str) -> bool:
    """Whether nothing in a file can have this path; False also where that is not beyond doubt.

    Raises:
        InputError: A group on the way is damaged. HDF5 says so of some damage only to who comes
            first, and a listing after this would see nothing of it.
    """
    *above, last = parts = path.encode("utf-8", "surrogateescape").split(b"/")
    if b"" in parts or b"." in parts:
        return False  # HDF5 does not take these for names.
    here = root
    try:
        for part in above:
            if not here.links.exists(part):
                return True
            here = _open(here, part, here.links.get_info(part).type, None)
            if not isinstance(here, h5py.h5g.GroupID):
                return False
        return not here.links.exists(last)
    except DAMAGE as error:
        reason = f"can't be searched for {printable(path)!r}: {_said(error)}"
        raise InputError(reason, "copy or save the file again") from None
    except InputError:
        return False


def open_path(root: Any, path: bytes) -> Any:
    """Open what a path from the root of a file leads to, by links within that file.

    Raises:
        InputError: It leads nowhere, or out of the file.
    """
    return _follow(root, path, None)


def _said(error: Exception) -> str:
    return printable(str(error))
