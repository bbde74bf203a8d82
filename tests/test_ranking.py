"""The largest values of a row, in an order that is always the same."""

import numpy as np

from gpool_cli.ranking import Ranked, Ranking


def test_the_first_of_equal_ones_first():
    row = np.array([1, 3, 2, 3], "f4")
    assert Ranking(3).of(row) == [Ranked(1, 1, "", 3), Ranked(2, 3, "", 3), Ranked(3, 2, "", 2)]


def test_no_more_than_there_are_and_never_nan():
    row = np.array([np.nan, -np.inf, 2], "f4")
    assert [one.index for one in Ranking(9).of(row)] == [2, 1]
    assert Ranking(9).of(np.full(3, np.nan)) == []


def test_labels_are_those_of_the_places():
    (best,) = Ranking(1, ("a", "b")).of(np.array([0.1, 0.9]))
    assert (best.label, best.index) == ("b", 1)
