"""Hostile months through the whole command: nothing crashes, nothing shows a traceback, nothing grows without bound."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hostile.corpus import CASES, SOUND, Case
from hostile.spoiled import spoiled_month

MEMORY_LIMIT = 512 * 1024
"""KiB at the peak of a run, its reader included; the modules that it imports take most of it."""

PEAK_OF_CHILDREN = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[2:]).returncode
with open(sys.argv[1], "w") as peak:
    peak.write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))
sys.exit(code if code >= 0 else 128 - code)
"""
"""The kernel counts to a process what its parent had when it was forked, so a small process is in between."""

TYPED = [case for case in CASES if case.through_the_command]
SHORT = ("32,767 characters", "upload that ended at 50%")
"""One that is published and one that is refused; the corpus without the command: tests/hostile/test_corpus.py."""


def test_at_least_fifteen_months_go_through_the_command() -> None:
    assert len(TYPED) >= 15


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=f"{case.group}, {case.name}", marks=[] if case.name in SHORT else pytest.mark.long)
        for case in TYPED
    ],
)
def test_a_hostile_month_is_published_correctly_or_refused_with_its_rule(
    case: Case, tmp_path: Path, prefect_server: str
) -> None:
    source, destination, peak = spoiled_month(tmp_path / "source", case.spoil), tmp_path / "reports", tmp_path / "peak"
    arguments = ("--month", "2025-05", "--source", source, "--destination", destination)
    ended = subprocess.run(
        [sys.executable, "-c", PEAK_OF_CHILDREN, peak, sys.executable, "-m", "flows.cli", "run", *arguments],
        env=os.environ | {"PREFECT_API_URL": prefect_server},
        capture_output=True, text=True, errors="surrogateescape", timeout=120, check=False,
    )  # fmt: skip
    assert ended.returncode == (1 if case.words else 0), ended.stderr
    assert "Traceback" not in ended.stderr
    assert int(peak.read_text()) < MEMORY_LIMIT
    folders = {path.name for path in destination.iterdir()}
    if case.words:
        assert ended.stdout == ""
        lines = ended.stderr.splitlines()
        assert all(any(line.startswith(words) for line in lines) for words in case.words), ended.stderr
        count = "1 error" if len(case.words) == 1 else f"{len(case.words)} errors"
        assert lines[-1].startswith(f"{count}, nothing is published.")
        assert folders == {"refused"}
    else:
        figures = SOUND | case.figures
        assert f"\nTotal revenue to date: €{figures['revenue']:,.2f}" in ended.stdout
        assert f"\nBottles to date: {figures['units']:,}\n" in ended.stdout
        assert f"\nPremium wines: {figures['premium']:,}; premium above" in ended.stdout
        assert "refused" not in folders
