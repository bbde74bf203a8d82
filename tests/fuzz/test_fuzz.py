"""The fuzzer works: its files are damaged, and it sees what is wrong."""

import random
import subprocess
import sys

import pytest

from tests.fuzz import __main__ as command
from tests.fuzz import trial as trials
from tests.fuzz.mutants import mutant
from tests.fuzz.seeds import seeds


def test_a_few_damaged_files_of_every_kind(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["-n", "60", "--seed", "suite"]) == 0, capsys.readouterr().out


def test_the_same_number_gives_the_same_damage() -> None:
    data = seeds()["gzip_latest.h5"]
    made = [mutant(data, random.Random(f"1/{i}")) for i in range(50)]
    assert made == [mutant(data, random.Random(f"1/{i}")) for i in range(50)]
    assert len(set(made)) > 45


@pytest.mark.parametrize(
    ("script", "wrong"),
    [
        ("import os; os.abort()", "signal 6"),
        ("raise ValueError", "Traceback"),
        ("import sys; sys.exit(1)", "silent"),
        ("import sys; sys.exit('gpool has a bug')", "gpool has a bug"),
        ("open('{out}/a.npz', 'w').write(os.environ['MALLOC_PERTURB_'])", "unstable"),
        ("open('{out}/.gpool-1.part', 'w')", "left something half written"),
        ("import time; time.sleep(60)", "hang"),
    ],
)
def test_what_is_wrong_is_seen(script: str, wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    run = subprocess.run
    patience = 0.5 if wrong == "hang" else 60

    def run_instead(words: list[str], **options: object) -> object:
        out = words[words.index("-o") + 1].rstrip("/")
        made = f"import os; os.makedirs('{out}', exist_ok=True); {script.format(out=out)}"
        return run([sys.executable, "-c", made], **{**options, "timeout": patience})  # type: ignore[call-overload]

    monkeypatch.setattr(trials.subprocess, "run", run_instead)
    assert wrong in trials.trial({"a.npy": b""})
