"""What is true of every cell and every month, whatever they contain."""

import random
from collections.abc import Iterable
from decimal import Decimal, localcontext
from fractions import Fraction

import polars as pl
import pytest
from dirty_months import dirty_month
from frames import Month, month_of, staged
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from reference import BLANKS, DIGITS, EMPTY, Cell, compared, is_blank, read_key, read_price, read_units

from tasks.domain import cell_values as cells
from tasks.domain.clean import clean_erp, clean_web
from tasks.domain.figures import compute_figures
from tasks.domain.ledger import count_rows
from tasks.domain.money import MONEY
from tasks.domain.premium import Z_TOLERANCE, classify_wines
from tasks.domain.revenue import compute_revenue
from tasks.domain.sources import Source

# --- cells: what people and programs write, what nearly is it, and anything else

BATCH = 50
"""Cells in one example: Polars then works once for all of them."""

PIECES = [
    *("0", "1", "5", "9", "00", "12", "123", "1234", "000", "99999999999", "15298"),
    *(" ", "\u00a0", "\u202f", "\u2009", "\u200b", "\ufeff", "\t", "\n", "\x1c", "\x85", "\u3000"),
    *("\u00ad", "\u200e", "\u2060", "\x01", "\u2011", "\u2019", "e\u0301", "\u0430"),
    *("€", "$", "EUR", "+", "-", "\u2212", ".", ",", ".0", ",00", ".5", "'", "_", "%", "e", "E", "e5"),
    *("inf", "nan", "n/a", "\u0663", "\uff11", "\u00b2", "a", "B", "É", "ß", "\u0130", "Σ", "-1", "007", "bon-cadeau"),
]  # fmt: skip

blanks = st.text(st.sampled_from(BLANKS), max_size=2)
digits = st.text(st.sampled_from("0123456789"), min_size=1, max_size=4)
spoilt_by = st.sampled_from(["", "", "", *PIECES])


@st.composite
def amounts(draw: st.DrawFn) -> str:
    """An amount as the rules allow it, and now and then one with a piece too many."""
    whole = draw(digits)
    if draw(st.booleans()):
        between = draw(st.sampled_from([" ", "\u00a0", "\u202f"]))
        groups = draw(st.lists(st.integers(0, 999).map("{:03}".format), min_size=1, max_size=4))
        whole = between.join([whole[:3], *groups])
    places = draw(st.sampled_from(["", "", "5", "05", "50", "005", "999"]))
    point = draw(st.sampled_from([".", ","])) if places else ""
    before, after = draw(st.sampled_from([("", ""), ("", ""), ("€", ""), ("", "€"), ("€", "€")]))
    sign = draw(st.sampled_from(["", "", "", "+", "-"]))
    inner, outer = draw(blanks), draw(blanks)
    text = f"{before}{inner if before else ''}{sign}{whole}{point}{places}{inner if after else ''}{after}"
    place = draw(st.integers(0, len(text)))
    return f"{outer}{text[:place]}{draw(spoilt_by)}{text[place:]}{draw(blanks)}"


@st.composite
def key_texts(draw: st.DrawFn) -> str:
    """A key as the rules allow it, and now and then one with a piece too many."""
    sign, zeros = draw(st.sampled_from(["", "", "-", "+"])), draw(st.sampled_from(["", "", ".0", ".000", ".", ".10"]))
    text = f"{sign}{draw(digits)}{draw(spoilt_by)}{zeros}"
    return draw(blanks) + text + draw(blanks)


# Characters that Python's own tables do not know yet have no small letter there.
any_text = st.text(st.characters(codec="utf-8", exclude_categories=["Cn", "Cs"]), max_size=12)
pieced_text = st.lists(st.sampled_from(PIECES), max_size=7).map("".join)
texts = (amounts() | key_texts() | pieced_text | any_text).map(lambda text: ("text", text or None) if text else EMPTY)


def as_staged(number: float) -> Cell:
    """A number as it is staged: the shortest decimal that is this double."""
    return "number", repr(number + 0.0).removesuffix(".0")


numbers = (
    st.floats()
    | st.floats(-1e5, 1e5)
    | st.integers(-(10**14), 10**14).map(float)
    | st.integers(-(10**8), 10**8).map(lambda thousandths: thousandths / 1000)
    | st.integers(0, 10**8).map(lambda cents: (2 * cents + 1) / 200)
    | st.integers(0, 10**6).map(lambda cents: cents * 0.1)
).map(as_staged)

no_content = st.sampled_from(
    [EMPTY, ("boolean", "TRUE"), ("date", "2025-05-03 00:00:00"), ("error", "#N/A"), ("uncalculated", None)]
)
any_cell = texts | numbers | no_content
batches = st.lists(any_cell, min_size=BATCH, max_size=BATCH + 10)


def read(column: str, batch: Iterable[Cell], *readers: pl.Expr) -> list[tuple[object, ...]]:
    """What the readers make of each cell of a column."""
    source: Source = "web" if column == "total_sales" else "erp"
    sheet = staged(source, [(row, {column: cell}) for row, cell in enumerate(batch, start=2)])
    return sheet.select(reader.alias(str(place)) for place, reader in enumerate(readers)).collect().rows()


def cleaned(column: str, batch: Iterable[Cell]) -> list[tuple[object, object]]:
    """The number in each cell of a product, and the rule that the cell breaks."""
    needed = {"sku": ("number", "1"), "post_type": ("text", "product"), "product_id": ("number", "1")}
    source: Source = "web" if column == "total_sales" else "erp"
    sheet = staged(source, [(row, needed | {column: cell}) for row, cell in enumerate(batch, start=2)])
    rows = (clean_web if source == "web" else clean_erp)(sheet)
    return rows.select(column, f"{column}__fault").collect().rows()


def differing(
    batch: list[Cell], read_here: list[object], read_there: list[object]
) -> list[tuple[Cell, object, object]]:
    return [
        (cell, here, there) for cell, here, there in zip(batch, read_here, read_there, strict=True) if here != there
    ]


@given(batches)
def test_every_cell_is_the_same_price_by_the_reference(batch: list[Cell]) -> None:
    with localcontext(prec=DIGITS):
        expected = [read_price(cell) for cell in batch]
    assert differing(batch, cleaned("price", batch), expected) == []


@given(batches)
def test_every_cell_is_the_same_count_by_the_reference(batch: list[Cell]) -> None:
    with localcontext(prec=DIGITS):
        expected = [read_units(cell) for cell in batch]
    assert differing(batch, cleaned("total_sales", batch), expected) == []


def test_the_least_trace_of_a_unit_is_no_whole_number() -> None:
    traces = [("number", "1e-19"), ("number", "-1e-19"), ("number", "5e-324")]
    expected = [(None, "fractional"), (None, "negative"), (None, "fractional")]
    assert cleaned("total_sales", traces) == expected
    assert [read_units(cell) for cell in traces] == expected


@given(batches)
def test_every_cell_is_the_same_key_by_the_reference(batch: list[Cell]) -> None:
    column = "product_id"
    expected = [(key, key and compared(key), fault == "no-key") for key, fault in map(read_key, batch)]
    key = cells.read_key(column)
    got = read(column, batch, key, cells.comparable(key), cells.is_blank(column))
    assert differing(batch, got, expected) == []


@given(batches)
def test_a_cell_is_blank_or_not_as_by_the_reference(batch: list[Cell]) -> None:
    got = read("price", batch, cells.is_blank("price"))
    assert differing(batch, got, [(is_blank(cell),) for cell in batch]) == []


@given(st.lists(any_text | key_texts() | pieced_text, min_size=BATCH))
def test_the_compared_form_of_a_compared_form_is_itself(keys: list[str]) -> None:
    once = pl.DataFrame({"key": keys}).select(cells.comparable(pl.col("key")))
    assert once.select(cells.comparable(pl.col("key"))).equals(once)


# --- months

Sheets = dict[Source, list[tuple[int, dict[str, Cell]]]]


def through_the_rules(sheets: Sheets) -> Month:
    return month_of({source: staged(source, rows) for source, rows in sheets.items()})


def shuffled(sheets: Sheets, rng: random.Random) -> Sheets:
    """The same rows under other numbers."""
    return {
        source: list(enumerate(rng.sample(rows := [row for _, row in numbered], len(rows)), start=2))
        for source, numbered in sheets.items()
    }


def contents(result: Month) -> tuple[pl.DataFrame, ...]:
    """Products, counts of rows and issues of a month, without the numbers of the rows."""
    joined = result.joined.drop("erp_row", "liaison_row", "web_row").collect()
    issues = result.issues.drop("row", "cell").with_columns(pl.col("other").str.replace("^[A-Z]+[0-9]+", ""))
    return joined.sort(joined.columns), count_rows(result.ledger).collect(), issues.sort(issues.columns)


@settings(max_examples=max(settings().max_examples // 4, 10))
@given(st.integers(0, 10**9), st.randoms(use_true_random=False))
def test_the_order_of_the_rows_of_a_month_decides_nothing(seed: int, rng: random.Random) -> None:
    sheets = dirty_month(seed)
    before, after = (through_the_rules(month) for month in (sheets, shuffled(sheets, rng)))
    for one, other in zip(contents(before), contents(after), strict=True):
        assert_frame_equal(one, other)
    if not before.errors():
        assert_frame_equal(before.wines(), after.wines(), check_exact=True)


# --- figures

wine_facts = st.tuples(st.integers(1, 10**6), st.integers(0, 10**4))
"""Price in cents, and units."""


def sales(facts: list[tuple[int, int]]) -> pl.LazyFrame:
    """Joined products with these prices in cents and these units."""
    return pl.LazyFrame(
        {
            "product_id": [f"p{number}" for number in range(len(facts))],
            "sku": [f"w{number}" for number in range(len(facts))],
            "post_title": "Wine",
            "total_sales": [units for _, units in facts],
            "price": [Decimal(cents).scaleb(-2) for cents, _ in facts],
            "stock_quantity": None,
            "post_date": None,
        },
        schema_overrides={"total_sales": pl.Int64, "price": MONEY, "stock_quantity": pl.Int64, "post_date": pl.Date},
    )


def classified(facts: list[tuple[int, int]], threshold: float = 2.0) -> pl.DataFrame:
    return classify_wines(compute_revenue(sales(facts)), threshold).collect()


@given(st.lists(wine_facts, min_size=1, max_size=60))
def test_the_figures_are_the_sums_of_the_rows(facts: list[tuple[int, int]]) -> None:
    wines = classified(facts)
    figures = compute_figures(wines, 2.0)
    premium = {name for (name,) in wines.filter("is_premium").select("product_id").iter_rows()}
    of_premium = sum(cents * units for number, (cents, units) in enumerate(facts) if f"p{number}" in premium)
    assert figures.revenue * 100 == sum(cents * units for cents, units in facts)
    assert figures.units == sum(units for _, units in facts)
    assert figures.premium_revenue * 100 == of_premium
    assert (figures.products, figures.premium) == (len(facts), len(premium))
    assert figures.premium + figures.ordinary == figures.products


@given(st.lists(wine_facts, min_size=1, max_size=60))
def test_a_z_score_is_the_distance_from_the_mean_in_deviations_of_the_population(facts: list[tuple[int, int]]) -> None:
    """Squared, so that exact fractions decide: z² x variance = distance², and z has the distance's sign."""
    prices = [Fraction(cents) for cents, _ in facts]
    mean = sum(prices) / len(prices)
    variance = sum((price - mean) ** 2 for price in prices) / len(prices)
    for price, z in classified(facts).select("price", "z_score").iter_rows():
        distance = Fraction(price) * 100 - mean
        expected = distance**2 / variance if variance else 0
        assert z * abs(z) == pytest.approx(float(expected if distance > 0 else -expected), abs=1e-9, rel=1e-9)


@given(
    st.lists(wine_facts, min_size=1, max_size=60) | st.integers(2, 40).map(lambda n: [(900, 1)] + [(100, 1)] * n),
    st.integers(2, 1_000),
    st.sampled_from([-1.0, 0.5, 1.5, 2.0]),
)
def test_prices_in_another_currency_leave_every_z_score_and_class(
    facts: list[tuple[int, int]], factor: int, threshold: float
) -> None:
    def by_product(facts: list[tuple[int, int]]) -> pl.DataFrame:
        return classified(facts, threshold).sort("product_id").select("product_id", "z_score", "is_premium")

    before, after = by_product(facts), by_product([(cents * factor, units) for cents, units in facts])
    assert before["is_premium"].to_list() == after["is_premium"].to_list()
    assert after["z_score"].to_list() == pytest.approx(before["z_score"].to_list(), abs=Z_TOLERANCE)


@given(st.lists(wine_facts, min_size=1, max_size=40), st.sampled_from([-1.0, 0.0, 1.0, 2.0]))
def test_premium_wines_cost_more_than_ordinary_ones(facts: list[tuple[int, int]], threshold: float) -> None:
    wines = classified(facts, threshold)
    dearest_ordinary = wines.filter(~pl.col("is_premium"))["price"].max()
    cheapest_premium = wines.filter("is_premium")["price"].min()
    assert dearest_ordinary is None or cheapest_premium is None or cheapest_premium > dearest_ordinary
