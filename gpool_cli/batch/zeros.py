"""Which channels are 0 in every result of a run: what the results show of dead ones, for free."""

from __future__ import annotations

import numpy as np

from gpool_cli.model import Result
from gpool_cli.sketch import channel_rows
from gpool_cli.tally import Tally


class ZeroChannels:
    """The channels that were 0 so far; results of several widths have none in common."""

    def __init__(self) -> None:
        self._width: int | None = None
        self._alive = np.zeros(0, np.bool_)

    def copy(self) -> ZeroChannels:
        """The same, which goes on by itself."""
        other = ZeroChannels()
        other._width, other._alive = self._width, self._alive.copy()
        return other

    def take_in(self, result: Result, tally: Tally) -> None:
        """Leave out the channels that are not 0 in a result, or a piece of one."""
        rows = channel_rows(result)
        width = rows.shape[1]
        if self._width is None:
            self._width, self._alive = width, np.zeros(width, np.bool_)
            tally.channels = tally.zero_channels = width
        elif self._width != width:
            self._width = tally.channels = tally.zero_channels = 0
        # When every channel has been seen alive nothing is looked at any more.
        if tally.zero_channels:
            self._alive |= rows[0] != 0 if len(rows) == 1 else rows.any(axis=0)
            tally.zero_channels = width - int(np.count_nonzero(self._alive))
