"""Keys that look the same, rows that do not count, and contradictions, as people and plug-ins send them."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hostile.corpus import SOUND
from hostile.spoiled import SpoiledMonth, run_flow, spoiled_month

from tasks.domain.issues import DataRefused, lines
from tasks.domain.sources import Source

Spoil = Callable[[SpoiledMonth], object]


def wine_files(destination: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (destination / "wines").glob("*.csv")}


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The wine files of the sample month as it is."""
    folder = tmp_path_factory.mktemp("plain")
    with spoiled_month(folder / "source", lambda _: None) as source:
        run_flow(source, folder / "reports")
    return wine_files(folder / "reports")


def run(tmp_path: Path, spoil: Spoil) -> tuple[dict[str, Any], pl.DataFrame]:
    """The figures and the rows of the list of issues."""
    with spoiled_month(tmp_path / "source", spoil) as source:
        published = run_flow(source, tmp_path / "reports")
    (issues,) = (tmp_path / "reports" / "quality").glob("*.csv")
    return {name: getattr(published.figures, name) for name in SOUND}, pl.read_csv(issues, infer_schema=False)


def refused(tmp_path: Path, spoil: Spoil) -> list[str]:
    with spoiled_month(tmp_path / "source", spoil) as source, pytest.raises(DataRefused) as refusal:
        run_flow(source, tmp_path / "reports")
    return lines(refusal.value.issues.filter(severity="error"))


def keys_changed(source: Source, column: str, change: Callable[[str], str]) -> Spoil:
    """Every key of a column in another spelling."""

    def spoil(month: SpoiledMonth) -> None:
        index = month.column(source, column)
        for row in month.rows(source)[1:]:
            row[index] = None if row[index] is None else change(str(row[index]))

    return spoil


FULL_WIDTH = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
SPELLINGS = {
    "soft hyphen inside": lambda key: f"{key[:2]}\u00ad{key[2:]}",
    "zero-width space inside": lambda key: f"{key[:2]}\u200b{key[2:]}",
    "zero-width joiner inside": lambda key: f"{key[:2]}\u200d{key[2:]}",
    "mark of direction inside": lambda key: f"{key[:2]}\u200e{key[2:]}",
    "marks of direction around": lambda key: f"\u202a{key}\u202c",
    "isolated by direction": lambda key: f"\u2066{key}\u2069",
    "byte order mark around": lambda key: f"\ufeff{key}\ufeff",
    "no-break hyphens": lambda key: key.replace("-", "\u2011"),
    "dashes of print": lambda key: key.replace("-", "\u2013"),
    "full-width digits and letters": lambda key: key.translate(FULL_WIDTH),
    "a control character inside": lambda key: f"{key[:2]}\x01{key[2:]}",
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_keys_that_look_the_same_give_the_plain_month(tmp_path: Path, plain: dict[str, bytes], spelling: str) -> None:
    figures, _ = run(tmp_path, keys_changed("liaison", "id_web", SPELLINGS[spelling]))
    assert figures == SOUND
    assert wine_files(tmp_path / "reports") == plain


ACCENTED = {"composed": "Coffret-d\u00e9couverte", "decomposed": "COFFRET-DE\u0301COUVERTE"}


def test_a_key_with_an_accent_matches_across_systems_and_is_shown_as_spelled(tmp_path: Path) -> None:
    def spoil(month: SpoiledMonth) -> None:
        month.put("liaison", "id_web", ACCENTED["decomposed"])
        month.put("web", "sku", ACCENTED["composed"])

    assert run(tmp_path, spoil)[0] == SOUND
    assert f",{ACCENTED['composed']},".encode() in b"".join(wine_files(tmp_path / "reports").values())


def test_keys_of_one_workbook_that_become_equal_are_repetitions(tmp_path: Path) -> None:
    def spoil(month: SpoiledMonth) -> None:
        row = list(month.row("erp"))
        row[month.column("erp", "product_id")] = "39\u00ad11"
        month.rows("erp").append(row)

    figures, issues = run(tmp_path, spoil)
    assert figures == SOUND
    assert issues.filter(rule="differing-repetition").select("cell", "key").rows() == [("C242", "39\u00ad11")]


def test_a_cyrillic_letter_is_another_key(tmp_path: Path) -> None:
    def spoil(month: SpoiledMonth) -> None:
        month.put("liaison", "id_web", "a-15423")
        month.put("web", "sku", "\u0430-15423")

    figures, issues = run(tmp_path, spoil)
    assert figures["products"] == SOUND["products"] - 1
    assert set(issues.filter(pl.col("key") == "\u0430-15423")["rule"]) == {"unlinked-sales"}


# --- shares


def products(month: SpoiledMonth) -> list[list[Any]]:
    kind = month.column("web", "post_type")
    return [row for row in month.rows("web")[1:] if row[kind] == "product"]


def in_three_languages(month: SpoiledMonth) -> None:
    """As a multilingual plug-in exports it: one post per language, all with the same sku and counter."""
    title = month.column("web", "post_title")
    copies = [list(row) for row in products(month) for _ in range(2)]
    for number, row in enumerate(copies):
        row[title] = f"~ {('Wein', 'Wine')[number % 2]} {row[title]}"
    month.rows("web").extend(copies)


def test_a_shop_in_three_languages_counts_each_product_and_unit_once(tmp_path: Path, plain: dict[str, bytes]) -> None:
    figures, _ = run(tmp_path, in_three_languages)
    assert figures == SOUND
    assert wine_files(tmp_path / "reports") == plain


def drafts(units: int | None) -> Spoil:
    def spoil(month: SpoiledMonth) -> None:
        row: list[Any] = [None] * len(month.rows("web")[0])
        for column, value in {"post_type": "product", "post_title": "Nouveau", "total_sales": units}.items():
            row[month.column("web", column)] = value
        row[month.column("web", "post_status")] = "draft"
        month.rows("web").extend([list(row) for _ in range(120)])

    return spoil


@pytest.mark.parametrize("units", [None, 0])
def test_drafts_without_sku_and_sales_are_no_lost_products(
    tmp_path: Path, plain: dict[str, bytes], units: int | None
) -> None:
    figures, issues = run(tmp_path, drafts(units))
    assert figures == SOUND
    assert wine_files(tmp_path / "reports") == plain
    assert issues.filter(rule="no-key").height >= 120


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
            'Write the keys alike in all workbooks, "007" or "7", then run again.'
        )


# --- notes below the table


@pytest.mark.parametrize("note", ["exported on 31/05/2025", datetime(2025, 5, 31), "Total"])  # noqa: DTZ001
@pytest.mark.parametrize(("source", "column"), [("erp", "product_id"), ("liaison", "product_id"), ("web", "sku")])
def test_a_note_below_a_table_is_reported_and_changes_nothing(
    tmp_path: Path, plain: dict[str, bytes], source: Source, column: str, note: object
) -> None:
    def spoil(month: SpoiledMonth) -> None:
        row: list[Any] = [None] * len(month.rows(source)[0])
        row[month.column(source, column)] = note
        month.rows(source).extend([[None] * len(row), row])

    figures, issues = run(tmp_path, spoil)
    assert figures == SOUND
    assert wine_files(tmp_path / "reports") == plain
    last = issues.filter((pl.col("file") == f"{source}.xlsx") & (pl.col("disposition") == "rejected")).tail(1)
    assert last["severity"].item() in {"warning", "info"}


# --- what the shop does not show


def twin(status: str | None) -> Spoil:
    """The product once more, with another counter and this status."""

    def spoil(month: SpoiledMonth) -> None:
        row = list(month.row("web"))
        row[month.column("web", "total_sales")] = 99
        row[month.column("web", "post_status")] = status
        month.rows("web").append(row)

    return spoil


@pytest.mark.parametrize("status", ["trash", "draft", "Pending", "private", "auto-draft"])
def test_an_unpublished_twin_is_ignored(tmp_path: Path, plain: dict[str, bytes], status: str) -> None:
    figures, issues = run(tmp_path, twin(status))
    assert figures == SOUND
    assert wine_files(tmp_path / "reports") == plain
    assert "unpublished-twin" not in issues["rule"]


def test_a_published_twin_contradicts_and_names_the_other_cell(tmp_path: Path) -> None:
    remedy = "Keep the right row and remove the others, then run again."
    assert sorted(refused(tmp_path, twin("publish"))) == [
        f'web.xlsx [Sheet1] F144, total_sales of sku 15423: "14" contradicts F448, "99". {remedy}',
        f'web.xlsx [Sheet1] F448, total_sales of sku 15423: "99" contradicts F144, "14". {remedy}',
    ]


def test_a_trashed_product_without_a_twin_keeps_its_sales_and_is_reported(
    tmp_path: Path, plain: dict[str, bytes]
) -> None:
    figures, issues = run(tmp_path, lambda month: month.put("web", "post_status", "trash"))
    assert figures == SOUND
    assert wine_files(tmp_path / "reports") == plain
    assert issues.filter(rule="unpublished-product").select("cell", "value", "severity").rows() == [
        ("O144", "trash", "warning")
    ]


def without_columns(*names: str) -> Spoil:
    def spoil(month: SpoiledMonth) -> None:
        for name in names:
            index = month.column("web", name)
            for row in month.rows("web"):
                del row[index]

    return spoil


def test_a_shop_without_status_and_dates_gives_the_plain_month(tmp_path: Path, plain: dict[str, bytes]) -> None:
    figures, issues = run(tmp_path, without_columns("post_status", "post_date"))
    assert figures == SOUND
    assert wine_files(tmp_path / "reports") == plain
    assert issues.filter(rule="absent-column")["column"].to_list() == ["post_status", "post_date"]


@pytest.mark.parametrize("value", ["soon", "31/05/2025", "2023-02-29", 43258.5])
def test_a_date_that_is_none_is_a_warning(tmp_path: Path, plain: dict[str, bytes], value: object) -> None:
    figures, issues = run(tmp_path, lambda month: month.put("web", "post_date", value))
    assert figures == SOUND
    assert wine_files(tmp_path / "reports") == plain
    assert issues.filter(rule="not-a-date").select("cell", "severity").rows() == [("J144", "warning")]


# --- words


def test_two_links_of_a_product_name_the_product_and_the_other_cell(tmp_path: Path) -> None:
    def spoil(month: SpoiledMonth) -> None:
        row = list(month.row("liaison"))
        row[month.column("liaison", "product_id")] = 3916
        month.rows("liaison").append(row)

    shared, several = "Keep the link of one product, then run again.", "Keep one link for the product, then run again."
    only = "is not the only live link of the product: there is"
    assert refused(tmp_path, spoil) == [
        f'liaison.xlsx [Sheet1] B2, id_web of product 3911: "15423" is also linked from A242, "3916". {shared}',
        f'liaison.xlsx [Sheet1] B242, id_web of product 3916: "15423" is also linked from A2, "3911". {shared}',
        f'liaison.xlsx [Sheet1] B4, id_web of product 3916: "15017" {only} B242, "15423". {several}',
        f'liaison.xlsx [Sheet1] B242, id_web of product 3916: "15423" {only} B4, "15017". {several}',
    ]


def test_an_ambiguous_price_says_so(tmp_path: Path) -> None:
    (line,) = refused(tmp_path, lambda month: month.put("erp", "price", "1,234 \u20ac"))
    assert line == (
        'erp.xlsx [Sheet1] C2, price: "1,234 \u20ac" may mean two things: its separator may be of thousands or of '
        "decimals. Type it as a number, or without that separator, then run again."
    )


def test_the_known_total_is_kept_by_all_of_it_at_once(tmp_path: Path) -> None:
    def spoil(month: SpoiledMonth) -> None:
        in_three_languages(month)
        drafts(None)(month)
        twin("trash")(month)
        keys_changed("liaison", "product_id", SPELLINGS["soft hyphen inside"])(month)

    assert run(tmp_path, spoil)[0]["revenue"] == Decimal("25236.60")
