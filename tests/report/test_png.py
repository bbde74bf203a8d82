"""PNG and photographs: pixels as they were meant, and errors instead of anything else."""

import io
import os
import struct
import sys
import zlib

import numpy as np
import pytest

from gpool_cli.errors import InputError, UsageError
from gpool_cli.raster import Box
from gpool_cli.report.colours import NAN_COLOUR, viridis
from gpool_cli.report.picture import Picture
from gpool_cli.report.png import blended, encode_png, read_photograph
from gpool_cli.report.sheet import sheet, sheet_box


@pytest.fixture
def image():
    return pytest.importorskip("PIL.Image")


PIXELS = np.arange(24, dtype=np.uint8).reshape(2, 4, 3) * 10


def chunks(data: bytes) -> list[bytes]:
    """The names of the chunks of a PNG."""
    names, place = [], 8
    while place < len(data):
        (length,) = struct.unpack(">I", data[place : place + 4])
        names.append(data[place + 4 : place + 8])
        place += length + 12
    return names


def test_a_png_has_the_pixels_and_nothing_else(image):
    data = encode_png(PIXELS)
    assert np.array_equal(np.asarray(image.open(io.BytesIO(data))), PIXELS)
    assert set(chunks(data)) == {b"IHDR", b"IDAT", b"IEND"}
    assert data == encode_png(np.asfortranarray(PIXELS))


def test_without_pillow_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    with pytest.raises(UsageError, match="need Pillow") as error:
        encode_png(PIXELS)
    assert error.value.hint == "pip install 'gpool[plot]'"


@pytest.mark.parametrize("suffix", ["png", "bmp", "tiff", "ppm", "webp", "gif", "jpg"])
def test_a_photograph_is_read_whatever_its_format(image, tmp_path, suffix):
    path = tmp_path / f"photo.{suffix}"
    image.new("RGB", (6, 4), (250, 20, 60)).save(path)
    pixels = read_photograph(str(path))
    assert (pixels.shape, pixels.dtype) == ((4, 6, 3), np.uint8)
    assert np.abs(pixels.astype(int) - (250, 20, 60)).max() <= 3


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGBA", "CMYK", "1", "I;16"])
def test_a_photograph_has_three_colours_in_the_end(image, tmp_path, mode):
    path = tmp_path / ("photo.tiff" if mode == "CMYK" else "photo.png")
    image.new(mode, (5, 3)).save(path)
    assert read_photograph(str(path)).shape == (3, 5, 3)


def test_a_photograph_stands_as_the_camera_stood(image, tmp_path):
    picture = image.fromarray(np.repeat(PIXELS, 8, axis=0).repeat(8, axis=1))
    exif = picture.getexif()
    exif[0x0112] = 6  # turn by 90 degrees
    picture.save(tmp_path / "turned.png", exif=exif)
    assert np.array_equal(
        read_photograph(str(tmp_path / "turned.png"))[::8, ::8], np.rot90(PIXELS, -1)
    )


def test_what_is_no_photograph_is_an_error_with_its_path(image, tmp_path):
    path = tmp_path / "no\x1bphoto.jpg"
    path.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")
    with pytest.raises(InputError, match="no.x1bphoto.jpg: is no photograph"):
        read_photograph(str(path))


@pytest.mark.parametrize("place", ["missing.png", ".", "fifo"])
def test_what_is_no_file_is_an_error_at_once(image, tmp_path, place):
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(InputError, match="can't be read: No such file|is not a regular file"):
        read_photograph(str(tmp_path / place))


@pytest.mark.parametrize("cut", [8, 30, 60, 400])
def test_a_damaged_photograph_is_an_error(image, tmp_path, cut):
    path = tmp_path / "photo.png"
    noise = np.random.default_rng(0).integers(0, 256, (20, 20, 3), np.uint8)
    path.write_bytes(encode_png(noise)[:cut])
    with pytest.raises(InputError, match="photo.png: (can't be read|is no photograph)"):
        read_photograph(str(path))


@pytest.mark.parametrize("side", [10_000, 60_000])
def test_a_photograph_of_too_many_pixels_is_refused_unread(image, tmp_path, side):
    def chunk(name: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(name + data))
        return struct.pack(">I", len(data)) + name + data + check

    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    path = tmp_path / "bomb.png"
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")
    )
    with pytest.raises(InputError, match="too many pixels"):
        read_photograph(str(path))


def test_a_blend_is_rounded_between_the_two():
    heat, photograph = np.full((1, 1, 3), 200, np.uint8), np.full((1, 1, 3), 100, np.uint8)
    assert blended(heat, photograph, 0.0).tolist() == [[[100] * 3]]
    assert blended(heat, photograph, 1.0).tolist() == [[[200] * 3]]
    assert blended(heat, photograph, 0.256).tolist() == [[[126] * 3]]


def test_a_sheet_has_every_value_in_its_colour(image):
    cells = np.array([[0.0, 1.0, np.nan], [0.25, 0.5, 0.75]])
    pixels = sheet([Picture(cells, (2, 3))])
    times = 1024 // 3
    assert sheet_box(1) == Box(1024, 1024)
    middle = 8 + times // 2 + times * np.arange(3)
    assert np.array_equal(pixels[middle[:2]][:, middle], viridis(cells))
    assert tuple(pixels[middle[0], middle[2]]) == NAN_COLOUR
    corners = pixels[8 : 8 + 2 * times, 8 : 8 + 3 * times]
    assert (corners != 255).any(axis=2).all()
    assert (pixels[:8] == 255).all()


def test_a_sheet_has_titles_and_a_legend(image):
    maps = [np.full((2, 2), float(value)) for value in range(5)]
    titled = sheet([Picture(cells, (2, 2), title=f"c{i}") for i, cells in enumerate(maps)])
    plain = sheet([Picture(cells, (2, 2)) for cells in maps])
    side = 1024 // 3 // 2 * 2
    assert plain.shape[:2] == (8 + 2 * (side + 8) + 28 + 8, 8 + 3 * (side + 8))
    assert titled.shape[0] == plain.shape[0] + 2 * 14
    assert (titled[8:20, 8:30] == 0).any()
    # The bar of the legend goes through all colours.
    legend = plain[8 + 2 * (side + 8) : 8 + 2 * (side + 8) + 5].reshape(-1, 3)
    assert {tuple(c) for c in viridis(np.linspace(0, 1, 160))} <= {tuple(c) for c in legend}


@pytest.mark.parametrize("count", [1, 2, 16, 256])
def test_a_sheet_of_any_number_stays_of_a_size(image, count):
    cells = np.zeros((1, sheet_box(count).width))
    pixels = sheet([Picture(cells, cells.shape, 99, title="c1279 -1.28617e-05")] * count)
    assert max(pixels.shape) < 2400
