"""gpool: global pooling of saved CNN feature maps.

The Python API is one function, which is the code that the commands run::

    from gpool_cli import global_pool

    descriptor = global_pool("map.npy", "avg", layout="HWC")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gpool_cli.api import global_pool

__all__ = ["__version__", "global_pool"]

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Import the API when it is first asked for, so that ``gpool --help`` needs no numpy."""
    if name == "global_pool":
        from gpool_cli.api import global_pool

        return global_pool
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
