"""Help, version, aliases, shell completion."""

import os
import subprocess
import sys

import pytest

import gpool_cli
from gpool_cli.poolings import COMMANDS

GPOOL = [sys.executable, "-c", "from gpool_cli.cli.main import main; main()"]


def test_help_lists_poolings_and_tools_in_two_sections(gpool):
    ran = gpool("--help")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == gpool("-h").out
    poolings, tools = ran.out.split("Poolings:")[1].split("Tools:")
    assert [line.split()[0] for line in poolings.splitlines() if line] == [
        row.name for row in COMMANDS
    ]
    assert [line.split()[0] for line in tools.splitlines() if line][:2] == ["pool", "info"]


def test_aliases_work_and_are_not_listed(gpool, save):
    values = save("a.npy")
    listed = [line.split()[0] for line in gpool("--help").out.splitlines() if line.strip()]
    for alias, name in (("mean", "avg"), ("gap", "avg"), ("gmp", "max"), ("mac", "max")):
        assert alias not in listed
        assert gpool(alias, "a.npy", "-o", "-").data == gpool(name, "a.npy", "-o", "-").data
    assert (
        gpool("pool", "-m", "gmp", "a.npy", "-o", "-").data == gpool("max", "a.npy", "-o", "-").data
    )
    assert values.max() > 0


@pytest.mark.parametrize("command", ["avg", "max", "pool", "info"])
def test_each_command_has_its_own_help(gpool, command):
    ran = gpool(command, "--help")
    assert ran.code == 0
    assert ran.out == gpool(command, "-h").out
    assert ran.out.startswith(f"Usage: gpool {command} [OPTIONS] INPUT...\n")
    assert "--files-from LIST" in ran.out
    assert max(map(len, ran.out.splitlines())) <= 100


def test_version(gpool):
    assert gpool("--version").out == gpool("-V").out == f"gpool {gpool_cli.__version__}\n"


def test_gpool_alone_shows_its_help(gpool):
    ran = gpool()
    assert "Usage: gpool [OPTIONS] COMMAND" in ran.out + ran.err


@pytest.mark.parametrize("words", ["['--help']", "['avg', '--help']", "['--version']", "['x']"])
def test_help_imports_nothing_heavy(words):
    code = (
        "import sys; from gpool_cli.cli.main import run; "
        f"run({words}); print([m for m in ('numpy', 'h5py', 'rich') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "[]"


def complete(words: str) -> list[str]:
    """What bash is told to offer for the last word."""
    env = {
        **os.environ,
        "_GPOOL_COMPLETE": "bash_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split(" ")) - 1),
    }
    done = subprocess.run(["gpool"], executable=_script(), env=env, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split()


def _script() -> str:
    return os.path.join(os.path.dirname(sys.executable), "gpool")


@pytest.mark.parametrize("kind", ["bash", "zsh", "fish"])
def test_completion_scripts(kind):
    env = {**os.environ, "_GPOOL_COMPLETE": f"{kind}_source"}
    done = subprocess.run([_script()], env=env, capture_output=True, text=True)
    assert done.returncode == 0
    assert f"_GPOOL_COMPLETE={kind}_complete" in done.stdout


def test_completion_offers_commands_options_choices_and_files():
    assert complete("gpool ")[: len(COMMANDS)] == [f"plain,{row.name}" for row in COMMANDS]
    assert complete("gpool av") == ["plain,avg", "plain,avgmax"]
    assert complete("gpool avg --nan o") == ["plain,omit"]
    assert complete("gpool avg --overw") == ["plain,--overwrite"]
    assert complete("gpool pool -m ma") == ["plain,max"]
    for words in ("gpool avg ma", "gpool avg -o ma", "gpool info ma", "gpool avg --base ma"):
        assert complete(words) == ["file,ma"]
