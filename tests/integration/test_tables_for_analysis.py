"""The queries of data/dictionary.md over the published tables of all months."""

import io
import re
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path

import polars as pl
import pytest

from tasks.domain.clean import clean_erp, clean_liaison, clean_web
from tasks.domain.join import Cleaned, join_sources
from tasks.domain.month import resolve_export_date
from tasks.domain.period import compare_snapshots, snapshot_rows
from tasks.domain.premium import classify_wines
from tasks.domain.revenue import compute_revenue
from tasks.domain.schemas import SnapshotFacts
from tasks.domain.sources import SOURCES
from tasks.report.tables import write_table
from tasks.workbook.staging import stage_workbook

SAMPLE = Path(__file__).parents[2] / "data"
DICTIONARY = SAMPLE / "dictionary.md"
CLEAN: dict[str, Callable[[pl.LazyFrame], pl.LazyFrame]] = {
    "erp": clean_erp,
    "liaison": clean_liaison,
    "web": clean_web,
}


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A destination with the tables of the sample months, as the flow publishes them."""
    folder = tmp_path_factory.mktemp("published")
    (folder / "reports/tables").mkdir(parents=True)
    history = SnapshotFacts.create_empty()
    for source_folder in sorted(SAMPLE.glob("20*")):
        month = source_folder.name
        cleaned = Cleaned(
            *(
                CLEAN[source](
                    stage_workbook(
                        source_folder / f"{source}.xlsx", source, f"{source}.xlsx", folder / f"{month}_{source}.parquet"
                    ).raw
                )
                for source in SOURCES
            )
        )
        joined, export_date = join_sources(cleaned).collect().lazy(), resolve_export_date("", month)
        wines = classify_wines(compute_revenue(joined), 2.0).collect().lazy()
        rows = snapshot_rows(compare_snapshots(wines, history.lazy(), export_date).wines, joined, month, export_date)
        table = rows.collect()
        write_table(folder / f"reports/tables/wines_{month}.parquet", table)
        history = pl.concat([history, table.select(history.columns)])
    return folder


def query_and_result(name: str) -> tuple[str, str]:
    found = re.search(
        rf"<!-- {name} -->\n```python\n(.*?)```\n\n```text\n(.*?)```", DICTIONARY.read_text("utf-8"), re.DOTALL
    )
    assert found, f"{DICTIONARY} has no query {name}"
    return found[1], found[2]


def run(code: str) -> str:
    with redirect_stdout(io.StringIO()) as out:
        exec(compile(code, DICTIONARY.name, "exec"), {})
    return out.getvalue()


@pytest.mark.parametrize("name", ["duckdb", "polars"])
def test_the_query_of_the_dictionary_gives_the_result_of_the_dictionary(
    name: str, tables: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tables)
    code, result = query_and_result(name)
    assert run(code) == result


@pytest.mark.parametrize("name", ["duckdb", "polars"])
def test_the_queries_still_work_where_later_months_have_a_column_more(
    name: str, tables: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "reports/tables").mkdir(parents=True)
    for path in sorted((tables / "reports/tables").glob("*.parquet")):
        table = pl.read_parquet(path)
        is_later = path.stem >= "wines_2025-04"
        changed = table.with_columns(vintage=pl.lit("2019")) if is_later else table
        changed.write_parquet(tmp_path / "reports/tables" / path.name)
    monkeypatch.chdir(tmp_path)
    code, result = query_and_result(name)
    assert run(code) == result
