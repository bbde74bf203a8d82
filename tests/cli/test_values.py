"""Shapes, layouts, types, NaN: the options that change what a result is."""

import io
import json

import numpy as np
import pytest


def pooled(ran) -> np.ndarray:
    assert ran.code == 0, ran.err
    return np.load(io.BytesIO(ran.data))


@pytest.mark.parametrize(
    ("shape", "layout", "style", "expected"),
    [
        ((4, 5, 3), "HWC", "channels-last", (1, 1, 3)),
        ((3, 4, 5), "CHW", "channels-last", (1, 1, 3)),
        ((3, 4, 5), "CHW", "keepdims", (3, 1, 1)),
        ((3, 4, 5), "chw", "flat", (3,)),
        ((2, 4, 5, 3), "NHWC", "channels-last", (2, 1, 1, 3)),
        ((2, 3, 4, 5), "BCHW", "channels-last", (2, 1, 1, 3)),
        ((2, 3, 4, 5), "channels_first", "keepdims", (2, 3, 1, 1)),
        ((2, 4, 5, 3), "channels_last", "flat", (2, 3)),
        ((2, 4, 5, 3), "HWC", "flat", (2, 3)),
        ((6, 3), "LC", "channels-last", (1, 3)),
        ((2, 3, 4, 5, 6), "NDHWC", "channels-last", (2, 1, 1, 1, 6)),
        ((4, 5), "HW", "channels-last", (1, 1, 1)),
        ((6, 3), "NC", "channels-last", (6, 3)),
    ],
)
def test_shapes(gpool, save, shape, layout, style, expected):
    values = save("a.npy", shape)
    got = pooled(gpool("max", "a.npy", "--layout", layout, "--shape", style, "-o", "-"))
    assert got.shape == expected
    assert got.max() == values.max()


def test_the_layout_may_come_from_the_environment_and_a_flag_wins(gpool, save, monkeypatch):
    save("a.npy", (3, 4, 5))
    monkeypatch.setenv("GPOOL_LAYOUT", "CHW")
    assert pooled(gpool("max", "a.npy", "-o", "-")).shape == (1, 1, 3)
    assert pooled(gpool("max", "a.npy", "--layout", "HWC", "-o", "-")).shape == (1, 1, 5)
    assert json.loads(gpool("info", "a.npy", "--json").out)["layout"] == "CHW"
    monkeypatch.setenv("GPOOL_LAYOUT", "")
    assert pooled(gpool("max", "a.npy", "-o", "-")).shape == (1, 1, 5)


@pytest.mark.parametrize(
    ("layout", "said"),
    [
        ("HWD", "the layout 'HWD' has no channels: D is depth (did you mean HWC?)"),
        ("HWQ", "the layout 'HWQ' has no meaning for 'Q'"),
        ("HHC", "the layout 'HHC' names an axis twice"),
        ("", "the layout '' is empty"),
    ],
)
def test_words_that_are_no_layout(gpool, save, layout, said):
    save("a.npy")
    ran = gpool("avg", "a.npy", "--layout", layout)
    assert (ran.code, len(ran.errors)) == (2, 1)
    assert ran.err.startswith(f"gpool: error: {said}")


def test_a_layout_with_too_few_letters(gpool, save):
    save("a.npy", (2, 3, 4, 5, 6))
    ran = gpool("avg", "a.npy", "--layout", "HWC")
    assert ran.code == 1
    assert ran.errors == [
        "gpool: error: a.npy: the layout HWC has 3 letters, the array 5 axes 2x3x4x5x6 (give one "
        "letter per axis with --layout; only a leading batch axis may be left out)"
    ]


def test_a_suspect_layout_is_warned_of_once_with_the_flag_that_settles_it(gpool, save):
    for name in ("t/a.npy", "t/b.npy", "t/c.npy"):
        save(name, (64, 7, 7))
    save("t/fine.npy", (7, 7, 64))
    ran = gpool("avg", "t", "-o", "out")
    assert ran.code == 0
    assert ran.errors == [
        "gpool: warning: 3 maps, first t/a.npy: the shape looks channels-first: "
        "--layout CHW pools it so, --layout HWC keeps it"
    ]
    assert gpool("avg", "t", "-o", "hwc", "--layout", "HWC").err == ""
    assert gpool("avg", "t", "-o", "quiet", "-q").err == ""


def test_strict_makes_warnings_failures(gpool, save, here):
    save("t/a.npy", (64, 7, 7))
    save("t/b.npy", (7, 7, 64))
    ran = gpool("avg", "t", "-o", "out", "--strict")
    assert ran.code == 1
    assert len(ran.errors) == 1
    assert ran.err.startswith("gpool: error: t/a.npy: may have another layout (the shape looks")
    assert [p.name for p in (here / "out").glob("[!.]*")] == ["b.npy"]


def test_vectors_are_no_map(gpool, save):
    save("a.npy", (100, 64))
    assert "--layout LC pools them" in gpool("avg", "a.npy").err
    assert gpool("avg", "a.npy", "--strict").code == 1
    assert gpool("avg", "a.npy", "--strict", "--layout", "LC").code == 0


@pytest.mark.parametrize(
    ("dtype", "avg", "largest"),
    [
        ("float16", "float32", "float16"),
        ("bool", "float32", "bool"),
        ("uint8", "float32", "uint8"),
        ("int16", "float32", "int16"),
        ("int32", "float64", "int32"),
        ("uint64", "float64", "uint64"),
        ("float64", "float64", "float64"),
        (">f4", "float32", "float32"),
    ],
)
def test_types(gpool, save, dtype, avg, largest):
    save("a.npy", dtype=dtype)
    assert pooled(gpool("avg", "a.npy", "-o", "-")).dtype == avg
    assert pooled(gpool("max", "a.npy", "-o", "-")).dtype == largest


def test_a_dtype_may_be_asked_for(gpool, save):
    save("a.npy")
    assert pooled(gpool("avg", "a.npy", "--dtype", "float64", "-o", "-")).dtype == np.float64


@pytest.mark.parametrize(
    ("values", "words", "said"),
    [
        ([1.0, 2.0], ("avg", "--dtype", "int32"), "1.5"),
        ([1e6, 1e6], ("max", "--dtype", "float16"), "float16"),
        ([300.0, 300.0], ("max", "--dtype", "uint8"), "uint8"),
    ],
)
def test_a_value_that_does_not_fit_its_dtype_is_an_error(gpool, values, words, said):
    np.save("a.npy", np.array(values).reshape(1, 2, 1))
    ran = gpool(words[0], "a.npy", *words[1:], "-o", "-")
    assert (ran.code, ran.data) == (1, b"")
    assert ran.err.startswith("gpool: error: a.npy: ")
    assert said in ran.errors[0]


@pytest.fixture
def with_nan(here):
    values = np.arange(12, dtype="float32").reshape(2, 2, 3)
    values[0, 0, 0] = np.nan
    values[1, 1, 1] = np.inf
    np.save("a.npy", values)


def test_nan_propagates_and_is_counted(gpool, with_nan):
    ran = gpool("max", "a.npy")
    assert ran.code == 0
    assert "1 NaN in the results · 1 infinite value in the results" in ran.out
    got = pooled(gpool("max", "a.npy", "-o", "-")).ravel()
    np.testing.assert_array_equal(got, [np.nan, np.inf, 11])


def test_nan_is_left_out(gpool, with_nan):
    ran = gpool("max", "a.npy", "--nan", "omit")
    assert "1 NaN of the inputs left out" in ran.out
    got = pooled(gpool("max", "a.npy", "--nan", "omit", "-o", "-")).ravel()
    np.testing.assert_array_equal(got, [9, np.inf, 11])


def test_nan_is_an_error(gpool, with_nan):
    ran = gpool("max", "a.npy", "--nan", "error", "-o", "out.npy")
    assert ran.code == 1
    assert ran.errors == [
        "gpool: error: a.npy: holds NaN "
        "(leave them out with --nan omit, or let them be with --nan propagate)"
    ]


def test_text_and_json_write_nan_in_their_own_way(gpool, with_nan):
    line = json.loads(gpool("max", "a.npy", "-o", "-", "-f", "jsonl").out)
    assert line["values"] == [None, None, 11.0]
    assert line["layout"] == "HWC"
    assert gpool("max", "a.npy", "-o", "-", "-f", "csv").out.splitlines()[1] == (
        "a.npy,,0,max,nan,inf,11.0"
    )


def test_text_numbers_are_the_shortest_that_read_back_the_same(gpool):
    np.save("a.npy", np.array([[[0.1, 1e-7, 16777216.0]]], "float32"))
    line = gpool("max", "a.npy", "-o", "-", "-f", "csv").out.splitlines()[1]
    # Which of two equally short forms a large number takes is numpy's choice.
    assert line in (
        "a.npy,,0,max,0.1,1e-07,1.6777216e+07",
        "a.npy,,0,max,0.1,1e-07,16777216.0",
    )
