"""The reference itself, on cases computed by hand, and the months that it is asked about."""

from decimal import Decimal

import pytest
from dirty_months import dirty_month
from reference import EMPTY, Wine, judge, read_key, read_price, read_title, read_units


def cell(value):
    """A cell as a table below writes it: None, a number, a text, or a kind and a text."""
    if value is None or isinstance(value, tuple):
        return value or EMPTY
    return ("text", value) if isinstance(value, str) else ("number", repr(value))


def sheet(columns, *rows):
    """Rows from 2 on."""
    return [
        (number, {name: cell(value) for name, value in zip(columns.split(), row, strict=True)})
        for number, row in enumerate(rows, start=2)
    ]


def erp(*rows):
    return sheet("product_id price onsale_web stock_status", *rows)


def liaison(*rows):
    return sheet("product_id id_web", *rows)


def web(*rows):
    return sheet("sku total_sales post_title post_type", *rows)


def linked_month(prices, *, more_web=()):
    """One product per price, each with its link and ten units."""
    ids = range(1, len(prices) + 1)
    return {
        "erp": erp(*[(f"p{i}", price, 1, None) for i, price in zip(ids, prices, strict=True)]),
        "liaison": liaison(*[(f"p{i}", f"w{i}") for i in ids]),
        "web": web(*[(f"w{i}", 10, f"Wine {i}", "product") for i in ids], *more_web),
    }


def test_month_is_joined_priced_and_ordered():
    verdict = judge(
        erp=erp((3847, 34.295, 1, "instock"), ("C12", "1 000,50 €", 1, None), (3849, -8, 0, "instock")),
        liaison=liaison(("3847.0", 15298), ("c12", "Bon-Cadeau"), (3849, None)),
        web=web(
            (15298, 4, "Mas&nbsp;d&#39;Or &amp; Fils\u00a0", " Product"),
            ("bon-cadeau", "3,0", " ", "product"),
            (15298, 99, "Mas", "attachment"),
        ),
    )

    assert verdict.errors == set()
    assert verdict.wines == [
        Wine("C12", "bon-cadeau", None, 3, Decimal("1000.50"), Decimal("3001.50"), is_premium=False),
        Wine("3847", "15298", "Mas\u00a0d'Or & Fils", 4, Decimal("34.30"), Decimal("137.20"), is_premium=False),
    ]
    assert verdict.revenue == Decimal("3138.70")
    assert verdict.dispositions == {
        ("erp", 2): ("used", None),
        ("erp", 3): ("used", None),
        ("erp", 4): ("rejected", "not-sold-online"),
        ("liaison", 2): ("used", None),
        ("liaison", 3): ("used", None),
        ("liaison", 4): ("rejected", "no-web-id"),
        ("web", 2): ("used", None),
        ("web", 3): ("used", None),
        ("web", 4): ("ignored", "other-post-type"),
    }


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (15298, ("15298", None)),
        ("15298.0", ("15298", None)),
        ("\ufeff007\u00a0", ("007", None)),
        ("007.0", ("007.0", None)),
        ("13127-1", ("13127-1", None)),
        ("15 298", (None, "unreadable-key")),
        (("boolean", "true"), (None, "unreadable-key")),
        (("error", None), (None, "unreadable-key")),
        (" \u200b", (None, "no-key")),
        (None, (None, "no-key")),
    ],
)
def test_key(written, expected):
    assert read_key(cell(written)) == expected


@pytest.mark.parametrize(
    ("written", "price"),
    [
        (1.005, "1.01"),
        (34.29999999999999, "34.30"),
        (0.005, "0.01"),
        ("34,3", "34.30"),
        ("€ 1\u202f234.50", "1234.50"),
        ("+7 €", "7.00"),
    ],
)
def test_price(written, price):
    assert read_price(cell(written)) == (Decimal(price), None)


@pytest.mark.parametrize(
    ("written", "fault"),
    [
        (None, "blank-cell"),
        (("error", "#N/A"), "error-cell"),
        (("uncalculated", None), "uncalculated-formula"),
        (("boolean", "true"), "not-a-number"),
        ("1,234", "ambiguous-number"),
        ("1 2345", "not-a-number"),
        ("€ 5 €", "not-a-number"),
        (float("inf"), "not-a-number"),
        (0.004, "not-above-zero"),
        ("-8", "not-above-zero"),
        (10**13, "too-large"),
    ],
)
def test_no_price(written, fault):
    assert read_price(cell(written))[1] == fault


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("1 234", (1234, None)),
        ("3.0", (3, None)),
        ("-0", (0, None)),
        ("3,5", (None, "fractional")),
        (-0.5, (None, "negative")),
        (-1, (-1, "negative")),
        ("3 €", (None, "not-a-number")),
        (10**13, (None, "too-large")),
        (10**13 + 0.5, (None, "too-large")),
        (10**13 - 0.5, (None, "fractional")),
    ],
)
def test_units(written, expected):
    assert read_units(cell(written)) == expected


def test_title_is_decoded_once():
    assert read_title(cell("&nbsp;Clos &amp;amp; Fils ")) == "Clos &amp; Fils"


@pytest.mark.parametrize(
    ("prices", "premium"),
    [
        # One price among n equal ones is sqrt(n - 1) standard deviations above the mean.
        ([10, 10, 10, 10, 11], []),
        ([10, 10, 10, 10, 10, 11], ["p6"]),
        ([12.3] * 7, []),
        ([12.3], []),
    ],
    ids=["z is 2", "z is 2.24", "all equal", "one product"],
)
def test_premium(prices, premium):
    verdict = judge(**linked_month(prices))

    assert [wine.product_id for wine in verdict.wines if wine.is_premium] == premium


def test_threshold_price():
    # Mean 20, standard deviation 10.
    assert judge(**linked_month([10, 30])).figures["threshold_price"] == 40


@pytest.mark.parametrize(("products", "errors"), [(9, set()), (8, {("web", None, "unmatched")})])
def test_one_unused_product_in_ten_is_accepted_and_one_in_nine_is_not(products, errors):
    verdict = judge(**linked_month([10] * products, more_web=[(None, 1, "No key", "product")]))

    assert verdict.errors == errors
    assert verdict.dispositions["web", 2 + products] == ("rejected", "no-key")


def test_negative_sales_hide_no_unused_units():
    verdict = judge(**linked_month([10] * 20, more_web=[("w0", 30, None, "product"), ("w00", -30, None, "product")]))

    assert verdict.errors == {("web", None, "unmatched")}


def test_repetition_is_kept_by_content_and_contradiction_stops_the_month():
    month = linked_month([10, 10]) | {
        "erp": erp(
            ("P1", 10, 1, "outofstock"),
            ("p1", 10, 1, "instock"),
            ("p1", "10,00", 1, "instock"),
            ("p2", 10, 1, None),
            ("p2", None, 1, None),
        )
    }

    verdict = judge(**month)

    assert verdict.errors == {
        ("erp", 5, "contradicting-rows"),
        ("erp", 6, "contradicting-rows"),
        ("erp", 6, "blank-cell"),
    }
    assert [verdict.dispositions["erp", row] for row in range(2, 7)] == [
        ("rejected", "differing-repetition"),
        ("used", None),
        ("rejected", "repetition"),
        ("used", None),
        ("rejected", "contradicting-rows"),
    ]


def test_links_are_one_to_one_among_the_living():
    month = linked_month([10] * 20)
    month["liaison"] += [(22, {"product_id": cell("p1"), "id_web": cell("gone")})]
    assert judge(**month).errors == set()

    month["liaison"] += [(23, {"product_id": cell("p1"), "id_web": cell("w2")})]
    assert judge(**month).errors == {
        ("liaison", 2, "several-skus"),
        ("liaison", 23, "several-skus"),
        ("liaison", 3, "shared-sku"),
        ("liaison", 23, "shared-sku"),
    }


@pytest.mark.parametrize(
    ("row", "outcome", "is_error"),
    [
        ((None, None, None, None), ("ignored", "blank-row"), False),
        ((None, 0, "Padding", None), ("ignored", "blank-row"), False),
        ((None, 1, None, None), ("rejected", "blank-post-type"), True),
        (("w0", None, "Wine", ("boolean", "true")), ("rejected", "blank-post-type"), True),
        (("w0", 0, None, ("boolean", "true")), ("rejected", "blank-post-type"), False),
        (("w0", 1, None, "product_variation"), ("rejected", "sellable-post-type"), True),
        (("w0", "0,0", None, "product_variation"), ("ignored", "other-post-type"), False),
        (("w 0", "x", None, "product"), ("rejected", "unreadable-key"), True),
        (("w 0", 0, None, "product"), ("rejected", "unreadable-key"), False),
        (("w0", "x", None, "product"), ("rejected", "unlinked-sales"), False),
    ],
)
def test_web_row(row, outcome, is_error):
    verdict = judge(**linked_month([10] * 9, more_web=[row]))

    assert verdict.dispositions["web", 11] == outcome
    assert verdict.errors == ({("web", 11, outcome[1])} if is_error else set())


@pytest.mark.parametrize(("price", "refused"), [(4_999_999_999_999.99, False), (5_000_000_000_000, True)])
def test_revenue_is_below_ten_to_the_thirteen(price, refused):
    month = {
        "erp": erp(("p", price, 1, None)),
        "liaison": liaison(("p", "w")),
        "web": web(("w", 2, None, "product")),
    }

    assert judge(**month).errors == ({("", None, "revenue-too-large")} if refused else set())


def test_about_half_of_the_dirty_months_are_published():
    published = sum(not judge(**dirty_month(seed)).refused for seed in range(200))

    assert 80 <= published <= 120


def test_dirty_months_hold_every_kind_of_dirt():
    verdicts = [judge(**dirty_month(seed)) for seed in range(1_200)]

    assert {(source, *outcome) for verdict in verdicts for (source, _), outcome in verdict.dispositions.items()} == {
        *[(source, "used", None) for source in ("erp", "liaison", "web")],
        *[(source, "ignored", "blank-row") for source in ("erp", "liaison", "web")],
        *[(source, "rejected", rule) for source in ("erp", "liaison", "web")
          for rule in ("no-key", "unreadable-key", "repetition")],
        *[(source, "rejected", rule) for source in ("erp", "web")
          for rule in ("differing-repetition", "contradicting-rows")],
        *[("erp", "rejected", rule) for rule in ("on-sale-unlinked", "not-sold-online", "no-partner")],
        *[("liaison", "rejected", rule) for rule in ("no-web-id", "unknown-product", "unknown-web-id")],
        *[("web", "rejected", rule) for rule in ("blank-post-type", "sellable-post-type", "unlinked-sales")],
        ("web", "ignored", "other-post-type"), ("web", "ignored", "unpublished-twin"),
    }  # fmt: skip
    faults = (
        "blank-cell", "error-cell", "uncalculated-formula", "not-a-number", "ambiguous-number", "too-large",
        "contradicting-rows",
    )  # fmt: skip
    assert {(source, rule) for verdict in verdicts for source, _, rule in verdict.errors} == {
        *[(source, rule) for source in ("erp", "web") for rule in (*faults, "unreadable-key")],
        ("erp", "not-above-zero"), ("web", "negative"), ("web", "fractional"),
        ("web", "blank-post-type"), ("web", "sellable-post-type"),
        ("liaison", "several-skus"), ("liaison", "shared-sku"),
        ("liaison", "unmatched"), ("web", "unmatched"), ("liaison", "padded-keys"), ("web", "padded-keys"),
        ("", "no-product"), ("", "no-sales"), ("", "revenue-too-large"),
    }  # fmt: skip


def test_same_seed_gives_the_same_month():
    assert dirty_month(7) == dirty_month(7)
