"""The README shows what gpool does: its commands are run here, and their output compared.

After a change of what gpool prints, bring the README up to date and look at the difference:

    python tests/test_readme.py --write

All ``console`` blocks are one session, in one directory with a copy of sample_data and the inputs
that `_prepare` makes. Times, throughputs and the size of outputs (which HDF5 decides) may differ.
A ``python`` block that begins with ``# name.py`` is saved there under that name; ``pycon`` blocks
are run as doctests.
"""

from __future__ import annotations

import doctest
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

import h5py
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"

_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_TIME = re.compile(r"\d[\d.e+-]* (?:[µm]?s|min \d+ s|h \d+ min)(?: · [\d.e+]+ [kMGT]?B/s)?(?= ·|$)")
_WRITTEN = re.compile(r"\d[\d.]* [kM]?B out(?= ·)")
_MARK = "\x1e"


def _blocks(text: str, language: str) -> list[str]:
    return [block for kind, block in _FENCE.findall(text) if kind == language]


CONSOLE = _blocks(README.read_text(encoding="utf-8"), "console")


def _commands(block: str) -> list[str]:
    """The commands of a block, with their prompts: ``$ ``, and ``> `` where one goes on."""
    return re.findall(r"^\$ .*(?:\n> .*)*", block, re.MULTILINE)


def _run(block: str, directory: Path) -> str:
    """A console block as it comes out: every command, and what it prints on both streams."""
    commands = _commands(block)
    script = "".join(
        f"{re.sub('^[$>] ', '', command, flags=re.MULTILINE)}\n"
        f"_status=$?; printf '\\036\\n'; (exit $_status)\n"
        for command in commands
    )
    ran = subprocess.run(
        ["bash", "-c", script],
        cwd=directory,
        env=_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=60,
    )
    outputs = ran.stdout.decode().split(f"{_MARK}\n")
    assert len(outputs) == len(commands) + 1, f"the shell stopped early: {outputs[-1]}"
    session = ""
    for command, output in zip(commands, outputs, strict=False):
        session += f"{command}\n"
        session += "".join(f"{line.rstrip()}\n" for line in output.rstrip("\n").splitlines())
    return session


def _environment() -> dict[str, str]:
    """The user's, without what changes output, and with the gpool of this Python in front."""
    kept = {name: os.environ[name] for name in ("HOME", "SYSTEMROOT") if name in os.environ}
    scripts = f"{sysconfig.get_path('scripts')}{os.pathsep}{Path(sys.executable).parent}"
    path = f"{scripts}{os.pathsep}{os.environ['PATH']}"
    return {**kept, "PATH": path, "COLUMNS": "100", "LC_ALL": "C.UTF-8", "PYTHONUTF8": "1"}


def _prepare(directory: Path) -> None:
    """Make what the README's commands read."""
    shutil.copytree(ROOT / "sample_data", directory / "sample_data")
    for block in _blocks(README.read_text(encoding="utf-8"), "python"):
        if name := re.match(r"# (\w+\.py)\n", block):
            (directory / name[1]).write_text(block, encoding="utf-8")
    numbers = np.random.default_rng(0)

    def maps(*shape: int) -> np.ndarray:
        return numbers.random(shape, np.float32)

    (directory / "torch_maps").mkdir()
    for i in range(2):
        np.save(directory / f"torch_maps/{i:05}.npy", maps(4, 512, 7, 7))
    with h5py.File(directory / "keras_maps.h5", "w") as file:
        for name in ("cat", "dog"):
            file[name] = maps(7, 7, 1280)
            for axis, letter in zip(file[name].dims, "HWC", strict=True):
                axis.label = letter
    (directory / "slides").mkdir()
    for name, patches in (("tumor_001", 300), ("tumor_002", 120)):
        with h5py.File(directory / f"slides/{name}.h5", "w") as file:
            file["features"] = maps(patches, 1024)
            file["coords"] = numbers.integers(0, 50_000, (patches, 2))
    with h5py.File(directory / "feats.h5", "w") as file:
        for name, points in (("db/1.jpg", 90), ("db/2.jpg", 70), ("query/night.jpg", 50)):
            file[f"{name}/keypoints"] = maps(points, 2)
            file[f"{name}/descriptors"] = maps(256, points)
    header, values = {}, b""
    for i in range(2):
        made = maps(8, 7, 7, 96).tobytes()
        offsets = [len(values), len(values) + len(made)]
        shape = [8, 7, 7, 96]
        header[f"block{i}.features"] = {"dtype": "F32", "shape": shape, "data_offsets": offsets}
        values += made
    raw = json.dumps(header).encode()
    (directory / "layers.safetensors").write_bytes(len(raw).to_bytes(8, "little") + raw + values)
    # A copy that was interrupted.
    (directory / "night").mkdir()
    shutil.copy(directory / "sample_data/chelsea_hwc.npy", directory / "night/a.npy")
    broken = (directory / "sample_data/coffee_11x7.npy").read_bytes()[:200_000]
    (directory / "night/b.npy").write_bytes(broken)


def _settled(text: str) -> str:
    return _WRITTEN.sub("BYTES out", _TIME.sub("TIME", text))


def _session(directory: Path) -> list[str]:
    _prepare(directory)
    return [_run(block, directory) for block in CONSOLE]


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    if shutil.which("bash") is None:
        pytest.skip("the README's commands are for a shell like bash")
    return _session(tmp_path_factory.mktemp("readme"))


@pytest.mark.parametrize("number", range(len(CONSOLE)), ids=lambda i: CONSOLE[i].split("\n")[0])
def test_a_command_prints_what_the_readme_shows(session: list[str], number: int) -> None:
    assert _settled(session[number]) == _settled(CONSOLE[number]), "see --write in this file"


def test_every_console_block_begins_with_a_command() -> None:
    assert [block for block in CONSOLE if not block.startswith("$ ")] == []


@pytest.mark.parametrize("block", _blocks(README.read_text(encoding="utf-8"), "python"))
def test_python_in_the_readme_compiles(block: str) -> None:
    compile(block, "README.md", "exec")


def test_the_python_session_in_the_readme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(ROOT / "sample_data", tmp_path / "sample_data")
    monkeypatch.chdir(tmp_path)
    blocks = _blocks(README.read_text(encoding="utf-8"), "pycon")
    parsed = doctest.DocTestParser().get_doctest("\n".join(blocks), {}, "README.md", None, 0)
    report: list[str] = []
    ran = doctest.DocTestRunner().run(parsed, out=report.append)
    assert ran.attempted
    assert "".join(report) == ""


def test_every_option_is_in_the_readme() -> None:
    from gpool_cli.cli.main import gpool

    text = README.read_text(encoding="utf-8")
    commands = {
        "": gpool,
        **{name: gpool.get_command(None, name) for name in gpool.list_commands(None)},
    }
    missing = [
        f"gpool {name} {option}"
        for name, command in commands.items()
        for parameter in command.params
        for option in parameter.opts
        if option.startswith("-") and not re.search(rf"(?<![\w-]){option}(?![\w-])", text)
    ]
    assert missing == []
    assert [name for name in commands if f"gpool {name}" not in text] == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shell_completion_is_as_the_readme_says(shell: str) -> None:
    text = README.read_text(encoding="utf-8")
    assert f"_GPOOL_COMPLETE={shell}_source gpool" in text
    ran = subprocess.run(
        ["gpool"],
        env={**_environment(), "_GPOOL_COMPLETE": f"{shell}_source"},
        capture_output=True,
        text=True,
        check=False,
    )
    # click asks bash for its version, and says on standard error where it is none or too old.
    assert "_gpool_completion" in ran.stdout


def test_the_set_up_is_two_commands() -> None:
    text = README.read_text(encoding="utf-8")
    found = re.findall(
        r"^<!-- setup: (\w+) -->\n```\w*\n(.*?)^```$", text, re.DOTALL | re.MULTILINE
    )
    assert [name for name, _ in found] == ["run", "test"]
    for _, block in found:
        assert re.fullmatch(r"[^\n]+ && [^\n]+\n", block)
    assert "gpool avg sample_data -o pooled" in found[0][1]
    assert "python -m pytest" in found[1][1]


def test_the_map_of_the_house_is_the_house() -> None:
    text = README.read_text(encoding="utf-8")
    block = next(block for block in _blocks(text, "text") if block.startswith("gpool_cli/"))
    said = _files_in(block)
    there = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "gpool_cli").rglob("*.py")
        if path.name != "__init__.py" or path.parent.name == "gpool_cli"
    }
    assert sorted(there - said) == [], "these files have no line in the README's file tree"
    assert sorted(said - there) == [], "these lines of the README's file tree have no file"


def _files_in(tree: str) -> set[str]:
    """The files of a tree whose levels are indented by two spaces."""
    above: list[str] = []
    files = set()
    for line in tree.splitlines():
        name = line.split()[0]
        above[(len(line) - len(line.lstrip())) // 2 :] = [name]
        if not name.endswith("/"):
            files.add("".join(above))
    return files


def _write() -> None:
    """Put what the commands print now into the README."""
    text = README.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as directory:
        for block, now in zip(CONSOLE, _session(Path(directory)), strict=True):
            if _settled(block) != _settled(now):
                text = text.replace(f"```console\n{block}```", f"```console\n{now}```", 1)
    README.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit("usage: python tests/test_readme.py --write")
    _write()
