"""A stage that breaks an invariant fails the run at its validation, and nothing is published."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest import mock

import polars as pl
import pytest
from hostile.spoiled import run_flow, spoiled_month

from tasks import stages
from tasks.domain import clean, join
from tasks.domain.issues import DataRefused, lines

Change = Callable[[pl.LazyFrame], pl.LazyFrame]


def changed(function: Callable[..., pl.LazyFrame], change: Change) -> Callable[..., pl.LazyFrame]:
    return lambda *args: change(function(*args))


def one_cent_more(column: str) -> Change:
    return lambda frame: frame.with_columns((pl.col(column) + Decimal("0.01")).cast(frame.collect_schema()[column]))


BROKEN: dict[str, tuple[Any, str, Change, str]] = {
    "a row of the ERP lost": (
        clean, "clean_erp", lambda rows: rows.slice(1), 'cleaning: "erp: 240 rows read, 239 cleaned',
    ),
    "a product of the shop without a price or a fault": (
        clean, "clean_web", lambda rows: rows.with_columns(total_sales=pl.lit(None, pl.Int64)),
        'cleaning: "web: 212 rows against the rule counter_is_from_0_or_at_fault"',
    ),
    "a link lost": (
        join, "join_sources", lambda rows: rows.slice(1), 'join: "the join has 209 rows where the keys give 210',
    ),
    "a price changed on the way": (join, "join_sources", one_cent_more("price"), 'join: "erp: 210 joined products'),
    "a row without a disposition": (
        join, "build_ledger", lambda rows: rows.slice(1), 'join: "erp: 240 rows read, 239 accounted for',
    ),
    "a unit twice": (
        join, "build_ledger", lambda rows: rows.with_columns(units=pl.col("units").fill_null(1)),
        'join: "of 1,068 units',
    ),
    "a cent more on each product": (
        stages, "compute", one_cent_more("revenue"), 'revenue: "price x units is not the revenue of 210 products',
    ),
    "a product without revenue": (
        stages, "compute", lambda rows: rows.slice(1), 'revenue: "the join has 210 products, the revenue 209"',
    ),
    "all wines premium": (
        stages, "classify", lambda wines: wines.with_columns(is_premium=pl.lit(value=True)),
        'classification: "199 products on the wrong side of 96.4',
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_invariant_fails_the_run_and_nothing_is_published(name: str, tmp_path: Path) -> None:
    module, function, change, sentence = BROKEN[name]
    broken = mock.patch.object(module, function, changed(getattr(module, function), change))
    with spoiled_month(tmp_path / "source", lambda _: None) as source, broken, pytest.raises(DataRefused) as refused:
        run_flow(source, tmp_path / "reports")
    first = lines(refused.value.issues)[0]
    assert first.startswith(f"check of the {sentence}")
    assert first.endswith("does not hold. Report this: the pipeline contradicts itself.")
    assert {path.name for path in (tmp_path / "reports").iterdir()} == {"refused"}
