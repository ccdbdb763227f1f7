"""Hostile months through the whole command: nothing dies, nothing shows a traceback, nothing grows without bound."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from hostile.corpus import CASES, SOUND, Case
from hostile.spoiled import spoiled_month

MEMORY_LIMIT = 512 * 1024
"""What a run may take at its peak, in KiB, its reader included; the modules that it imports take most of it."""


@dataclass(frozen=True)
class Ended:
    """How a command ended; `peak` is the memory of its largest process in KiB."""

    code: int
    out: str
    err: str
    peak: int


PEAK_OF_CHILDREN = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[2:]).returncode
with open(sys.argv[1], "w") as peak:
    peak.write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))
sys.exit(code if code >= 0 else 128 - code)
"""
"""The kernel counts to a process what its parent held when it was forked, so a small process stands between."""


def run(server: str, scratch: Path, *arguments: object) -> Ended:
    command = [sys.executable, "-m", "flows.cli", "run", *map(str, arguments)]
    done = subprocess.run(
        [sys.executable, "-c", PEAK_OF_CHILDREN, scratch / "peak", *command],
        env=os.environ | {"PREFECT_API_URL": server},
        capture_output=True,
        text=True,
        errors="surrogateescape",
        timeout=120,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr, int((scratch / "peak").read_text()))


TYPED = [case for case in CASES if case.through_the_command]


def test_at_least_fifteen_months_go_through_the_command() -> None:
    assert len(TYPED) >= 15


FIRST_OF_EACH_GROUP = list({case.group: case for case in reversed(TYPED)}.values())
"""What the short form runs: the rest of them ends in the same ways."""


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(
            case, id=f"{case.group}, {case.name}", marks=[] if case in FIRST_OF_EACH_GROUP else pytest.mark.long
        )
        for case in TYPED
    ],
)
def test_a_hostile_month_ends_with_its_figures_or_its_words(case: Case, tmp_path: Path, prefect_server: str) -> None:
    destination = tmp_path / "reports"
    with spoiled_month(tmp_path / "source", case.spoil) as source:
        ended = run(prefect_server, tmp_path, "--month", "2025-05", "--source", source, "--destination", destination)
    assert ended.code == (1 if case.words else 0), ended.err
    assert "Traceback" not in ended.err
    assert ended.peak < MEMORY_LIMIT
    folders = {path.name for path in destination.iterdir()}
    if case.words:
        assert ended.out == ""
        told = ended.err.splitlines()
        assert all(any(line.startswith(words) for line in told) for words in case.words), ended.err
        count = "1 error" if len(case.words) == 1 else f"{len(case.words)} errors"
        assert told[-1].startswith(f"{count}, nothing is published.")
        assert folders == {"refused"}
    else:
        figures = SOUND | case.figures
        assert f"\nTotal revenue to date: €{figures['revenue']:,.2f}" in ended.out
        assert f"\nBottles to date: {figures['units']:,}\n" in ended.out
        assert f"\nPremium wines: {figures['premium']:,}; premium above" in ended.out
        assert "refused" not in folders
