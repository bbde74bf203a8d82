"""What an npy header says of an array, in gpool's words: as it stands, or as a user views it."""

from __future__ import annotations

from gpool_cli.formats.narrow import bits_of, wide_dtype
from gpool_cli.formats.npyheader import NpyHeader
from gpool_cli.model import ArrayInfo

# numpy writes narrow floats as bytes without a meaning; others save them as integers.
_VIEWABLE = "Vui"


def describe(
    header: NpyHeader, dataset: str, view: str, filters: tuple[str, ...] = ()
) -> ArrayInfo:
    """What a header says.

    Args:
        header: The header.
        dataset: The array's name in its file.
        view: The narrow float that the values are; '' where they are what the header says.
        filters: How they are compressed.
    """
    dtype, refusal = header.dtype, header.refusal
    if view:
        bits = bits_of(view)
        if dtype.kind not in _VIEWABLE or dtype.itemsize != bits.itemsize or dtype.names:
            refusal = f"is {dtype.name}; --view {view} takes {bits.name}, or bytes of that size"
            return ArrayInfo(dataset, header.shape, dtype, refusal, filters=filters)
        dtype, refusal = wide_dtype(dtype.str[0] == ">"), ""
    elif dtype.kind == "V" and dtype.itemsize <= 2 and refusal == "is opaque":
        known = "bfloat16" if dtype.itemsize == 2 else "float8"
        refusal = f"is opaque; if it holds {known}, say so with --view"
    return ArrayInfo(
        dataset=dataset,
        shape=header.shape,
        dtype=dtype,
        refusal=refusal,
        fortran=header.fortran,
        filters=filters,
        narrow=view,
    )
