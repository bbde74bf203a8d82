"""WHO does the work beside gpool. The scripts are what a careful user writes today."""

from __future__ import annotations

import importlib.util
import shutil
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.data import Data
from tests.benchmarks.ratio import Wanted

_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Peer:
    """A command that does the same work.

    Attributes:
        title: For the table.
        words: The command; ``{python}``, ``{gpool}``, ``{data}`` and ``{out}`` are filled in.
        wanted: What gpool should be beside it.
        needs: The module or program without which it is left out.
        result: It writes a result, which must be gpool's.
        data: What it reads, where that is not what gpool reads.
    """

    title: str
    words: tuple[str, ...]
    wanted: Wanted | None = None
    needs: str = ""
    result: bool = True
    data: Data | None = None

    def compared(self) -> bool:
        """Whether its result must be gpool's."""
        return self.result and self.data is None


def command(
    title: str, *words: str, wanted: Wanted | None = None, needs: str = "", result: bool = True
) -> Peer:
    """Any command."""
    return Peer(title, words, wanted, needs, result)


def script(
    title: str, name: str, words: str, wanted: Wanted | None = None, *, needs: str = ""
) -> Peer:
    """A script of this directory."""
    path = str(_HERE / f"{name}.py")
    return Peer(title, ("{python}", path, *words.split()), wanted, needs)


def gpool(
    title: str, words: str, *, wanted: Wanted | None = None, data: Data | None = None
) -> Peer:
    """Run gpool itself, differently."""
    return Peer(title, ("{gpool}", *words.split(), "--overwrite"), wanted, data=data)


def there(needs: str) -> bool:
    """Whether a module or a program is installed; nothing is needed always."""
    return not needs or importlib.util.find_spec(needs) is not None or bool(shutil.which(needs))


def filled(words: tuple[str, ...], paths: Mapping[str, str]) -> list[str]:
    """Put the programs and the paths into a command."""
    parts: list[str] = []
    for word in words:
        if word == "{gpool}":
            parts += _gpool()
        else:
            parts.append(word.format(python=sys.executable, **paths))
    return parts


def _gpool() -> list[str]:
    """Gpool as installed beside this Python; else its module."""
    program = shutil.which("gpool", path=sysconfig.get_path("scripts"))
    return [program] if program else [sys.executable, "-m", "gpool_cli"]
