"""`monthly-sales` as it is typed: exit codes, what stands on the screen, and no traceback."""

import json
import os
import subprocess
import sys
from pathlib import Path

import openpyxl
import polars as pl
import pytest

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "data" / "2025-05"


def command(*arguments: object, server: str = "", cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Type the command, with a server or without."""
    return subprocess.run(
        [sys.executable, "-m", "flows.cli", *map(str, arguments)],
        env=os.environ | {"PREFECT_API_URL": server},
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_the_sample_ends_as_the_readme_shows_it(tmp_path: Path, prefect_server: str) -> None:
    """The two commands of `make run`."""
    source = ("--source", ROOT / "data" / "{month}")
    earlier = command(
        "backfill", "--first", "2024-04", "--last", "2025-04", *source, server=prefect_server, cwd=tmp_path
    )
    assert earlier.returncode == 0, earlier.stderr
    done = command("run", "--month", "2025-05", *source, server=prefect_server, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"```text\n{done.stdout}```\n" in readme
    assert f"\n{_row_counts(tmp_path)}\n" in readme
    *lines, sentence, publish, announce = done.stderr.splitlines()
    assert sentence == "2025-05 is published (revision 1)."
    stages = [line.split()[0] for line in (*lines, publish, announce)]
    assert set(stages[2:5]) == {"convert-erp", "convert-liaison", "convert-web"}
    assert stages[:2] + stages[5:] == [
        "fetch-workbooks", "check-published", "clean-erp", "clean-liaison", "clean-web", "validate-cleaning",
        "join-sources", "validate-join", "compute-revenue", "validate-revenue", "classify-wines",
        "validate-classification", "read-history", "compare-snapshots", "summarise-snapshot", "validate-comparison",
        "write-reports", "audit-reports", "publish", "announce",
    ]  # fmt: skip


def _row_counts(folder: Path) -> str:
    """The row counts of the README's diagram."""
    manifest = json.loads((folder / "reports/manifests/2025-05.json").read_text(encoding="utf-8"))
    counts = [f"{manifest['rows'][source]['read']} rows" for source in ("erp", "liaison", "web")]
    return " " + "".join(f"{count:24}" for count in counts).rstrip()


def test_refused_data_ends_with_1_and_every_error_on_the_screen(tmp_path: Path, prefect_server: str) -> None:
    book = openpyxl.load_workbook(SAMPLE / "web.xlsx")
    sheet = book.active
    columns = {cell.value: cell.column_letter for cell in sheet[1]}
    products = [r for r in range(2, sheet.max_row) if sheet[f"{columns['post_type']}{r}"].value == "product"]
    sold = [r for r in products if sheet[f"{columns['sku']}{r}"].value is not None]
    cells = [f"{columns['total_sales']}{row}" for row in sold[:30]]
    for cell in cells:
        sheet[cell] = -1
    book.save(tmp_path / "web.xlsx")
    done = command(
        "run", "--month", "2025-05", "--source", SAMPLE, "--web", tmp_path / "web.xlsx",
        "--destination", tmp_path / "reports", server=prefect_server,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    lines = done.stderr.splitlines()
    assert f'web.xlsx [Sheet1] {cells[0]}, total_sales: "-1" is below 0. Correct the cell, then run again.' in lines
    assert "… and 10 more like this (negative: 30 in all)." in lines
    assert lines[-1].startswith("30 errors, nothing is published.")
    assert [path.name for path in (tmp_path / "reports").iterdir()] == ["refused"]


def test_the_table_of_each_stage_is_kept_where_it_is_asked_for(tmp_path: Path, prefect_server: str) -> None:
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
        pytest.param(["--month", "2025-5"], '"2025-5" is not a month. Write it as YYYY-MM', id="month"),
        pytest.param(["--source", "raw/{shop}"], '"raw/{shop}" has a placeholder that is not known.', id="placeholder"),
        pytest.param(
            ["--web", "{shop}.xlsx"], '"{shop}.xlsx" has a placeholder that is not known.', id="placeholder in a name"
        ),
        pytest.param(["--export-date", "15/05/2025"], '"15/05/2025" is not a date. Write it as YYYY-MM-DD', id="date"),
        pytest.param(["--premium-threshold", "nan"], "nan: Input should be a finite number", id="threshold"),
        pytest.param(["--premium-treshold", "2"], "unrecognized arguments: --premium-treshold", id="typing error"),
    ],
)
def test_a_wrong_argument_ends_with_2_before_anything_is_started(arguments: list[str], sentence: str) -> None:
    done = command("run", *arguments)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert "server" not in done.stderr


def test_a_folder_that_is_not_there_ends_with_3(tmp_path: Path, prefect_server: str) -> None:
    done = command("run", "--source", tmp_path / "raw", "--destination", tmp_path, server=prefect_server)
    assert done.returncode == 3
    assert done.stderr.splitlines()[-1] == f"Failed: cannot list {tmp_path}/raw: it is not there."
    assert "Traceback" not in done.stderr


def test_a_server_that_does_not_answer_ends_with_3(tmp_path: Path) -> None:
    done = command("run", "--source", SAMPLE, "--destination", tmp_path, server="http://127.0.0.1:9/api")
    assert done.returncode == 3
    assert "the Prefect server at http://127.0.0.1:9/api does not answer" in done.stderr
    assert "Traceback" not in done.stderr


def test_where_no_server_may_be_started_a_missing_address_ends_with_3(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("PREFECT_SERVER_ALLOW_EPHEMERAL_MODE", "false")
    done = command("run", "--source", SAMPLE, "--destination", tmp_path)
    assert done.returncode == 3
    assert done.stderr == ("Failed: no PREFECT_API_URL is set, and a server of its own is switched off for this run.\n")


def test_without_a_server_the_command_says_at_once_that_it_starts_its_own(tmp_path: Path) -> None:
    done = command("run", "--month", "2025-05", "--source", SAMPLE, "--destination", tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[0] == (
        "No PREFECT_API_URL is set: starting Prefect's own local server, which takes some seconds."
    )


def test_help_and_wrong_arguments_do_not_wait_for_prefect() -> None:
    """The modules that take the time are not imported."""
    code = (
        "import sys\nfrom flows.cli import main\n"
        "try: main(['run', '--help'])\nexcept SystemExit: pass\n"
        "print('loaded:', sorted({'prefect', 'polars', 'scipy', 'dataframely'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "loaded: []"
