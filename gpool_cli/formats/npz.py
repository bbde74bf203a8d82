"""npz: a zip archive whose members are npy arrays, stored or deflated."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import IO, Any, BinaryIO

import numpy as np

from gpool_cli.access import DEFAULT_ACCESS, Access
from gpool_cli.errors import InputError
from gpool_cli.formats.archive import open_archive
from gpool_cli.formats.files import open_regular, will_read
from gpool_cli.formats.interface import Array, Reader, Writer, WriteStyle, cut_parts
from gpool_cli.formats.naming import member_name
from gpool_cli.formats.npyheader import NpyHeader, read_header
from gpool_cli.formats.npyinfo import describe
from gpool_cli.formats.npystream import read_values
from gpool_cli.formats.npzmember import DeflatedMember
from gpool_cli.formats.npzplaces import Member, Places
from gpool_cli.formats.stacks import Stacks
from gpool_cli.model import ArrayInfo, Block, Part, Result
from gpool_cli.printable import printable
from gpool_cli.recipe import PoolingSpec

_LONGEST_NAME = 65_535
_LOCAL_HEADER = 30
_DAMAGE = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, LookupError, ValueError)
_METHODS = {zipfile.ZIP_STORED: "stored", zipfile.ZIP_DEFLATED: "deflate"}


class NpzReader(Reader):
    """Reads the members of an archive, each as a stream.

    Args:
        path: A regular file.
    """

    sequential = True

    def __init__(self, path: str, access: Access = DEFAULT_ACCESS) -> None:
        super().__init__(path, access)
        self._file = open_regular(path)
        try:
            start = self._file.read(2)
            if not start:
                raise InputError("is empty", "there is no array in it")
            if start != b"PK" and not zipfile.is_zipfile(self._file):
                raise InputError("is no npz file", "an npz file is a zip archive of npy arrays")
            with _zip_errors(""):
                self._zip = open_archive(self._file, access)
            listed = [member for member in self._zip.infolist() if not _is_dir(member)]
            self._members = {_dataset(member): member for member in listed}
            self._repeats = len(self._members) < len(listed)
        except BaseException:
            self._file.close()
            raise

    def arrays(self) -> Iterator[ArrayInfo]:
        if not self._members:
            raise InputError("holds no arrays", "the archive is empty")
        if self._repeats:
            raise InputError("has two members of one name", "save the archive again")
        for name, member in self._members.items():
            try:
                yield self._describe(name, member)
            except InputError as error:
                # The other members may be good.
                yield ArrayInfo(name, (), None, error.message, "unknown", broken=True)

    def blocks(
        self, info: ArrayInfo, parts: Sequence[Part] | None = None
    ) -> Iterator[tuple[Block, Array]]:
        member = self._members[info.dataset]
        # Its own header may be a few bytes longer than what the directory has of it.
        behind = member.header_offset + _LOCAL_HEADER + len(member.orig_filename)
        will_read(self._file, [(member.header_offset, behind + member.compress_size)])
        with _zip_errors(info.dataset), self._zip.open(member) as checked:
            stream: Any = checked
            if member.compress_type == zipfile.ZIP_DEFLATED:
                stream = DeflatedMember(self._file, member)
            _header(stream)
            yield from read_values(info, cut_parts(info), stream.readinto)
            # Reading past the last value is what compares the checksum.
            if stream.read(1):
                raise InputError("has bytes behind its values", "save the archive again")

    def close(self) -> None:
        self._zip.close()
        self._file.close()

    def _describe(self, name: str, member: zipfile.ZipInfo) -> ArrayInfo:
        method = _METHODS.get(member.compress_type, f"method {member.compress_type}")
        if not member.filename.endswith(".npy"):
            return ArrayInfo(name, (), None, "is no npy array", "file", filters=(method,))
        if member.compress_type not in _METHODS:
            # zipfile unpacks these without a bound on what comes out at a time.
            reason = f"is compressed by {method}; gpool reads stored and deflated members"
            return ArrayInfo(name, (), None, reason, "unknown", filters=(method,), broken=True)
        with _zip_errors(""), self._zip.open(member) as stream:
            header = _header(stream)
        info = describe(header, name, self.access.view, (method,))
        if not info.refusal and header.length + header.nbytes != member.file_size:
            raise InputError(
                f"holds {member.file_size - header.length} bytes of values, "
                f"its header asks for {header.nbytes}",
                "save the archive again",
            )
        return info


class NpzWriter(Writer):
    """Writes one member per result, or a stack per pooling with the names of its rows."""

    in_turns = True

    def __init__(self, file: BinaryIO, style: WriteStyle) -> None:
        super().__init__(file, style)
        self._zip = Places(file)
        self._stacks = Stacks()
        self._open: dict[PoolingSpec, Member] = {}

    def add(self, result: Result) -> None:
        if self.style.stack:
            self._stacks.add(result)
        else:
            self._add_member(result)

    def _add_member(self, result: Result) -> None:
        if result.start == 0:
            self._open.pop(result.pooling, None)
            name, dtype = member_name(result, self.style), result.values.dtype
            self._open[result.pooling] = self._member(name, result.shape, dtype)
        if result.pooling not in self._open:
            raise InputError("has no place in the output, as its first rows had none")
        self._open[result.pooling].write_values(result.values)
        if result.is_last:
            self._open.pop(result.pooling).finish()

    def finish(self) -> None:
        for name, rows in self._stacks.spools.items():
            member = self._member(name, rows.shape(True), rows.dtype)
            for chunk in rows.chunks():
                member.write_values(chunk)
            member.finish()
        if self._stacks.rows:
            text = np.dtype(f"U{self._stacks.longest}")
            member = self._member("sources", (self._stacks.rows,), text)
            for names in self._stacks.names():
                member.write_values(np.array(names, text))
            member.finish()
        self._stacks.close()
        self._zip.close()

    def abandon(self) -> None:
        self._stacks.close()
        with suppress(OSError, ValueError):
            self._zip.close()

    def _member(self, name: str, shape: tuple[int, ...], dtype: np.dtype[np.generic]) -> Member:
        """Begin a member."""
        member = f"{name}.npy"
        if self._zip.has(member):
            raise InputError(
                f"would be the second {printable(member)!r} in the output",
                "write it into a directory, or as rows (.npy, .csv, .jsonl)",
            )
        if len(member.encode()) > _LONGEST_NAME:
            raise InputError(
                f"has a name of {len(name.encode())} bytes, too long for npz",
                "write it to .h5, or as rows (.npy, .csv, .jsonl)",
            )
        return self._zip.place(member, shape, dtype)


def _dataset(member: zipfile.ZipInfo) -> str:
    return member.filename.removesuffix(".npy")


def _is_dir(member: zipfile.ZipInfo) -> bool:
    return member.filename.endswith("/")  # zipfile's own stumbles over an empty name.


def _header(stream: IO[bytes] | DeflatedMember) -> NpyHeader:
    header = read_header(stream.read)
    if header is None:
        raise InputError("is empty", "there is no array in it")
    return header


@contextmanager
def _zip_errors(name: str) -> Iterator[None]:
    """Say what zipfile finds in the words of a user, with the member it is about."""
    prefix = f"member {printable(name)!r} " if name else ""
    try:
        yield
    except _DAMAGE as error:
        raise InputError(
            f"{prefix}is a damaged zip archive: {printable(str(error))}", "copy or save it again"
        ) from None
    except (NotImplementedError, RuntimeError) as error:
        raise InputError(
            f"{prefix}can't be unpacked: {printable(str(error))}",
            "save it with numpy.savez or numpy.savez_compressed",
        ) from None
    except InputError as error:
        raise InputError(prefix + error.message, error.hint) from None
