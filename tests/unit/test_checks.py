"""Every check finds what it is there to find: a sound small month, one thing spoiled, and what the run then says."""

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction

import polars as pl
import pytest
from frames import Month, Value, month, product

from tasks.domain.checks import (
    UNMATCHED_LIMIT,
    check_classification,
    check_cleaning,
    check_join,
    check_revenue,
    judge_matches,
    judge_total,
    unmatched_shares,
)
from tasks.domain.issues import issue_frame, lines
from tasks.domain.premium import classify_wines
from tasks.domain.revenue import compute_revenue
from tasks.domain.schemas import SOURCES

Spoil = Callable[[pl.DataFrame], pl.DataFrame]

SOLD = [
    product(1, price=10, sales=2, title="Fronsac"),
    product(2, price="12,50 €", sales=4, title="Chinon"),
    product(3, price=99, sales="1.0", title="Corton"),
]  # fmt: skip


@pytest.fixture(scope="module")
def sound() -> Month:
    """Three products in rows 2 to 4 of every sheet.

    Below them stand a product that is not sold online, one without a link, and two rows without content.
    """
    erp, liaison, web = (list(sheet) for sheet in zip(*SOLD, strict=True))
    return month(
        [*erp, {"product_id": 4, "price": 5, "onsale_web": 0}, {}],
        [*liaison, {"product_id": 4}],
        [*web, {"sku": 10_009, "post_type": "product", "total_sales": 3}, {}],
    )


def without(row: int) -> Spoil:
    return lambda frame: frame.filter(pl.col("row") != row)


def doubled(row: int) -> Spoil:
    return lambda frame: pl.concat([frame, frame.filter(pl.col("row") == row)])


def having(row: int, **values: object) -> Spoil:
    """The row with other values."""
    return lambda frame: frame.with_columns(
        pl.when(pl.col("row") == row).then(pl.lit(value).cast(frame.schema[name])).otherwise(name).alias(name)
        for name, value in values.items()
    )


def reversed_in(column: str, *, rows: int, by: str = "row") -> Spoil:
    """The values of the first rows in the opposite order."""

    def spoil(frame: pl.DataFrame) -> pl.DataFrame:
        values = frame.sort(by)[column]
        return frame.sort(by).with_columns(pl.concat([values.head(rows).reverse(), values.tail(-rows)]))

    return spoil


def spoiled(frame: pl.LazyFrame, spoil: Spoil) -> pl.LazyFrame:
    return spoil(frame.collect()).lazy()


# --- cleaning


@pytest.mark.parametrize(
    ("source", "spoil", "sentences"),
    [
        pytest.param(
            "erp",
            without(6),
            ["erp: 5 rows read, 4 came out of the cleaning, the first that differs is row 6"],
            id="blank row lost",
        ),
        pytest.param(
            "web",
            doubled(6),
            ["web: 5 rows read, 6 came out of the cleaning, the first that differs is row 6"],
            id="blank row doubled",
        ),
        pytest.param(
            "erp",
            lambda frame: frame.with_columns(row=pl.col("row").replace({6: 7})),
            ["erp: 5 rows read, 5 came out of the cleaning, the first that differs is row 6"],
            id="row under another number",
        ),
        pytest.param(
            "erp",
            without(2),
            ["erp: 5 rows read, 4 came out of the cleaning, the first that differs is row 2"],
            id="product lost",
        ),
        pytest.param(
            "liaison",
            doubled(3),
            [
                "liaison: 4 rows read, 5 came out of the cleaning, the first that differs is row 3",
                "liaison: 2 rows with a key that another row has",
            ],
            id="link doubled",
        ),
        pytest.param(
            "erp",
            having(3, rule="blank-row"),
            ['erp: 1 key that no row stands for, or the wrong one, the first is "2"'],
            id="product taken for a blank row",
        ),
        pytest.param(
            "liaison",
            lambda frame: frame.with_columns(rule=pl.lit("blank-row")),
            ['liaison: 3 keys that no row stands for, or the wrong one, the first is "1" with "10001"'],
            id="all rows taken for blank rows",
        ),
    ],
)  # fmt: skip
def test_cleaning_that_changes_the_month_is_told(sound: Month, source: str, spoil: Spoil, sentences: list[str]) -> None:
    cleaned = sound.cleaned._replace(**{source: spoiled(getattr(sound.cleaned, source), spoil)})
    assert check_cleaning(sound.raw, cleaned) == sentences


# --- join


def fates(sources: str, *, row: int, n: int = 1) -> list[str]:
    """What is told of each source with rows whose fate does not fit."""
    rows = "1 row" if n == 1 else f"{n} rows"
    return [f"{source}: {rows} with a fate that does not fit, the first is row {row}" for source in sources.split()]


@pytest.mark.parametrize(
    ("spoil", "sentences"),
    [
        pytest.param(
            lambda joined: joined.filter(pl.col("web_row") != 3),
            [
                'the join has 2 rows where the keys give 3, the first that differs is product "2" with sku "10002"',
                *fates("erp liaison web", row=3),
                "of 10 units 3 are used and 3 rejected",
            ],
            id="a product lost with its units",
        ),
        pytest.param(
            lambda joined: pl.concat([joined, joined.filter(pl.col("web_row") == 2)]),
            [
                'the join has 4 rows where the keys give 3, the first that differs is product "1" with sku "10001"',
                "a product or a sku stands more than once in the join",
                "of 10 units 9 are used and 3 rejected",
            ],
            id="a product doubled",
        ),
        pytest.param(
            lambda joined: joined.with_columns(web_key=pl.col("web_key").replace({"10002": "10001"})),
            [
                'the join has 3 rows where the keys give 3, the first that differs is product "2" with sku "10001"',
                "a product or a sku stands more than once in the join",
                "liaison web_key: 1 joined product with another value than the cleaning gave, the first in row 3",
                "web web_key: 1 joined product with another value than the cleaning gave, the first in row 3",
            ],
            id="a sku doubled without its product",
        ),
        pytest.param(
            lambda joined: joined.with_columns(
                web_key=pl.col("web_key").replace({"10001": "10002", "10002": "10001"}),
            ),
            [
                'the join has 3 rows where the keys give 3, the first that differs is product "1" with sku "10001"',
                "liaison web_key: 2 joined products with another value than the cleaning gave, the first in row 2",
                "web web_key: 2 joined products with another value than the cleaning gave, the first in row 2",
            ],
            id="two skus exchanged",
        ),
        pytest.param(
            lambda joined: joined.with_columns(total_sales=pl.col("total_sales").clip(upper_bound=3)),
            [
                "web total_sales: 1 joined product with another value than the cleaning gave, the first in row 3",
                "of 10 units 6 are used and 3 rejected",
            ],
            id="a unit lost",
        ),
        *(
            pytest.param(
                reversed_in(column, rows=2, by="erp_row"),
                [f"{source} {column}: 2 joined products with another value than the cleaning gave, the first in row 2"],
                id=f"{column} of two products exchanged",
            )
            for source, column in (
                ("erp", "product_id"), ("erp", "price"), ("web", "sku"), ("web", "post_title"), ("web", "total_sales"),
            )
        ),
        pytest.param(
            lambda joined: joined.with_columns(erp_row=pl.lit(5, pl.UInt32)),
            [
                "erp product_id: 3 joined products with another value than the cleaning gave, the first in row 5",
                "erp product_key: 3 joined products with another value than the cleaning gave, the first in row 5",
                "erp price: 3 joined products with another value than the cleaning gave, the first in row 5",
                "erp stock_quantity: 3 joined products with another value than the cleaning gave, the first in row 5",
                *fates("erp", row=2, n=4),
            ],
            id="products that name the row of another",
        ),
        pytest.param(
            lambda joined: joined.sort("erp_row").with_columns(pl.col("product_id", "price", "erp_row").reverse()),
            ["erp product_key: 2 joined products with another value than the cleaning gave, the first in row 2"],
            id="products with the whole row of another",
        ),
        pytest.param(
            reversed_in("liaison_row", rows=2, by="erp_row"),
            [
                "liaison product_key: 2 joined products with another value than the cleaning gave, the first in row 2",
                "liaison web_key: 2 joined products with another value than the cleaning gave, the first in row 2",
            ],
            id="products that name the link of another",
        ),
    ],
)  # fmt: skip
def test_a_join_that_loses_or_multiplies_is_told(sound: Month, spoil: Spoil, sentences: list[str]) -> None:
    assert check_join(sound.cleaned, spoiled(sound.joined, spoil), sound.ledger) == sentences


@pytest.mark.parametrize(
    ("source", "spoil", "sentences"),
    [
        pytest.param(
            "erp",
            without(5),
            ["erp: 5 rows read, 4 accounted for, the first that differs is row 5"],
            id="row without a disposition",
        ),
        pytest.param(
            "liaison",
            doubled(5),
            ["liaison: 4 rows read, 5 accounted for, the first that differs is row 5"],
            id="row with two",
        ),
        pytest.param("erp", having(5, rule=None), fates("erp", row=5), id="row set aside without a reason"),
        pytest.param("erp", having(2, rule="repetition"), fates("erp", row=2), id="row used with a reason against it"),
        pytest.param("erp", having(5, disposition="used", rule=None), fates("erp", row=5), id="unused row marked used"),
        pytest.param(
            "erp", having(2, disposition="rejected", rule="no-partner"), fates("erp", row=2), id="used row rejected",
        ),
        pytest.param(
            "erp", having(5, disposition="ignored", rule="blank-row"), fates("erp", row=5), id="product ignored",
        ),
        pytest.param("erp", having(5, rule="blank-row"), fates("erp", row=5), id="product rejected as a blank row"),
        pytest.param(
            "erp", having(6, disposition="rejected", rule="no-key"), fates("erp", row=6), id="blank row rejected",
        ),
        pytest.param("web", having(6, rule="other-post-type"), fates("web", row=6), id="ignored for another reason"),
        pytest.param(
            "web",
            lambda ledger: ledger.with_columns(
                disposition=pl.lit("ignored", ledger.schema["disposition"]), rule=pl.lit("blank-row")
            ),
            fates("web", row=2, n=4),
            id="all rows taken for blank rows",
        ),
        pytest.param(
            "web", having(5, units=None), ["of 10 units 7 are used and 0 rejected"], id="units of a rejected row lost",
        ),
        pytest.param(
            "web", having(2, units=2), ["of 10 units 7 are used and 5 rejected"], id="units counted on both sides",
        ),
    ],
)  # fmt: skip
def test_a_ledger_that_does_not_add_up_is_told(sound: Month, source: str, spoil: Spoil, sentences: list[str]) -> None:
    ledger = sound.ledger.collect()
    own, others = ledger.filter(source=source), ledger.filter(pl.col("source") != source)
    assert check_join(sound.cleaned, sound.joined, pl.concat([spoil(own), others]).lazy()) == sentences


# --- shares without a partner


def matches(
    *, products: int, dead_links: int = 0, unlinked: tuple[int, ...] = (), limit: float | Fraction = UNMATCHED_LIMIT
) -> list[str]:
    """What is told of a month of so many sound products, ten units each, and of what lacks a partner."""
    rows = [product(number, sales=10) for number in range(1, products + 1)]
    erp, liaison, web = (list(sheet) for sheet in zip(*rows, strict=True))
    liaison += [{"product_id": 900 + number, "id_web": 90_000 + number} for number in range(dead_links)]
    web += [
        {"sku": 80_000 + number, "post_type": "product", "total_sales": units} for number, units in enumerate(unlinked)
    ]
    result = month(erp, liaison, web)
    return lines(issue_frame(judge_matches(result.cleaned, result.joined, Fraction(limit))))


def above(share: str, lacking: str = "liaison") -> list[str]:
    remedy = (
        f"Rows of the {lacking} workbook are probably missing, or it is of another time: export it whole and run "
        "again. If it is right, complete the links or run with --accept-unusual."
    )
    return [f'the three workbooks: "{share}" is above the limit. {remedy}']


@pytest.mark.parametrize(
    ("case", "told"),
    [
        pytest.param({"products": 19, "dead_links": 2}, [], id="links under the limit"),
        pytest.param({"products": 18, "dead_links": 2}, [], id="links on the limit"),
        pytest.param(
            {"products": 17, "dead_links": 2},
            above("2 of 19 links that lead to no product of the shop, 10.53% (limit 10.00%)", "web"),
            id="links over the limit",
        ),
        pytest.param({"products": 19, "unlinked": (0, 0)}, [], id="products under the limit"),
        pytest.param({"products": 18, "unlinked": (0, 0)}, [], id="products on the limit"),
        pytest.param(
            {"products": 17, "unlinked": (0, 0)},
            above("2 of 19 products of the shop without a product of the ERP, 10.53% (limit 10.00%)"),
            id="products over the limit",
        ),
        pytest.param({"products": 18, "unlinked": (19,)}, [], id="units under the limit"),
        pytest.param({"products": 18, "unlinked": (20,)}, [], id="units on the limit"),
        pytest.param(
            {"products": 18, "unlinked": (21,)},
            above("21 of 201 units sold of products without a product of the ERP, 10.45% (limit 10.00%)"),
            id="units over the limit",
        ),
        pytest.param(
            {"products": 18, "unlinked": (21, -1)},
            above("21 of 201 units sold of products without a product of the ERP, 10.45% (limit 10.00%)"),
            id="units below 0 do not lower the share",
        ),
        pytest.param({"products": 7, "dead_links": 3, "limit": Fraction(3, 10)}, [], id="on a limit of 30 %"),
        pytest.param({"products": 1, "dead_links": 9, "unlinked": (99,), "limit": 1}, [], id="a limit of everything"),
        pytest.param(
            {"products": 99, "dead_links": 1, "limit": 0},
            above("1 of 100 links that lead to no product of the shop, 1.00% (limit 0.00%)", "web"),
            id="a limit of nothing",
        ),
    ],
)  # fmt: skip
def test_a_share_without_partner_above_the_limit_stops_the_run(case: dict, told: list[str]) -> None:
    assert matches(**case) == told


@pytest.mark.parametrize(
    ("cut_off", "share"),
    [
        ("erp", "5 of 10 products of the shop without a product of the ERP, 50.00% (limit 49.00%)"),
        ("liaison", "5 of 10 products of the shop without a product of the ERP, 50.00% (limit 49.00%)"),
        ("web", "5 of 10 links that lead to no product of the shop, 50.00% (limit 49.00%)"),
    ],
)
def test_the_workbook_that_ends_in_its_middle_is_named(cut_off: str, share: str) -> None:
    sheets = dict(zip(SOURCES, map(list, zip(*map(product, range(1, 11)), strict=True)), strict=True))
    result = month(**(sheets | {cut_off: sheets[cut_off][:5]}))
    told = lines(issue_frame(judge_matches(result.cleaned, result.joined, Fraction(49, 100))))
    assert told[0] == above(share, cut_off)[0]
    assert all(f"Rows of the {cut_off} workbook are probably missing" in line for line in told)


def sales_of(*units: Value) -> list[str]:
    erp, liaison, web = zip(*(product(number, sales=sold) for number, sold in enumerate(units)), strict=True)
    result = month(list(erp), list(liaison), list(web))
    return lines(issue_frame(judge_matches(result.cleaned, result.joined)))


def test_a_shop_that_never_sold_anything_was_not_exported_whole() -> None:
    assert sales_of(0, 0, "0,0") == [
        (
            'the three workbooks: "0 units sold of 3 products" cannot be right: the shop counts everything it ever '
            "sold. Export the shop's workbook again with its sales, then run again."
        )
    ]


@pytest.mark.parametrize("units", [(0, 0, 1), (0, None, 0)], ids=["one unit", "a count that is a fault of its own"])
def test_a_shop_that_may_have_sold_something_is_no_broken_export(units: tuple[Value, ...]) -> None:
    assert sales_of(*units) == []


def test_a_rejected_sale_counts_among_what_has_no_partner(sound: Month) -> None:
    assert unmatched_shares(sound.cleaned, sound.joined) == {
        "links that lead to no product of the shop": (0, 3),
        "products of the shop without a product of the ERP": (1, 4),
        "units sold of products without a product of the ERP": (3, 10),
    }


def test_three_workbooks_that_share_no_product_stop_the_run() -> None:
    result = month([product(1)[0]], [product(2)[1]], [{"sku": 1, "post_type": "product", "total_sales": 0}])
    assert lines(issue_frame(judge_matches(result.cleaned, result.joined, Fraction(1)))) == [
        "the three workbooks leave not one product in all three. Check that the three belong together."
    ]


def test_months_without_links_or_sales_have_no_share_to_judge() -> None:
    result = month([product(1)[0]], [{"product_id": 1}], [])
    assert [issue.rule for issue in judge_matches(result.cleaned, result.joined, Fraction(0))] == ["no-product"]


# --- revenue


@pytest.mark.parametrize(
    ("total", "told"),
    [
        pytest.param("9999999999999.99", [], id="the largest that fits"),
        pytest.param(
            "10000000000000.00",
            [
                (
                    'the three workbooks: "10,000,000,000,000.00 EUR" is more than a spreadsheet can hold. '
                    "Check prices and sales."
                )
            ],
            id="the smallest that does not",
        ),
    ],
)
def test_a_total_that_no_spreadsheet_holds_stops_the_run(total: str, told: list[str]) -> None:
    half = Decimal("5000000000000.00")
    revenue = pl.LazyFrame({"revenue": [half, Decimal(total) - half]}, schema={"revenue": pl.Decimal(38, 2)})
    assert lines(issue_frame(judge_total(revenue))) == told


def of(key: str, /, **values: object) -> Spoil:
    """The product with other values."""
    return lambda frame: frame.with_columns(
        pl.when(pl.col("product_id") == key).then(pl.lit(value).cast(frame.schema[name])).otherwise(name)
        .alias(name)
        for name, value in values.items()
    )  # fmt: skip


@pytest.mark.parametrize(
    ("spoil", "sentences"),
    [
        pytest.param(
            of("3", revenue=Decimal("99.01")),
            [
                'price x units is not the revenue of 1 product, the first is "3"',
                "the revenue column adds up to 169.01 EUR, price x units to 169.00 EUR",
            ],
            id="a cent too much",
        ),
        pytest.param(
            lambda frame: of("2", revenue=Decimal("49.99"))(of("3", revenue=Decimal("99.01"))(frame)),
            ['price x units is not the revenue of 2 products, the first is "3"'],
            id="a cent on the wrong product",
        ),
        pytest.param(
            lambda frame: frame.reverse(), ["the products are not in order of revenue and key"], id="another order",
        ),
        pytest.param(
            lambda frame: pl.concat([frame, frame.tail(1)]),
            ["product_id is repeated in 2 rows", "sku is repeated in 2 rows"],
            id="a product twice",
        ),
        pytest.param(
            of("1", total_sales=-2, revenue=Decimal("-20.00")),
            ["total_sales is too small in 1 row", "revenue is too small in 1 row"],
            id="units returned",
        ),
        pytest.param(
            of("1", price=0, revenue=0), ["price is too small in 1 row"], id="a wine for nothing",
        ),
        pytest.param(of("2", price=None), ["price is empty in 1 row"], id="no price"),
        pytest.param(
            of("2", total_sales=None, revenue=None),
            ["total_sales is empty in 1 row", "revenue is empty in 1 row"],
            id="no units and no revenue",
        ),
        pytest.param(of("1", sku=""), ["sku is too short in 1 row"], id="a sku without a character"),
    ],
)  # fmt: skip
def test_revenue_that_is_not_price_times_units_is_told(sound: Month, spoil: Spoil, sentences: list[str]) -> None:
    revenue = compute_revenue(sound.joined)
    assert check_revenue(revenue) == []
    assert check_revenue(spoiled(revenue, spoil)) == sentences


# --- classification


@pytest.mark.parametrize(
    ("spoil", "sentences"),
    [
        pytest.param(
            of("3", is_premium=False),
            ['1 product on the wrong side of 81.8783 EUR, the first is "3"'],
            id="premium taken for ordinary",
        ),
        pytest.param(
            of("1", is_premium=True),
            ['1 product on the wrong side of 81.8783 EUR, the first is "1"'],
            id="ordinary taken for premium",
        ),
        pytest.param(
            of("2", z_score=float("nan")),
            ["z_score is no number in 1 row"],
            id="NaN",
        ),
        pytest.param(
            of("2", z_score=float("inf")),
            ["z_score is infinite in 1 row"],
            id="infinity",
        ),
        pytest.param(of("2", z_score=None), ["z_score is empty in 1 row"], id="no z-score"),
        pytest.param(
            lambda wines: wines.with_columns(pl.col("z_score") * 2),
            ['3 z-scores not following from the prices, the first is of "3"'],
            id="z-scores doubled",
        ),
        pytest.param(
            lambda wines: wines.with_columns(pl.col("z_score") + pl.when(product_id="2").then(1e-6).otherwise(0)),
            ['1 z-score not following from the prices, the first is of "2"'],
            id="z-score off by a millionth",
        ),
        pytest.param(
            lambda wines: wines.reverse(),
            ["the classified products are not the products that were priced"],
            id="another order",
        ),
        pytest.param(
            of("1", post_title="Another wine"),
            ["the classified products are not the products that were priced"],
            id="another title",
        ),
    ],
)  # fmt: skip
def test_a_class_that_does_not_follow_from_the_price_is_told(sound: Month, spoil: Spoil, sentences: list[str]) -> None:
    revenue = compute_revenue(sound.joined).collect().lazy()
    wines = classify_wines(revenue, 1.0)
    assert check_classification(revenue, wines, 1.0) == []
    assert check_classification(revenue, spoiled(wines, spoil), 1.0) == sentences


def test_a_product_lost_on_the_way_to_its_class_is_told(sound: Month) -> None:
    revenue = compute_revenue(sound.joined).collect().lazy()
    wines = classify_wines(revenue, 1.0)
    assert check_classification(revenue, wines.head(0), 1.0) == [
        "the classified products are not the products that were priced"
    ]


def test_wines_that_all_cost_the_same_are_premium_for_nobody() -> None:
    erp, liaison, web = (list(sheet) for sheet in zip(*(product(number, price=12) for number in (1, 2)), strict=True))
    revenue = compute_revenue(month(erp, liaison, web).joined).collect().lazy()
    wines = classify_wines(revenue, 2.0).with_columns(is_premium=pl.lit(value=True))
    assert check_classification(revenue, wines, 2.0) == [
        '2 products on the wrong side of 12.0000 EUR, the first is "1"'
    ]


def test_a_wine_at_the_very_mean_is_sound_though_floats_miss_it() -> None:
    """As floats, 0.10, 0.20 and 0.30 have a mean that is not quite 0.20."""
    rows = [product(number, price=price) for number, price in enumerate((0.1, 0.2, 0.3), start=1)]
    erp, liaison, web = (list(sheet) for sheet in zip(*rows, strict=True))
    revenue = compute_revenue(month(erp, liaison, web).joined).collect().lazy()
    wines = classify_wines(revenue, 2.0)
    assert wines.filter(product_id="2").select(pl.col("z_score").abs()).collect().item() > 0
    assert check_classification(revenue, wines, 2.0) == []


# --- just outside, and just inside


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        pytest.param({"stock_quantity": -1}, "stock_quantity is too small in 1 row", id="stock"),
        pytest.param({"revenue": Decimal("-0.01")}, "revenue is too small in 1 row", id="revenue"),
        pytest.param({"product_id": ""}, "product_id is too short in 1 row", id="key of the ERP"),
    ],
)
def test_a_value_just_outside_its_contract_is_told(sound: Month, values: dict[str, object], sentence: str) -> None:
    assert check_revenue(spoiled(compute_revenue(sound.joined), of("1", **values))) == [sentence]


def test_a_unit_given_back_that_was_never_sold_is_told(sound: Month) -> None:
    less = of("1", total_sales=-1, revenue=Decimal(0))
    assert check_revenue(spoiled(compute_revenue(sound.joined), less)) == ["total_sales is too small in 1 row"]


@pytest.mark.parametrize(
    ("below", "told"),
    [
        pytest.param(1.5e-9, [], id="nearer than a float can tell"),
    ],
)  # fmt: skip
def test_an_ordinary_wine_above_the_threshold_is_told_where_a_float_can_tell(below: float, told: list[str]) -> None:
    rows = [product(number, price=110 if number == 1 else 10) for number in range(1, 6)]
    erp, liaison, web = (list(sheet) for sheet in zip(*rows, strict=True))
    revenue = compute_revenue(month(erp, liaison, web).joined).collect().lazy()
    wines = classify_wines(revenue, 2.0)
    assert wines.select("z_score", "is_premium").collect().row(0) == (pytest.approx(2.0), False)
    assert check_classification(revenue, wines, 2.0 - below) == told


def test_links_without_the_key_of_a_product_are_counted(sound: Month) -> None:
    keyless = spoiled(spoiled(sound.cleaned.liaison, having(2, product_key=None)), having(3, product_key=None))
    told = check_cleaning(sound.raw, sound.cleaned._replace(liaison=keyless))
    assert "liaison: 2 rows without a key standing for a product" in told


@pytest.mark.parametrize(
    ("dead", "lacking"),
    [
        pytest.param(2, "liaison", id="two of five at a link to nothing"),
        pytest.param(3, "erp", id="three of five"),
    ],
)
def test_the_workbook_is_named_that_most_of_the_products_lack(dead: int, lacking: str) -> None:
    """Of five products without a partner some are linked to a product that the ERP has not, others not at all."""
    rows = [product(number) for number in range(1, 6)]
    gone = [product(number) for number in range(6, 11)]
    result = month(
        [row[0] for row in rows],
        [*(row[1] for row in rows), *(row[1] for row in gone[:dead])],
        [row[2] for row in (*rows, *gone)],
    )
    told = lines(issue_frame(judge_matches(result.cleaned, result.joined, Fraction(49, 100))))
    assert told == [
        *above("5 of 10 products of the shop without a product of the ERP, 50.00% (limit 49.00%)", lacking),
        *above("5 of 10 units sold of products without a product of the ERP, 50.00% (limit 49.00%)", lacking),
    ]


def test_a_wine_without_a_title_or_a_bottle_in_stock_is_sound(sound: Month) -> None:
    for values in ({"post_title": None, "stock_quantity": None}, {"stock_quantity": 0}):
        assert check_revenue(spoiled(compute_revenue(sound.joined), of("1", **values))) == []
