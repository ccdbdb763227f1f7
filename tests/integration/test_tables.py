"""The published table of a snapshot: the same bytes for the same rows, and an audit that finds every difference."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import polars as pl
import pytest

from tasks.domain.schemas import Snapshot
from tasks.report.tables import audit_table, write_table


@pytest.fixture
def rows() -> pl.DataFrame:
    """Two products, one of which was added in the period."""
    values = {
        "month": ["2025-05", "2025-05"],
        "export_date": [date(2025, 5, 15)] * 2,
        "product_id": ["4001", "grand-cru"],
        "sku": ["w4001", "16,5°"],
        "post_title": ["Château d'Été", None],
        "post_date": [date(2023, 3, 1), None],
        "total_sales": [14, 2],
        "price": [Decimal("12.50"), Decimal("250.00")],
        "stock_quantity": [-1, None],
        "revenue": [Decimal("175.00"), Decimal("500.00")],
        "z_score": [-0.1, 0.3333333333333333],
        "is_premium": [False, True],
        "erp_row": [2, 3],
        "liaison_row": [2, None],
        "web_row": [700, 3],
        "period_days": [30, 30],
        "status": ["continuing", "new"],
        "sold_units": [-4, 2],
        "sold_value": [Decimal("-50.00"), Decimal("500.00")],
    }
    return Snapshot.validate(pl.DataFrame(values, schema=Snapshot.create_empty().schema))


def test_a_written_table_has_nothing_that_the_audit_could_find(rows: pl.DataFrame, tmp_path: Path) -> None:
    write_table(tmp_path / "table", rows)
    assert audit_table(tmp_path / "table", rows) == []


TYPES = {
    "month": "VARCHAR", "export_date": "DATE", "product_id": "VARCHAR", "sku": "VARCHAR", "post_title": "VARCHAR",
    "post_date": "DATE", "total_sales": "BIGINT", "price": "DECIMAL(18,2)", "stock_quantity": "BIGINT",
    "revenue": "DECIMAL(18,2)", "z_score": "DOUBLE", "is_premium": "BOOLEAN",
    "erp_row": "UINTEGER", "liaison_row": "UINTEGER", "web_row": "UINTEGER",
    "period_days": "INTEGER",
    "status": "VARCHAR", "sold_units": "BIGINT", "sold_value": "DECIMAL(18,2)",
}  # fmt: skip


def test_another_program_reads_every_value_with_its_type(rows: pl.DataFrame, tmp_path: Path) -> None:
    write_table(tmp_path / "table.parquet", rows)
    found = duckdb.sql(f"select * from '{tmp_path}/table.parquet'")
    assert dict(zip(found.columns, map(str, found.types), strict=True)) == TYPES
    assert found.fetchall() == rows.rows()


DIFFERENCES: dict[str, tuple[Callable[[pl.DataFrame], pl.DataFrame], str]] = {
    "another counter": (
        lambda rows: rows.with_columns(total_sales=pl.Series([14, 3])),
        "total_sales differs from what was computed",
    ),
    "another cent": (
        lambda rows: rows.with_columns(price=pl.Series([Decimal("12.51"), Decimal("250.00")], dtype=pl.Decimal(18, 2))),
        "price differs from what was computed",
    ),
    "the last bit of a score": (
        lambda rows: rows.with_columns(z_score=pl.Series([-0.1, 0.33333333333333337])),
        "z_score differs from what was computed",
    ),
    "a null": (
        lambda rows: rows.with_columns(post_title=pl.lit(None, pl.String)),
        "post_title differs from what was computed",
    ),
    "a row too few": (lambda rows: rows.head(1), "has 1 rows instead of 2"),
    "another order": (lambda rows: rows.reverse(), "product_id differs from what was computed"),
    "a column too few": (lambda rows: rows.drop("z_score"), "has the columns "),
    "another type": (lambda rows: rows.with_columns(pl.col("total_sales").cast(pl.Int32)), "has the columns "),
}


@pytest.mark.parametrize(("change", "sentence"), DIFFERENCES.values(), ids=DIFFERENCES)
def test_a_difference_between_file_and_frame_is_found(
    rows: pl.DataFrame, tmp_path: Path, change: Callable[[pl.DataFrame], pl.DataFrame], sentence: str
) -> None:
    write_table(tmp_path / "table", change(rows))
    found = audit_table(tmp_path / "table", rows)
    assert any(sentence in one for one in found)
    assert all(one.startswith("table") for one in found)


@pytest.mark.parametrize("spoil", [lambda content: content[:-5], lambda _: b""], ids=["cut short", "empty"])
def test_a_file_that_cannot_be_read_is_found(
    rows: pl.DataFrame, tmp_path: Path, spoil: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "table"
    write_table(path, rows)
    path.write_bytes(spoil(path.read_bytes()))
    (sentence,) = audit_table(path, rows)
    assert sentence.startswith("table cannot be read: ")


def test_the_same_rows_give_the_same_bytes_however_many_threads_there_are(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib, polars as pl\n"
        "from tasks.report.tables import write_table\n"
        "number = pl.int_range(300_000, eager=True).alias('total_sales')\n"
        "rows = pl.select(number, product_id=(number * 7919 % 300_007).cast(pl.String), z_score=number.sin())\n"
        "write_table(pathlib.Path(sys.argv[1]), rows)\n"
    )
    hashes = set()
    for threads in (1, 2, 4):
        path = tmp_path / str(threads)
        environment = os.environ | {"POLARS_MAX_THREADS": str(threads)}
        subprocess.run([sys.executable, "-c", code, path], env=environment, check=True)
        hashes.add(hashlib.sha256(path.read_bytes()).hexdigest())
    assert len(hashes) == 1
