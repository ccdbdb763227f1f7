"""What README and data dictionary show of the fourteen snapshots of the sample: the output, and queries over tables."""

import io
import json
import re
import shutil
from contextlib import redirect_stdout
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from command import command
from hostile.spoiled import run_flow

ROOT = Path(__file__).parents[2]
README, DICTIONARY = ((ROOT / name).read_text("utf-8") for name in ("README.md", "data/dictionary.md"))
MONTHS = sorted(folder.name for folder in (ROOT / "data").glob("20*"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder where all but the last month are published in `reports`, as the backfill of `make run` does it."""
    folder = tmp_path_factory.mktemp("sample")
    for month in MONTHS[:-1]:
        run_flow(ROOT / "data" / month, folder / "reports", month=month)
    return folder


def test_the_sample_ends_as_the_readme_shows_it(folder: Path, prefect_server: str) -> None:
    source = ("--source", ROOT / "data" / "{month}")
    done = command("run", "--month", MONTHS[-1], *source, server=prefect_server, cwd=folder)
    assert done.returncode == 0, done.stderr
    assert f"```text\n{done.stdout}```\n" in README
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


@pytest.fixture(scope="module")
def published(folder: Path) -> Path:
    """The folder with all fourteen months."""
    run_flow(ROOT / "data" / MONTHS[-1], folder / "reports", month=MONTHS[-1])
    return folder


def test_the_diagram_has_the_figures_of_the_last_month(published: Path) -> None:
    manifest = json.loads((published / f"reports/manifests/{MONTHS[-1]}.json").read_text("utf-8"))
    rows, figures, sold = manifest["rows"], manifest["figures"], manifest["period"]["sold"]
    read = [f"{rows[source]['read']} rows" for source in ("erp", "liaison", "web")]
    assert " " + "".join(f"{count:24}" for count in read).rstrip() in README
    for shown in (
        f" {figures['products']} products ",
        f" {Decimal(figures['revenue']):,} EUR ",
        f" {figures['premium']} premium + {figures['ordinary']} ordinary wines ",
        f" €{sold['value']} sold in the period ",
    ):
        assert shown in README


def query_and_result(name: str) -> tuple[str, str]:
    found = re.search(rf"<!-- {name} -->\n```python\n(.*?)```\n\n```text\n(.*?)```", DICTIONARY, re.DOTALL)
    assert found, f"data/dictionary.md has no query {name}"
    return found[1], found[2]


@pytest.mark.parametrize("more", [False, True], ids=["as published", "later months have a column more"])
@pytest.mark.parametrize("name", ["duckdb", "polars"])
def test_the_query_of_the_dictionary_gives_the_result_that_it_shows(
    name: str, published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, more: bool
) -> None:
    shutil.copytree(published / "reports/tables", tmp_path / "reports/tables")
    if more:
        for month in MONTHS[-2:]:
            path = tmp_path / f"reports/tables/wines_{month}.parquet"
            pl.read_parquet(path).with_columns(vintage=pl.lit("2019")).write_parquet(path)
    monkeypatch.chdir(tmp_path)
    code, result = query_and_result(name)
    with redirect_stdout(io.StringIO()) as out:
        exec(compile(code, "README.md", "exec"), {})
    assert out.getvalue() == result
