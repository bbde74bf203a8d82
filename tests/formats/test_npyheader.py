"""The npy header: every form that numpy wrote, and no code from a file."""

import contextlib
import io
import warnings

import numpy as np
import pytest

from gpool_cli.errors import InputError
from gpool_cli.formats.npyheader import NpyHeader, read_header

GOOD = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4, 5), }"


def raw(text: str | bytes, version: int = 1) -> bytes:
    """A header of this text, whether numpy would write it or not."""
    if isinstance(text, str):
        text = text.encode("utf-8" if version == 3 else "latin-1")
    width = 2 if version == 1 else 4
    return b"\x93NUMPY" + bytes([version, 0]) + len(text).to_bytes(width, "little") + text


def parsed(data: bytes) -> NpyHeader:
    header = read_header(io.BytesIO(data).read)
    assert header is not None
    return header


def said(**fields: str) -> str:
    """A header's text with some of its fields changed."""
    all_fields = {"descr": "'<f4'", "fortran_order": "False", "shape": "(3,)"} | fields
    return "{" + ", ".join(f"'{key}': {value}" for key, value in all_fields.items()) + "}"


def refusal(data: bytes) -> InputError:
    with pytest.raises(InputError) as caught:
        parsed(data)
    assert caught.value.hint
    return caught.value


class TestGood:
    @pytest.mark.parametrize("version", [1, 2, 3])
    def test_every_version(self, version: int) -> None:
        data = raw(GOOD, version)

        header = parsed(data + b"values")

        assert header.shape == (3, 4, 5)
        assert header.dtype == np.dtype("<f4")
        assert not header.fortran
        assert header.refusal == ""
        assert header.length == len(data)
        assert header.nbytes == 240

    @pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
    @pytest.mark.parametrize("shape", [(), (3,), (3, 4), (1, 2, 3, 4, 5)])
    @pytest.mark.parametrize("order", ["C", "F"])
    def test_what_numpy_writes(
        self, version: tuple[int, int], shape: tuple[int, ...], order: str
    ) -> None:
        file = io.BytesIO()
        array = np.zeros(shape, ">f8", order)  # type: ignore[call-overload]
        np.lib.format.write_array(file, array, version)

        header = parsed(file.getvalue())

        assert header.shape == shape
        assert header.dtype == np.dtype(">f8")
        assert header.length + header.nbytes == len(file.getvalue())
        assert header.fortran == (array.flags.fnc)

    @pytest.mark.parametrize(
        "text",
        [
            "{'descr': '<f4', 'fortran_order': False, 'shape': (3L, 4L, 5L), }",
            "{'shape': (3, 4, 5), 'fortran_order': False, 'descr': '<f4'}",
            '{"descr": "<f4", "fortran_order": False, "shape": (3, 4, 5)}',
            "{'descr':'<f4','fortran_order':False,'shape':(3,4,5)}",
            "  {'descr' :\t'<f4',\n 'fortran_order':False , 'shape': (3 ,4,\r\n5,) ,} \n\n",
            GOOD + " " * 70 + "\n",
            GOOD,
            "{'descr': u'<f4', 'fortran_order': False, 'shape': (3, 4, 5)}",
            "{'descr': 'float32', 'fortran_order': False, 'shape': (0x3, 4, 5)}",
        ],
    )
    def test_every_spelling(self, text: str) -> None:
        header = parsed(raw(text))
        assert header.shape == (3, 4, 5)
        assert header.dtype == np.float32

    def test_nothing_left_is_no_header(self) -> None:
        assert read_header(io.BytesIO(b"").read) is None

    def test_only_the_header_is_read(self) -> None:
        file = io.BytesIO(raw(GOOD) + b"values")
        read_header(file.read)
        assert file.read() == b"values"

    def test_sizes_are_exact(self) -> None:
        assert parsed(raw(said(shape=f"({2**62}, {2**62})"))).nbytes == 4 * 2**124


class TestRefusedTypes:
    @pytest.mark.parametrize(
        ("descr", "why"),
        [
            ("'|O'", "holds objects"),
            ("'|S8'", "holds strings"),
            ("'<U8'", "holds strings"),
            ("'<c8'", "is complex"),
            ("'<M8[s]'", "holds dates"),
            ("'<m8[s]'", "holds time spans"),
            ("'|V8'", "is opaque"),
            ("[('x', '<f4'), ('y', '<f4')]", "is compound"),
            ("'f4,f4'", "is compound"),
            ("'(2,2)f4'", "is compound"),
        ],
    )
    def test_a_type_that_is_no_number(self, descr: str, why: str) -> None:
        assert parsed(raw(said(descr=descr))).refusal == why

    @pytest.mark.skipif(np.dtype("g").itemsize == 8, reason="long double is float64 here")
    def test_wider_than_float64(self) -> None:
        descr = repr(np.dtype("g").str)
        assert parsed(raw(said(descr=descr))).refusal == "is wider than float64"


class TestRefused:
    @pytest.mark.parametrize(
        ("data", "message"),
        [
            (b"hello", "is no npy file"),
            (b"\x93NUMPX\x01\x00", "is no npy file"),
            (b"\x93NUM", "is truncated inside its npy header"),
            (b"\x93NUMPY\x01", "is truncated inside its npy header"),
            (b"\x93NUMPY\x01\x00\x10", "is truncated inside its npy header"),
            (raw(GOOD)[:-1], "is truncated inside its npy header"),
            (b"\x93NUMPY\x04\x00" + raw(GOOD)[8:], "has npy format version 4.0"),
            (b"\x93NUMPY\x00\x00" + raw(GOOD)[8:], "has npy format version 0.0"),
            (raw(" " * 10_001), "has an npy header of 10001 bytes"),
            (b"\x93NUMPY\x02\x00\xff\xff\xff\xff", "has an npy header of 4294967295 bytes"),
            (raw(b"\xff\xfe", 3), "has a damaged npy header: it is not UTF-8"),
        ],
    )
    def test_what_is_no_header(self, data: bytes, message: str) -> None:
        assert refusal(data).message == message

    @pytest.mark.parametrize(
        ("text", "what"),
        [
            ("", "can't be parsed"),
            ("[", "can't be parsed"),
            ("{'descr': '<f4', 'shape': (3,)}", "has not the three keys"),
            (said(more="1"), "has not the three keys"),
            ("[1, 2]", "has not the three keys"),
            ("{[]: 1}", "can't be parsed"),
            (said(fortran_order="0"), "has a fortran_order that is neither True nor False"),
            (said(shape="[3]"), "has a shape that is no tuple of integers"),
            (said(shape="3"), "has a shape that is no tuple of integers"),
            (said(shape="(3.0,)"), "has a shape that is no tuple of integers"),
            (said(shape="(True,)"), "has a shape that is no tuple of integers"),
            (said(shape="('3',)"), "has a shape that is no tuple of integers"),
            (said(shape="(-3,)"), "has an impossible shape"),
            (said(shape=f"({2**63},)"), "has an impossible shape"),
            (said(shape="(" + "1," * 65 + ")"), "has an impossible shape"),
            (said(descr="None"), "has a descr that is no type"),
            (said(descr="{'names': ['x']}"), "has a descr that is no type"),
            (said(descr="'<q9'"), "has the unknown type '<q9'"),
            (said(descr="'\\x1b[31m'"), "has the unknown type '\\\\x1b[31m'"),
        ],
    )
    def test_damaged_text(self, text: str, what: str) -> None:
        error = refusal(raw(text))
        assert error.message.startswith(f"has a damaged npy header: it {what}")
        assert error.hint == "save the array again"

    @pytest.mark.parametrize(
        "text",
        [
            "__import__('os').system('touch EXECUTED')",
            said(shape="(__import__('os').getpid(),)"),
            said(descr="open('EXECUTED', 'w')"),
            said(shape="tuple(range(3))"),
            said(shape="(1,) * 3"),
            said(shape="(2 ** 3,)"),
            "lambda: 0",
            "f'{open}'",
        ],
    )
    def test_code_is_not_run(self, text: str, tmp_path, monkeypatch) -> None:
        monkeypatch.chdir(tmp_path)
        assert "damaged npy header" in refusal(raw(text)).message
        assert not list(tmp_path.iterdir())

    @pytest.mark.parametrize(
        "text",
        [
            "(" * 9999,
            "[" * 4999 + "]" * 4999,
            "{'a':" * 1500,
            "-" * 9998 + "1",
            "1+" * 4999 + "1",
            "not " * 2400 + "1",
            "9" * 9999,
            "\0",
            "'\\N{no such name}'",
            said(descr="'" + "(" * 4000 + "'"),
            said(descr="'" + "f4," * 3000 + "'"),
            said(descr="'<U99999999999'"),
            said(descr="'f4,(99999999999999999999,)i4'"),
        ],
        ids=lambda text: ascii(text[:24]),
    )
    def test_bombs(self, text: str) -> None:
        data = raw(text)
        if "'f4,f4," in text:
            assert parsed(data).refusal == "is compound"
        else:
            assert len(refusal(data).message) < 200

    @pytest.mark.parametrize("text", [said(descr="'a10'"), "'\\d'", "1or 2", "(1)(2)"])
    def test_what_python_warns_of_is_silent(self, text: str) -> None:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            with contextlib.suppress(InputError):
                parsed(raw(text))
        assert not caught

    @pytest.mark.parametrize(
        ("data", "name"),
        [
            (b"\x89PNG\r\n\x1a\n", "a PNG picture"),
            (b"\xff\xd8\xff\xe0\0\0\0\0", "a JPEG picture"),
            (b"GIF89a\0\0", "a GIF picture"),
            (b"%PDF-1.7", "a PDF document"),
            (b"PK\x03\x04\0\0\0\0", "a zip archive, as npz is"),
            (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
            (b"\x1f\x8b\x08\0\0\0\0\0", "a gzip file"),
            (b"\x80\x02\x8a\nl\xfc\x9cF", "a pickle, as PyTorch writes"),
            (b"\x80\x04\x95\0\0\0\0\0", "a pickle"),
            (b"<!DOCTYPE html>", "an HTML page"),
            (b"0.1,0.2,0.3", "text"),
        ],
    )
    def test_what_it_is_instead(self, data: bytes, name: str) -> None:
        assert refusal(data).message == f"is no npy file but {name}"

    @pytest.mark.parametrize("data", [b"PK\x03\x04\0\0\0\0", b"\x89HDF\r\n\x1a\n"])
    def test_a_container_on_a_pipe(self, data: bytes) -> None:
        with pytest.raises(InputError) as caught:
            read_header(io.BytesIO(data).read, piped=True)
        assert caught.value.hint == "a pipe takes npy only: name the file instead"

    def test_what_is_not_ascii_is_escaped(self) -> None:
        assert refusal(b"\xe9\xa0\n\x7fA").hint == "it starts with \\xe9\\xa0\\x0a\\x7fA"

    def test_a_glimpse_of_what_is_no_npy_file_is_escaped(self) -> None:
        error = refusal(b"\x1b[31mred")
        assert error.hint == "it starts with \\x1b[31mred"
