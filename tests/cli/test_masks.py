"""Masks, weights maps and counts, from the command line."""

import json
import os
from pathlib import Path

import h5py
import numpy as np
import pytest

from gpool_cli.formats.hdf5reader import Hdf5Reader
from gpool_cli.poolings import order

LAYOUTS = ["HWC", "CHW", "HCW", "NHWC", "NCHW", "CNHW", "NDHWC", "LC", "NCL", "HW", "NHW"]
SIZES = {"N": 3, "C": 4, "H": 5, "W": 6, "D": 2, "L": 7}


def shape_of(layout: str) -> tuple[int, ...]:
    return tuple(SIZES[letter] for letter in layout)


def masked(values: np.ndarray, layout: str, valid: np.ndarray, axes: str) -> np.ma.MaskedArray:
    """The map with every value masked that a mask with these axes leaves out; N, C kept first."""
    order = sorted(axes, key=layout.index)
    valid = valid.transpose([axes.index(letter) for letter in order])
    spread = valid[tuple(slice(None) if letter in axes else None for letter in layout)]
    wide = np.ma.array(values.astype("f8"), mask=~np.broadcast_to(spread, values.shape))
    kept = [letter for letter in "NC" if letter in layout]
    rest = [letter for letter in layout if letter not in "NC"]
    return wide.transpose([layout.index(c) for c in (*kept, *rest)])


def pooled_axes(layout: str) -> tuple[int, ...]:
    kept = sum(letter in "NC" for letter in layout)
    return tuple(range(kept, len(layout)))


@pytest.mark.parametrize("short", [False, True])
@pytest.mark.parametrize("order", ["CC", "CF", "FC", "FF"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_and_memory_order(gpool, layout, order, short):
    rng = np.random.default_rng(len(layout))
    values = rng.normal(size=shape_of(layout)).astype("f4")
    axes = layout.replace("C", "").replace("N", "" if short else "N")
    valid = rng.random(shape_of(axes)) < 0.6
    np.save("x.npy", np.asarray(values, order=order[0]))
    np.save("m.npy", np.asarray(valid, order=order[1]))
    said = ("--layout", layout, "--mask", "m.npy", "--shape", "flat", "--count", "-q")
    ran = gpool("pool", "-m", "avg", "-m", "max", "x.npy", *said, "-o", "o.npz")
    assert (ran.code, ran.err) == (0, "")
    got = np.load("o.npz")
    expected = masked(values, layout, valid, axes)
    over = pooled_axes(layout)
    flat = got["x.avg"].shape
    np.testing.assert_allclose(got["x.avg"], expected.mean(over).reshape(flat), 2e-7, 1e-7)
    np.testing.assert_array_equal(got["x.max"], expected.max(over).reshape(flat).astype("f4"))
    np.testing.assert_array_equal(got["x.count"], expected.count(over).reshape(flat))
    assert got["x.count"].dtype == np.int64


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i2", "u1", "i8", "?"])
@pytest.mark.parametrize("weights", ["f4", "f8", "u1", ">f4"])
def test_weighted_means(gpool, dtype, weights):
    rng = np.random.default_rng(3)
    values = (rng.normal(size=(2, 9, 8, 5)) * 50).astype(dtype)
    weight = (rng.random((9, 8)) * 9).astype(weights)
    np.save("x.npy", values)
    np.save("w.npy", weight)
    assert gpool("avg", "x.npy", "--weights-map", "w.npy", "-o", "o.npy", "-q").code == 0
    got = np.load("o.npy").reshape(2, 5)
    wide, each = values.astype(np.longdouble), weight.astype(np.longdouble)[..., np.newaxis]
    expected = (wide * each).sum((1, 2)) / each.sum()
    size = (np.abs(wide) * each).sum((1, 2)) / each.sum()
    ulps = 4 if got.dtype == np.float64 else 1
    assert got.dtype == np.result_type(values.dtype, np.float32)
    assert (np.abs(got - expected) <= ulps * np.spacing(size.astype(got.dtype))).all()


@pytest.mark.parametrize("weight", [1e308, 1e250, 1e-250, 5e-324])
def test_weights_that_no_product_holds_are_refused(gpool, weight):
    np.save("x.npy", np.full((4, 5, 3), 0.7, "f4"))
    np.save("w.npy", np.full((4, 5), weight))
    ran = gpool("avg", "x.npy", "--weights-map", "w.npy", "-o", "o.npy")
    assert ran.code == 1
    assert f"is too {'large' if weight > 1 else 'small'} for products" in ran.err
    assert "multiply all weights by one number" in ran.err


def test_small_weights_beside_others_count_as_little_as_they_should(gpool):
    np.save("x.npy", np.array([[[3.0], [5.0]]]))
    np.save("w.npy", np.array([[1.0, 1e-300]]))
    assert gpool("avg", "x.npy", "--weights-map", "w.npy", "-o", "o.npy").code == 0
    assert np.load("o.npy").item() == 3


def test_a_mask_and_weights_together(gpool, save):
    values = save("x.npy", (4, 5, 3)).astype("f8")
    values[0, 0] = np.nan
    np.save("x.npy", values)
    rng = np.random.default_rng(1)
    valid, weights = rng.random((4, 5)) < 0.5, rng.random((4, 5))
    valid[0, 0], weights[0, 0] = True, 0
    np.save("m.npy", valid)
    np.save("w.npy", weights)
    said = ("--mask", "m.npy", "--weights-map", "w.npy", "--count")
    assert gpool("avg", "x.npy", *said, "-o", "o.npz", "-q").code == 0
    chosen = valid & (weights > 0)
    expected = np.average(values[chosen], axis=0, weights=weights[chosen])
    np.testing.assert_allclose(np.load("o.npz")["x.avg"].ravel(), expected, 1e-15)
    assert np.load("o.npz")["x.count"].ravel().tolist() == [chosen.sum()] * 3


@pytest.mark.parametrize("axes", ["HW", "NHW"])
@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
def test_positions_stay_true_under_a_mask(gpool, layout, axes):
    sizes = {"N": 2, "H": 5, "W": 6, "C": 3}
    rng = np.random.default_rng(0)
    values = rng.normal(size=[sizes[letter] for letter in layout])
    valid = rng.random([sizes[letter] for letter in axes]) < 0.4
    valid[..., :2, :] = False  # nothing is left of the first two rows, or columns
    np.save("x.npy", values)
    np.save("m.npy", valid)
    said = ("--layout", layout, "--mask", "m.npy", "--where", "--shape", "flat")
    assert gpool("max", "x.npy", *said, "-o", "o.npz").code == 0
    got = np.load("o.npz")["x.where"].reshape(-1, 2).tolist()
    rows = masked(values, layout, valid, axes).filled(-np.inf).reshape(6, 30)
    assert got == [list(divmod(int(place), 6)) for place in rows.argmax(axis=1)]


@pytest.mark.parametrize("kind", ["npy", "npz"])
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_map_that_is_read_again_has_its_mask_again(gpool, kind, jobs, monkeypatch):
    monkeypatch.setattr(order, "_KEPT_BYTES", 1 << 20)
    rng = np.random.default_rng(0)
    values = rng.normal(size=(600, 600, 1))
    valid = rng.random((600, 600)) < 0.9  # more than a median keeps
    if kind == "npy":
        np.save("x.npy", values)
    else:
        np.savez_compressed("x.npz", x=values)
    np.save("m.npy", valid)
    ran = gpool("median", f"x.{kind}", "--mask", "m.npy", "--jobs", jobs, "-o", "o.npy")
    assert ran.code == 0
    assert np.load("o.npy").item() == np.float32(np.median(values[valid]))


def test_weights_are_for_averages(gpool, save):
    save("x.npy")
    np.save("w.npy", np.ones((4, 5)))
    ran = gpool("pool", "-m", "avg", "-m", "max", "x.npy", "--weights-map", "w.npy")
    assert ran.code == 2
    assert "a weights map has no meaning for max (weights are for avg" in ran.err


def test_nothing_valid_is_nan_and_said(gpool, save):
    save("x.npy", (4, 5, 3))
    np.save("m.npy", np.zeros((4, 5), "u1"))
    ran = gpool(
        "pool", "-m", "avg", "-m", "max", "--count", "x.npy", "--mask", "m.npy", "-o", "o.npz"
    )
    got = np.load("o.npz")
    assert np.isnan(got["x.avg"]).all()
    assert np.isnan(got["x.max"]).all()
    assert not got["x.count"].any()
    assert "60 values of the inputs masked or missing" in ran.out
    assert "3 channels without any valid value" in ran.out


def test_integers_have_no_nan(gpool, save):
    save("x.npy", (4, 5, 3), "int16")
    np.save("m.npy", np.zeros((4, 5), bool))
    ran = gpool("max", "x.npy", "--mask", "m.npy")
    assert ran.code == 1
    assert "3 channels without any valid value, and int16 has no NaN" in ran.err
    assert gpool("max", "x.npy", "--mask", "m.npy", "--dtype", "float32").code == 0


def test_a_mask_whose_name_begins_with_a_bracket_is_a_file(gpool, save):
    save("x.npy", (4, 5, 3))
    assert "its mask [nope].npy is not there" in gpool("avg", "x.npy", "--mask", "[nope].npy").err


def test_a_container_of_masks_of_others_is_no_input(gpool, save):
    with h5py.File("masks.h5", "w") as file:
        for name in ("a", "b"):
            save(f"d/{name}.npy", (4, 5, 3))
            file[name] = np.ones((4, 5), "u1")
    os.rename("masks.h5", "d/masks.h5")
    ran = gpool("avg", "d", "--mask", "d/masks.h5:{stem}", "-o", "o.npz", "--report", "r.json")
    assert (ran.code, ran.err) == (0, "")
    assert sorted(np.load("o.npz")) == ["a", "b"]
    assert "is the mask of d/a.npy" in Path("r.json").read_text()


def test_a_container_of_maps_and_of_the_mask_of_all_is_one(gpool, save):
    save("d/a.npy", (4, 5, 3))
    with h5py.File("d/all.h5", "w") as file:
        file["mask"] = np.ones((4, 5), "u1")
        file["map"] = np.ones((4, 5, 3), "f4")
    assert gpool("avg", "d", "--mask", "d/all.h5:mask", "-o", "o.npz").code == 0
    assert len(np.load("o.npz").files) == 2


@pytest.mark.parametrize(("nan", "code"), [("propagate", 0), ("omit", 0), ("error", 0)])
def test_a_masked_nan_is_not_seen(gpool, nan, code):
    values = np.ones((4, 5, 3), "f4")
    values[1, 1] = np.nan
    np.save("x.npy", values)
    valid = np.ones((4, 5), bool)
    valid[1, 1] = False
    np.save("m.npy", valid)
    ran = gpool("avg", "x.npy", "--mask", "m.npy", "--nan", nan, "-o", "o.npy")
    assert ran.code == code
    assert (np.load("o.npy") == 1).all()
    assert "NaN" not in ran.out
    assert gpool("avg", "x.npy", "--nan", "error").code == 1


class TestNames:
    def test_one_mask_for_each_input(self, gpool, save):
        for name in ("t/a.npy", "t/deep/b.npy"):
            values = save(name)
            valid = values[..., 0] > 0
            np.save(name.replace(".npy", "_mask.npy"), valid)
        ran = gpool("avg", "t", "--mask", "{stem}_mask.npy", "-o", "out")
        assert ran.code == 0
        assert "skipped t/a_mask.npy: is the mask of t/a.npy" in ran.out
        for name in ("a.npy", "deep/b.npy"):
            values = np.load(f"t/{name}")
            expected = values[values[..., 0] > 0].mean(0)
            np.testing.assert_allclose(np.load(f"out/{name}").ravel(), expected, 1e-5)
        assert sorted(p.name for p in Path("out").rglob("*.npy")) == ["a.npy", "b.npy"]

    @pytest.mark.parametrize(
        "pattern",
        [
            "masks/{stem}.npy",
            "{dir}/../masks/{name}",
            "masks.h5:{parent}/{stem}",
            "masks/{stem}.npz",
        ],
    )
    def test_patterns(self, gpool, save, pattern):
        values = save("maps/a.npy")
        valid = values[..., 1] > 0
        Path("masks").mkdir()
        np.save("masks/a.npy", valid)
        np.savez("masks/a.npz", anything=valid)
        with h5py.File("maps/masks.h5", "w") as file:
            file["maps/a"] = valid
        assert gpool("avg", "maps/a.npy", "--mask", pattern, "-o", "o.npy").code == 0
        expected = values[valid].mean(0)
        np.testing.assert_allclose(np.load("o.npy").ravel(), expected, 1e-5)

    def test_what_is_not_there_is_named_and_costs_its_input(self, gpool, save):
        save("a.npy")
        save("b.npy")
        np.save("b_mask.npy", np.ones((4, 5), bool))
        ran = gpool("avg", "a.npy", "b.npy", "--mask", "{stem}_mask.npy", "-o", "out")
        assert ran.code == 1
        assert ran.errors == [
            "gpool: error: a.npy: its mask a_mask.npy is not there (check the name)"
        ]
        assert os.listdir("out") == [".gpool-manifest", "b.npy"] or "b.npy" in os.listdir("out")

    @pytest.mark.parametrize(
        ("mask", "said"),
        [
            ("{stm}.npy", "--mask has {stm}, which stands for nothing"),
            ("", "--mask has an empty name"),
            ("-", "--mask can't be standard input"),
        ],
    )
    def test_names_that_make_no_sense(self, gpool, save, mask, said):
        save("a.npy")
        ran = gpool("avg", "a.npy", "--mask", mask)
        assert ran.code == 2
        assert said in ran.err

    def test_a_file_with_braces_in_its_name(self, gpool, save):
        save("a.npy")
        np.save("{x}.npy", np.ones((4, 5), bool))
        assert gpool("avg", "a.npy", "--mask", "{x}.npy").code == 0

    def test_a_mask_that_is_written_out(self, gpool):
        np.save("x.npy", np.arange(12.0).reshape(1, 4, 3))
        ran = gpool("avg", "x.npy", "--layout", "NLC", "--mask", "[[1, 0, 0, 1]]", "-o", "o.npy")
        assert ran.code == 0
        assert np.load("o.npy").ravel().tolist() == [4.5, 5.5, 6.5]
        ran = gpool("avg", "x.npy", "--layout", "NLC", "--mask", "[[1, 0], [0]]")
        assert "its mask [[1, 0], [0]] is no list of lists of numbers" in ran.err

    def test_a_mask_in_the_file_of_its_map(self, gpool):
        values = np.random.default_rng(0).normal(size=(4, 5, 3))
        with h5py.File("x.h5", "w") as file:
            file["map"], file["a/mask"] = values, values[..., 0] > 0
            file["batch"] = np.ones((2, 4, 5), bool)
        ran = gpool("avg", "x.h5", "--mask", "{dir}/{name}:a/mask", "--key", "map", "-o", "o.npz")
        assert ran.code == 0
        expected = values[values[..., 0] > 0].mean(0)
        np.testing.assert_allclose(np.load("o.npz")["map"].ravel(), expected, 1e-14)
        ran = gpool("avg", "x.h5", "--mask", "x.h5:batch", "--layout", "NHW")
        assert "skipped x.h5:batch (2x4x5): is the mask" in ran.out

    def test_a_mask_is_never_an_output(self, gpool, save):
        save("a.npy")
        np.save("m.npy", np.ones((4, 5), bool))
        before = Path("m.npy").read_bytes()
        ran = gpool("avg", "a.npy", "--mask", "m.npy", "-o", "m.npy", "--overwrite")
        assert ran.code == 2
        assert "the output m.npy is the input m.npy" in ran.err
        assert Path("m.npy").read_bytes() == before


class TestWhatIsNoMask:
    @pytest.mark.parametrize(
        ("mask", "said"),
        [
            (
                np.full((4, 5), 255, "u1"),
                "has the value 255, and a mask has 0 and 1 alone (save it",
            ),
            (np.full((4, 5), 0.5), "has the value 0.5, and a mask has 0 and 1 alone (1 counts"),
            (np.full((4, 5), np.nan), "has the value nan, and"),
            (np.ones((5, 4)), "is 4x5x3 (HWC), and its mask m.npy is 5x4 where HW is 4x5 (a mask"),
            (np.ones((4, 5, 3)), "its mask m.npy is 4x5x3 where HW is 4x5"),
            (np.array(["a"]), "its mask m.npy holds strings"),
            (np.ones((0, 5)), "its mask m.npy has no values: its shape is 0x5"),
        ],
    )
    def test_values_and_shapes(self, gpool, save, mask, said):
        save("x.npy")
        np.save("m.npy", mask)
        ran = gpool("avg", "x.npy", "--mask", "m.npy", "-o", "o.npy")
        assert ran.code == 1
        assert said in ran.err
        assert not Path("o.npy").exists()

    @pytest.mark.parametrize("weight", [-1.0, np.nan, np.inf])
    def test_weights(self, gpool, save, weight):
        save("x.npy")
        weights = np.ones((4, 5))
        weights[2, 3] = weight
        np.save("w.npy", weights)
        ran = gpool("avg", "x.npy", "--weights-map", "w.npy")
        assert ran.code == 1
        assert f"its weights map w.npy has the weight {weight}" in ran.err

    def test_containers_with_several_arrays(self, gpool, save):
        save("x.npy")
        np.savez("m.npz", a=np.ones((4, 5)), b=np.zeros((4, 5)))
        ran = gpool("avg", "x.npy", "--mask", "m.npz")
        assert "its mask m.npz holds several arrays (it holds a, b)" in ran.err
        assert (
            "m.npz:c is not there (it holds a, b)" in gpool("avg", "x.npy", "--mask", "m.npz:c").err
        )
        assert gpool("avg", "x.npy", "--mask", "m.npz:a").code == 0

    @pytest.mark.parametrize("name", ["m.npy", "m.h5", "m.npz"])
    def test_damage_costs_its_input_and_names_the_mask(self, gpool, save, name):
        save("x.npy")
        Path(name).write_bytes(b"nothing of the kind")
        ran = gpool("avg", "x.npy", "--mask", name)
        assert ran.code == 1
        assert f"x.npy: its mask {name} " in ran.err


def big_map(layout: str, rng: np.random.Generator) -> np.ndarray:
    """Several blocks, which end anywhere."""
    sizes = {"N": 10, "C": 24, "H": 90, "W": 91}
    return rng.normal(size=tuple(sizes[letter] for letter in layout)).astype("f4")


@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
@pytest.mark.parametrize("kind", ["npy", "h5", "npz"])
def test_the_same_bytes_for_any_number_of_workers(gpool, monkeypatch, layout, kind):
    monkeypatch.setattr("gpool_cli.batch.jobs._WORTH_BYTES", 1)
    monkeypatch.setattr("gpool_cli.batch.units._SMALL_FILE", 1)
    monkeypatch.setattr("gpool_cli.formats.interface.PART_BYTES", 3 << 20)
    rng = np.random.default_rng(5)
    np.save("x.npy", big_map(layout, rng))
    valid = rng.random((10, 90, 91)) < 0.5
    if kind == "npy":
        np.save("m.npy", np.asfortranarray(valid))
    elif kind == "npz":
        np.savez_compressed("m.npz", m=valid.astype("f4"))
    else:
        with h5py.File("m.h5", "w") as file:
            file.create_dataset("m", data=valid.astype("i4"), chunks=(7, 33, 91), compression=1)
    said = ("--layout", layout, "--mask", f"m.{kind}", "--count", "-q")
    for jobs in (1, 2):
        assert gpool("avg", "x.npy", *said, "-o", f"{jobs}.npz", "-j", jobs).code == 0
    assert Path("1.npz").read_bytes() == Path("2.npz").read_bytes()
    values = np.load("x.npy").transpose([layout.index(letter) for letter in "NCHW"])
    expected = np.stack([v[:, m].mean(1, dtype="f8") for v, m in zip(values, valid, strict=True)])
    np.testing.assert_allclose(np.load("1.npz")["x.avg"].reshape(10, 24), expected, 1e-6, 1e-8)


def test_a_plan_shows_the_masks(gpool, save):
    save("a.npy")
    save("b.npy")
    save("c.npy", (5, 4, 3))
    np.save("a_mask.npy", np.ones((4, 5), bool))
    np.save("c_mask.npy", np.ones((4, 5), bool))
    ran = gpool(
        "avg", "a.npy", "b.npy", "c.npy", "--mask", "{stem}_mask.npy", "-o", "o", "--dry-run"
    )
    assert ran.code == 1
    assert "mask" in ran.out.splitlines()[0]
    assert "a_mask.npy" in ran.out
    assert "b.npy: its mask b_mask.npy is not there" in ran.err
    assert "c.npy: is 5x4x3 (HWC), and its mask c_mask.npy is 4x5" in ran.err
    assert not Path("o").exists()


def test_a_changed_mask_is_pooled_again(gpool, save):
    values = save("t/a.npy")
    save("t/b.npy")
    Path("m").mkdir()
    for name in "ab":
        np.save(f"m/{name}.npy", np.ones((4, 5), bool))
    run = ("avg", "t", "--mask", "m/{name}", "-o", "out")
    assert gpool(*run).code == 0
    assert "2 done before" in gpool(*run, "--resume").out
    np.save("m/a.npy", np.eye(4, 5).astype("u1"))
    assert "1 done before" in gpool(*run, "--resume").out
    expected = values[np.eye(4, 5) > 0].mean(0)
    np.testing.assert_allclose(np.load("out/a.npy").ravel(), expected, 1e-5)
    Path("m/b.npy").unlink()
    ran = gpool(*run, "--resume")
    assert "b.npy: its mask m/b.npy is not there" in ran.err
    ran = gpool("avg", "t", "-o", "out", "--resume")
    assert ran.code == 2
    assert "were made with mask m/{name}" in ran.err


def test_a_pipe_takes_a_mask_from_a_file_but_not_from_hdf5(gpool, save, stdin):
    values = save("x.npy")
    np.save("m.npy", values[..., 0] > 0)
    with h5py.File("m.h5", "w") as file:
        file["m"] = values[..., 0] > 0
    stdin(Path("x.npy").read_bytes())
    assert gpool("avg", "-", "--mask", "m.npy", "-o", "o.npy").code == 0
    np.testing.assert_allclose(np.load("o.npy").ravel(), values[values[..., 0] > 0].mean(0), 1e-5)
    stdin(Path("x.npy").read_bytes())
    ran = gpool("avg", "-", "--mask", "m.h5")
    assert ran.code == 1
    assert "can't have a mask or a weights map in HDF5" in ran.err


def test_a_report_says_what_was_left_out(gpool, save):
    save("x.npy")
    np.save("m.npy", np.eye(4, 5))
    assert gpool("avg", "x.npy", "--mask", "m.npy", "--report", "r.json").code == 0
    totals = json.loads(Path("r.json").read_text())["totals"]
    assert (totals["masked"], totals["empty_channels"]) == (48, 0)


@pytest.mark.parametrize("option", ["--mask", "--weights-map"])
@pytest.mark.parametrize("large", [False, True])
def test_only_workers_open_hdf5_masks(gpool, monkeypatch, option, large):
    """A damaged one may crash the library, which must not end the run."""
    opened = Path("opened").absolute()
    plain = Hdf5Reader.__init__

    def noted(self, *args):
        with open(opened, "a") as file:
            file.write(f"{os.getpid()}\n")
        plain(self, *args)

    monkeypatch.setattr(Hdf5Reader, "__init__", noted)
    np.save("x.npy", np.ones((700 if large else 7, 80, 90), "f4"))
    with h5py.File("m.h5", "w") as file:
        file["m"] = np.ones((700 if large else 7, 80), bool)
    assert gpool("avg", "x.npy", option, "m.h5", "-j", 1).code == 0
    assert gpool("avg", "x.npy", option, "m.h5", "-o", "o", "--dry-run").code == 0
    pids = opened.read_text().split()
    assert len(pids) >= 2
    assert str(os.getpid()) not in pids
