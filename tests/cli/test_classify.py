"""``gpool classify``: confidences through the whole command, on a real network and by hand."""

import csv
import io
import json
from pathlib import Path

import h5py
import numpy as np
import pytest

SAMPLES = Path(__file__).resolve().parents[2] / "sample_data"
HEAD = ("--head", SAMPLES / "lite0_head.h5")
LABELS = ("--labels", SAMPLES / "imagenet_labels.txt")

# What the network itself said of the picture, in float32.
CAT = [
    ("Egyptian cat", 0.384633),
    ("tiger cat", 0.331948),
    ("tabby, tabby cat", 0.162592),
    ("lynx, catamount", 0.034475),
    ("plastic bag", 0.001915),
]


def softmax(scores: np.ndarray) -> np.ndarray:
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


@pytest.fixture
def layer(here) -> tuple[np.ndarray, np.ndarray]:
    """A layer of 4 classes for 3 channels, in every form."""
    rng = np.random.default_rng(1)
    weights, bias = rng.normal(size=(4, 3)), rng.normal(size=4)
    np.save("w.npy", weights)
    np.save("wt.npy", weights.T)
    np.save("b.npy", bias)
    np.savez(
        "head.npz", **{"fc.weight": weights, "fc.bias": bias, "conv.weight": np.ones((2, 2, 2))}
    )
    with h5py.File("keras.h5", "w") as file:
        file["dense/kernel:0"], file["dense/bias:0"] = weights.T, bias
    np.save("fortran.npy", np.asfortranarray(weights))
    with h5py.File("plain.h5", "w") as file:
        file["weights"], file["bias"] = weights, bias
    Path("labels.txt").write_text("ant\nbee\ncat, puss\ndog\n", encoding="utf-8")
    return weights, bias


def test_the_cat_is_an_egyptian_cat(gpool):
    ran = gpool("classify", SAMPLES / "chelsea_hwc.npy", *HEAD, *LABELS, "--json")
    (said,) = json.loads(ran.out)
    assert (ran.code, said["source"], said["layout"]) == (0, "chelsea_hwc.npy", "HWC")
    assert [one["label"] for one in said["top"]] == [name for name, _ in CAT]
    got = [one["confidence"] for one in said["top"]]
    np.testing.assert_allclose(got, [value for _, value in CAT], atol=2e-4)
    assert [(one["rank"], one["class"]) for one in said["top"]][:2] == [(1, 285), (2, 282)]


def test_the_table_has_a_line_and_a_bar_for_each(gpool):
    ran = gpool("classify", SAMPLES / "chelsea_hwc.npy", *HEAD, *LABELS, "--top", "2")
    lines = ran.out.splitlines()
    assert lines[0].split() == ["source", "class", "label", "confidence"]
    assert lines[2] == "chelsea_hwc.npy    285  Egyptian cat      0.3846  ██████▏"
    assert lines[3] == "                   282  tiger cat         0.3319  █████▎"
    assert "layout HWC (default)" in lines[4]
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize(
    "words",
    [
        ("--weights", "w.npy", "--bias", "b.npy"),
        ("--head", "head.npz"),
        ("--head", "head.npz:fc.weight"),
        ("--weights", "head.npz", "--bias", "b.npy"),
        ("--head", "keras.h5"),
        ("--weights", "keras.h5:dense/kernel:0", "--bias", "keras.h5"),
        ("--head", "plain.h5", "--weights-layout", "kd"),
        ("--weights", "fortran.npy", "--bias", "b.npy", "--weights-layout", "KD"),
        ("--weights", "wt.npy", "--bias", "plain.h5:bias"),
    ],
)
@pytest.mark.parametrize("shape", [(4, 5, 3), (2, 4, 5, 3)])
def test_a_layer_in_every_form(gpool, save, layer, words, shape):
    values = save("a.npy", shape)
    weights, bias = layer
    ran = gpool("classify", "a.npy", *words, "-o", "-")
    assert ran.code == 0, ran.err
    got = np.load(io.BytesIO(ran.data))
    pooled = values.astype("f8").mean(axis=(-3, -2), keepdims=True)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, softmax(pooled @ weights.T + bias), atol=1e-6)


def test_options_that_change_the_numbers(gpool, save, layer):
    values = save("a.npy", (3, 4, 5))
    weights, bias = layer
    call = ("classify", "a.npy", "--layout", "CHW", "--head", "head.npz", "-o", "-")
    scores = values.max(axis=(1, 2)).astype("f8") @ weights.T + bias
    got = np.load(io.BytesIO(gpool(*call, "--pool", "max", "--activation", "none").data))
    np.testing.assert_allclose(got.ravel(), scores, rtol=1e-6)
    ran = gpool(*call, "--pool", "gmp", "--activation", "sigmoid", "--dtype", "float64")
    got = np.load(io.BytesIO(ran.data))
    np.testing.assert_allclose(got.ravel(), 1 / (1 + np.exp(-scores)), rtol=1e-12)
    got = np.load(io.BytesIO(gpool(*call, "--shape", "keepdims").data))
    assert got.shape == (4, 1, 1)


def test_the_channels_are_the_classes_without_weights(gpool, here):
    np.save("a.npy", np.array([[[1, 3, 2]]], "f4"))
    Path("l.txt").write_text("a\nb\nc\n", encoding="utf-8")
    ran = gpool(
        "classify", "a.npy", "--labels", "l.txt", "-o", "-", "-f", "csv", "--top", "2", "-q"
    )
    rows = list(csv.reader(io.StringIO(ran.out)))
    assert [row[4:7] for row in rows] == [
        ["rank", "class", "label"],
        ["1", "1", "b"],
        ["2", "2", "c"],
    ]
    np.testing.assert_allclose(float(rows[1][7]), softmax(np.array([1.0, 3, 2]))[1], rtol=1e-6)


@pytest.mark.parametrize(
    "out", ["all.npy", "all.npz", "all.h5", "all.csv", "all.jsonl", "all.json"]
)
def test_the_same_bytes_for_any_jobs_and_way(gpool, save, layer, here, out):
    """Alike files go together, others one by one, HDF5 in workers: a map's bytes are the same."""
    for i in range(5):
        save(f"t/{i}.npy")
    save("t/5.h5", (2, 6, 6, 3))
    save("t/6.npz")
    made = []
    for i, jobs in enumerate(("1", "2")):
        name = f"{i}{out}"
        ran = gpool("classify", "t", "--head", "head.npz", "-o", name, "--jobs", jobs)
        assert ran.code == 0, ran.err
        made.append(Path(name).read_bytes())
    assert made[0] == made[1]
    alone = np.load(io.BytesIO(gpool("classify", "t/3.npy", "--head", "head.npz", "-o", "-").data))
    if out == "all.npy":
        assert np.load("0all.npy")[3].tobytes() == alone.tobytes()


def test_a_batch_in_pieces_is_the_batch_in_one(gpool, here, monkeypatch):
    """Long batches come in pieces, which are put in order behind the layer."""
    monkeypatch.setattr("gpool_cli.batch.jobs._WORTH_BYTES", 1)
    monkeypatch.setattr("gpool_cli.batch.units._SMALL_FILE", 1)
    monkeypatch.setattr("gpool_cli.formats.interface.PART_BYTES", 1 << 20)
    rng = np.random.default_rng(5)
    values = rng.random((12_000, 1, 70), "f4")
    np.save("long.npy", values)
    np.save("w.npy", rng.normal(size=(4, 70)))
    words = ("--layout", "NLC", "--weights", "w.npy", "--activation", "none", "-o")
    for jobs in "12":
        assert gpool("classify", "long.npy", *words, f"{jobs}.npy", "--jobs", jobs).code == 0
    assert Path("1.npy").read_bytes() == Path("2.npy").read_bytes()
    expected = values[:, 0].astype("f8") @ np.load("w.npy").T
    np.testing.assert_allclose(np.load("1.npy")[:, 0], expected, rtol=1e-5, atol=1e-5)
    np.save("w.npy", rng.normal(size=(4, 71)))
    ran = gpool("classify", "long.npy", *words, "no.npy")
    assert (ran.code, len(ran.errors), Path("no.npy").exists()) == (1, 1, False)
    values[[0, -1]] = np.nan
    np.save("long.npy", values)
    np.save("w.npy", rng.normal(size=(4, 70)))
    (warning,) = gpool("classify", "long.npy", *words, "nan.npy").errors
    assert warning.startswith("gpool: warning: long.npy: has confidences that are NaN")
    ran = gpool("classify", "long.npy", *words, "strict.npy", "--strict")
    assert (ran.code, len(ran.errors), Path("strict.npy").exists()) == (1, 1, False)


@pytest.mark.parametrize("words", [("all.npy",), ("all.npz",), ("-",), ("x.npz", "--shard", "1/1")])
def test_a_batch_whose_later_pieces_hold_nan_loses_none(gpool, here, monkeypatch, words):
    monkeypatch.setattr("gpool_cli.batch.units._SMALL_FILE", 1)
    monkeypatch.setattr("gpool_cli.formats.interface.PART_BYTES", 1 << 12)
    (here / "t").mkdir()
    values = np.ones((600, 1, 7), "f4")
    values[400:] = np.nan
    np.save("t/a.npy", values)
    np.save("t/b.npy", values[:400])
    np.save("w.npy", np.ones((3, 7)))
    ran = gpool("classify", "t", "--layout", "NLC", "--weights", "w.npy", "-o", *words)
    said = [line for line in ran.errors if line.startswith("gpool:")]
    assert (ran.code, len(said)) == (0, 1)
    assert "t/a.npy: has confidences that are NaN" in said[0]
    if "--shard" in words:
        assert gpool("merge", *here.glob("*.shard"), "-o", "x.npz").code == 0
    data = io.BytesIO(ran.data)
    if words == ("all.npy",):
        counts = [len(np.load("all.npy"))]
    elif words == ("-",):
        counts = [len(np.load(data)), len(np.load(data))]
    else:
        counts = [len(one) for one in np.load(words[0]).values()]
    assert counts in ([600, 400], [1000])


def test_a_directory_and_its_resume(gpool, save, layer):
    save("t/a.npy")
    save("t/b.npy")
    call = ("classify", "t", "-o", "out", "--labels", "labels.txt", "-f", "csv")
    assert gpool(*call, "--head", "head.npz").code == 0
    assert sorted(path.name for path in Path("out").glob("[a-z]*")) == ["a.csv", "b.csv"]
    again = gpool(*call, "--head", "head.npz", "--resume", "--report", "r.json")
    said = json.loads(Path("r.json").read_text(encoding="utf-8"))["recipe"]
    assert (said["poolings"], said["activation"], len(said["head"])) == (["avg"], "softmax", 12)
    assert (again.code, "2 done before" in again.out) == (0, True)
    for other in (("--top", "2"), ("--dtype", "float64")):
        ran = gpool(*call, "--head", "head.npz", *other, "--resume")
        assert (ran.code, "were made with head" in ran.err) == (2, True)
    np.save("b.npy", np.zeros(4))
    other = gpool(*call, "--weights", "w.npy", "--bias", "b.npy", "--resume")
    assert (other.code, "were made with head" in other.err) == (2, True)
    assert gpool("avg", "t", "-o", "out", "-f", "csv", "--resume").code == 2


def test_a_plan_says_the_shapes_of_confidences(gpool, save, layer):
    save("t/a.npy", (2, 4, 5, 3))
    save("t/b.npy", (4, 5, 7))
    ran = gpool("classify", "t", "--head", "head.npz", "-o", "out/", "--dry-run")
    assert (ran.code, ran.out.splitlines()[2].split()[4]) == (1, "2x1x1x4")
    assert "t/b.npy: has 7 channels, but the weights are for 3" in ran.err


def test_a_file_for_another_head_fails_alone(gpool, save, layer):
    for i in range(3):
        save(f"t/{i}.npy")
    save("t/1.npy", (4, 5, 7))
    ran = gpool("classify", "t", "--head", "head.npz", "-o", "all.npy")
    assert ran.code == 1
    assert ran.errors == [
        "gpool: error: t/1.npy: has 7 channels, but the weights are for 3 (4x3) (is it the map "
        "before the pooling, with the right --layout, and its own network's head?)"
    ]
    assert np.load("all.npy").shape == (2, 1, 1, 4)


@pytest.mark.parametrize("count", [1, 3])
def test_nan_is_a_warning_and_strictly_an_error(gpool, layer, save, count):
    for i in range(count):
        save(f"t/{i}.npy")
    values = save("t/0.npy")
    values[0, 0, 0] = np.nan
    np.save("t/0.npy", values)
    call = ("classify", "t", "--head", "head.npz")
    ran = gpool(*call, "-o", "all.csv")
    said = "t/0.npy: has confidences that are NaN, for pooled channels are NaN or infinite"
    assert (ran.code, len(ran.errors), said in ran.errors[0]) == (0, 1, True)
    rows = Path("all.csv").read_text(encoding="utf-8").splitlines()
    assert [row.split(",")[0] for row in rows[1::4]] == [f"{i}.npy" for i in range(1, count)]
    assert "NaN" in gpool(*call).out.splitlines()[2]
    ran = gpool(*call, "--strict", "-o", "strict.csv")
    assert (ran.code, said in ran.err) == (1, True)
    assert gpool(*call, "--nan", "omit", "--strict").code == 0


def test_a_pipe_of_maps(gpool, layer, stdin):
    data = io.BytesIO()
    for value in (1, 2):
        np.save(data, np.full((2, 2, 3), value, "f4"))
    stdin(data.getvalue())
    ran = gpool("classify", "-", "--head", "head.npz", "--json")
    assert [len(one["top"]) for one in json.loads(ran.out)] == [4, 4]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--head", "nope.h5"), "nope.h5 can't be read: No such file or directory"),
        (("--head", "labels.txt"), "labels.txt is of no known format"),
        (("--head", "maps.npz"), "maps.npz holds no weights, with an axis for classes and one"),
        (("--head", "two.npz"), "two.npz holds no weights, with an axis for classes"),
        (("--head", "head.npz:nothing"), "head.npz:nothing holds no weights"),
        (("--head", "w.npy", "--weights", "w.npy"), "--head and --weights both name the weights"),
        (("--bias", "b.npy"), "a bias or a layout of weights without weights"),
        (("--weights", "w.npy", "--bias", "w.npy"), "the bias is 4x3"),
        (("--head", "head.npz", "--labels", "nope"), "can't read the labels nope: No such file"),
        (("--head", "head.npz", "--labels", "w.npy"), "the labels w.npy are no text in UTF-8"),
        (("--head", "head.npz", "--labels", "empty.txt"), "the labels empty.txt are empty"),
        (("--head", "head.npz", "--labels", "3.txt"), "3.txt has 3 labels, the weights are for 4"),
        (("--weights", "square.npy"), "the weights are 3x3: which axis are the classes?"),
        (("--dtype", "int8"), "confidences are no int8"),
        (("--count",), "--count goes with pooled values"),
        (("--pool", "magic"), "there is no pooling 'magic'"),
        (("--json", "-f", "csv"), "--json and -f csv are two formats"),
        (("--json", "-o", "x.csv"), "x.csv is no name for the format json"),
    ],
)
def test_wrong_usage_says_what_and_writes_nothing(gpool, save, layer, words, said):
    save("a.npy")
    np.savez("maps.npz", a=np.ones((2, 2, 2)), b=np.ones(2))
    np.savez("two.npz", a=np.ones((3, 4)), b=np.ones((3, 5)))
    np.save("square.npy", np.ones((3, 3)))
    Path("empty.txt").write_text("\n")
    Path("3.txt").write_text("a\nb\nc\n")
    before = sorted(Path().iterdir())
    ran = gpool("classify", "a.npy", *words)
    assert (ran.code, ran.out, len(ran.errors)) == (2, "", 1)
    assert ran.err.startswith(f"gpool: error: {said}")
    assert sorted(Path().iterdir()) == before


@pytest.mark.parametrize("layout", ["HWC", "CHW"])
def test_a_layer_for_averages_and_maxima_side_by_side(gpool, layout):
    rng = np.random.default_rng(0)
    values, weights = rng.normal(size=(4, 5, 3)), rng.normal(size=(7, 6))
    np.save("a.npy", values if layout == "HWC" else values.transpose(2, 0, 1).copy())
    np.save("w.npy", weights)
    said = ("a.npy", "--layout", layout, "--pool", "catavgmax", "--weights", "w.npy")
    assert gpool("classify", *said, "-o", "o.npy").code == 0
    pooled = np.concatenate([values.mean((0, 1)), values.max((0, 1))])
    np.testing.assert_allclose(np.load("o.npy"), softmax(weights @ pooled)[np.newaxis, np.newaxis])
    assert "1x1x7" in gpool("classify", *said, "--dry-run").out


def test_labels_of_another_number_than_the_channels(gpool, save, layer):
    save("a.npy")
    ran = gpool("classify", "a.npy", "--labels", "labels.txt")
    assert (ran.code, "gives 3 classes, but there are 4 labels" in ran.err) == (1, True)


def test_hostile_labels_command_no_terminal(gpool, save, layer):
    save("a.npy")
    Path("labels.txt").write_text("a\x1b[2J\nb\nc\nd\n")
    for words in ((), ("--json",), ("-o", "-", "-f", "csv")):
        assert (
            b"\x1b"
            not in gpool(
                "classify", "a.npy", "--labels", "labels.txt", "--head", "head.npz", *words
            ).data
        )


def test_a_long_run_shows_its_ends(gpool, save, layer):
    for i in range(30):
        save(f"t/{i:02}.npy")
    lines = gpool("classify", "t", "--head", "head.npz", "-o", "x.npy").out.splitlines()
    assert lines[12].strip() == "… 10 more"
    assert [lines[i].split()[0] for i in (2, 11, 13, 22)] == [
        "00.npy",
        "09.npy",
        "20.npy",
        "29.npy",
    ]


@pytest.mark.parametrize(("head", "first"), [("w.npz:W", 0), ("w.npz", None), ("named.npz", 0)])
def test_a_bias_is_never_missed_without_a_word(gpool, here, head, first):
    weights = np.eye(3, 4, k=1, dtype="f4")
    bias = np.array([50, 0, 0], "f4")
    np.savez("w.npz", W=weights, bias=bias)
    np.savez("named.npz", kernel=weights, bias=bias)
    np.save("m.npy", np.ones((2, 2, 4), "f4") * [0, 0, 1, 2])
    ran = gpool("classify", "m.npy", "--head", head, "--top", "1", "--json")
    if first is None:
        assert (ran.code, "w.npz holds no weights" in ran.err) == (2, True)
    else:
        assert json.loads(ran.data or ran.out)[0]["top"][0]["class"] == first


def test_a_view_is_that_of_the_maps_and_not_of_the_head(gpool, layer):
    dtypes = pytest.importorskip("ml_dtypes")
    np.save("a.npy", np.ones((2, 2, 3)).astype(dtypes.bfloat16))
    call = ("classify", "a.npy", "--view", "bfloat16", "--layout", "HWC", "-o", "-")
    for head in ("head.npz", "w.npy"):
        assert gpool(*call, "--head", head).code == 0
    ran = gpool(*call, "--weights", "w.npy", "--bias", "b.npy")
    weights, bias = layer
    got = np.load(io.BytesIO(ran.data)).ravel()
    np.testing.assert_allclose(got, softmax(weights.sum(1) + bias), rtol=1e-6)
