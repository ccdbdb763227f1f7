"""The generated months are worth comparing: as many are published as refused, and every kind of dirt is in them.

The reference that judges them agrees with the pipeline (tests/properties), which has tests of its own.
"""

from dirty_months import dirty_month
from reference import judge


def test_about_half_of_the_dirty_months_are_published():
    published = sum(not judge(**dirty_month(seed)).refused for seed in range(200))

    assert 80 <= published <= 120


def test_dirty_months_have_every_kind_of_dirt():
    verdicts = [judge(**dirty_month(seed)) for seed in range(1_000)]

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
