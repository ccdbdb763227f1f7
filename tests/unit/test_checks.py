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
READ = "{}: 5 rows read, {} cleaned, the first that differs is row {}"
PRICE = "erp: 1 row against the rule price_is_above_0_or_at_fault"
COUNTER = "web: 1 row against the rule counter_is_from_0_or_at_fault"
CONTRADICTS = "erp: 1 row against the rule contradicts_another_row"

CLEANING: dict[str, tuple[str, Spoil, list[str]]] = {
    "blank row lost": ("erp", without(6), [READ.format("erp", 4, 6)]),
    "product lost": ("erp", without(2), [READ.format("erp", 4, 2)]),
    "blank row doubled": ("web", doubled(6), [READ.format("web", 6, 6), "web: 2 rows against the rule primary_key"]),
    "row under another number": (
        "erp", lambda frame: frame.with_columns(row=pl.col("row").replace({6: 7})), [READ.format("erp", 5, 6)],
    ),
    "accepted without a key": ("web", having(4, web_key=None), [f"web: 1 row {ONE_PER_KEY}"]),
    "two rows accepted for one product": ("erp", having(3, product_key="1"), [f"erp: 2 rows {ONE_PER_KEY}"]),
    "one link accepted twice": (
        "liaison", having(3, product_key="1", web_key="10001"),
        ["liaison: 2 rows against the rule accepts_one_row_per_pair"],
    ),
    "blank row accepted": ("web", having(6, rule=None), [f"web: 1 row {ONE_PER_KEY}"]),
    "picture accepted": ("web", having(5, is_product=False), [f"web: 1 row {ONE_PER_KEY}"]),
    "product taken for a blank row": (
        "erp", having(3, rule="blank-row"), ['erp: 1 key without an accepted row, the first is "2"'],
    ),
    "all rows taken for blank rows": (
        "liaison", lambda frame: frame.with_columns(rule=pl.lit("blank-row")),
        ['liaison: 3 keys without an accepted row, the first is "1" with "10001"'],
    ),
    "price lost": ("erp", having(3, price=None), [PRICE]),
    "price of nothing": ("erp", having(3, price=0), [PRICE]),
    "price below 0": ("erp", having(3, price=-8), [PRICE]),
    "sound price called a fault": ("erp", having(3, price__fault="not-a-number"), [PRICE]),
    "units lost": ("web", having(3, total_sales=None), [COUNTER]),
    "units below 0": ("web", having(3, total_sales=-1), [COUNTER]),
    "sound units called a fault": ("web", having(3, total_sales__fault="negative"), [COUNTER]),
    "contradiction of nothing": ("erp", having(2, is_contradicted=True), [CONTRADICTS]),
    "contradiction of itself": ("erp", having(2, is_contradicted=True, other_row=2), [CONTRADICTS]),
    "the least price": ("erp", having(2, price=Decimal("0.01")), []),
    "no units": ("web", having(2, total_sales=0), []),
}  # fmt: skip


@pytest.mark.parametrize(("source", "spoil", "sentences"), CLEANING.values(), ids=CLEANING)
def test_cleaning_that_breaks_an_invariant_is_found(
    sound: Month, source: str, spoil: Spoil, sentences: list[str]
) -> None:
    assert check_cleaning(sound.raw, sound.cleaned) == []
    cleaned = sound.cleaned._replace(**{source: spoiled(getattr(sound.cleaned, source), spoil)})
    assert check_cleaning(sound.raw, cleaned) == sentences


# --- join


def others(source: str, row: int, n: int = 1) -> str:
    return f"{source}: {n} joined product{'s' if n > 1 else ''} with wrong values, the first is of row {row}"


def disposed(source: str, row: int, n: int = 1) -> str:
    return f"{source}: {n} row{'s' if n > 1 else ''} in a wrong disposition, the first is row {row}"


GIVEN = 'the join has {} rows where the keys give 3, the first that differs is product "{}" with sku "1000{}"'
UNITS = "of 10 units {} are used and {} rejected"

JOIN: dict[str, tuple[Spoil, list[str]]] = {
    "a product lost with its units": (
        lambda joined: joined.filter(pl.col("web_row") != 3),
        [GIVEN.format(2, 2, 2), *(disposed(source, 3) for source in ("erp", "liaison", "web")), UNITS.format(3, 3)],
    ),
    "a product doubled": (
        lambda joined: pl.concat([joined, joined.filter(pl.col("web_row") == 2)]),
        ["join: 2 rows against the rule liaison_row|unique", "join: 2 rows against the rule primary_key"],
    ),
    "two skus exchanged": (
        exchanged("web_key", by="web_row"), [GIVEN.format(3, 1, 1), others("liaison", 2, 2), others("web", 2, 2)],
    ),
    "two prices exchanged": (exchanged("price", by="web_row"), [others("erp", 2, 2)]),
    "two titles exchanged": (exchanged("post_title", by="web_row"), [others("web", 2, 2)]),
    "a unit lost": (having(3, "web_row", total_sales=3), [others("web", 3), UNITS.format(6, 3)]),
    "a cent more": (having(3, "web_row", price=Decimal("12.51")), [others("erp", 3)]),
    "stock forgotten": (having(3, "web_row", stock_quantity=None), [others("erp", 3)]),
    "no key": (having(3, "web_row", product_id=""), ["join: 1 row against the rule product_id|min_length"]),
}  # fmt: skip


@pytest.mark.parametrize(("spoil", "sentences"), JOIN.values(), ids=JOIN)
def test_a_join_that_breaks_an_invariant_is_found(sound: Month, spoil: Spoil, sentences: list[str]) -> None:
    assert check_join(sound.cleaned, sound.joined, sound.ledger) == []
    assert check_join(sound.cleaned, spoiled(sound.joined, spoil), sound.ledger) == sentences


LEDGER: dict[str, tuple[str, Spoil, list[str]]] = {
    "row without a disposition": (
        "erp", without(6), ["erp: 5 rows read, 4 accounted for, the first that differs is row 6"],
    ),
    "row with two of them": ("erp", doubled(6), ["ledger: 2 rows against the rule primary_key"]),
    "rejected without a reason": ("erp", having(5, rule=None), [disposed("erp", 5)]),
    "used with a reason against it": ("erp", having(2, rule="repetition"), [disposed("erp", 2)]),
    "unjoined row used": ("erp", having(5, disposition="used", rule=None), [disposed("erp", 5)]),
    "joined row rejected": ("erp", having(2, disposition="rejected", rule="no-partner"), [disposed("erp", 2)]),
    "rejected row ignored": ("erp", having(5, disposition="ignored"), [disposed("erp", 5)]),
    "rejected as a blank row": ("erp", having(5, rule="blank-row"), [disposed("erp", 5)]),
    "blank row rejected": ("erp", having(6, disposition="rejected"), [disposed("erp", 6)]),
    "another reason than given": ("web", having(6, rule="other-post-type"), [disposed("web", 6)]),
    "units of a rejected row lost": ("web", having(5, units=None), [UNITS.format(7, 0)]),
    "units counted on both sides": ("web", having(2, units=2), [UNITS.format(7, 5)]),
}  # fmt: skip


@pytest.mark.parametrize(("source", "spoil", "sentences"), LEDGER.values(), ids=LEDGER)
def test_a_ledger_that_does_not_add_up_is_found(sound: Month, source: str, spoil: Spoil, sentences: list[str]) -> None:
    ledger = sound.ledger.collect()
    own, rest = ledger.filter(source=source), ledger.filter(pl.col("source") != source)
    assert check_join(sound.cleaned, sound.joined, pl.concat([spoil(own), rest]).lazy()) == sentences


# --- revenue


def of(key: str, /, **values: object) -> Spoil:
    """The product with other values."""
    return having(key, "product_id", **values)


PRODUCT = 'price x units is not the revenue of {}, the first is "3"'
CENTS = "the join has 16,900 cents, the revenue {}"

REVENUE: dict[str, tuple[Spoil, list[str]]] = {
    "a cent too much": (
        of("3", revenue=Decimal("99.01")), [PRODUCT.format("1 product"), CENTS.format("16,901")],
    ),
    "a cent on the wrong product": (
        lambda frame: of("2", revenue=Decimal("49.99"))(of("3", revenue=Decimal("99.01"))(frame)),
        [PRODUCT.format("2 products")],
    ),
    "a unit too many": (
        of("2", total_sales=5, revenue=Decimal("62.50")),
        ["the join has 7 units, the revenue 8", CENTS.format("18,150")],
    ),
    "a product lost": (
        lambda frame: frame.head(2),
        ["the join has 3 products, the revenue 2", "the join has 7 units, the revenue 5", CENTS.format("14,900")],
    ),
    "another order": (lambda frame: frame.reverse(), ["the products are not in order of revenue and key"]),
    "a product twice": (
        lambda frame: pl.concat([frame, frame.tail(1)]),
        ["2 rows against the rule primary_key", "2 rows against the rule sku|unique"],
    ),
    "units returned": (
        of("1", total_sales=-2, revenue=Decimal("-20.00")),
        ["1 row against the rule revenue|min", "1 row against the rule total_sales|min"],
    ),
    "a wine for nothing": (of("1", price=0), ["1 row against the rule price|min_exclusive"]),
    "no price": (of("2", price=None), ["1 row against the rule price|nullability"]),
    "a column lost and one of another type": (
        lambda frame: frame.drop("sku").with_columns(pl.col("price").cast(pl.Float64)),
        ["not the columns of the contract WineRevenue: sku, price"],
    ),
    "a sku without a character": (of("1", sku=""), ["1 row against the rule sku|min_length"]),
    "no title, stock and date": (of("1", post_title=None, stock_quantity=None, post_date=None), []),
    "more sold than was there": (of("1", stock_quantity=-1), []),
}  # fmt: skip


@pytest.mark.parametrize(("spoil", "sentences"), REVENUE.values(), ids=REVENUE)
def test_revenue_that_breaks_an_invariant_is_found(sound: Month, spoil: Spoil, sentences: list[str]) -> None:
    revenue = compute_revenue(sound.joined)
    assert check_revenue(sound.joined, revenue) == []
    assert check_revenue(sound.joined, spoiled(revenue, spoil)) == sentences


# --- classification

OTHER_PRODUCTS = "the classified products are not the products that were priced"
WRONG_SIDE = '1 product on the wrong side of {} EUR, the first is "{}"'
NOT_FOLLOWING = 'not following from the prices, the first is of "{}"'

CLASSES: dict[str, tuple[Spoil, list[str]]] = {
    "premium taken for ordinary": (of("3", is_premium=False), [WRONG_SIDE.format("81.8783", 3)]),
    "ordinary taken for premium": (of("1", is_premium=True), [WRONG_SIDE.format("81.8783", 1)]),
    "no class": (of("2", is_premium=None), ["1 row against the rule is_premium|nullability"]),
    "NaN": (of("2", z_score=float("nan")), ["1 row against the rule z_score|nan"]),
    "infinity": (of("2", z_score=float("inf")), ["1 row against the rule z_score|inf"]),
    "z-scores doubled": (
        lambda wines: wines.with_columns(pl.col("z_score") * 2), [f"3 z-scores {NOT_FOLLOWING.format(3)}"],
    ),
    "z-score off by a millionth": (
        lambda wines: wines.with_columns(pl.col("z_score") + pl.when(product_id="2").then(1e-6).otherwise(0)),
        [f"1 z-score {NOT_FOLLOWING.format(2)}"],
    ),
    "another order": (lambda wines: wines.reverse(), [OTHER_PRODUCTS]),
    "a product lost": (lambda wines: wines.head(2), [OTHER_PRODUCTS]),
    "another title": (of("1", post_title="Another wine"), [OTHER_PRODUCTS]),
}  # fmt: skip


@pytest.mark.parametrize(("spoil", "sentences"), CLASSES.values(), ids=CLASSES)
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


def test_no_wine_is_premium_if_all_cost_the_same() -> None:
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
    ("below", "is_found"), [(1e-6, True), (2.5e-9, True), (1.5e-9, False)], ids=["clearly", "just so", "no float can"]
)
def test_an_ordinary_wine_above_the_threshold_is_found_where_a_float_can_tell(below: float, *, is_found: bool) -> None:
    revenue, wines = wines_at(110, 10, 10, 10, 10, threshold=2.0)
    assert wines.select("z_score", "is_premium").collect().row(0) == (pytest.approx(2.0), False)
    assert check_classification(revenue, wines, 2.0 - below) == [WRONG_SIDE.format("110.0000", 1)] * is_found
