"""The key, number, date or title in a cell, and the rule that a cell without one breaks."""

from datetime import date
from decimal import Decimal

import polars as pl
import pytest
from frames import Value, sheet

from tasks.domain.cell_values import (
    INVISIBLE,
    comparable,
    read_count,
    read_date,
    read_key,
    read_money,
    read_title,
)
from tasks.domain.clean import clean_erp, clean_web


def read(column: str, value: Value, *readers: pl.Expr) -> list[object]:
    source = {"price": "erp", "product_id": "erp", "total_sales": "web", "post_title": "web", "post_date": "web"}[
        column
    ]
    frame = sheet(source, {column: value}).select(reader.alias(str(n)) for n, reader in enumerate(readers))
    return list(frame.collect().row(0))


def fault(column: str, value: Value) -> object:
    """The rule that the cell of a product breaks."""
    if column == "price":
        cleaned = clean_erp(sheet("erp", {"product_id": 1, column: value}))
    else:
        cleaned = clean_web(sheet("web", {"sku": 1, "post_type": "product", column: value}))
    return cleaned.select(f"{column}__fault").collect().item()


def key_fault(value: Value) -> object:
    """The rule that excludes a row of the ERP with this key."""
    return clean_erp(sheet("erp", {"product_id": value, "price": 1})).select("rule").collect().item()


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
    assert [*read("price", value, read_money("price")), fault("price", value)] == [Decimal(price), None]


@pytest.mark.parametrize(
    ("value", "rule"),
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
        pytest.param("1,234", "ambiguous-number", id="a comma before three digits may be either"),
        pytest.param("1.234", "ambiguous-number", id="a point before three digits may be either"),
        pytest.param("-1,234", "ambiguous-number", id="the same below 0"),
        pytest.param("€ 999.000", "ambiguous-number", id="the same in euros"),
        pytest.param("123,456 €", "ambiguous-number", id="the same before its euro"),
        pytest.param("0,123", "not-a-number", id="no group begins with 0"),
        pytest.param("1234,567", "not-a-number", id="no group has four digits"),
        pytest.param("1,2345", "not-a-number", id="four decimals"),
        pytest.param("1,234,567", "not-a-number", id="two groups"),
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
def test_a_cell_without_a_price_has_a_reason(value: Value, rule: str) -> None:
    assert fault("price", value) == rule


def test_half_a_cent_is_a_price_of_one_cent() -> None:
    assert [*read("price", 0.005, read_money("price")), fault("price", 0.005)] == [Decimal("0.01"), None]


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
    assert [*read("total_sales", value, read_count("total_sales")), fault("total_sales", value)] == [count, None]


@pytest.mark.parametrize(
    ("value", "rule"),
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
def test_a_cell_without_units_has_a_reason(value: Value, rule: str) -> None:
    assert fault("total_sales", value) == rule


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
        pytest.param("\u200e15298\u00ad\u202c", "15298", id="invisible characters around"),
        pytest.param("152\u200b98", "152\u200b98", id="one inside stays as spelled"),
    ],
)
def test_a_key_is_read_as_text(value: Value, key: str) -> None:
    assert [*read("product_id", value, read_key("product_id")), key_fault(value)] == [key, None]


@pytest.mark.parametrize(
    ("value", "rule"),
    [
        pytest.param(None, "no-key", id="empty is no key, not a bad one"),
        pytest.param(" ", "no-key", id="blank is empty"),
        pytest.param("15 298", "unreadable-key", id="blank inside"),
        pytest.param(("boolean", "TRUE"), "unreadable-key", id="boolean"),
        pytest.param(("date", "2025-05-01 00:00:00"), "unreadable-key", id="date"),
        pytest.param(("error", "#N/A"), "unreadable-key", id="error"),
        pytest.param(("uncalculated", None), "unreadable-key", id="formula"),
    ],
)
def test_a_text_that_is_not_a_key_is_null(value: Value, rule: str) -> None:
    assert [*read("product_id", value, read_key("product_id")), key_fault(value)] == [None, rule]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("Bon-Cadeau", "bon-CADEAU", id="case"),
        pytest.param("\u00e9t\u00e9", "e\u0301te\u0301", id="composed and decomposed"),
        pytest.param("\u00c9t\u00c9", "e\u0301te\u0301", id="composed capitals and decomposed small letters"),
        pytest.param("15298", "15\u00ad298", id="soft hyphen"),
        pytest.param("15298", "15\u200b2\u200d98", id="zero-width characters"),
        pytest.param("15298", "\u202a15\u200e298\u202c", id="marks of direction"),
        pytest.param("15298", "152\x0198", id="control character"),
        pytest.param("15298", "\uff11\uff15\uff12\uff19\uff18", id="full-width digits"),
        pytest.param("15298", "\uff11\uff15\uff12\uff19\uff18.0", id="full-width digits of a float"),
        pytest.param("13127-1", "13127\u20111", id="no-break hyphen"),
        pytest.param("13127-1", "13127\u20131", id="dash of print"),
        pytest.param("13127-1", "13127\uff0d1", id="full-width hyphen"),
        pytest.param("-4", "\u22124", id="minus sign of print"),
        pytest.param("coffret-d'or", "coffret-d\u2019or", id="apostrophe of print"),
        pytest.param("fin", "\ufb01n", id="ligature"),
    ],
)
def test_keys_that_look_the_same_are_the_same(one: str, other: str) -> None:
    assert compared(one) == compared(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("a1", "\u04301", id="letter of another script"),
        pytest.param("12", "\u0661\u0662", id="digits of another script"),
        pytest.param("\u00e9t\u00e9", "ete", id="accents"),
        pytest.param("7", "007", id="leading zeros"),
        pytest.param("13127-1", "131271", id="a hyphen less"),
        pytest.param("13127-1", "13127_1", id="another sign"),
    ],
)
def test_keys_that_look_different_are_different(one: str, other: str) -> None:
    assert compared(one) != compared(other)


def compared(key: str) -> object:
    return read("product_id", key, comparable(read_key("product_id")))[0]


@pytest.mark.parametrize(
    ("value", "day"),
    [
        pytest.param(("date", "2018-06-07 16:27:25"), date(2018, 6, 7), id="date and time"),
        pytest.param(("date", "2018-06-07"), date(2018, 6, 7), id="date"),
        pytest.param("2018-06-07 23:59:59", date(2018, 6, 7), id="text"),
        pytest.param(" 2018-06-07T00:00\u00a0", date(2018, 6, 7), id="text with a T and blanks around"),
        pytest.param("2024-02-29", date(2024, 2, 29), id="leap day"),
        pytest.param("2023-02-29", None, id="no leap day"),
        pytest.param("0000-00-00 00:00:00", None, id="the shop's empty date"),
        pytest.param("07/06/2018", None, id="day or month first"),
        pytest.param("2018-06-07 soon", None, id="words behind it"),
        pytest.param(43258.69, None, id="number"),
        pytest.param(("date", "16:27:25"), None, id="time"),
        pytest.param(("error", "#N/A"), None, id="error"),
        pytest.param(None, None, id="empty"),
    ],
)
def test_a_date_is_a_day_or_nothing(value: Value, day: date | None) -> None:
    assert read("post_date", value, read_date("post_date")) == [day]


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


def test_characters_next_to_the_invisible_ones_are_visible() -> None:
    first = "\x00\x0e\x7f\x86\xad\u200b\u2060\ufeff\u061c\u202a\u2066\u034f\u180b\ufe00\u115f\u17b4\u3164\uffa0"
    last = "\x08\x1f\x84\x9f\xad\u200f\u2064\ufeff\u061c\u202e\u206f\u034f\u180f\ufe0f\u1160\u17b5\u3164\uffa0"
    assert set(first + last) <= set(INVISIBLE)
    assert not {chr(ord(sign) - 1) for sign in first if sign > "\x00"} & set(INVISIBLE)
    assert not {chr(ord(sign) + 1) for sign in last} & set(INVISIBLE)
