"""What a cell says, and what it does not say; the second reading, by which the checks judge, says the same."""

from collections.abc import Callable
from decimal import Decimal

import polars as pl
import pytest
from frames import Value, cell, sheet

from tasks.domain import second_reading
from tasks.domain.cells import count_fault, is_unreadable_key, price_fault, read_count, read_key, read_money, read_title


def read(column: str, value: Value, *readers: pl.Expr) -> list[object]:
    source = {"price": "erp", "product_id": "erp", "total_sales": "web", "post_title": "web"}[column]
    frame = sheet(source, {column: value}).select(reader.alias(str(n)) for n, reader in enumerate(readers))
    return list(frame.collect().row(0))


def read_again(reader: Callable[[str, str], object], value: Value) -> object:
    """By the second reading, which is asked for numbers and texts only."""
    kind, text = cell(value)
    return reader(kind, text) if kind in ("number", "text") and text is not None else None


NBSP, NARROW = "\u00a0", "\u202f"


@pytest.mark.parametrize(
    ("value", "price"),
    [
        pytest.param(24.2, "24.20", id="number"),
        pytest.param(34.299999999999997, "34.30", id="number that a float cannot hold"),
        pytest.param(1.005, "1.01", id="half a cent goes up although the float lies below"),
        pytest.param(1.0049999999, "1.00", id="just under half a cent goes down"),
        pytest.param(1.234, "1.23", id="number with three decimals"),
        pytest.param(1e3, "1000.00", id="number written with an exponent"),
        pytest.param("12,50", "12.50", id="decimal comma"),
        pytest.param("12.5", "12.50", id="one decimal"),
        pytest.param("  12.50 ", "12.50", id="blanks around"),
        pytest.param("12.50 €", "12.50", id="euro after"),
        pytest.param("€12.50", "12.50", id="euro before"),
        pytest.param("1 234,50", "1234.50", id="group by blank"),
        pytest.param(f"1{NBSP}234{NBSP}567,5{NBSP}€", "1234567.50", id="groups by no-break space"),
        pytest.param(f"1{NARROW}234", "1234.00", id="group by narrow no-break space"),
    ],
)
def test_a_price_is_read_to_the_cent(value: Value, price: str) -> None:
    assert read("price", value, read_money("price"), price_fault("price")) == [Decimal(price), None]
    assert read_again(second_reading.price, value) == Decimal(price)


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        pytest.param(None, "blank-cell", id="empty"),
        pytest.param(f" {NBSP}", "blank-cell", id="blanks"),
        pytest.param(("error", "#N/A"), "error-cell", id="error"),
        pytest.param(("uncalculated", None), "uncalculated-formula", id="formula"),
        pytest.param(("boolean", "TRUE"), "not-a-number", id="boolean"),
        pytest.param(("boolean", "1"), "not-a-number", id="boolean spelled as a number"),
        pytest.param(("date", "2025-05-01"), "not-a-number", id="date"),
        pytest.param(("number", "inf"), "not-a-number", id="infinity"),
        pytest.param("NaN", "not-a-number", id="not a number by name"),
        pytest.param("n/a", "not-a-number", id="words"),
        pytest.param("1,234", "not-a-number", id="a comma before three digits may be either"),
        pytest.param("1.234", "not-a-number", id="a point before three digits may be either"),
        pytest.param("1,234.50", "not-a-number", id="two separators"),
        pytest.param("12 34", "not-a-number", id="groups of two"),
        pytest.param("1234 567", "not-a-number", id="first group of four"),
        pytest.param("€12€", "not-a-number", id="two euros"),
        pytest.param("12,", "not-a-number", id="separator without decimals"),
        pytest.param("1e3", "not-a-number", id="exponent in text"),
        pytest.param("١٢", "not-a-number", id="digits of another script"),
        pytest.param("$12", "not-a-number", id="another currency"),
        pytest.param("-12,50", "not-above-zero", id="negative"),
        pytest.param(0, "not-above-zero", id="zero"),
        pytest.param(0.004, "not-above-zero", id="nothing left after rounding"),
        pytest.param(-1e30, "not-above-zero", id="very negative"),
        pytest.param(1e13, "too-large", id="at the limit of a spreadsheet"),
        pytest.param(9999999999999.996, "too-large", id="at the limit after rounding"),
        pytest.param("9" * 400, "too-large", id="too long for any float"),
    ],
)
def test_a_cell_without_a_price_says_why(value: Value, fault: str) -> None:
    assert read("price", value, price_fault("price")) == [fault]
    assert [read_again(second_reading.price, value)] == read("price", value, read_money("price"))


def test_half_a_cent_is_a_price_of_one_cent() -> None:
    assert read("price", 0.005, read_money("price"), price_fault("price")) == [Decimal("0.01"), None]


@pytest.mark.parametrize(
    ("value", "count"),
    [
        pytest.param(0, 0, id="none"),
        pytest.param(96, 96, id="number"),
        pytest.param("96", 96, id="text"),
        pytest.param("96.0", 96, id="text with a point"),
        pytest.param("1 234", 1234, id="group"),
    ],
)
def test_units_are_whole_numbers(value: Value, count: int) -> None:
    assert read("total_sales", value, read_count("total_sales"), count_fault("total_sales")) == [count, None]
    assert (read_again(second_reading.count, value), read_again(second_reading.stock, value)) == (count, count)


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        pytest.param(None, "blank-cell", id="empty"),
        pytest.param(3.5, "fractional", id="half"),
        pytest.param(3.0000000001, "fractional", id="a trace more than whole"),
        pytest.param("3,5", "fractional", id="text half"),
        pytest.param(-1, "negative", id="negative"),
        pytest.param(-1.5, "negative", id="negative half"),
        pytest.param("three", "not-a-number", id="words"),
        pytest.param("3 €", "not-a-number", id="money"),
        pytest.param(1e-19, "fractional", id="a trace too small for the exact number"),
        pytest.param(1e13, "too-large", id="too many"),
        pytest.param(1e13 + 0.5, "too-large", id="too many and a half"),
        pytest.param(1e13 - 0.5, "fractional", id="half a unit short of too many"),
        pytest.param(("error", "#REF!"), "error-cell", id="error"),
    ],
)
def test_a_cell_without_units_says_why(value: Value, fault: str) -> None:
    assert read("total_sales", value, count_fault("total_sales")) == [fault]
    assert [read_again(second_reading.count, value)] == read("total_sales", value, read_count("total_sales"))
    assert read_again(second_reading.stock, value) is None


@pytest.mark.parametrize(
    ("value", "key"),
    [
        pytest.param(15298, "15298", id="number"),
        pytest.param("15298", "15298", id="text"),
        pytest.param("15298.0", "15298", id="text of a float"),
        pytest.param(f"{NBSP}15298\u200b ", "15298", id="blanks around"),
        pytest.param("13127-1", "13127-1", id="text with a suffix"),
        pytest.param("007", "007", id="leading zeros stay"),
        pytest.param("007.0", "007.0", id="and are no integer"),
        pytest.param("Bon-Cadeau", "Bon-Cadeau", id="case stays as spelled"),
    ],
)
def test_a_key_is_read_as_text(value: Value, key: str) -> None:
    key_read = read_key("product_id")
    assert read("product_id", value, key_read, is_unreadable_key("product_id", key_read)) == [key, False]
    assert read_again(second_reading.key, value) == key.lower()


@pytest.mark.parametrize(
    ("value", "is_unreadable"),
    [
        pytest.param(None, False, id="empty is no key, not a bad one"),
        pytest.param(" ", False, id="blank is empty"),
        pytest.param("15 298", True, id="blank inside"),
        pytest.param(("boolean", "TRUE"), True, id="boolean"),
        pytest.param(("date", "2025-05-01 00:00:00"), True, id="date"),
        pytest.param(("error", "#N/A"), True, id="error"),
        pytest.param(("uncalculated", None), True, id="formula"),
    ],
)
def test_what_is_not_a_key_is_none(value: Value, is_unreadable: bool) -> None:  # noqa: FBT001
    key_read = read_key("product_id")
    assert read("product_id", value, key_read, is_unreadable_key("product_id", key_read)) == [None, is_unreadable]
    assert read_again(second_reading.key, value) is None


@pytest.mark.parametrize(
    ("value", "title"),
    [
        pytest.param("Ch&acirc;teau &amp; Fils", "Château & Fils", id="entities"),
        pytest.param(f" Côte{NBSP}Rôtie ", f"Côte{NBSP}Rôtie", id="no-break space inside"),
        pytest.param("&nbsp;", None, id="nothing but an entity for a blank"),
        pytest.param(None, None, id="empty"),
        pytest.param("R&D", "R&D", id="an ampersand that is none"),
    ],
)
def test_a_title_is_read_as_people_see_it(value: Value, title: str | None) -> None:
    assert read("post_title", value, read_title("post_title")) == [title]
