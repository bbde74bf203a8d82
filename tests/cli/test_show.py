"""``gpool show``: one map, drawn; the wrong question is answered in a line."""

import io
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from gpool_cli.report.colours import viridis

SAMPLE = Path(__file__).parents[2] / "sample_data"


def test_a_channel_of_the_sample_is_drawn(gpool):
    ran = gpool("show", SAMPLE / "chelsea_hwc.npy", "--channel", 3)
    assert (ran.code, ran.err) == (0, "")
    *heading, legend, size = ran.out.splitlines()
    heading, picture = heading[:-14], heading[-14:]
    said = " · ".join(heading)
    assert said.endswith("chelsea_hwc.npy · 7x7x1280 · HWC (default) · channel 3 of 1,280")
    assert picture[::2] == [
        "····························",
        "····························",
        "░░░░▒▒▒▒████████▒▒▒▒········",
        "········░░░░················",
        "····························",
        "····························",
        "····························",
    ]
    assert (legend, size) == ("0 ·░▒▓█ 2.9324", "7x7 values")


@pytest.mark.parametrize("name", ["chelsea_hwc.npy", "chelsea_chw.h5"])
def test_the_strongest_channels_have_their_values(gpool, name):
    lines = gpool("show", SAMPLE / name, "--top", 5).out.splitlines()
    titles = [line for line in lines if line.startswith("c")]
    assert titles == [
        "c287 4.51091        c112 4.23202        c451 3.70923        c549 3.24678",
        "c254 3.03437",
    ]
    assert "the 5 strongest of 1,280 channels by avg" in "\n".join(lines)


def test_the_pooling_says_which_are_strong(gpool, here):
    values = np.zeros((2, 2, 3))
    values[0, 0, 2], values[:, :, 1] = 3, 1
    np.save("a.npy", values)
    assert "c1 1" in gpool("show", "a.npy", "--top", 1).out
    out = gpool("show", "a.npy", "--top", 1, "--pool", "max").out
    assert "c2 3" in out
    assert "the 1 strongest of 3 channels by max" in out


def test_the_maximum_over_channels_is_not_their_mean(gpool, here):
    np.save("a.npy", np.array([[[0.0, 4.0], [0.0, 0.0]]]))
    assert gpool("show", "a.npy", "--over", "mean").out.splitlines()[-2] == "0 ·░▒▓█ 2"
    ran = gpool("show", "a.npy", "--over", "max")
    assert ran.out.splitlines()[-2] == "0 ·░▒▓█ 4"
    assert gpool("show", "a.npy").out == gpool("show", "a.npy", "--over", "mean").out


def test_a_map_of_a_batch(gpool, here):
    np.save("n.npy", np.arange(3.0).reshape(3, 1, 1, 1))
    ran = gpool("show", "n.npy", "--index", 2)
    assert ran.out.splitlines()[0] == "n.npy · 3x1x1x1 · NHWC (default) · map 2 of 3 · 1 channel"
    assert "all 2" in ran.out


def test_a_large_map_is_reduced_by_what_fits(gpool, here):
    np.save("a.npy", np.ones((90, 30, 2), "f4"))
    assert gpool("show", "a.npy").out.splitlines()[-2:] == [
        "all 1",
        "90x30 values · each cell is the mean of 5x5",
    ]
    ran = gpool("show", "a.npy", "--over", "max")
    assert ran.out.splitlines()[-1] == "90x30 values · each cell is the max of 5x5"


def test_a_pipe_is_read_once(gpool, here, stdin):
    file = io.BytesIO()
    np.save(file, np.arange(4.0).reshape(2, 2))
    stdin(file.getvalue())
    assert gpool("show", "-").out.splitlines()[-2] == "0 ·░▒▓█ 3"
    stdin(2 * file.getvalue())
    assert "more than one array came" in gpool("show", "-").err
    stdin(file.getvalue())
    ran = gpool("show", "-", "--top", 1)
    assert (ran.code, ran.out) == (1, "")
    assert "a pipe can't be read twice" in ran.err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["a.npy", "--channel", 3], 1, "has 3 channels, and no channel 3"),
        (["a.npy", "--index", 1], 1, "has 1 map, and no map 1"),
        (["nope.npy"], 1, "is not there"),
        (["volume.npy"], 1, "has 3 axes to be seen (D and H and W)"),
        (["a.npy", "--layout", "NNC"], 2, "names an axis twice"),
        (["many.npz"], 1, "holds 2 maps (choose one with --key: a, b)"),
        (["many.npz", "--key", "c"], 1, "holds nothing named 'c'"),
        (["flat.h5"], 1, "flat.h5: holds no feature map"),
        (["flat.h5", "--key", "names"], 1, "flat.h5:names: holds strings"),
        (["text.npy"], 1, "holds strings"),
        (["cut.npy"], 1, "is truncated"),
        (["."], 2, "holds several files"),
        (["empty"], 1, "no feature maps were found"),
        (["a.npy", "--top", 0], 2, "0 is not in the range"),
        (["a.npy", "--top", 1, "--channel", 1], 2, "show different things"),
        (["a.npy", "--pool", "max"], 2, "add --top K"),
        (["a.npy", "--top", 1, "--pool", "mox"], 2, "there is no pooling 'mox'"),
        (["a.npy", "--top", 1, "--pool", "catavgmax"], 2, "gives a channel several numbers"),
        (["a.npy", "-o", "a.jpg"], 2, "is no PNG"),
        (["a.npy", "-o", "there.png"], 2, "is already there"),
        (["map.png", "-o", "map.png", "--overwrite"], 2, "is the input"),
    ],
)
def test_what_can_not_be_shown(gpool, save, here, words, code, said):
    if "-o" in words:
        pytest.importorskip("PIL.Image")
    save("a.npy")
    save("volume.npy", (1, 2, 3, 4, 5))
    np.save("text.npy", np.array([["a"]]))
    np.savez("many.npz", a=np.ones((2, 2, 2)), b=np.ones((2, 2, 2)))
    with h5py.File("flat.h5", "w") as file:
        file["x"], file["names"] = np.ones(3), [b"a"]
    (here / "cut.npy").write_bytes((here / "a.npy").read_bytes()[:-1])
    (here / "there.png").write_bytes(b"")
    (here / "map.png").write_bytes((here / "a.npy").read_bytes())
    (here / "empty").mkdir()
    ran = gpool("show", *words)
    assert (ran.code, ran.out) == (code, "")
    assert len(ran.errors) == 1
    assert said in ran.err
    assert (here / "there.png").read_bytes() == b""


def test_a_doubtful_layout_is_a_warning(gpool, here):
    np.save("a.npy", np.ones((64, 7, 7), "f4"))
    ran = gpool("show", "a.npy")
    assert ran.code == 0
    assert "warning: a.npy: the shape looks channels-first" in ran.err


def test_a_hostile_name_moves_no_cursor(gpool, here):
    np.save("a\x1b[2J\n.npy", np.ones((2, 2)))
    out = gpool("show", "a\x1b[2J\n.npy").out
    assert out.startswith("a\\x1b[2J\\n.npy · 2x2")
    assert "\x1b" not in out


class TestPng:
    @pytest.fixture(autouse=True)
    def _image(self):
        self.image = pytest.importorskip("PIL.Image")

    def test_the_png_has_the_values_in_their_colours(self, gpool, here):
        values = np.array([[0.0, 1.0], [2.0, 4.0]])
        np.save("a.npy", values)
        ran = gpool("show", "a.npy", "-o", "a.png")
        assert ran.out.splitlines()[-1] == "written to a.png"
        with self.image.open("a.png") as image:
            pixels = np.asarray(image)
        at = 8 + np.array([256, 768])
        assert np.array_equal(pixels[at][:, at], viridis(values / 4))

    def test_the_same_map_gives_the_same_bytes(self, gpool, here, save):
        values = save("a.npy", (9, 8, 30))
        with h5py.File("a.h5", "w") as file:
            file.create_dataset("x", data=values, chunks=(9, 8, 30))
        for name in ("a.npy", "a.h5"):
            gpool("show", name, "--top", 6, "-o", f"{name}.png")
        once = (here / "a.npy.png").read_bytes()
        assert once == (here / "a.h5.png").read_bytes()
        gpool("show", "a.npy", "--top", 6, "-o", "a.npy.png", "--overwrite")
        assert once == (here / "a.npy.png").read_bytes()
        assert gpool("show", "a.npy", "--top", 6, "-o", "-").data == once

    def test_a_large_map_is_not_made_larger(self, gpool, here):
        np.save("a.npy", np.zeros((2100, 10)))
        gpool("show", "a.npy", "-o", "a.png")
        with self.image.open("a.png") as image:
            assert image.height < 1100


def test_without_pillow_it_says_so_before_anything_is_read(gpool, here, monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    ran = gpool("show", "nope.npy", "-o", "a.png")
    assert (ran.code, ran.out) == (2, "")
    assert "pip install 'gpool[plot]'" in ran.err
