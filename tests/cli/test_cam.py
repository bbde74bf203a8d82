"""``gpool cam``: a class located through the whole command, as numbers and as pictures."""

import io
import re
from pathlib import Path

import h5py
import numpy as np
import pytest

SAMPLES = Path(__file__).resolve().parents[2] / "sample_data"
CAT = SAMPLES / "chelsea_hwc.npy"
HEAD = ("--head", SAMPLES / "lite0_head.h5", "--labels", SAMPLES / "imagenet_labels.txt")

# What torchcam says of the Egyptian cat in the picture, in float32.
TRUTH = np.array(
    [
        [2.294, 7.736, 6.796, 6.009, 5.409, 7.266, 3.329],
        [7.251, 13.202, 11.721, 13.223, 11.858, 11.251, 3.350],
        [7.065, 15.683, 12.745, 12.170, 12.525, 13.087, 1.393],
        [6.049, 17.693, 12.259, 11.063, 11.152, 10.046, 1.180],
        [4.928, 16.959, 16.367, 15.184, 13.881, 11.456, 2.243],
        [5.085, 7.455, 12.810, 16.715, 15.859, 12.919, 2.193],
        [3.915, 4.881, 5.260, 5.019, 5.408, 5.148, 1.884],
    ]
)


def array(ran) -> np.ndarray:
    assert ran.code == 0, ran.err
    return np.load(io.BytesIO(ran.data))


@pytest.mark.parametrize("wanted", ["285", "Egyptian cat", "egyptian CAT", "top1", "TOP1"])
def test_the_cat_as_another_program_sees_it(gpool, wanted):
    cam = array(gpool("cam", CAT, *HEAD, "--class", wanted, "-o", "-"))
    assert (cam.dtype, cam.shape) == (np.float32, (7, 7))
    np.testing.assert_allclose(cam, TRUTH, atol=5e-3)


def test_every_other_layout_and_format_gives_the_same(gpool, here):
    values = np.load(CAT)
    np.save("chw.npy", values.transpose(2, 0, 1))
    np.save("fortran.npy", np.asfortranarray(values))
    np.save("batch.npy", np.stack([values * 0, values]))
    np.save("wch.npy", values.transpose(1, 2, 0))
    with h5py.File("chunks.h5", "w") as file:
        file.create_dataset("m", data=values.transpose(2, 0, 1)[None], chunks=(1, 300, 3, 4))
    for words in (
        ("chw.npy", "--layout", "CHW"),
        ("fortran.npy",),
        ("batch.npy", "--index", "1"),
        ("wch.npy", "--layout", "WCH"),
        ("chunks.h5", "--layout", "NCHW"),
        (SAMPLES / "chelsea_chw.h5",),
    ):
        cam = array(gpool("cam", *words, *HEAD, "-o", "-"))
        np.testing.assert_allclose(cam, TRUTH, atol=5e-3)


def test_the_identity_is_printed_and_holds(gpool):
    for source in (CAT, SAMPLES / "chelsea_7x10.h5"):
        ran = gpool("cam", source, *HEAD, "--class", "tiger cat")
        mean, bias, total = map(
            float, re.search(r"map ([-\d.e]+) \+ bias ([-\d.e]+) = ([-\d.e]+)", ran.out).groups()
        )
        score = float(re.search(r"score ([-\d.e]+)", ran.out)[1])
        assert total == pytest.approx(mean + bias, abs=2e-5)
        assert score == pytest.approx(total, rel=2e-6)
        scores = array(gpool("classify", source, *HEAD, "--activation", "none", "-o", "-"))
        assert scores.ravel()[282] == pytest.approx(score, rel=1e-5)


def test_what_is_made_of_the_map(gpool):
    def made(*words):
        return array(gpool("cam", CAT, *HEAD, *words, "-o", "-"))

    raw = made("--class", "0")
    assert raw.min() < 0
    np.testing.assert_array_equal(made("--class", "0", "--relu"), np.maximum(raw, 0))
    stretched = made("--class", "0", "--normalize")
    assert (stretched.min(), stretched.max()) == (0, 1)
    np.testing.assert_allclose(stretched, (raw - raw.min()) / np.ptp(raw), atol=1e-6)
    # Values of torch's interpolate, of torchcam's map.
    large = made("--size", "224x224")
    assert large.shape == (224, 224)
    at = large[[0, 100, 223, 17, 60], [2, 100, 223, 201, 33]]
    np.testing.assert_allclose(made("--class", "285", "--size", "224x224"), large)
    np.testing.assert_allclose(at, [2.294, 11.810, 1.884, 4.168, 11.002], atol=5e-3)
    seen = made("--relu", "--size", "20x30", "--normalize")
    assert (seen.shape, seen.min(), seen.max()) == ((20, 30), 0, 1)


def test_a_channel_without_weights(gpool, save):
    values = save("a.npy", (4, 5, 3))
    np.testing.assert_array_equal(
        array(gpool("cam", "a.npy", "--class", "2", "-o", "-")), values[..., 2]
    )
    best = int(values.mean(axis=(0, 1)).argmax())
    np.testing.assert_array_equal(array(gpool("cam", "a.npy", "-o", "-")), values[..., best])
    assert f"class {best} " in gpool("cam", "a.npy").out


def test_a_channel_of_a_map_that_is_read_in_parts(gpool, here):
    values = np.random.default_rng(2).random((20, 512, 512), "f4")
    np.save("a.npy", values)
    ran = gpool("cam", "a.npy", "--layout", "CHW", "--class", "18", "-o", "-")
    np.testing.assert_array_equal(array(ran), values[18])


def test_files(gpool, here):
    for name in ("cam.npy", "cam.npz", "cam.h5"):
        ran = gpool("cam", CAT, *HEAD, "-o", name)
        assert (ran.code, ran.out.splitlines()[-1]) == (0, f"written to {name}")
    assert sorted(path.name for path in Path().iterdir()) == ["cam.h5", "cam.npy", "cam.npz"]
    raw = np.load("cam.npy")
    np.testing.assert_array_equal(np.load("cam.npz")["chelsea_hwc"], raw)
    with h5py.File("cam.h5") as file:
        np.testing.assert_array_equal(file["chelsea_hwc"], raw)
        assert file["chelsea_hwc"].attrs["pooling"] == "cam:class=285"
        assert [axis.label for axis in file["chelsea_hwc"].dims] == ["H", "W"]
    before = Path("cam.npy").read_bytes()
    assert gpool("cam", CAT, *HEAD, "-o", "cam.npy").code == 2
    assert gpool("cam", CAT, *HEAD, "-o", "cam.npy", "--overwrite").code == 0
    assert Path("cam.npy").read_bytes() == before


def test_only_the_array_goes_to_standard_output(gpool):
    ran = gpool("cam", CAT, *HEAD, "-o", "-")
    assert ran.data.startswith(b"\x93NUMPY")
    assert "class 285 Egyptian cat" in ran.err


def test_the_drawing_fits_and_says_its_scale(gpool):
    ran = gpool("cam", CAT, *HEAD, "--relu")
    lines = ran.out.splitlines()
    assert max(map(len, lines)) <= 80
    assert "class 285 Egyptian cat" in " ".join(lines[:2])
    assert re.fullmatch(r"1\.1797\d* ·░▒▓█ 17\.69\d*", lines[-2])
    assert lines[-1] == "7x7 values"


def test_pictures(gpool, here):
    image = pytest.importorskip("PIL.Image")
    photograph = np.asarray(image.open(SAMPLES / "chelsea.png"))
    call = ("cam", CAT, *HEAD)
    assert gpool(*call, "-o", "cam.png").code == 0
    assert gpool(*call, "--image", SAMPLES / "chelsea.png", "-o", "over.png").code == 0
    over = np.asarray(image.open("over.png")).astype(int)
    assert over.shape == photograph.shape
    # Half of each pixel is the photograph; the rest is bright where the cat is, dark at the edge.
    heat = 2 * over - photograph
    nose, corner = heat[150, 97], heat[150, 440]
    np.testing.assert_allclose(nose, (253, 231, 36), atol=12)
    np.testing.assert_allclose(corner, (68, 1, 84), atol=12)
    again = Path("over.png").read_bytes()
    gpool(*call, "--image", SAMPLES / "chelsea.png", "-o", "over.png", "--overwrite")
    assert Path("over.png").read_bytes() == again


def test_nan_is_shown_where_it_is(gpool, here):
    values = np.load(CAT)
    values[2, 3, 7] = np.nan
    np.save("a.npy", values)
    cam = array(gpool("cam", "a.npy", *HEAD, "--class", "285", "-o", "-"))
    assert np.argwhere(np.isnan(cam)).tolist() == [[2, 3]]
    ran = gpool("cam", "a.npy", *HEAD, "--class", "285")
    assert "NaN: 1 cell" in ran.out
    ran = gpool("cam", "a.npy", *HEAD)
    assert (ran.code, "has no top 1: 0 of 1,000 classes have a score" in ran.err) == (1, True)
    other = array(gpool("cam", "a.npy", "--class", "6", "-o", "-"))
    np.testing.assert_array_equal(other, values[..., 6])


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (
            ("--class", "egiptian cat"),
            2,
            "no class is called 'egiptian cat' (did you mean Egyptian",
        ),
        (("--class", "1000"), 2, "there is no class 1000: there are 1,000"),
        (("--class", "crane"), 2, "several classes are called crane"),
        (("--class", "top1001"), 1, "has no top 1001"),
        (("--index", "1"), 1, "has 1 map, and no map 1"),
        (("--size", "7"), 2, "'7' is no size (write it as 7x7)"),
        (("--size", "0x7"), 2, "'0x7' is no size"),
        (("--size", "7x" + "9" * 5000), 2, "is no size"),
        (("--size", "1000000x1000000"), 2, "--size 1000000x1000000 asks for more than 67,108,864"),
        (("--class", "9" * 5000), 2, "no class is called"),
        (("--class", "top" + "9" * 5000), 2, "no class is called"),
        (("--image", "x.jpg"), 2, "--image lays the map over a photograph"),
        (("--image", "x.jpg", "-o", "x.npy"), 2, "--image lays the map over a photograph"),
        (("--image", "x.jpg", "-o", "x.png", "--size", "7x7"), 2, "--image gives the map the size"),
        (("-o", "x.csv"), 2, "the output x.csv is no file for one array"),
        (("-o", "x/"), 2, "the output x/ is no file for one array"),
        (("-o", "x.pt"), 2, "the suffix of x.pt means no format"),
        (("--layout", "CHW"), 1, "has 7 channels, but the weights are for 1,280 (1000x1280)"),
    ],
)
def test_wrong_usage_says_what_and_writes_nothing(gpool, here, words, code, said):
    ran = gpool("cam", CAT, *HEAD, *words)
    assert (ran.code, ran.out, len(ran.errors)) == (code, "", 1)
    assert said in ran.err
    assert not list(Path().iterdir())


@pytest.mark.parametrize("name", ["labels.txt", "nope.jpg", "."])
def test_a_photograph_that_is_none(gpool, here, name):
    pytest.importorskip("PIL.Image")
    Path("labels.txt").write_text("no picture")
    ran = gpool("cam", CAT, *HEAD, "--image", name, "-o", "x.png")
    assert (ran.code, len(ran.errors), name in ran.err) == (1, 1, True)
    assert not Path("x.png").exists()


def test_inputs_that_are_not_one_map(gpool, save, stdin):
    save("t/a.npy")
    save("t/b.npy")
    assert "t holds several files" in gpool("cam", "t").err
    assert gpool("cam", "t").code == 2
    assert (
        "holds 3 maps (choose one with --key" in gpool("cam", SAMPLES / "pictures.npz", *HEAD).err
    )
    assert gpool("cam", SAMPLES / "pictures.npz", *HEAD, "--key", "rocket").code == 0
    assert gpool("cam", "nope.npy").errors == [
        "gpool: error: nope.npy: is not there (check the name)"
    ]
    stdin(b"")
    assert "a pipe can't be read twice" in gpool("cam", "-").err
    save("deep.npy", (2, 3, 4, 5, 6))
    assert gpool("cam", "deep.npy").code == 1


def test_a_map_with_nan_is_warned_of(gpool, here):
    values = np.ones((2, 2, 3), "f4")
    values[0, 0, 0] = np.inf
    np.save("m.npy", values)
    ran = gpool("cam", "m.npy")
    assert (ran.code, "NaN or infinite" in ran.err) == (0, True)
    assert "NaN" not in gpool("cam", CAT, *HEAD).err
