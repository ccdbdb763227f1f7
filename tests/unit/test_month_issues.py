"""Rules about the month as a whole: on each limit, just inside and just outside, and the lines of the run."""

from decimal import Decimal
from fractions import Fraction

import polars as pl
import pytest
from frames import Value, month, product

from tasks.domain.issues import issue_frame, lines
from tasks.domain.month_issues import judge_matches, judge_total, unmatched_shares
from tasks.domain.rules import UNMATCHED_LIMIT
from tasks.domain.sources import SOURCES

# --- shares without a partner


def matches(
    *, products: int, dead_links: int = 0, unlinked: tuple[int, ...] = (), limit: float | Fraction = UNMATCHED_LIMIT
) -> list[str]:
    """The lines about a month of so many sound products, ten units each, and of what lacks a partner."""
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
        f"Rows of the {lacking} workbook are probably missing, or it is of another time: export all of it and run "
        "again. If it is right, complete the links or run with --accept-unusual."
    )
    return [f'the three workbooks: "{share}" is above the limit. {remedy}']


@pytest.mark.parametrize(
    ("case", "expected"),
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
def test_a_share_without_partner_above_the_limit_stops_the_run(case: dict, expected: list[str]) -> None:
    assert matches(**case) == expected


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
    expected = lines(issue_frame(judge_matches(result.cleaned, result.joined, Fraction(49, 100))))
    assert expected[0] == above(share, cut_off)[0]
    assert all(f"Rows of the {cut_off} workbook are probably missing" in line for line in expected)


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


def test_a_rejected_sale_counts_as_without_a_partner() -> None:
    rows = [product(1, sales=3), product(2, sales=4), product(3, sales=0)]
    erp, liaison, web = (list(sheet) for sheet in zip(*rows, strict=True))
    web.append({"sku": 10_009, "post_type": "product", "total_sales": 3})
    sound = month(erp, liaison, web)
    assert unmatched_shares(sound.cleaned, sound.joined) == {
        "links that lead to no product of the shop": (0, 3),
        "products of the shop without a product of the ERP": (1, 4),
        "units sold of products without a product of the ERP": (3, 10),
    }


def test_three_workbooks_that_share_no_product_stop_the_run() -> None:
    result = month([product(1)[0]], [product(2)[1]], [{"sku": 1, "post_type": "product", "total_sales": 0}])
    assert lines(issue_frame(judge_matches(result.cleaned, result.joined, Fraction(1)))) == [
        "the three workbooks have no product in common. Check that the three belong together."
    ]


def test_months_without_links_or_sales_have_no_share_to_judge() -> None:
    result = month([product(1)[0]], [{"product_id": 1}], [])
    assert [issue.rule for issue in judge_matches(result.cleaned, result.joined, Fraction(0))] == ["no-product"]


@pytest.mark.parametrize(
    ("total", "expected"),
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
def test_a_total_that_no_spreadsheet_holds_stops_the_run(total: str, expected: list[str]) -> None:
    half = Decimal("5000000000000.00")
    revenue = pl.LazyFrame({"revenue": [half, Decimal(total) - half]}, schema={"revenue": pl.Decimal(38, 2)})
    assert lines(issue_frame(judge_total(revenue))) == expected


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
    expected = lines(issue_frame(judge_matches(result.cleaned, result.joined, Fraction(49, 100))))
    assert expected == [
        *above("5 of 10 products of the shop without a product of the ERP, 50.00% (limit 49.00%)", lacking),
        *above("5 of 10 units sold of products without a product of the ERP, 50.00% (limit 49.00%)", lacking),
    ]
