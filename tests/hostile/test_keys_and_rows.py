"""Keys, rows and shares of a whole month as people and plug-ins send them; each rule alone: tests/unit/test_rows.py."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hostile.corpus import SOUND
from hostile.spoiled import Spoil, SpoiledMonth, run_flow, spoiled_month, wine_files

from tasks.domain.issues import DataRefused, lines
from tasks.domain.sources import Source


def run(tmp_path: Path, spoil: Spoil) -> pl.DataFrame:
    """The list of issues of a month that has the figures of the sample."""
    published = run_flow(spoiled_month(tmp_path / "source", spoil), tmp_path / "reports")
    assert {name: getattr(published.figures, name) for name in SOUND} == SOUND
    (issues,) = (tmp_path / "reports" / "quality").glob("*.csv")
    return pl.read_csv(issues, infer_schema=False)


def refused(tmp_path: Path, spoil: Spoil) -> list[str]:
    source = spoiled_month(tmp_path / "source", spoil)
    with pytest.raises(DataRefused) as refusal:
        run_flow(source, tmp_path / "reports")
    return lines(refusal.value.issues.filter(severity="error"))


def keys_changed(source: Source, column: str, change: Callable[[str], str]) -> Spoil:
    """Every key of a column in another spelling."""

    def spoil(month: SpoiledMonth) -> None:
        index = month.column(source, column)
        for row in month.rows(source)[1:]:
            row[index] = None if row[index] is None else change(str(row[index]))

    return spoil


def test_a_key_with_an_accent_matches_across_systems_and_is_shown_as_spelled(tmp_path: Path) -> None:
    def spoil(month: SpoiledMonth) -> None:
        month.put("liaison", "id_web", "COFFRET-DE\u0301COUVERTE")
        month.put("web", "sku", "Coffret-d\u00e9couverte")

    run(tmp_path, spoil)
    assert ",Coffret-d\u00e9couverte,".encode() in b"".join(wine_files(tmp_path / "reports").values())


def in_three_languages(month: SpoiledMonth) -> None:
    """As a multilingual plug-in exports it: one post per language, all with the same sku and counter."""
    title, kind = month.column("web", "post_title"), month.column("web", "post_type")
    copies = [list(row) for row in month.rows("web")[1:] if row[kind] == "product" for _ in range(2)]
    for number, row in enumerate(copies):
        row[title] = f"~ {('Wein', 'Wine')[number % 2]} {row[title]}"
    month.rows("web").extend(copies)


def drafts(units: int | None) -> Spoil:
    def spoil(month: SpoiledMonth) -> None:
        row: list[Any] = [None] * len(month.rows("web")[0])
        values = {"post_type": "product", "post_title": "Nouveau", "total_sales": units, "post_status": "draft"}
        for column, value in values.items():
            row[month.column("web", column)] = value
        month.rows("web").extend([list(row) for _ in range(120)])

    return spoil


def trashed_twin(month: SpoiledMonth) -> None:
    """The product once more, with another counter, in the bin of the shop."""
    row = list(month.row("web"))
    row[month.column("web", "total_sales")] = 99
    row[month.column("web", "post_status")] = "trash"
    month.rows("web").append(row)


def without_columns(*names: str) -> Spoil:
    def spoil(month: SpoiledMonth) -> None:
        for name in names:
            index = month.column("web", name)
            for row in month.rows("web"):
                del row[index]

    return spoil


HARMLESS: dict[str, Spoil] = {
    "marks of direction, soft hyphens and dashes of print in keys": keys_changed(
        "liaison", "id_web", lambda key: f"\u202a{key[:2]}\u00ad{key[2:]}\u202c".replace("-", "\u2013")
    ),
    "a shop in three languages": in_three_languages,
    "drafts without sku and sales": drafts(None),
    "drafts without sku that sold nothing": drafts(0),
    "a twin in the bin": trashed_twin,
}


@pytest.mark.parametrize("spoil", HARMLESS.values(), ids=HARMLESS)
def test_the_wine_files_are_those_of_the_plain_month(tmp_path: Path, plain: dict[str, bytes], spoil: Spoil) -> None:
    run(tmp_path, spoil)
    assert wine_files(tmp_path / "reports") == plain


def test_a_shop_without_status_and_dates_gives_the_plain_month(tmp_path: Path, plain: dict[str, bytes]) -> None:
    issues = run(tmp_path, without_columns("post_status", "post_date"))
    assert wine_files(tmp_path / "reports") == plain
    assert issues.filter(rule="absent-column")["column"].to_list() == ["post_status", "post_date"]


def test_drafts_without_sku_that_have_sales_are_lost_products(tmp_path: Path) -> None:
    assert [line.partition(" (limit")[0] for line in refused(tmp_path, drafts(1))] == [
        'the three workbooks: "122 of 332 products of the shop without a product of the ERP, 36.75%',
        'the three workbooks: "129 of 1,188 units sold of products without a product of the ERP, 10.86%',
    ]


@pytest.mark.parametrize(("source", "column"), [("erp", "product_id"), ("liaison", "id_web"), ("web", "sku")])
def test_zero_padded_keys_of_one_workbook_are_named_as_the_cause(tmp_path: Path, source: Source, column: str) -> None:
    shown = refused(tmp_path, keys_changed(source, column, lambda key: key.zfill(8)))
    causes = [line for line in shown if '" is above the limit' in line]
    assert causes
    for line in causes:
        assert line.endswith(
            '" is above the limit: keys of one workbook begin with zeros that another one lacks. '
            'Write the keys in the same way in all workbooks, "007" or "7", then run again.'
        )
