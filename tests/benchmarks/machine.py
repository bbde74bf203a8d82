"""What the figures were measured on: figures without a machine say little."""

from __future__ import annotations

import os
import platform
from importlib import metadata

from gpool_cli import __version__

_PACKAGES = ("numpy", "h5py", "hdf5plugin", "deflate", "torch")


def machine_text() -> str:
    """Processor, cores, memory, system and the versions that matter, in two lines."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return (
        f"{_processor()}, {cores} cores, {_memory()}, {platform.system()} {platform.release()}\n"
        f"gpool {__version__}, Python {platform.python_version()}, {_versions()}"
    )


def _processor() -> str:
    try:
        with open("/proc/cpuinfo") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _memory() -> str:
    try:
        nbytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return "unknown memory"
    return f"{nbytes / 1e9:.0f} GB"


def _versions() -> str:
    found = []
    for name in _PACKAGES:
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            continue
    return ", ".join(found)
