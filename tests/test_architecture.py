"""The arrows of the house: who may import whom.

Imports are read from the source, so that those inside functions and under ``TYPE_CHECKING`` count
too, and so do the ``module:NAME`` strings of the tables.
"""

import ast
import importlib
import re
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import numpy
import pytest

import gpool_cli
from gpool_cli import formats, poolings

ROOT = Path(gpool_cli.__file__).parent
LONGEST_FILE = 400

# One file of kernels, each beside its argument.
LONGER = {"gpool_cli.poolings.kernels": 650}

# Formats that are one format on the disk share what their files have before their names.
FAMILIES = ("gpool_cli.formats.hdf5",)

BASE = {
    *(
        "access",
        "ceiling",
        "errors",
        "events",
        "heap",
        "layout",
        "model",
        "packing",
        "patience",
        "printable",
        "pulse",
        "quantities",
        "raster",
        "stopping",
    ),
    *("ranking", "recipe", "sketch", "surroundings", "tally"),
}

# What every part may import beside itself. A new part of the house is a new line here.
MAY_IMPORT: dict[str, set[str]] = {
    **dict.fromkeys(BASE, BASE),
    "remote": BASE,
    "formats": BASE | {"remote"},
    "poolings": BASE,
    "head": BASE,
    "batch": BASE | {"remote", "formats", "poolings", "head"},
    "api": BASE | {"formats", "poolings", "batch"},
    "report": BASE,
    "cli": BASE | {"remote", "formats", "poolings", "head", "batch", "report"},
    "__init__": {"api"},
    "__main__": {"cli"},
}

# Which parts may use which package of others.
MAY_USE = {
    "numpy": {
        *("model", "ranking", "raster", "sketch", "surroundings", "formats", "poolings", "head"),
        *("batch", "api", "report"),
    },
    "click": {"cli"},
    "rich": {"report"},
    "PIL": {"report"},
    "h5py": {"formats"},
    "deflate": {"formats"},
    "distributed": {"batch"},
    "fsspec": {"remote"},
    "aiohttp": {"remote"},
    "yarl": {"remote"},
}

# Dataclasses that a run of one npy file imports, and that are compared or hashed by value. The
# others say eq=False: a start makes them all, and every method of them takes time.
COMPARED = {
    "access.Access",
    "batch.masks.Companion",
    "formats.interface.WriteStyle",
    "layout.Layout",
    *("model.ArrayInfo", "model.Block", "model.Failed", "model.FileDone", "model.InputFile"),
    *("model.Part", "model.Skipped", "model.TooLarge", "model.Warned"),
    "packing.Packing",
    *("recipe.PoolingSpec", "recipe.Recipe"),
}

# What such a run has no use for; it is imported where it is needed.
NEEDLESS = {
    *("click.shell_completion", "concurrent.futures", "h5py", "hashlib", "rich", "tempfile"),
    *("gpool_cli.batch.alike", "gpool_cli.batch.record", "gpool_cli.batch.sinks.far"),
    *("gpool_cli.cli.pool", "gpool_cli.formats.extras", "gpool_cli.remote.stores"),
}


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {module_of(path): path for path in sorted(ROOT.rglob("*.py"))}
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in FILES.items()}


def part_of(module: str) -> str:
    return module.split(".")[1] if "." in module else "__init__"


def imported_names(module: str, tree: ast.AST) -> Iterator[str]:
    """Everything a module imports, as ``package.module.name``."""
    inside = module.split(".") if FILES[module].name == "__init__.py" else module.split(".")[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = inside[: len(inside) - node.level + 1] if node.level else []
            package = ".".join(above + ([node.module] if node.module else []))
            yield from (f"{package}.{alias.name}" for alias in node.names)


def ours_of(module: str) -> set[str]:
    """Our own modules that a module imports; ``__version__`` is free for all."""
    found = set()
    for name in imported_names(module, TREES[module]):
        if name.split(".")[0] == "gpool_cli" and name != "gpool_cli.__version__":
            found.add(name if name in FILES else name.rpartition(".")[0])
    return found


def targets_of(module: str) -> list[str]:
    """The import paths that a module keeps as strings."""
    texts = [
        node.value
        for node in ast.walk(TREES[module])
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    return [text for text in texts if re.fullmatch(r"gpool_cli[\w.]*:\w+", text)]


def others_of(module: str) -> set[str]:
    """The packages of others that a module imports."""
    tops = {name.split(".")[0] for name in imported_names(module, TREES[module])}
    return tops - sys.stdlib_module_names - {"gpool_cli"}


def test_the_house_was_found() -> None:
    assert {"gpool_cli", "gpool_cli.api", "gpool_cli.cli.main", "gpool_cli.formats"} <= set(FILES)
    assert "gpool_cli.batch.work" in ours_of("gpool_cli.api")
    assert "gpool_cli.api" in ours_of("gpool_cli")  # in a function and under TYPE_CHECKING
    assert "gpool_cli.poolings.kernels" in ours_of("gpool_cli.poolings.statistics")
    assert "gpool_cli.formats.npy:NpyReader" in targets_of("gpool_cli.formats")
    assert "rich" in others_of("gpool_cli.report.progress")


def test_every_part_of_the_house_has_its_place() -> None:
    homeless = {part_of(module) for module in FILES} - set(MAY_IMPORT)
    assert not homeless, f"say in MAY_IMPORT what {homeless} may import"


@pytest.mark.parametrize("module", FILES)
def test_nothing_imports_what_is_above_or_beside_it(module: str) -> None:
    part = part_of(module)
    wanted = ours_of(module) | {target.split(":")[0] for target in targets_of(module)}
    wrong = {name for name in wanted if part_of(name) not in MAY_IMPORT[part] | {part}}
    assert not wrong, f"{module} must not import {wrong}"


@pytest.mark.parametrize("module", FILES)
def test_packages_of_others_stay_where_they_belong(module: str) -> None:
    wrong = {p for p in others_of(module) if part_of(module) not in MAY_USE.get(p, set())}
    assert not wrong, f"{module} must not import {wrong}"


@pytest.mark.parametrize("table", [formats, poolings], ids=["formats", "poolings"])
def test_brothers_do_not_import_each_other(table: object) -> None:
    brothers = {target.split(":")[0] for target in targets_of(table.__name__)}  # type: ignore[attr-defined]
    assert len(brothers) > 1
    wrong = {
        (a, b)
        for a in brothers
        for b in ours_of(a) & brothers
        if a != b and not any(a.startswith(f) and b.startswith(f) for f in FAMILIES)
    }
    assert not wrong


def test_h5py_is_used_by_the_hdf5_files_alone() -> None:
    users = {module for module in FILES if "h5py" in others_of(module)}
    assert all(module.startswith("gpool_cli.formats.hdf5") for module in users), users


def test_no_import_cycles() -> None:
    arrows = TopologicalSorter({module: ours_of(module) - {module} for module in FILES})
    try:
        arrows.prepare()
    except CycleError as error:
        pytest.fail(f"a cycle: {' <- '.join(error.args[1])}")


@pytest.mark.parametrize("module", [module for module in FILES if targets_of(module)])
def test_import_paths_in_tables_lead_somewhere(module: str) -> None:
    for target in targets_of(module):
        where, name = target.split(":")
        assert hasattr(importlib.import_module(where), name), target


@pytest.mark.parametrize("module", FILES)
def test_files_stay_short(module: str) -> None:
    longest = LONGER.get(module, LONGEST_FILE)
    assert len(FILES[module].read_text(encoding="utf-8").splitlines()) < longest


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["avg", "--help"], ["pool", "-h"], ["info", "-h"], ["classify", "-h"]]
    + [["cam", "-h"], ["cost", "-h"], ["show", "-h"], ["--version"]],
)
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys\n"
        "from gpool_cli.cli.main import run\n"
        f"assert run({arguments!r}) == 0\n"
        "heavy = {'numpy', 'h5py', 'rich', 'concurrent.futures'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert "gpool" in ran.stdout


def after_a_run_of_one_file(tmp_path: Path, code: str) -> str:
    """What code prints at the end of a process that has pooled one npy file."""
    numpy.save(tmp_path / "map.npy", numpy.ones((4, 4, 3), "f4"))
    arguments = ["avg", str(tmp_path / "map.npy"), "-o", str(tmp_path / "out.npy"), "--quiet"]
    begin = "import dataclasses, sys\nfrom gpool_cli.cli.main import run"
    command = [sys.executable, "-c", f"{begin}\nassert run({arguments}) == 0\n{code}"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_a_run_of_one_file_imports_nothing_needless(tmp_path: Path) -> None:
    loaded = set(after_a_run_of_one_file(tmp_path, "print(*sys.modules)").split())
    assert "gpool_cli.formats.npy" in loaded
    assert not NEEDLESS & loaded


def test_dataclasses_have_no_methods_that_nobody_calls(tmp_path: Path) -> None:
    code = (
        "for name, module in sorted(sys.modules.items()):\n"
        "    for kind in vars(module).values() if name.startswith('gpool_cli.') else ():\n"
        "        if dataclasses.is_dataclass(kind) and getattr(kind, '__module__', '') == name:\n"
        "            if '__eq__' in vars(kind):\n"
        "                print(name.removeprefix('gpool_cli.') + '.' + kind.__name__)\n"
    )
    assert set(after_a_run_of_one_file(tmp_path, code).split()) == COMPARED
