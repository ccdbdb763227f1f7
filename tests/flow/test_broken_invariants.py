"""A stage that breaks an invariant fails the run at its validation, and nothing is published.

Each invariant: tests/unit/test_checks.py and test_period_checks.py.
"""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest import mock

import polars as pl
import pytest
from hostile.spoiled import SAMPLE, run_flow

from tasks import stages
from tasks.domain import clean, join
from tasks.domain.issues import DataRefused, lines

CENT_MORE = (pl.col("revenue") + Decimal("0.01")).cast(pl.Decimal(38, 2))
BROKEN: dict[str, tuple[Any, str, Callable[[pl.LazyFrame], pl.LazyFrame], str]] = {
    "a row of the ERP lost": (clean, "clean_erp", lambda rows: rows.slice(1), 'cleaning: "erp: 240 rows read, 239'),
    "a link lost": (join, "join_sources", lambda rows: rows.slice(1), 'join: "the join has 209 rows where the keys'),
    "a cent more on each product": (
        stages, "compute", lambda rows: rows.with_columns(CENT_MORE), 'revenue: "price x units is not the revenue of',
    ),
    "all wines premium": (
        stages, "classify", lambda wines: wines.with_columns(is_premium=pl.lit(value=True)),
        'classification: "199 products on the wrong side of 96.4',
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_invariant_fails_the_run_and_nothing_is_published(name: str, tmp_path: Path) -> None:
    module, function, change, sentence = BROKEN[name]
    right = getattr(module, function)
    broken = mock.patch.object(module, function, lambda *args: change(right(*args)))
    with broken, pytest.raises(DataRefused) as refused:
        run_flow(SAMPLE, tmp_path / "reports")
    first = lines(refused.value.issues)[0]
    assert first.startswith(f"check of the {sentence}")
    assert first.endswith("does not hold. Report this: it is an error in the program.")
    assert {path.name for path in (tmp_path / "reports").iterdir()} == {"refused"}
