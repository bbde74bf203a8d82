"""Which arrays of a file are pooled, and why the others are not."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from gpool_cli.batch.contents import what_there_is
from gpool_cli.errors import InputError
from gpool_cli.layout import Layout, axes_count, resolve_layout, shape_text, size_of
from gpool_cli.model import ArrayInfo
from gpool_cli.printable import printable

Map = tuple[ArrayInfo, Layout]
"""An array that is pooled, and the meaning of its axes."""


@dataclass(eq=False)
class Selection:
    """What to do with the arrays of one file.

    Attributes:
        maps: To be pooled, with the meaning of their axes.
        skipped: Not pooled, with the reason.
        failed: Asked for or damaged, with what is wrong.
        nothing: Why nothing was chosen from a file that the user did not name; "" otherwise.
    """

    maps: list[Map] = field(default_factory=list)
    skipped: list[tuple[ArrayInfo, str]] = field(default_factory=list)
    failed: list[tuple[ArrayInfo, InputError]] = field(default_factory=list)
    nothing: str = ""

    def add(self, info: ArrayInfo, layout: str | None, must: bool, hides: str = "") -> None:
        """Decide about one array.

        Args:
            info: The array.
            layout: The user's layout.
            must: Not being able to pool it is a failure, not a reason to skip it.
            hides: The key that does not ask for it, but perhaps for something in it.
        """
        try:
            if info.refusal:
                raise InputError(info.refusal, _hint_of(info, hides))
            meaning = resolve_layout(layout, info.file_layout, info.shape)
            if size_of(info.shape) == 0:
                raise InputError(f"has no values: its shape is {shape_text(info.shape)}")
            self.maps.append((info, meaning))
        except InputError as error:
            if must or info.broken:
                self.failed.append((info, error))
            else:
                self.skipped.append((info, error.message))


def _hint_of(info: ArrayInfo, hides: str) -> str:
    """What to do about an array that can't be pooled; its refusal may say it."""
    if "--follow-external" in info.refusal:
        return ""
    if hides:
        return f"{printable(hides)!r} may be in it: copy the file again, or give more of the path"
    return "copy or save the file again" if info.broken else "nothing in it can be pooled"


def select(
    infos: Sequence[ArrayInfo],
    keys: Sequence[str],
    layout: str | None,
    container: bool,
    named: bool = True,
) -> Selection:
    """Choose the arrays of one file.

    Args:
        infos: Everything in the file.
        keys: The user's patterns; empty chooses by the number of axes.
        layout: The user's layout, as `gpool_cli.layout.parse_layout` gives it, or None.
        container: The file keeps arrays under names; in others every array must be pooled.
        named: The user named the file; in one that a walk found, a pattern may match nothing.

    Raises:
        InputError: A pattern matches nothing in a named file.
    """
    chosen = Selection()
    if keys and container:
        _by_name(chosen, infos, keys, layout, named)
        return chosen
    # The file's own word says what axes mean, not what the user wants of them.
    fewest, most = axes_count(layout)
    for info in infos:
        rank = len(info.shape)
        if container and not info.refusal and not fewest <= rank <= most:
            wanted = f"{fewest} to {most}" if fewest < most else str(fewest)
            axes = "1 axis" if rank == 1 else f"{rank} axes"
            chosen.skipped.append((info, f"has {axes}, not {wanted}"))
        else:
            chosen.add(info, layout, must=not container)
    return chosen


def may_be_wanted(keys: Sequence[str]) -> Callable[[str], bool]:
    """Whether `select` may choose an array for its name; it asks for none of the others."""
    plain = {key.strip("/") for key in keys}
    try:
        patterns = [matcher(key) for key in plain]
    except re.error:
        patterns = []  # One is no pattern, but may be a name.
    if not patterns:
        return lambda name: True
    return lambda name: name in plain or any(fits(name) for fits in patterns)


def _by_name(
    chosen: Selection,
    infos: Sequence[ArrayInfo],
    keys: Sequence[str],
    layout: str | None,
    named: bool,
) -> None:
    wanted: dict[str, bool] = {}
    hides: dict[str, str] = {}
    names = {info.dataset for info in infos}
    closed = [info.dataset for info in infos if info.closed]
    for key in keys:
        plain = key.strip("/")
        exact = plain in names
        matched = [plain] if exact else list(filter(matcher(plain), names))
        # What was asked for may be in there, and must not be missing without a word.
        hiding = [] if exact else [name for name in closed if may_lie_in(plain, name)]
        hides.update((name, plain) for name in hiding)
        if not matched and not hiding:
            missing = f"holds nothing named {printable(key)!r}"
            if named:
                raise InputError(missing, what_there_is(infos, plain))
            chosen.nothing = chosen.nothing or missing
        for name in matched:
            wanted[name] = wanted.get(name, False) or exact
    if wanted or hides:
        chosen.nothing = ""
    for info in infos:
        name = info.dataset
        if name in wanted:
            chosen.add(info, layout, must=wanted[name] or name in hides)
        elif name in hides:
            # The root is on every way, and so may be what the key says itself.
            said = not name or hides[name].startswith(f"{name}/")
            chosen.add(info, layout, must=True, hides="" if said else hides[name])


# A class of characters that has "/" in it: where a part of the path ends is not to be seen.
_CLASS_WITH_SLASH = re.compile(r"\[!?[^\]/]*/[^\]]*\]")


def may_lie_in(pattern: str, group: str) -> bool:
    """Whether a name that fits a pattern may be that of something in a group, however deep."""
    if "/" not in pattern or not group or _CLASS_WITH_SLASH.search(pattern):
        return True
    above, parts = group.split("/"), pattern.split("/")
    for name, part in zip(above, parts, strict=False):
        if "**" in part:
            return True
        if _as_regex(part).fullmatch(name) is None:
            return False
    return len(above) < len(parts)


def matcher(pattern: str) -> Callable[[str], bool]:
    """Whether a name fits a pattern, to be asked of many names.

    ``*``, ``?`` and ``[abc]`` stop at ``/``, ``**`` does not; a pattern without ``/`` is
    held against the last part of the name.

    Raises:
        re.error: It is no pattern.
    """
    fits = _as_regex(pattern).fullmatch
    if "/" in pattern or "**" in pattern:
        return lambda name: fits(name) is not None
    return lambda name: fits(name.rpartition("/")[2]) is not None


@lru_cache(maxsize=64)
def _as_regex(pattern: str) -> re.Pattern[str]:
    words = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    parts = re.split(r"(\*\*/|\*\*|\*|\?|\[!?[^\]]+\])", pattern)
    regex = "".join(
        words.get(part) or (_as_class(part) if part.startswith("[") else re.escape(part))
        for part in parts
    )
    return re.compile(regex, re.DOTALL)


def _as_class(part: str) -> str:
    """A class of characters; what is none is taken as it stands."""
    sign = "^" if part.startswith("[!") else ""
    inside = part[1 + len(sign) : -1]
    if not part.endswith("]") or not inside:
        return re.escape(part)
    members = ""
    for first, last, lone in re.findall(r"(.)-(.)|(.)", inside, re.DOTALL):
        if first > last:
            return re.escape(part)
        members += re.escape(lone) or f"{re.escape(first)}-{re.escape(last)}"
    return f"(?!/)[{sign}{members}]"
