"""What the attributes of arrays mean by convention (CF), wherever they stand."""

from __future__ import annotations

from collections.abc import Container

# Sources: CF conventions, sections 8.1 (packed data) and 2.5.1 (missing data).
_PACKING = ("scale_factor", "add_offset")
_MISSING = ("_FillValue", "missing_value")


def packing_note(attributes: Container[str]) -> str:
    """What to tell of values that stand for others by an attribute; '' where none says so."""
    said = [name for name in (*_PACKING, *_MISSING) if name in attributes]
    return f"pooled as stored: {', '.join(said)} not applied" if said else ""
