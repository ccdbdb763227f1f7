"""The CSV files in either dialect: what stands in them byte for byte, and that reading gives back what was written."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from snapshots import Exported, Row

from tasks.domain.issues import DataIssue
from tasks.domain.parameters import CsvDialect
from tasks.report.csv_files import WINE_COLUMNS, UnexpectedContent, read_issues, read_wines, write_issues, write_wines

of_each_dialect = pytest.mark.parametrize("dialect", ["standard", "french"])

TITLES = [
    'Clos; "rouge"', "Mas, 2019", "=1+1", "+33", "-12", "@home", "'quoted", "''", "a\tb", "\ta", "line\nfeed", "a\rb",
    "1,5", "1.5", "-0,5", "é", "", " ", "\ufeffmark", None,
]  # fmt: skip


@pytest.fixture
def wines() -> pl.DataFrame:
    """Every title that is hard to write; prices on both sides of the mean."""
    rows = [Row(str(number), f"{number + 1}.{number:02}", number) for number in range(len(TITLES))]
    wines = Exported(date(2025, 5, 15), rows).wines().sort(pl.col("product_id").cast(pl.Int64)).collect()
    return wines.with_columns(post_title=pl.Series(TITLES, dtype=pl.String), sku="x;" + pl.col("sku"))


def as_written(wines: pl.DataFrame) -> pl.DataFrame:
    return wines.select(WINE_COLUMNS).with_columns(pl.col("z_score").round(6))


@of_each_dialect
def test_what_is_read_is_what_was_written(tmp_path: Path, wines: pl.DataFrame, dialect: CsvDialect) -> None:
    write_wines(tmp_path / "wines.csv", wines, dialect)
    assert_frame_equal(read_wines(tmp_path / "wines.csv", dialect), as_written(wines), check_exact=True)


@of_each_dialect
def test_no_text_is_a_formula(tmp_path: Path, wines: pl.DataFrame, dialect: CsvDialect) -> None:
    """A program that knows nothing of the guard finds no cell of text that begins like a formula."""
    write_wines(tmp_path / "wines.csv", wines, dialect)
    separator = ";" if dialect == "french" else ","
    cells = pl.read_csv(tmp_path / "wines.csv", infer_schema=False, separator=separator)
    for name in ("product_id", "sku", "post_title"):
        assert not cells[name].str.contains(r"^[=+\-@\t\r]").any()


@of_each_dialect
@pytest.mark.parametrize("sign", list("=+-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b"))
def test_a_text_that_begins_like_a_formula_is_guarded_in_every_width(
    tmp_path: Path, wines: pl.DataFrame, dialect: CsvDialect, sign: str
) -> None:
    title = f"{sign}1+1"
    write_wines(tmp_path / "wines.csv", wines.head(1).with_columns(post_title=pl.lit(title)), dialect)
    assert f"'{title}" in (tmp_path / "wines.csv").read_text(encoding="utf-8-sig")
    assert read_wines(tmp_path / "wines.csv", dialect)["post_title"].to_list() == [title]


@of_each_dialect
def test_a_negative_z_score_is_a_number_and_not_guarded(
    tmp_path: Path, wines: pl.DataFrame, dialect: CsvDialect
) -> None:
    write_wines(tmp_path / "wines.csv", wines.head(1), dialect)
    (line,) = (tmp_path / "wines.csv").read_text(encoding="utf-8-sig").splitlines()[1:]
    assert line.endswith(";-1,647509" if dialect == "french" else ",-1.647509")


def test_the_french_dialect_is_what_french_excel_opens(tmp_path: Path) -> None:
    wines = Exported(date(2025, 5, 15), [Row("1", "34.30", 3), Row("2", "1234.00", 1)]).wines().collect()
    write_wines(tmp_path / "wines.csv", wines, "french")
    assert (tmp_path / "wines.csv").read_bytes().decode() == (
        "\ufeffproduct_id;sku;post_title;total_sales;price;revenue;z_score\n"
        "2;w2;Château 2;1;1234,00;1234,00;1,000000\n"
        "1;w1;Château 1;3;34,30;102,90;-1,000000\n"
    )


def test_the_standard_dialect_is_what_programs_read(tmp_path: Path) -> None:
    wines = Exported(date(2025, 5, 15), [Row("1", "34.30", 3), Row("2", "1234.00", 1)]).wines().collect()
    write_wines(tmp_path / "wines.csv", wines, "standard")
    assert (tmp_path / "wines.csv").read_bytes().decode() == (
        "product_id,sku,post_title,total_sales,price,revenue,z_score\n"
        "2,w2,Château 2,1,1234.00,1234.00,1.000000\n"
        "1,w1,Château 1,3,34.30,102.90,-1.000000\n"
    )


@of_each_dialect
def test_a_class_without_a_wine_is_a_header(tmp_path: Path, wines: pl.DataFrame, dialect: CsvDialect) -> None:
    write_wines(tmp_path / "wines.csv", wines.clear(), dialect)
    assert_frame_equal(read_wines(tmp_path / "wines.csv", dialect), as_written(wines.clear()))


@pytest.mark.parametrize(("written", "read"), [("standard", "french"), ("french", "standard")])
def test_a_file_is_not_taken_for_one_of_the_other_dialect(
    tmp_path: Path, wines: pl.DataFrame, written: CsvDialect, read: CsvDialect
) -> None:
    write_wines(tmp_path / "wines.csv", wines.filter(pl.col("post_title").is_null()), written)
    with pytest.raises((UnexpectedContent, pl.exceptions.PolarsError)):
        read_wines(tmp_path / "wines.csv", read)


@of_each_dialect
@pytest.mark.parametrize(
    "price", ["34.3", "34,3", "34.300", "-34.30", "34.30 €", "1 234,00", "", "{other}"], ids=lambda price: price or "-"
)
def test_a_number_in_another_spelling_is_refused(tmp_path: Path, dialect: CsvDialect, price: str) -> None:
    separator, price = (
        (";", price.format(other="34.30")) if dialect == "french" else (",", price.format(other='"34,30"'))
    )
    lines = [WINE_COLUMNS, ["1", "w1", "Clos", "3", price, price, "0"]]
    path = tmp_path / "wines.csv"
    path.write_text("".join(f"{separator.join(line)}\n" for line in lines), encoding="utf-8")
    with pytest.raises((UnexpectedContent, pl.exceptions.PolarsError)):
        read_wines(path, dialect)


@of_each_dialect
def test_issues_are_read_as_they_were_written(tmp_path: Path, dialect: CsvDialect) -> None:
    texts = {name: f'{name}; -1,5 "x"' for name in DataIssue.column_names()}
    issues = pl.DataFrame(
        [texts, dict.fromkeys(texts, "=a;b"), dict.fromkeys(texts, None)], dict.fromkeys(texts, pl.String)
    )
    write_issues(tmp_path / "issues.csv", issues, dialect)
    assert_frame_equal(read_issues(tmp_path / "issues.csv", dialect), issues)


def test_money_has_two_decimal_places_also_where_they_are_zero(tmp_path: Path) -> None:
    wines = Exported(date(2025, 5, 15), [Row("1", "10", 0)]).wines().collect()
    write_wines(tmp_path / "wines.csv", wines, "french")
    assert read_wines(tmp_path / "wines.csv", "french").row(0)[4:] == (Decimal("10.00"), Decimal("0.00"), 0.0)
