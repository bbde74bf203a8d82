import math

import pytest

from gpool_cli.errors import InputError, UsageError
from gpool_cli.layout import (
    Layout,
    axes_count,
    layout_doubt,
    layout_from_names,
    parse_layout,
    resolve_layout,
    shape_text,
    size_of,
)


class TestParseLayout:
    @pytest.mark.parametrize(
        ("text", "axes"),
        [
            ("HWC", "HWC"),
            ("hwc", "HWC"),
            (" nChW ", "NCHW"),
            ("BCHW", "NCHW"),
            ("bhwc", "NHWC"),
            ("NDHWC", "NDHWC"),
            ("LC", "LC"),
            ("NC", "NC"),
            ("HW", "HW"),
            ("TXYZC", "TXYZC"),
            ("HWDC", "HWDC"),
            ("DHW", "DHW"),
            ("HWCD", "HWCD"),
            ("channels_last", "channels_last"),
            ("channels_first", "channels_first"),
            ("Channels-First", "channels_first"),
        ],
    )
    def test_understood(self, text: str, axes: str) -> None:
        assert parse_layout(text) == axes

    @pytest.mark.parametrize(
        ("text", "message", "hint"),
        [
            ("", "the layout '' is empty", "one letter per axis"),
            ("  ", "the layout '  ' is empty", "one letter per axis"),
            ("HWQ", "the layout 'HWQ' has no meaning for 'Q'", "N batch, C channels"),
            ("A,C", "has no meaning for ',', 'A'", "for example NCHW"),
            ("HWß", "has no meaning for 'S'", "for example NCHW"),
            ("HHC", "the layout 'HHC' names an axis twice", "one letter per axis"),
            ("NBC", "names an axis twice", "one letter per axis"),
            ("HWD", "the layout 'HWD' has no channels: D is depth", "did you mean HWC?"),
            ("hwd", "D is depth", "did you mean HWC?"),
            ("NHWD", "D is depth", "did you mean NHWC?"),
            ("BHWD", "D is depth", "did you mean NHWC?"),
        ],
    )
    def test_refused(self, text: str, message: str, hint: str) -> None:
        with pytest.raises(UsageError) as caught:
            parse_layout(text)
        assert message in caught.value.message
        assert hint in caught.value.hint
        assert caught.value.exit_code == 2


class TestResolveLayout:
    def test_the_users_word_wins_then_the_files_then_the_default(self) -> None:
        shape = (3, 4, 5)
        assert resolve_layout("CHW", "HCW", shape) == Layout("CHW", "flag")
        assert resolve_layout(None, "HCW", shape) == Layout("HCW", "file")
        assert resolve_layout(None, None, shape) == Layout("HWC", "default")

    @pytest.mark.parametrize(("rank", "axes"), [(2, "HW"), (3, "HWC"), (4, "NHWC"), (5, "NDHWC")])
    def test_defaults_are_channels_last(self, rank: int, axes: str) -> None:
        assert resolve_layout(None, None, (2,) * rank).axes == axes

    @pytest.mark.parametrize("rank", [0, 1, 6])
    def test_no_default_for_other_ranks(self, rank: int) -> None:
        with pytest.raises(InputError, match="no default layout.*--layout"):
            resolve_layout(None, None, (2,) * rank)

    @pytest.mark.parametrize(
        ("word", "by_rank"),
        [
            ("channels_last", {2: "LC", 3: "HWC", 4: "NHWC", 5: "NDHWC"}),
            ("channels_first", {2: "CL", 3: "CHW", 4: "NCHW", 5: "NCDHW"}),
        ],
    )
    def test_words(self, word: str, by_rank: dict[int, str]) -> None:
        for rank, axes in by_rank.items():
            assert resolve_layout(word, None, (2,) * rank) == Layout(axes, "flag")
            assert resolve_layout(None, word, (2,) * rank) == Layout(axes, "file")
        for rank in (1, 6):
            with pytest.raises(InputError, match=f"do(es)? not say what {word} means"):
                resolve_layout(word, None, (2,) * rank)

    def test_one_leading_batch_axis_may_be_left_out(self) -> None:
        assert resolve_layout("CHW", None, (8, 3, 4, 5)).axes == "NCHW"
        assert resolve_layout("C", None, (8, 3)).axes == "NC"

    @pytest.mark.parametrize(
        ("layout", "shape"),
        [
            ("HW", (2, 3, 4, 5)),  # two missing
            ("NHW", (2, 3, 4, 5)),  # one missing, but the batch axis is there
            ("NHWC", (2, 3, 4)),  # one too many
            ("C", ()),
        ],
    )
    def test_a_letter_for_every_axis(self, layout: str, shape: tuple[int, ...]) -> None:
        with pytest.raises(InputError) as caught:
            resolve_layout(layout, None, shape)
        assert f"the layout {layout} has {len(layout)} letter" in caught.value.message
        assert f"the array {len(shape)} axes {shape_text(shape)}" in caught.value.message
        assert "only a leading batch axis may be left out" in caught.value.hint

    def test_one_is_singular(self) -> None:
        with pytest.raises(InputError, match=r"the layout HW has 2 letters, the array 1 axis 7 "):
            resolve_layout("HW", None, (7,))
        with pytest.raises(InputError, match=r"the layout C has 1 letter, the array 3 axes "):
            resolve_layout("C", None, (7, 7, 7))


class TestAxes:
    def test_which_axis_is_what(self) -> None:
        layout = Layout("NDHCW")
        assert (layout.batch, layout.channel) == (0, 3)
        assert layout.pooled == (1, 2, 4)
        assert layout.kept == (0, 3)

    def test_without_batch_or_channels(self) -> None:
        assert (Layout("HW").batch, Layout("HW").channel) == (None, None)
        assert Layout("HW").kept == ()

    @pytest.mark.parametrize("letter", "HWDLTXYZ")
    def test_every_other_letter_is_pooled(self, letter: str) -> None:
        assert Layout(f"C{letter}").pooled == (1,)

    def test_reversed_is_the_same_memory_in_the_other_order(self) -> None:
        assert Layout("NCHW", "file").reversed() == Layout("WHCN", "file")

    def test_axes_count(self) -> None:
        assert axes_count(None) == (3, 5)
        assert axes_count("channels_first") == (3, 5)
        assert axes_count("HWC") == (3, 4)
        assert axes_count("NHWC") == (4, 4)
        assert axes_count("LC") == (2, 3)


class TestOutputShape:
    @pytest.mark.parametrize(
        ("axes", "shape", "last", "keepdims", "flat"),
        [
            ("HWC", (7, 6, 5), (1, 1, 5), (1, 1, 5), (5,)),
            ("CHW", (5, 7, 6), (1, 1, 5), (5, 1, 1), (5,)),
            ("NHWC", (2, 7, 6, 5), (2, 1, 1, 5), (2, 1, 1, 5), (2, 5)),
            ("NCHW", (2, 5, 7, 6), (2, 1, 1, 5), (2, 5, 1, 1), (2, 5)),
            ("CHWN", (5, 7, 6, 2), (2, 1, 1, 5), (5, 1, 1, 2), (2, 5)),
            ("LC", (9, 5), (1, 5), (1, 5), (5,)),
            ("CL", (5, 9), (1, 5), (5, 1), (5,)),
            ("NC", (2, 5), (2, 5), (2, 5), (2, 5)),
            ("NDHWC", (2, 3, 7, 6, 5), (2, 1, 1, 1, 5), (2, 1, 1, 1, 5), (2, 5)),
            ("HW", (7, 6), (1, 1, 1), (1, 1), (1,)),
            ("NHW", (2, 7, 6), (2, 1, 1, 1), (2, 1, 1), (2, 1)),
        ],
    )
    def test_pooled_axes_become_1(
        self,
        axes: str,
        shape: tuple[int, ...],
        last: tuple[int, ...],
        keepdims: tuple[int, ...],
        flat: tuple[int, ...],
    ) -> None:
        layout = Layout(axes)
        assert layout.output_shape(shape, "channels-last") == last
        assert layout.output_shape(shape, "keepdims") == keepdims
        assert layout.output_shape(shape, "flat") == flat

    def test_output_axes(self) -> None:
        assert Layout("NCDHW").output_axes("channels-last") == "NDHWC"
        assert Layout("NCDHW").output_axes("keepdims") == "NCDHW"
        assert Layout("NCDHW").output_axes("flat") == "NC"
        assert Layout("HW").output_axes("channels-last") == "HWC"


class TestLayoutFromNames:
    @pytest.mark.parametrize(
        ("names", "axes"),
        [
            (["C", "H", "W"], "CHW"),
            (["b", "c", "y", "x"], "NCYX"),
            (["batch", "height", "width", "channels"], "NHWC"),
            (["Sample", "Depth", "HEIGHT", "width", "channel"], "NDHWC"),
            ([" length ", "C"], "LC"),
        ],
    )
    def test_names_that_spell_a_layout(self, names: list[str], axes: str) -> None:
        assert layout_from_names(names) == axes

    @pytest.mark.parametrize(
        "names",
        [
            ["", "", ""],
            ["H", "W", ""],
            ["H", "W", "banana"],
            ["H", "H", "C"],
            ["batch", "n", "c"],
            ["HW", "C"],
            ["Q", "C"],
            ["ß", "C"],
        ],
    )
    def test_names_that_spell_none(self, names: list[str]) -> None:
        assert layout_from_names(names) is None


class TestLayoutDoubt:
    @pytest.mark.parametrize(
        ("shape", "flag"),
        [
            ((512, 7, 7), "CHW"),  # the last two are equal, the first is not
            ((3, 224, 224), "CHW"),
            ((512, 7, 6), "CHW"),  # both far smaller than the first
            ((2, 512, 7, 7), "NCHW"),
            ((2, 512, 7, 6), "NCHW"),
            ((2, 512, 4, 7, 7), "NCDHW"),
            ((2, 512, 7, 7, 7), "NCDHW"),
            ((2, 512, 16, 7, 6), "NCDHW"),
        ],
    )
    def test_looks_channels_first(self, shape: tuple[int, ...], flag: str) -> None:
        layout = resolve_layout(None, None, shape)
        doubt = layout_doubt(layout, shape)
        assert "looks channels-first" in doubt
        assert f"--layout {flag} " in doubt
        assert f"--layout {layout.axes} " in doubt
        # The flags that it names do settle it.
        assert layout_doubt(resolve_layout(flag, None, shape), shape) == ""
        assert layout_doubt(resolve_layout(layout.axes, None, shape), shape) == ""
        assert layout_doubt(resolve_layout(None, flag, shape), shape) == ""

    @pytest.mark.parametrize(
        "shape",
        [
            (7, 7, 512),
            (7, 6, 512),
            (7, 7, 7),
            (28, 7, 6),  # a quarter, not under it
            (512, 7, 300),
            (2, 7, 7, 512),
            (512, 7, 7, 64),  # a large batch is no sign of anything
            (2, 4, 7, 7, 512),
            (2, 8, 8, 8, 8),
            (1, 1, 5),
            (1, 1, 1),
        ],
    )
    def test_looks_right(self, shape: tuple[int, ...]) -> None:
        assert layout_doubt(resolve_layout(None, None, shape), shape) == ""

    def test_a_wide_2d_array_looks_like_vectors(self) -> None:
        doubt = layout_doubt(resolve_layout(None, None, (1000, 64)), (1000, 64))
        assert "vectors" in doubt
        assert "--layout LC " in doubt
        assert "--layout HW " in doubt
        assert layout_doubt(resolve_layout(None, None, (1000, 63)), (1000, 63)) == ""
        assert layout_doubt(resolve_layout("HW", None, (1000, 64)), (1000, 64)) == ""


def test_shape_text() -> None:
    assert shape_text((7, 7, 1280)) == "7x7x1280"
    assert shape_text((5,)) == "5"
    assert shape_text(()) == "()"


def test_size_of_is_exact_beyond_64_bits() -> None:
    assert size_of((2**40, 2**40)) == math.prod([2**80])
    assert size_of(()) == 1
    assert size_of((3, 0, 5)) == 0
