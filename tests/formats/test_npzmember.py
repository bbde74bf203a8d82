"""Deflated members, inflated piece by piece: the bytes that went in, or what is wrong with them."""

import io
import zipfile
import zlib
from collections.abc import Callable

import numpy as np
import pytest

from gpool_cli.formats import npzmember
from gpool_cli.formats.npzmember import DeflatedMember

NOISE = np.random.default_rng(0).integers(0, 256, 700_000, "u1").tobytes()


@pytest.fixture(params=["libdeflate", "zlib"], autouse=True)
def checksum(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "zlib":
        monkeypatch.setattr(npzmember, "crc32", zlib.crc32)
    elif npzmember.libdeflate is None:
        pytest.skip("deflate is not installed")


def archive(content: bytes) -> tuple[io.BytesIO, zipfile.ZipInfo]:
    file = io.BytesIO(b"bytes in front")
    file.seek(0, io.SEEK_END)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("before", b"x" * 1000)
        zipped.writestr("member.npy", content)
        zipped.writestr("behind", b"y" * 1000)
        return file, zipped.getinfo("member.npy")


def read_all(file: io.BytesIO, member: zipfile.ZipInfo, step: int = 100_003) -> bytes:
    stream = DeflatedMember(file, member)
    content, buffer = b"", memoryview(bytearray(step))
    while count := stream.readinto(buffer):
        file.seek(3)  # As another reader of the archive would.
        content += buffer[:count]
    assert stream.readinto(buffer) == 0
    return content


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"a",
        NOISE,
        bytes(3_000_000),
        *(bytes(n) for n in range(262_144 - 2, 262_144 + 260, 37)),
        NOISE[:65_536] + bytes(262_144) + NOISE[:1000],
    ],
    ids=lambda content: f"{len(content)}",
)
@pytest.mark.parametrize("step", [1 << 14, 1 << 20])
def test_what_went_in_comes_out(content: bytes, step: int) -> None:
    file, member = archive(content)
    assert read_all(file, member, step) == content
    assert DeflatedMember(file, member).read(len(content) + 9) == content
    assert DeflatedMember(file, member).read(5) == content[:5]


def without_a_byte(member: zipfile.ZipInfo) -> None:
    member.compress_size -= 1


def with_another_checksum(member: zipfile.ZipInfo) -> None:
    member.CRC ^= 1


@pytest.mark.parametrize(
    ("spoil", "error"),
    [(without_a_byte, EOFError), (with_another_checksum, zipfile.BadZipFile)],
)
@pytest.mark.parametrize("content", [b"a", NOISE, bytes(300_000)], ids=["a", "noise", "zeros"])
def test_what_is_no_such_member(
    spoil: Callable[[zipfile.ZipInfo], None], error: type[Exception], content: bytes
) -> None:
    file, member = archive(content)
    spoil(member)
    with pytest.raises(error):
        read_all(file, member)


def test_a_bomb_comes_in_pieces() -> None:
    file, member = archive(bytes(50_000_000))
    stream = DeflatedMember(file, member)
    assert stream.readinto(memoryview(bytearray(10_000_000))) < 1_000_000
