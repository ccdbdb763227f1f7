"""How long the stock lasts, what to reorder, and what is dormant."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from snapshots import Compared, Exported, Row, compare

from tasks.domain.inventory import list_dormant, list_reorder

OLD = date(2019, 5, 4)
TODAY = date(2025, 5, 15)


def counted(
    *counters: tuple[int, int], stock: int | None = 24, price: str = "10.00", added: date | None = OLD
) -> Compared:
    """One wine whose counter was this high so many days ago, next to a wine that never sells."""
    snapshots = [
        Exported(
            TODAY - timedelta(days=days),
            [Row("1", price, units, stock, added), Row("resting", "10.00", 7, None, OLD)],
        )
        for days, units in counters
    ]
    return compare(*snapshots)


def wine(compared: Compared, *columns: str) -> tuple[object, ...]:
    return compared.rows(*columns)[0]


# --- pace


def test_the_pace_is_units_per_week_over_the_last_90_days() -> None:
    assert wine(counted((120, 0), (90, 100), (30, 110), (0, 118)), "pace", "pace_days") == (18 * 7 / 90, 90)


@pytest.mark.parametrize(
    ("days", "window"),
    [
        pytest.param(80, 80, id="80 days will do"),
        pytest.param(79, 120, id="79 days will not, so the snapshot before begins the window"),
    ],
)
def test_a_window_of_90_days_begins_with_the_latest_snapshot_that_is_at_least_80_days_old(
    days: int, window: int
) -> None:
    assert wine(counted((120, 0), (days, 5), (0, 9)), "pace_days") == (window,)


def test_where_nothing_was_sold_in_90_days_the_pace_is_that_of_365() -> None:
    assert wine(counted((365, 0), (90, 73), (30, 73), (0, 73)), "pace", "pace_days") == (73 * 7 / 365, 365)


@pytest.mark.parametrize(
    ("days", "pace", "window"),
    [
        pytest.param(355, 10 * 7 / 355, 355, id="355 days will do"),
        pytest.param(354, 60 * 7 / 400, 400, id="354 days will not, so the snapshot before begins the year"),
    ],
)
def test_a_year_begins_with_the_latest_snapshot_that_is_at_least_355_days_old(
    days: int, pace: float, window: int
) -> None:
    assert wine(counted((400, 0), (days, 50), (90, 60), (0, 60)), "pace", "pace_days") == (pace, window)


def test_where_cancellations_outweigh_sales_in_90_days_the_pace_is_that_of_365() -> None:
    assert wine(counted((365, 0), (90, 74), (0, 73)), "pace", "pace_days") == (73 * 7 / 365, 365)


def test_a_wine_without_sales_in_365_days_has_the_pace_0_and_no_weeks_of_cover() -> None:
    compared = counted((365, 9), (30, 9), (0, 8), stock=0)
    assert wine(compared, "pace", "weeks_of_cover", "at_risk") == (0.0, None, None)


def test_where_the_history_is_shorter_the_pace_is_over_what_there_is() -> None:
    assert wine(counted((20, 0), (0, 10)), "pace", "pace_days") == (10 * 7 / 20, 20)


@pytest.mark.parametrize(
    ("days", "counted_days"),
    [pytest.param(20, 20, id="20 days ago"), pytest.param(7, 7, id="a week ago"), pytest.param(1, 7, id="yesterday")],
)
def test_a_new_wine_sells_since_it_was_added_and_for_a_week_at_least(days: int, counted_days: int) -> None:
    before = Exported(TODAY - timedelta(days=30), [Row("resting", "10.00", 7, 24, OLD)])
    new = Row("1", "10.00", 10, 24, TODAY - timedelta(days=days))
    compared = compare(before, Exported(TODAY, [new, *before.rows]))
    assert wine(compared, "pace", "pace_days") == (10 * 7 / counted_days, counted_days)


def test_a_newly_linked_wine_has_no_pace_until_the_next_snapshot() -> None:
    other = Row("resting", "10.00", 7, 24, OLD)
    days = [Exported(TODAY - timedelta(days=60), [other])]
    days += [Exported(TODAY - timedelta(days=30), [Row("1", "10.00", 500, 24, OLD), other])]
    assert wine(compare(*days), "pace", "is_dormant") == (None, None)
    days += [Exported(TODAY, [Row("1", "10.00", 503, 24, OLD), other])]
    assert wine(compare(*days), "pace", "pace_days") == (3 * 7 / 30, 30)


# --- cover


@pytest.mark.parametrize(
    ("stock", "weeks", "at_risk"),
    [
        pytest.param(-1, 0.0, Decimal("10.00"), id="below 0"),
        pytest.param(0, 0.0, Decimal("10.00"), id="none left"),
        pytest.param(7, 7.0, Decimal("10.00"), id="seven weeks"),
        pytest.param(8, 8.0, None, id="eight weeks are enough"),
        pytest.param(None, None, None, id="no count"),
    ],
)
def test_a_wine_with_fewer_than_eight_weeks_of_cover_is_at_risk(
    stock: int | None, weeks: float | None, at_risk: Decimal | None
) -> None:
    compared = counted((84, 0), (0, 12), stock=stock)
    assert wine(compared, "pace", "weeks_of_cover", "at_risk") == (1.0, weeks, at_risk)


def test_the_amount_at_risk_is_rounded_half_up_to_cents() -> None:
    assert wine(counted((84, 0), (0, 1), stock=0, price="0.06"), "at_risk") == (Decimal("0.01"),)
    assert wine(counted((84, 0), (0, 1), stock=0, price="0.05"), "at_risk") == (Decimal("0.00"),)


def test_what_to_reorder_is_in_the_order_of_the_amount_at_risk() -> None:
    before = [
        Row(key, price, 0, 0, OLD) for key, price in (("a", "10.00"), ("b", "30.00"), ("c", "1.00"), ("d", "5.00"))
    ]
    now = [Row("a", "10.00", 12, 3, OLD), Row("b", "30.00", 6, 0, OLD), Row("c", "1.00", 12, -2, OLD),
           Row("d", "5.00", 12, 900, OLD)]  # fmt: skip
    compared = compare(Exported(TODAY - timedelta(days=84), before), Exported(TODAY, now))
    listed = list_reorder(compared.period.wines).collect()
    assert listed.select("product_id", "at_risk", "weeks_of_cover").rows() == [
        ("b", Decimal("15.00"), 0.0), ("a", Decimal("10.00"), 3.0), ("c", Decimal("1.00"), 0.0),
    ]  # fmt: skip
    inventory = compared.summary.inventory
    assert (inventory.reorder, inventory.at_risk, inventory.out_of_stock_selling) == (3, Decimal("26.00"), 2)
    assert (inventory.out_of_stock, inventory.below_zero, inventory.unknown) == (2, 1, 0)


# --- dormant


@pytest.mark.parametrize(
    ("counters", "stock", "is_dormant"),
    [
        pytest.param([(89, 9), (0, 9)], 5, None, id="89 days are too few to say"),
        pytest.param([(90, 9), (0, 9)], 5, True, id="90 days without a sale"),
        pytest.param([(90, 8), (0, 9)], 5, False, id="a sale in 90 days"),
        pytest.param([(30, 8), (0, 9)], 5, False, id="a sale, though the days are few"),
        pytest.param([(90, 9), (0, 9)], 0, False, id="not in stock"),
        pytest.param([(90, 9), (0, 9)], -2, False, id="below 0 is not in stock"),
        pytest.param([(90, 9), (0, 9)], None, None, id="no count"),
        pytest.param([(396, 0), (366, 9), (30, 9), (0, 9)], 5, True, id="it stopped a year ago"),
        pytest.param([(396, 0), (366, 9), (335, 10), (0, 10)], 5, False, id="its last sale was eleven months ago"),
    ],
)
def test_a_wine_is_dormant_when_it_is_in_stock_and_nothing_was_sold_in_a_year(
    counters: list[tuple[int, int]], stock: int | None, *, is_dormant: bool | None
) -> None:
    assert wine(counted(*counters, stock=stock), "is_dormant") == (is_dormant,)


def test_a_wine_listed_yesterday_is_not_dormant() -> None:
    before = Exported(TODAY - timedelta(days=100), [Row("resting", "10.00", 7, 24, OLD)])
    new = Row("1", "10.00", 0, 24, TODAY - timedelta(days=1))
    compared = compare(before, Exported(TODAY, [new, *before.rows]))
    assert compared.rows("product_id", "is_dormant") == [("1", None), ("resting", True)]


def test_dormant_wines_are_in_the_order_of_their_value_and_counted_with_their_bottles() -> None:
    rows = [Row("a", "10.00", 3, 2, OLD), Row("b", "90.00", 0, 1, OLD), Row("c", "1.00", 0, -4, OLD)]
    compared = compare(Exported(TODAY - timedelta(days=100), rows), Exported(TODAY, rows))
    assert list_dormant(compared.period.wines).collect()["product_id"].to_list() == ["b", "a"]
    inventory = compared.summary.inventory
    assert (inventory.dormant, inventory.dormant_units, inventory.dormant_value) == (2, 3, Decimal("110.00"))


def test_none_is_dormant_only_where_it_is_known_of_every_wine_in_stock() -> None:
    resting, selling = counted((60, 5), (30, 5), (0, 5)), counted((60, 3), (30, 4), (0, 5))
    assert resting.summary.inventory.dormant is None  # 60 days are too few to tell
    assert selling.summary.inventory.dormant == 0


def test_the_last_bottle_of_a_wine_may_be_dormant() -> None:
    inventory = counted((100, 9), (0, 9), stock=1).summary.inventory
    assert (inventory.dormant, inventory.dormant_units, inventory.unknown) == (1, 1, 1)


def test_a_first_snapshot_says_what_is_out_of_stock_and_nothing_about_pace() -> None:
    rows = [
        Row("a", "10.00", 3, 0, OLD),
        Row("b", "90.00", 0, 0, OLD),
        Row("c", "1.00", 9, -4, OLD),
        Row("d", "1.00", 9, None),
    ]
    inventory = compare(Exported(TODAY, rows)).summary.inventory
    assert (inventory.out_of_stock, inventory.below_zero, inventory.unknown) == (2, 1, 1)
    assert {inventory.out_of_stock_selling, inventory.reorder, inventory.at_risk, inventory.dormant} == {None}


def test_stock_beyond_any_warehouse_is_still_counted_exactly() -> None:
    largest = 9_999_999_999_999
    rows = [Row(str(number), "9999999999999.99", 0, largest, OLD) for number in range(3)]
    compared = compare(Exported(TODAY - timedelta(days=100), rows), Exported(TODAY, rows))
    cents = str(compared.summary.inventory.dormant_value).replace(".", "")  # more digits than Decimal's context has
    assert int(cents) == 3 * largest * 999_999_999_999_999


def test_a_wine_that_sold_a_single_bottle_and_has_none_left_is_out_of_stock() -> None:
    one = [Row("sold", "10.00", 1, 0, OLD), Row("never sold", "10.00", 0, 0, OLD), Row("left", "10.00", 1, 1, OLD)]
    assert compare(Exported(TODAY, one)).summary.inventory.out_of_stock == 1


def test_wines_with_the_same_amount_at_risk_or_in_stock_are_in_the_order_of_the_report() -> None:
    before = [Row(key, "10.00", 10, 1, OLD) for key in "ba"] + [Row(key, "10.00", 7, 9, OLD) for key in "dc"]
    now = [Row(key, "10.00", 100, 1, OLD) for key in "ba"] + before[2:]
    wines = compare(Exported(TODAY - timedelta(days=365), before), Exported(TODAY, now)).wines.lazy()
    assert list_reorder(wines).collect()["product_id"].to_list() == ["a", "b"]
    assert list_dormant(wines).collect()["product_id"].to_list() == ["c", "d"]
