"""``gpool cost``: the table, the JSON lines, and where the shape comes from."""

import json

import numpy as np
import pytest


def test_vgg16_as_a_table(gpool):
    ran = gpool("cost", "--shape", "7x7x512", "--classes", "4096")
    lines = ran.out.splitlines()
    assert ran.code == 0
    assert " ".join(lines[0].split()) == "map classifier parameters multiply-adds bytes other sizes"
    assert lines[2].split()[-5:] == ["102,764,544", "102,760,448", "411", "MB", "retrain"]
    assert lines[5].split()[0] == "14x14x512"
    assert "must be retrained for every other size" in ran.out
    assert max(map(len, lines)) <= 80


def test_json_lines(gpool):
    ran = gpool("cost", "--shape", "7X7×2048", "--classes", "1000", "--size", "10x8", "--json")
    said = [json.loads(line) for line in ran.out.splitlines()]
    assert said[1] == {
        "map": [7, 7, 2048],
        "classes": 1000,
        "classifier": "pooling + linear",
        "parameters": 2_049_000,
        "multiply_adds": 2_148_352,
        "bytes": 8_196_000,
        "any_size": True,
    }
    assert [one["map"] for one in said[3:]] == [[10, 8, 2048], [10, 8, 2048], [10, 8, 1000]]
    assert said[3]["parameters"] == 10 * 8 * 2048 * 1000 + 1000


def test_files_say_their_shapes_each_once(gpool, save):
    save("t/a.npy", (4, 5, 3))
    save("t/b.npz", (2, 4, 5, 3))
    save("t/c.h5", (3, 6, 6))
    ran = gpool("cost", "t", "--classes", "2", "--json", "--size", "4x5")
    shapes = [json.loads(line)["map"] for line in ran.out.splitlines()[::3]]
    assert shapes == [[4, 5, 3], [3, 6, 6], [4, 5, 6]]
    ran = gpool("cost", "t/c.h5", "--layout", "CHW", "--classes", "2", "--json")
    assert json.loads(ran.out.splitlines()[0])["map"] == [6, 6, 3]


@pytest.mark.parametrize("shape", ["7", "7x", "x7", "7x0x3", "-7x7x3", "7x7x512.5", "a"])
def test_words_that_are_no_shape(gpool, shape):
    ran = gpool("cost", "--shape", shape, "--classes", "2")
    assert (ran.code, f"{shape!r} is no shape" in ran.err) == (2, True)
    assert gpool("cost", "--shape", "7x7x3", "--size", shape, "--classes", "2").code == 2


def test_nothing_to_count(gpool, here):
    assert gpool("cost", "--classes", "2").errors == [
        "gpool: error: no map was named (name a file, or say its --shape, as in 7x7x512)"
    ]
    assert gpool("cost", ".", "--classes", "2").code == 1
    assert gpool("cost", "nope.npy", "--classes", "2").code == 1
    assert gpool("cost", "--shape", "7x7x3").code == 2


def test_a_doubtful_layout_is_said(gpool, here):
    np.save("chw.npy", np.ones((512, 14, 14), "f4"))
    ran = gpool("cost", "chw.npy", "--classes", "5")
    assert ran.code == 0
    assert "--layout" in ran.err


def test_a_size_for_what_has_none(gpool, here):
    ran = gpool("cost", "--shape", "7x7", "--size", "14x14", "--classes", "5")
    assert (ran.code, "a map of 7x7 has no height and width" in ran.err) == (2, True)
