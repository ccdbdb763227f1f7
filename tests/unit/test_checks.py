"""Every invariant finds what breaks it: a sound small month, one thing spoiled, and the sentence of the check."""

from collections.abc import Callable
from decimal import Decimal

import polars as pl
import pytest
from frames import Month, month, product

from tasks.domain.checks import check_classification, check_cleaning, check_join, check_revenue
from tasks.domain.premium import classify_wines
from tasks.domain.revenue import compute_revenue

Spoil = Callable[[pl.DataFrame], pl.DataFrame]

SOLD = [
    product(1, price=10, sales=2, title="Fronsac"),
    product(2, price="12,50 €", sales=4, title="Chinon"),
    product(3, price=99, sales="1.0", title="Corton"),
]  # fmt: skip


@pytest.fixture(scope="module")
def sound() -> Month:
    """Three products in rows 2 to 4 of every sheet.

    Below them are a product that is not sold online, one without a link, and two rows without content.
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


def having(row: int, /, by: str = "row", **values: object) -> Spoil:
    """The row with other values."""
    return lambda frame: frame.with_columns(
        pl.when(pl.col(by) == row).then(pl.lit(value).cast(frame.schema[name])).otherwise(name).alias(name)
        for name, value in values.items()
    )


def exchanged(column: str, *, by: str = "row") -> Spoil:
    """The values of the first two rows exchanged."""

    def spoil(frame: pl.DataFrame) -> pl.DataFrame:
        values = frame.sort(by)[column]
        return frame.sort(by).with_columns(pl.concat([values.head(2).reverse(), values.tail(-2)]))

    return spoil


def spoiled(frame: pl.LazyFrame, spoil: Spoil) -> pl.LazyFrame:
    return spoil(frame.collect()).lazy()


# --- cleaning

ONE_PER_KEY = "against the rule accepts_one_row_per_key"


@pytest.mark.parametrize(
    ("source", "spoil", "sentences"),
    [
        pytest.param(
            "erp", without(6), ["erp: 5 rows read, 4 cleaned, the first that differs is row 6"], id="blank row lost",
        ),
        pytest.param(
            "erp", without(2), ["erp: 5 rows read, 4 cleaned, the first that differs is row 2"], id="product lost",
        ),
        pytest.param(
            "web",
            doubled(6),
            [
                "web: 5 rows read, 6 cleaned, the first that differs is row 6",
                "web: 2 rows against the rule primary_key",
            ],
            id="blank row doubled",
        ),
        pytest.param(
            "erp",
            lambda frame: frame.with_columns(row=pl.col("row").replace({6: 7})),
            ["erp: 5 rows read, 5 cleaned, the first that differs is row 6"],
            id="row under another number",
        ),
        pytest.param(
            "web", having(4, web_key=None), [f"web: 1 row {ONE_PER_KEY}"], id="accepted without a key",
        ),
        pytest.param(
            "erp", having(3, product_key="1"), [f"erp: 2 rows {ONE_PER_KEY}"], id="two rows accepted for one product",
        ),
        pytest.param(
            "liaison",
            having(3, product_key="1", web_key="10001"),
            ["liaison: 2 rows against the rule accepts_one_row_per_pair"],
            id="one link accepted twice",
        ),
        pytest.param(
            "web", having(6, rule=None), [f"web: 1 row {ONE_PER_KEY}"], id="blank row accepted",
        ),
        pytest.param(
            "web", having(5, is_product=False), [f"web: 1 row {ONE_PER_KEY}"], id="picture accepted",
        ),
        pytest.param(
            "erp",
            having(3, rule="blank-row"),
            ['erp: 1 key without an accepted row, the first is "2"'],
            id="product taken for a blank row",
        ),
        pytest.param(
            "liaison",
            lambda frame: frame.with_columns(rule=pl.lit("blank-row")),
            ['liaison: 3 keys without an accepted row, the first is "1" with "10001"'],
            id="all rows taken for blank rows",
        ),
        *(
            pytest.param(
                "erp", having(3, **values), ["erp: 1 row against the rule price_is_above_0_or_at_fault"], id=name,
            )
            for name, values in {
                "price lost": {"price": None},
                "price of nothing": {"price": 0},
                "price below 0": {"price": -8},
                "sound price called a fault": {"price__fault": "not-a-number"},
            }.items()
        ),
        *(
            pytest.param(
                "web", having(3, **values), ["web: 1 row against the rule counter_is_from_0_or_at_fault"], id=name,
            )
            for name, values in {
                "units lost": {"total_sales": None},
                "units below 0": {"total_sales": -1},
                "sound units called a fault": {"total_sales__fault": "negative"},
            }.items()
        ),
        pytest.param(
            "erp",
            having(2, is_contradicted=True),
            ["erp: 1 row against the rule contradicts_another_row"],
            id="contradiction of nothing",
        ),
        pytest.param(
            "erp",
            having(2, is_contradicted=True, other_row=2),
            ["erp: 1 row against the rule contradicts_another_row"],
            id="contradiction of itself",
        ),
        pytest.param("erp", having(2, price=Decimal("0.01")), [], id="the least price"),
        pytest.param("web", having(2, total_sales=0), [], id="no units"),
    ],
)  # fmt: skip
def test_cleaning_that_breaks_an_invariant_is_found(
    sound: Month, source: str, spoil: Spoil, sentences: list[str]
) -> None:
    assert check_cleaning(sound.raw, sound.cleaned) == []
    cleaned = sound.cleaned._replace(**{source: spoiled(getattr(sound.cleaned, source), spoil)})
    assert check_cleaning(sound.raw, cleaned) == sentences


# --- join


def others(source: str, row: int, n: int = 1) -> str:
    return f"{source}: {n} joined product{'s' if n > 1 else ''} with other values than row {row} and its like have"


def disposed(source: str, row: int, n: int = 1) -> str:
    return f"{source}: {n} row{'s' if n > 1 else ''} in a wrong disposition, the first is row {row}"


@pytest.mark.parametrize(
    ("spoil", "sentences"),
    [
        pytest.param(
            lambda joined: joined.filter(pl.col("web_row") != 3),
            [
                'the join has 2 rows where the keys give 3, the first that differs is product "2" with sku "10002"',
                *(disposed(source, 3) for source in ("erp", "liaison", "web")),
                "of 10 units 3 are used and 3 rejected",
            ],
            id="a product lost with its units",
        ),
        pytest.param(
            lambda joined: pl.concat([joined, joined.filter(pl.col("web_row") == 2)]),
            [
                "join: 2 rows against the rule liaison_row|unique",
                "join: 2 rows against the rule primary_key",
            ],
            id="a product doubled",
        ),
        pytest.param(
            exchanged("web_key", by="web_row"),
            [
                'the join has 3 rows where the keys give 3, the first that differs is product "1" with sku "10001"',
                others("liaison", 2, 2),
                others("web", 2, 2),
            ],
            id="two skus exchanged",
        ),
        pytest.param(exchanged("price", by="web_row"), [others("erp", 2, 2)], id="two prices exchanged"),
        pytest.param(exchanged("post_title", by="web_row"), [others("web", 2, 2)], id="two titles exchanged"),
        pytest.param(
            having(3, "web_row", total_sales=3),
            [others("web", 3), "of 10 units 6 are used and 3 rejected"],
            id="a unit lost",
        ),
        pytest.param(having(3, "web_row", price=Decimal("12.51")), [others("erp", 3)], id="a cent more"),
        pytest.param(having(3, "web_row", stock_quantity=None), [others("erp", 3)], id="stock forgotten"),
        pytest.param(
            having(3, "web_row", product_id=""), ["join: 1 row against the rule product_id|min_length"], id="no key",
        ),
    ],
)  # fmt: skip
def test_a_join_that_breaks_an_invariant_is_found(sound: Month, spoil: Spoil, sentences: list[str]) -> None:
    assert check_join(sound.cleaned, sound.joined, sound.ledger) == []
    assert check_join(sound.cleaned, spoiled(sound.joined, spoil), sound.ledger) == sentences


@pytest.mark.parametrize(
    ("source", "spoil", "sentences"),
    [
        pytest.param(
            "erp",
            without(6),
            ["erp: 5 rows read, 4 accounted for, the first that differs is row 6"],
            id="row without a disposition",
        ),
        pytest.param("erp", doubled(6), ["ledger: 2 rows against the rule primary_key"], id="row with two of them"),
        pytest.param("erp", having(5, rule=None), [disposed("erp", 5)], id="rejected without a reason"),
        pytest.param("erp", having(2, rule="repetition"), [disposed("erp", 2)], id="used with a reason against it"),
        pytest.param("erp", having(5, disposition="used", rule=None), [disposed("erp", 5)], id="unjoined row used"),
        pytest.param(
            "erp", having(2, disposition="rejected", rule="no-partner"), [disposed("erp", 2)], id="joined row rejected",
        ),
        pytest.param("erp", having(5, disposition="ignored"), [disposed("erp", 5)], id="rejected row ignored"),
        pytest.param("erp", having(5, rule="blank-row"), [disposed("erp", 5)], id="rejected as a blank row"),
        pytest.param("erp", having(6, disposition="rejected"), [disposed("erp", 6)], id="blank row rejected"),
        pytest.param("web", having(6, rule="other-post-type"), [disposed("web", 6)], id="another reason than given"),
        pytest.param(
            "web", having(5, units=None), ["of 10 units 7 are used and 0 rejected"], id="units of a rejected row lost",
        ),
        pytest.param(
            "web", having(2, units=2), ["of 10 units 7 are used and 5 rejected"], id="units counted on both sides",
        ),
    ],
)  # fmt: skip
def test_a_ledger_that_does_not_add_up_is_found(sound: Month, source: str, spoil: Spoil, sentences: list[str]) -> None:
    ledger = sound.ledger.collect()
    own, rest = ledger.filter(source=source), ledger.filter(pl.col("source") != source)
    assert check_join(sound.cleaned, sound.joined, pl.concat([spoil(own), rest]).lazy()) == sentences


# --- revenue


def of(key: str, /, **values: object) -> Spoil:
    """The product with other values."""
    return having(key, "product_id", **values)


@pytest.mark.parametrize(
    ("spoil", "sentences"),
    [
        pytest.param(
            of("3", revenue=Decimal("99.01")),
            [
                'price x units is not the revenue of 1 product, the first is "3"',
                "the join has 16,900 cents, the revenue 16,901",
            ],
            id="a cent too much",
        ),
        pytest.param(
            lambda frame: of("2", revenue=Decimal("49.99"))(of("3", revenue=Decimal("99.01"))(frame)),
            ['price x units is not the revenue of 2 products, the first is "3"'],
            id="a cent on the wrong product",
        ),
        pytest.param(
            of("2", total_sales=5, revenue=Decimal("62.50")),
            ["the join has 7 units, the revenue 8", "the join has 16,900 cents, the revenue 18,150"],
            id="a unit too many",
        ),
        pytest.param(
            lambda frame: frame.head(2),
            [
                "the join has 3 products, the revenue 2",
                "the join has 7 units, the revenue 5",
                "the join has 16,900 cents, the revenue 14,900",
            ],
            id="a product lost",
        ),
        pytest.param(
            lambda frame: frame.reverse(), ["the products are not in order of revenue and key"], id="another order",
        ),
        pytest.param(
            lambda frame: pl.concat([frame, frame.tail(1)]),
            ["2 rows against the rule primary_key", "2 rows against the rule sku|unique"],
            id="a product twice",
        ),
        pytest.param(
            of("1", total_sales=-2, revenue=Decimal("-20.00")),
            ["1 row against the rule revenue|min", "1 row against the rule total_sales|min"],
            id="units returned",
        ),
        pytest.param(of("1", price=0), ["1 row against the rule price|min_exclusive"], id="a wine for nothing"),
        pytest.param(of("2", price=None), ["1 row against the rule price|nullability"], id="no price"),
        pytest.param(
            lambda frame: frame.drop("sku").with_columns(pl.col("price").cast(pl.Float64)),
            ["not the columns of the contract WineRevenue: sku, price"],
            id="a column lost and one of another type",
        ),
        pytest.param(of("1", sku=""), ["1 row against the rule sku|min_length"], id="a sku without a character"),
        pytest.param(of("1", post_title=None, stock_quantity=None, post_date=None), [], id="no title, stock and date"),
        pytest.param(of("1", stock_quantity=-1), [], id="more sold than was there"),
    ],
)  # fmt: skip
def test_revenue_that_breaks_an_invariant_is_found(sound: Month, spoil: Spoil, sentences: list[str]) -> None:
    revenue = compute_revenue(sound.joined)
    assert check_revenue(sound.joined, revenue) == []
    assert check_revenue(sound.joined, spoiled(revenue, spoil)) == sentences


# --- classification

OTHER_PRODUCTS = "the classified products are not the products that were priced"


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
        pytest.param(of("2", is_premium=None), ["1 row against the rule is_premium|nullability"], id="no class"),
        pytest.param(of("2", z_score=float("nan")), ["1 row against the rule z_score|nan"], id="NaN"),
        pytest.param(of("2", z_score=float("inf")), ["1 row against the rule z_score|inf"], id="infinity"),
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
        pytest.param(lambda wines: wines.reverse(), [OTHER_PRODUCTS], id="another order"),
        pytest.param(lambda wines: wines.head(2), [OTHER_PRODUCTS], id="a product lost"),
        pytest.param(of("1", post_title="Another wine"), [OTHER_PRODUCTS], id="another title"),
    ],
)  # fmt: skip
def test_a_class_that_does_not_follow_from_the_price_is_found(sound: Month, spoil: Spoil, sentences: list[str]) -> None:
    revenue = compute_revenue(sound.joined).collect().lazy()
    wines = classify_wines(revenue, 1.0)
    assert check_classification(revenue, wines, 1.0) == []
    assert check_classification(revenue, spoiled(wines, spoil), 1.0) == sentences


def wines_at(*prices: float, threshold: float) -> tuple[pl.LazyFrame, pl.LazyFrame]:
    """Revenue and classified wines of products with these prices."""
    rows = [product(number, price=price) for number, price in enumerate(prices, start=1)]
    erp, liaison, web = (list(sheet) for sheet in zip(*rows, strict=True))
    revenue = compute_revenue(month(erp, liaison, web).joined).collect().lazy()
    return revenue, classify_wines(revenue, threshold)


def test_wines_that_all_cost_the_same_are_premium_for_nobody() -> None:
    revenue, wines = wines_at(12, 12, threshold=2.0)
    assert check_classification(revenue, wines.with_columns(is_premium=pl.lit(value=True)), 2.0) == [
        '2 products on the wrong side of 12.0000 EUR, the first is "1"'
    ]


def test_a_wine_at_the_very_mean_is_sound_though_floats_miss_it() -> None:
    """As floats, 0.10, 0.20 and 0.30 have a mean that is not quite 0.20."""
    revenue, wines = wines_at(0.1, 0.2, 0.3, threshold=2.0)
    assert wines.filter(product_id="2").select(pl.col("z_score").abs()).collect().item() > 0
    assert check_classification(revenue, wines, 2.0) == []


@pytest.mark.parametrize(
    ("below", "sentences"),
    [
        pytest.param(1e-6, ['1 product on the wrong side of 110.0000 EUR, the first is "1"'], id="a float can tell"),
        pytest.param(2.5e-9, ['1 product on the wrong side of 110.0000 EUR, the first is "1"'], id="just so"),
        pytest.param(1.5e-9, [], id="nearer than a float can tell"),
    ],
)
def test_an_ordinary_wine_above_the_threshold_is_found_where_a_float_can_tell(
    below: float, sentences: list[str]
) -> None:
    revenue, wines = wines_at(110, 10, 10, 10, 10, threshold=2.0)
    assert wines.select("z_score", "is_premium").collect().row(0) == (pytest.approx(2.0), False)
    assert check_classification(revenue, wines, 2.0 - below) == sentences
