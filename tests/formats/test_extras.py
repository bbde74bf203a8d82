"""The table of extras is what pyproject.toml offers."""

import re
from pathlib import Path

from gpool_cli.formats.extras import ALL, TABLE, extra_of

PYPROJECT = (Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8")
PACKAGES = {"google_crc32c": "google-crc32c", "PIL": "pillow"}


def packages_of(extra: str) -> str:
    found = re.search(rf"^{extra} = \[(.*)\]", PYPROJECT, re.MULTILINE)
    assert found, extra
    return found[1]


def test_every_extra_can_be_installed() -> None:
    for extra in TABLE:
        for module in extra.modules:
            assert PACKAGES.get(module, module) in packages_of(extra.name)


def test_one_extra_bundles_what_formats_need() -> None:
    names = [extra.name for extra in TABLE if extra.name not in ("dask", "plot", "remote")]
    assert packages_of(ALL) == f'"gpool[{",".join(names)}]"'


def test_the_extra_of_a_module() -> None:
    assert extra_of("pyarrow").install == "pip install 'gpool[parquet]'"
