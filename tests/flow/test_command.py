"""`monthly-sales` as it is typed: exit codes, what the screen shows, and no traceback."""

import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from command import command, command_here
from hostile.spoiled import SAMPLE, SpoiledMonth, spoiled_month

WATCHED = {"prefect", "polars", "scipy", "dataframely", "fastexcel", "xlsxwriter", "boto3", "prefect_aws"}
"""Modules that take the time."""


def thirty_returned(month: SpoiledMonth) -> None:
    sku, kind, units = (month.column("web", name) for name in ("sku", "post_type", "total_sales"))
    sold = [row for row in month.rows("web")[1:] if row[kind] == "product" and row[sku] is not None]
    for row in sold[:30]:
        row[units] = -1


def test_refused_data_ends_with_1_and_every_error_on_the_screen(tmp_path: Path, prefect_server: str) -> None:
    source = spoiled_month(tmp_path / "source", thirty_returned)
    done = command(
        "run", "--month", "2025-05", "--source", SAMPLE, "--web", source / "web.xlsx",
        "--destination", tmp_path / "reports", server=prefect_server,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    lines = done.stderr.splitlines()
    assert 'web.xlsx [Sheet1] F4, total_sales: "-1" is below 0. Correct the cell, then run again.' in lines
    assert "… and 10 more like this (negative: 30 in all)." in lines
    assert lines[-1].startswith("30 errors, nothing is published.")
    assert [path.name for path in (tmp_path / "reports").iterdir()] == ["refused"]


def test_the_table_of_each_stage_is_kept_in_the_given_folder(tmp_path: Path, prefect_server: str) -> None:
    done = command(
        "run", "--month", "2025-05", "--source", SAMPLE, "--destination", tmp_path / "reports",
        "--keep-stages", tmp_path / "stages", "--dry-run", server=prefect_server,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "nothing was published: it would be revision 1." in done.stderr
    kept = {path.stem: pl.read_parquet(path).height for path in (tmp_path / "stages").glob("*.parquet")}
    assert kept.items() >= {"raw_erp": 240, "clean_erp": 240, "clean_web": 446, "joined": 210, "wines": 210}.items()
    assert not (tmp_path / "reports").exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["run", "--month", "2025-5"], '"2025-5" is not a month. Write it as YYYY-MM'),
        (["run", "--source", "raw/{shop}"], '"raw/{shop}" has a placeholder that is not known.'),
        (["run", "--web", "{shop}.xlsx"], '"{shop}.xlsx" has a placeholder that is not known.'),
        (["run", "--export-date", "15/05/2025"], '"15/05/2025" is not a date. Write it as YYYY-MM-DD'),
        (["run", "--premium-threshold", "nan"], "nan: Input should be a finite number"),
        (["run", "--premium-treshold", "2"], "unrecognized arguments: --premium-treshold"),
        (["backfill", "--first", "2024-01", "--last", "2024-02", "--source", "raw"], "has no {month}"),
        (["backfill", "--first", "2024-01", "--last", "2024-02", "--source", "ftp://raw/{month}"], "ftp:// is not"),
        (["backfill", "--first", "2024-01", "--last", "2023-01"], "2024-01 comes after 2023-01"),
        (["verify", "--month", "May"], 'verify: month: "May" is not a month. Write it as YYYY-MM, such as 2025-05.'),
        (["list", "--destination", "ftp://cave"], 'list: "ftp://cave": ftp:// is not known. Use a folder, or s3://'),
    ],
)
def test_a_wrong_argument_ends_with_2_before_anything_is_started(
    tmp_path: Path, arguments: list[str], sentence: str
) -> None:
    done = command_here(tmp_path, *arguments)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert "server" not in done.stderr


def test_a_folder_that_is_not_there_ends_with_3(tmp_path: Path, prefect_server: str) -> None:
    done = command("run", "--source", tmp_path / "raw", "--destination", tmp_path, server=prefect_server)
    assert done.returncode == 3
    assert done.stderr.splitlines()[-1] == f"Failed: cannot list {tmp_path}/raw: it is not there."
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [["run", "--source", SAMPLE], ["backfill", "--first", "2024-01", "--last", "2024-01"]],
    ids=lambda a: a[0],
)
def test_a_server_that_does_not_answer_ends_with_3(tmp_path: Path, arguments: list[object]) -> None:
    done = command(*arguments, "--destination", tmp_path, server="http://127.0.0.1:9/api")
    assert done.returncode == 3
    assert "the Prefect server at http://127.0.0.1:9/api does not answer" in done.stderr
    assert "Traceback" not in done.stderr


def test_where_no_server_may_be_started_a_missing_address_ends_with_3(tmp_path: Path) -> None:
    places = ("--source", SAMPLE, "--destination", tmp_path)
    done = command("run", *places, PREFECT_SERVER_ALLOW_EPHEMERAL_MODE="false")
    assert done.returncode == 3
    assert done.stderr == "Failed: no PREFECT_API_URL is set, and a server of its own is switched off for this run.\n"


def test_without_a_server_the_command_reports_that_it_starts_one(tmp_path: Path) -> None:
    done = command("run", "--month", "2025-05", "--source", SAMPLE, "--destination", tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[0] == (
        "No PREFECT_API_URL is set: starting Prefect's own local server, which takes some seconds."
    )


def test_help_and_wrong_arguments_do_not_wait_for_prefect() -> None:
    """The modules that take the time are not imported."""
    code = (
        "import sys\nfrom flows.cli import main\n"
        "for arguments in [], ['run'], ['verify'], ['list'], ['backfill']:\n"
        "    try: main([*arguments, '--help'])\n    except SystemExit: pass\n"
        f"print('loaded:', sorted({WATCHED} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "loaded: []"
