"""What must hold after each stage, reckoned by another way than the stage itself took.

Each check returns sentences, one per contradiction; none when all holds. Where the stages compute, the checks use
Python's own numbers and sets, or compare whole columns of what went in and what came out.
"""

from collections import Counter
from decimal import Decimal
from fractions import Fraction
from operator import mul, neg

import polars as pl

from tasks.domain.issues import Issue
from tasks.domain.join import IGNORED, Cleaned, counts_once, standing
from tasks.domain.premium import Z_TOLERANCE, premium_price
from tasks.domain.schemas import EXCEL_LIMIT, SOURCES, Source, Wine, WineRevenue

ALL_THREE = "the three workbooks"

UNMATCHED_LIMIT = Fraction(1, 10)
"""Highest share of links, of web products and of their units without a partner."""

SCORE_TOLERANCE = 1e-9
"""How far a z-score in floats may be from the one in exact decimals, relative to its size."""

Raw = dict[Source, pl.LazyFrame]


def check_cleaning(raw: Raw, cleaned: Cleaned) -> list[str]:
    """No row lost or added, and for each key one row that stands for it."""
    keys = {"erp": ["product_key"], "liaison": ["product_key", "web_key"], "web": ["web_key"]}
    return [
        sentence
        for source, rows in zip(SOURCES, cleaned, strict=True)
        for sentence in _check_rows(source, raw[source], rows, keys[source])
    ]


def _check_rows(source: Source, raw: pl.LazyFrame, rows: pl.LazyFrame, key: list[str]) -> list[str]:
    sentences = _differing_rows(source, raw, rows, "came out of the cleaning")
    stand = standing(rows).select(key).collect()
    if stand[key[0]].null_count():
        sentences.append(f"{source}: {_n(stand[key[0]].null_count(), 'row')} without a key standing for a product")
    if stand.is_duplicated().any():
        sentences.append(f"{source}: {_n(int(stand.is_duplicated().sum()), 'row')} with a key that another row has")
    there = (rows.filter("is_product") if source == "web" else rows).select(key).collect()
    named, standing_for = (frame.drop_nulls().unique().sort(key) for frame in (there, stand))
    if not named.equals(standing_for):
        differing = set(named.rows()) ^ set(standing_for.rows())
        first = " with ".join(f'"{part}"' for part in min(differing))
        keys = _n(len(differing), "key")
        sentences.append(f"{source}: {keys} that no row stands for, or the wrong one, the first is {first}")
    return sentences


def _differing_rows(name: str, read: pl.LazyFrame, kept: pl.LazyFrame, what: str) -> list[str]:
    """Whether both have the same rows, each of them once."""
    rows_before, rows_after = _column(read, "row"), _column(kept, "row")
    if rows_before.sort().equals(rows_after.sort()):
        return []
    before, after = Counter(rows_before), Counter(rows_after)
    first = min((before - after) | (after - before))
    return [
        f"{name}: {_n(before.total(), 'row')} read, {after.total():,} {what}, the first that differs is row {first}"
    ]


def _column(frame: pl.LazyFrame, name: str) -> pl.Series:
    return frame.select(name).collect()[name]


def _n(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def check_join(cleaned: Cleaned, joined: pl.LazyFrame, ledger: pl.LazyFrame) -> list[str]:
    """No pair lost, added or doubled, no value changed, every row accounted for, and no unit lost."""
    pairs = joined.collect()
    sound = pairs.filter(~(pl.col("is_sku_shared") | pl.col("is_one_of_several")))
    sentences = _check_pairs(cleaned, pairs)
    if sound["product_key"].is_duplicated().any() or sound["web_key"].is_duplicated().any():
        sentences.append("a product or a sku stands more than once in the join")
    for source, rows in zip(SOURCES, cleaned, strict=True):
        sentences += _check_values(source, rows, joined)
    sentences += _check_ledger(cleaned, joined, ledger)

    units = int(_column(cleaned.web.filter(counts_once()), "total_sales").sum())
    used, rejected = int(pairs["total_sales"].sum()), int(_column(ledger, "units").sum())
    if sound.height == pairs.height and units != used + rejected:
        sentences.append(f"of {_n(units, 'unit')} {used:,} are used and {rejected:,} rejected")
    return sentences


def _check_pairs(cleaned: Cleaned, pairs: pl.DataFrame) -> list[str]:
    erp = _column(standing(cleaned.erp), "product_key").drop_nulls().implode()
    web = _column(standing(cleaned.web), "web_key").drop_nulls().implode()
    is_live = pl.col("product_key").is_in(erp) & pl.col("web_key").is_in(web)
    links = standing(cleaned.liaison).filter(is_live).select("product_key", "web_key").collect()
    joined = pairs.select("product_key", "web_key")
    if links.sort(links.columns).equals(joined.sort(joined.columns)):
        return []
    expected, there = Counter(links.iter_rows()), Counter(joined.iter_rows())
    product, sku = min((expected - there) | (there - expected), key=str)
    first = f'the first that differs is product "{product}" with sku "{sku}"'
    return [f"the join has {_n(pairs.height, 'row')} where the keys give {expected.total():,}, {first}"]


_JOINED_VALUES = {
    "erp": {"product_id": "key", "product_key": "product_key", "price": "price", "stock_quantity": "stock_quantity"},
    "liaison": {"product_key": "product_key", "web_key": "web_key"},
    "web": {
        "sku": "key",
        "web_key": "web_key",
        "total_sales": "total_sales",
        "post_title": "post_title",
        "post_date": "post_date",
    },
}
"""The columns of the join that each source gives, and their names in its cleaned rows."""


def _check_values(source: Source, rows: pl.LazyFrame, joined: pl.LazyFrame) -> list[str]:
    """Whether each joined product has the values of the cleaned row that it names."""
    columns = _JOINED_VALUES[source]
    there = rows.select(pl.col("row").alias(f"{source}_row"), **{f"{name}_read": c for name, c in columns.items()})
    named = joined.select(f"{source}_row", *columns)
    compared = named.join(there, on=f"{source}_row", how="left").collect()
    sentences = []
    for name in columns:
        wrong = compared.filter(~pl.col(name).eq_missing(pl.col(f"{name}_read")))[f"{source}_row"].sort()
        if len(wrong):
            products = f"{_n(len(wrong), 'joined product')} with another value than the cleaning gave"
            sentences.append(f"{source} {name}: {products}, the first in row {wrong[0]}")
    return sentences


def _check_ledger(cleaned: Cleaned, joined: pl.LazyFrame, ledger: pl.LazyFrame) -> list[str]:
    """Whether every row has one fate: used where it is joined, else set aside for the reason the cleaning gave."""
    sentences = []
    for source, rows in zip(SOURCES, cleaned, strict=True):
        settled = ledger.filter(source=source).select("row", "disposition", "rule")
        sentences += _differing_rows(source, rows, settled, "accounted for")
        fates = rows.select("row", given="rule").join(settled, on="row", how="inner").collect()
        wrong = fates.filter(_is_unfit(pl.col("row").is_in(_column(joined, f"{source}_row").implode())))["row"]
        if len(wrong):
            rows_with = f"{_n(len(wrong), 'row')} with a fate that does not fit"
            sentences.append(f"{source}: {rows_with}, the first is row {wrong.sort()[0]}")
    return sentences


def _is_unfit(is_joined: pl.Expr) -> pl.Expr:
    """Whether a row's fate, and the reason for it, fit neither the join nor the reason that the cleaning gave."""
    fate, rule, given = pl.col("disposition").cast(pl.String), pl.col("rule"), pl.col("given")
    is_used, is_ignored = fate.eq_missing(pl.lit("used")), fate.eq_missing(pl.lit("ignored"))
    return (
        (is_used != is_joined)
        | (is_used != rule.is_null())
        | (is_ignored != rule.is_in(IGNORED).fill_null(value=False))
        | (is_ignored != given.is_in(IGNORED).fill_null(value=False))
        | (given.is_not_null() & given.ne_missing(rule))
    )


def unmatched_shares(cleaned: Cleaned, joined: pl.LazyFrame) -> dict[str, tuple[int, int]]:
    """How much has no partner: what, then how many of how many.

    Each key of the shop counts once, with the units of its product; a row without a key counts where it has sales.
    """
    web_keys = standing(cleaned.web).select("web_key")
    links = standing(cleaned.liaison).filter(pl.col("web_key").is_not_null())
    products = cleaned.web.filter(counts_once() & (pl.col("key").is_not_null() | pl.col("is_carrying"))).select(
        "row", units=pl.col("total_sales").clip(lower_bound=0)
    )
    unused = products.join(joined.select(row="web_row"), on="row", how="anti")
    count, units = pl.len(), pl.col("units").sum()
    return {
        "links that lead to no product of the shop": (
            _one(links.join(web_keys, on="web_key", how="anti").select(count)), _one(links.select(count)),
        ),
        "products of the shop without a product of the ERP": (_one(unused.select(count)), _one(products.select(count))),
        "units sold of products without a product of the ERP": (
            _one(unused.select(units)), _one(products.select(units)),
        ),
    }  # fmt: skip


def _one(frame: pl.LazyFrame) -> int:
    return int(frame.collect().item())


def judge_matches(cleaned: Cleaned, joined: pl.LazyFrame, limit: Fraction = UNMATCHED_LIMIT) -> list[Issue]:
    """The issues of the month as a whole: no product, no sale, or a share without a partner above the limit.

    A share above the limit mostly means that one of the three workbooks lacks rows, and the remedy says which.
    """
    shares = unmatched_shares(cleaned, joined).items()
    lacking, is_padded = _what_lacks_partners(cleaned, joined), _is_padded(cleaned)
    above = [
        Issue(
            ALL_THREE,
            "padded-keys" if is_padded else "unmatched",
            value=f"{part:,} of {whole:,} {what}, {part / whole:.2%} (limit {float(limit):.2%})",
            remedy=None if is_padded else _remedy_without(source),
        )
        for source, (what, (part, whole)) in zip(("web", lacking, lacking), shares, strict=True)
        if whole > 0 and Fraction(part, whole) > limit
    ]
    units = _column(joined, "total_sales")
    if units.is_empty():
        return [Issue(ALL_THREE, "no-product"), *above]
    # The shop's counters never go back: a shop of which all stand at zero was not exported whole.
    if not units.null_count() and not units.max():
        return [Issue(ALL_THREE, "no-sales", value=f"0 units sold of {_n(len(units), 'product')}"), *above]
    return above


def _what_lacks_partners(cleaned: Cleaned, joined: pl.LazyFrame) -> Source:
    """Where products of the shop without a product of the ERP mostly end: at no link, or at a link to nothing."""
    unused = standing(cleaned.web).join(joined, on="web_key", how="anti").select("web_key")
    links = standing(cleaned.liaison).select("web_key").unique()
    linked = _one(unused.join(links, on="web_key", how="semi").select(pl.len()))
    return "erp" if 2 * linked > _one(unused.select(pl.len())) else "liaison"


def _is_padded(cleaned: Cleaned) -> bool:
    """Whether most links that lead nowhere would lead to a product if zeros in front of keys did not count."""
    links = standing(cleaned.liaison).filter(pl.col("web_key").is_not_null())
    dead, saved = 0, 0
    for key, rows in (("product_key", cleaned.erp), ("web_key", cleaned.web)):
        known = standing(rows).select(key)
        lost = links.join(known, on=key, how="anti")
        bare = pl.col(key).str.strip_chars_start("0").alias(key)
        dead += _one(lost.select(pl.len()))
        saved += _one(lost.select(bare).join(known.select(bare).unique(), on=key, how="semi").select(pl.len()))
    return 2 * saved > dead


def _remedy_without(source: str) -> str:
    return (
        f"Rows of the {source} workbook are probably missing, or it is of another time: export it whole and run "
        "again. If it is right, complete the links or run with --accept-unusual."
    )


def in_cents(frame: pl.DataFrame) -> pl.DataFrame:
    """Money as the whole number of cents that it is stored as: two places, see `schemas`."""
    return frame.with_columns(pl.col(pl.Decimal).to_physical())


def _euros(cents: int) -> Decimal:
    return Decimal(f"{cents}e-2")


def judge_total(revenue: pl.LazyFrame) -> list[Issue]:
    """The issue of a total that a spreadsheet cannot hold."""
    total = _euros(sum(in_cents(revenue.select("revenue").collect())["revenue"].to_list()))
    return [Issue(ALL_THREE, "revenue-too-large", value=f"{total:,} EUR")] if total >= EXCEL_LIMIT else []


def check_revenue(revenue: pl.LazyFrame) -> list[str]:
    """Price x units = revenue on every row and in total, reckoned in whole cents with Python's integers."""
    if broken := _check_contract(revenue, WineRevenue):
        return broken
    rows = in_cents(revenue.select("product_id", "price", "total_sales", "revenue").collect())
    products, prices, units, stated = (rows[name].to_list() for name in rows.columns)
    cents = list(map(mul, prices, units))
    sentences = []
    if stated != cents:
        wrong = [product for product, given, earned in zip(products, stated, cents, strict=True) if given != earned]
        sentences.append(f'price x units is not the revenue of {_n(len(wrong), "product")}, the first is "{wrong[0]}"')
    if sum(stated) != sum(cents):
        given, earned = _euros(sum(stated)), _euros(sum(cents))
        sentences.append(f"the revenue column adds up to {given:,} EUR, price x units to {earned:,} EUR")
    order = list(zip(map(neg, stated), products, strict=True))
    if order != sorted(order):
        sentences.append("the products are not in order of revenue and key")
    return sentences


def check_classification(revenue: pl.LazyFrame, wines: pl.LazyFrame, premium_threshold: float) -> list[str]:
    """Every product is classified once, its z-score follows from the prices, and its class from its price."""
    if broken := _check_contract(wines, Wine):
        return broken
    rows = wines.collect()
    if not rows.drop("z_score", "is_premium").equals(revenue.collect()):
        return ["the classified products are not the products that were priced"]
    if rows.is_empty():
        return []
    mean, lowest = premium_price(rows["price"], 0.0), premium_price(rows["price"], premium_threshold)
    deviation = premium_price(rows["price"], 1.0) - mean
    margin = deviation * Decimal(2 * Z_TOLERANCE)
    prices = rows["price"].unique()
    by_price = pl.DataFrame(
        {
            "price": prices,
            "score": [float((price - mean) / deviation) if deviation else 0.0 for price in prices],
            "is_too_cheap": [price <= lowest for price in prices],
            "is_too_dear": [bool(deviation) and price > lowest + margin for price in prices],
        }
    )
    judged = rows.join(by_price, on="price", how="left", maintain_order="left")
    score, is_premium = pl.col("z_score"), pl.col("is_premium")
    is_strange = (score - pl.col("score")).abs() > SCORE_TOLERANCE * (1 + score.abs())
    is_wrong = pl.when(is_premium).then("is_too_cheap").otherwise("is_too_dear")
    strange, wrong = (judged.filter(found.fill_null(value=True))["product_id"] for found in (is_strange, is_wrong))
    sentences = []
    if len(strange):
        sentences.append(f'{_n(len(strange), "z-score")} not following from the prices, the first is of "{strange[0]}"')
    if len(wrong):
        side = f"on the wrong side of {lowest:.4f} EUR"
        sentences.append(f'{_n(len(wrong), "product")} {side}, the first is "{wrong[0]}"')
    return sentences


_AGAINST = {
    "nullability": "empty",
    "primary_key": "repeated",
    "unique": "repeated",
    "min": "too small",
    "min_exclusive": "too small",
    "min_length": "too short",
    "nan": "no number",
    "inf": "infinite",
}
"""What a value is that breaks a rule of the contracts."""


def _check_contract(frame: pl.LazyFrame, contract: type[WineRevenue]) -> list[str]:
    _, failures = contract.filter(frame.collect())
    key = ", ".join(contract.primary_key())
    sentences = []
    for name, count in failures.counts().items():
        column, _, rule = name.rpartition("|")
        sentences.append(f"{column or key} is {_AGAINST.get(rule, f'against its rule {rule}')} in {_n(count, 'row')}")
    return sentences
