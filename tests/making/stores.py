"""Stores that are directories, as one string of bytes: what the fuzzer damages and unpacks."""

from __future__ import annotations

import re
from pathlib import Path

_NAME = re.compile(rb"\n==([A-Za-z0-9_./]{1,60})==\n")


def pack(path: Path) -> bytes:
    """All files below a directory, each behind its name."""
    files = sorted(file for file in path.rglob("*") if file.is_file())
    return b"".join(
        b"\n==%s==\n%s" % (file.relative_to(path).as_posix().encode(), file.read_bytes())
        for file in files
    )


def unpack(data: bytes, path: Path) -> None:
    """Make the directory again; what damage made of a name stays within it."""
    path.mkdir()
    _, *rest = _NAME.split(data)
    for raw, content in zip(rest[::2], rest[1::2], strict=True):
        parts = [part for part in raw.decode().split("/") if part not in ("", ".", "..")]
        if not parts:
            continue
        file = path.joinpath(*parts)
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        except OSError:
            continue  # Damage made one name the directory of another.
