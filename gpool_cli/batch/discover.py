"""From what the user names to the files to read, in an order that is always the same."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from gpool_cli.batch.discoverfar import is_tree, list_suffixed, walk_tree
from gpool_cli.errors import InputError, UsageError
from gpool_cli.formats import CONTAINER_SUFFIXES, READ_SUFFIXES
from gpool_cli.formats.inputs import is_store
from gpool_cli.model import STDIN, InputFile
from gpool_cli.printable import printable
from gpool_cli.remote import is_url, place_of, scheme_of

if TYPE_CHECKING:
    from gpool_cli.batch.discoverfar import ListTree

_KEY_IN_NAME = re.compile(
    "(.*?(?:" + "|".join(map(re.escape, CONTAINER_SUFFIXES)) + "))(?::)(.+)", re.DOTALL | re.I
)


@dataclass(eq=False)
class Found:
    """What the user's words lead to.

    Attributes:
        files: What to read, in order.
        missing: What there is none of, with the reason; each a failure.
        alone: The only input is one file that the user named.
        words: The inputs as the user named them.
    """

    files: list[InputFile] = field(default_factory=list)
    missing: list[tuple[InputFile, InputError]] = field(default_factory=list)
    alone: bool = False
    words: tuple[str, ...] = ()


def discover(
    inputs: Sequence[str],
    keys: Sequence[str] = (),
    base: str | None = None,
    outputs: Sequence[str] = (),
    list_tree: ListTree = list_suffixed,
) -> Found:
    """Find the files to read.

    Args:
        inputs: Files, directories, ``FILE.h5:PATTERN``, URLs of all these, and ``-``.
        keys: Patterns for all files.
        base: The directory below which named files keep their paths.
        outputs: Where results go; a walk takes none of it for an input.
        list_tree: Lists what is below a prefix of an object store.

    Raises:
        UsageError: A name is empty, standard input is named twice, or a named file is not below
            the base.
    """
    if "" in inputs:
        raise UsageError("an input has an empty name", "is a variable of the shell unset?")
    if base == "":
        raise UsageError("the base has an empty name", "is a variable in --base not set?")
    if inputs.count(STDIN) > 1:
        raise UsageError("standard input can be read only once", "name - once")
    found = Found(alone=len(inputs) == 1, words=tuple(inputs))
    avoid = {here for path in outputs if (here := _identity(path)) is not None}
    words = [split_key(word) for word in inputs]
    prefixes = _prefixes([path for path, _ in words])
    for path, own_keys in _united(words):
        wanted = (*keys, *own_keys)
        if path == STDIN:
            found.files.append(InputFile(STDIN, "stdin.npy", True, wanted))
        elif is_url(path) and not is_tree(path):
            found.files.append(InputFile(path, _name(path, base), True, wanted))
        elif _is_tree(path):
            found.alone = False
            prefix = prefixes[_absolute(path)]
            if is_url(path):
                _walk_url(found, InputFile(path, prefix, False, wanted), outputs, list_tree)
            else:
                _walk(found, path, prefix, wanted, avoid)
        else:
            path = path.rstrip(os.sep) or path
            file = InputFile(path, _name(path, base), True, wanted)
            if os.path.lexists(path):
                found.files.append(file)
            else:
                found.missing.append((file, InputError("is not there", _near(path))))
    return found


def _united(
    words: Sequence[tuple[str, tuple[str, ...]]],
) -> list[tuple[str, tuple[str, ...]]]:
    """The same inputs; a file named several times, each time with a key, once with all keys."""
    bare = {_same(path) for path, keys in words if not keys}
    places: dict[str, int] = {}
    united: list[tuple[str, tuple[str, ...]]] = []
    for path, keys in words:
        place = places.setdefault(_same(path), len(united))
        if place == len(united) or _same(path) in bare:
            united.append((path, keys))
        else:
            first, earlier = united[place]
            united[place] = first, tuple(dict.fromkeys((*earlier, *keys)))
    return united


def _same(path: str) -> str:
    """What two names of one input have in common."""
    return path if is_url(path) else os.path.abspath(path)


def _absolute(path: str) -> str:
    """The absolute path; of a URL, one that no other input has."""
    if not is_url(path):
        return os.path.abspath(path)
    return f"/{path.partition('://')[0]}:/{place_of(path).rstrip('/')}"


def _walk_url(found: Found, tree: InputFile, outputs: Sequence[str], list_tree: ListTree) -> None:
    try:
        found.files += walk_tree(tree.path, tree.name, tree.keys, outputs, list_tree)
    except InputError as error:
        reason = InputError(f"can't be listed: it {error.message}", error.hint)
        found.missing.append((tree, reason))


def _prefixes(paths: Sequence[str]) -> dict[str, str]:
    """What stands before the names in each directory, by its absolute path.

    Nothing where it is the only input; its base name; where several have one base name, their
    paths below the directory that they have in common.
    """
    directories = {_absolute(path) for path in paths if _is_tree(path)}
    if len(paths) == 1:
        return dict.fromkeys(directories, "")
    prefixes = {}
    for path in directories:
        name = os.path.basename(path)
        alike = [other for other in directories if os.path.basename(other) == name]
        common = os.path.commonpath([os.path.dirname(other) for other in alike])
        prefixes[path] = os.path.relpath(path, common).replace(os.sep, "/") if name else ""
    return prefixes


def _is_tree(path: str) -> bool:
    """Whether a path is a directory to walk through, or a URL a prefix."""
    if is_url(path):
        return is_tree(path)
    try:
        return os.path.isdir(path) and not is_store(path, named=True)
    except OSError:
        return True  # What is wrong with it is said by the walk.


def with_distinct_names(files: Sequence[InputFile]) -> list[InputFile]:
    """The same files; where base names repeat, named files keep the paths that tell them apart."""
    names = {file.name for file in files}
    real = [file for file in files if file.named and file.path != STDIN]
    if len(names) == len(files) or not real:
        return list(files)
    common = os.path.commonpath([os.path.dirname(_absolute(file.path)) for file in real])
    return [
        replace(file, name=_name(file.path, common)) if file.named and file.path != STDIN else file
        for file in files
    ]


def split_key(word: str) -> tuple[str, tuple[str, ...]]:
    """Split ``FILE.h5:PATTERN``; an existing path is always a path."""
    if is_url(word):
        scheme_of(word)
        host = word.index("/", word.index("://") + 3) if "/" in place_of(word) else len(word)
        split = _KEY_IN_NAME.fullmatch(word[host:])
        return (word[:host] + split[1], (split[2],)) if split else (word, ())
    if not os.path.lexists(word) and (split := _KEY_IN_NAME.fullmatch(word)):
        return split[1], (split[2],)
    return word, ()


def read_list(text: bytes, nul: bool) -> list[str]:
    """The names in a list of files: one a line, or separated by NUL."""
    parts = text.split(b"\0" if nul else b"\n")
    if not nul:
        parts = [part.removesuffix(b"\r") for part in parts]
    return [os.fsdecode(part) for part in parts if part]


def _name(path: str, base: str | None) -> str:
    if base is None:
        return os.path.basename(_absolute(path))
    below = os.path.relpath(_absolute(path), _absolute(base))
    if below.split(os.sep)[0] == os.pardir:
        raise UsageError(
            f"{printable(path)} is not below {printable(base)}", "choose a --base above all inputs"
        )
    return below.replace(os.sep, "/")


def _near(path: str) -> str:
    directory = os.path.dirname(path) or "."
    if not os.path.isdir(directory):
        return f"there is no directory {printable(directory)} either"
    return "check the name"


def _identity(path: str) -> tuple[int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _walk(
    found: Found, directory: str, name: str, keys: tuple[str, ...], avoid: set[tuple[int, int]]
) -> None:
    """Add the files with known suffixes, in sorted order; every directory is entered once."""
    # Not the output itself, unless it is what the user named.
    seen = avoid - {_identity(directory)}
    waiting: list[tuple[str, str, bool]] = [(directory, name, True)]
    while waiting:
        path, name, is_directory = waiting.pop()
        if not is_directory:
            found.files.append(InputFile(path, name, False, keys))
            continue
        here = _identity(path)
        if here is None or here in seen:
            continue
        seen.add(here)
        try:
            waiting += reversed(list(_entries(path, name, avoid)))
        except OSError as error:
            reason = InputError(f"can't be listed: {error.strerror}", "check its permissions")
            found.missing.append((InputFile(path, name, False), reason))


def _entries(path: str, name: str, avoid: set[tuple[int, int]]) -> Iterator[tuple[str, str, bool]]:
    """What a walk takes from one directory: path, name, and whether it is a directory."""
    inodes = {inode for _, inode in avoid}
    with os.scandir(path) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            if entry.name.startswith("."):
                continue
            directory = _is_directory(entry) and not is_store(entry.name)
            if directory or entry.name.lower().endswith(READ_SUFFIXES):
                if entry.inode() in inodes and _identity(entry.path) in avoid:
                    continue
                yield entry.path, posixpath.join(name, entry.name), directory


def _is_directory(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False
