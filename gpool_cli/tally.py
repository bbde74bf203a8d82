"""The totals of a run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(eq=False)
class Tally:
    """What a run has come to: the totals that the summary ends with.

    Attributes:
        maps: Maps that were pooled.
        files: Inputs that were worked on.
        failed_files: Inputs in which something failed, or that were not there.
        bytes_in: Bytes of the maps, decoded.
        bytes_out: Bytes of the outputs.
        nan_values: NaN in the results.
        inf_values: Infinities in the results.
        channels: Channels of every result; 0 where they differ.
        zero_channels: Those of them that are 0 in every result.
        omitted: NaN of the inputs that were left out.
        masked: Values of the inputs that a mask, a weight of 0 or a fill value left out.
        empty_channels: Channels of the inputs in which no value counts.
        clamped: Values of the inputs that a pooling took as another, once for each such pooling.
        zero_vectors: Results that have no length to be divided by, and stay zero.
        seconds: Wall time.
        skipped: Arrays and files that were not pooled.
        done_before: Inputs that an earlier run finished, in which nothing was left to do.
    """

    maps: int = 0
    files: int = 0
    failed_files: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    nan_values: int = 0
    inf_values: int = 0
    channels: int = 0
    zero_channels: int = 0
    omitted: int = 0
    masked: int = 0
    empty_channels: int = 0
    clamped: int = 0
    zero_vectors: int = 0
    seconds: float = 0.0
    skipped: int = 0
    done_before: int = 0
