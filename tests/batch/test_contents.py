"""What is said of a file to somebody who asked for something else."""

import pytest

from gpool_cli.batch.contents import what_there_is
from gpool_cli.model import ArrayInfo


def arrays(*names):
    return [ArrayInfo(name, (2, 3), None) for name in names]


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("descriptor", "did you mean descriptors? it holds db/1/descriptors, db/1/scores"),
        ("db/1/score", "did you mean db/1/scores? it holds db/1/descriptors, db/1/scores"),
        # It may be there, beyond the names that are known, and another one is not meant.
        ("db/7/score", "did you mean db/7/scores? it holds db/1/descriptors, db/1/scores"),
        ("db/*/score", "did you mean db/*/scores? it holds db/1/descriptors, db/1/scores"),
        ("bd/1/scores", "it holds db/1/descriptors, db/1/scores"),
        ("x", "it holds db/1/descriptors, db/1/scores"),
        ("", "it holds db/1/descriptors, db/1/scores"),
    ],
)
def test_the_name_that_looks_like_the_one_asked_for_comes_first(wanted, said):
    assert what_there_is(arrays("db/1/descriptors", "db/1/scores"), wanted) == said


def test_what_would_not_help_is_not_proposed():
    """A name that can't be pooled, and one that would be read as a pattern."""
    link = ArrayInfo("a/featur", (), None, "is a link to nowhere", "link")
    assert what_there_is([link], "feature") == "it holds a/featur"
    assert what_there_is(arrays("x[1]"), "x[1") == "it holds x[1]"


def test_the_first_names_are_shown():
    assert what_there_is(arrays(*"abcde")) == "it holds a, b, c, d, e"
    assert what_there_is(arrays(*"abcdef")) == "it holds a, b, c, d, e, …"
    assert what_there_is([]) == what_there_is([], "a") == "it holds nothing"


def test_what_comes_from_a_file_does_not_command_the_terminal():
    said = what_there_is(arrays("feat\x1b!"), "feat!")
    assert said.startswith("did you mean ")
    assert "\x1b" not in said
