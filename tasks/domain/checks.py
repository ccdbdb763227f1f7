"""The invariants after each stage: contracts of rows, no row lost, every unit and cent accounted for.

Each check returns one sentence for each inconsistency. Sums are integers: units and whole cents.
"""

from decimal import Decimal
from typing import Any

import dataframely as dy
import polars as pl

from tasks.domain.clean import CLEANED, accepted
from tasks.domain.join import Cleaned, JoinedWine
from tasks.domain.ledger import LedgerRow, counts_once
from tasks.domain.money import in_cents
from tasks.domain.premium import Z_TOLERANCE, premium_price
from tasks.domain.rules import codes
from tasks.domain.schemas import Wine, WineRevenue
from tasks.domain.sources import SOURCES, Source

SCORE_TOLERANCE = 1e-9
"""The largest relative difference between a z-score in floats and the exact one."""

Raw = dict[Source, pl.LazyFrame]

_KEYS: dict[Source, list[str]] = {"erp": ["product_key"], "liaison": ["product_key", "web_key"], "web": ["web_key"]}


def check_cleaning(raw: Raw, cleaned: Cleaned) -> list[str]:
    """Every row that was read is cleaned once and fulfils its contract, and each key has one accepted row."""
    sentences = []
    for source, rows in zip(SOURCES, cleaned, strict=True):
        sentences += _check_rows(source, raw[source], rows, "cleaned")
        sentences += check_contract(f"{source}: ", rows, CLEANED[source])
        key = _KEYS[source]
        named = (rows.filter("is_product") if source == "web" else rows).select(key).drop_nulls().unique()
        lost = named.join(accepted(rows).select(key), on=key, how="anti").sort(key).collect()
        if lost.height:
            first = " with ".join(f'"{part}"' for part in lost.row(0))
            sentences.append(f"{source}: {in_words(lost.height, 'key')} without an accepted row, the first is {first}")
    return sentences


def check_join(cleaned: Cleaned, joined: pl.LazyFrame, ledger: pl.LazyFrame) -> list[str]:
    """Every live link is joined once with the values of its rows; every row and unit is accounted for once."""
    if broken := [*check_contract("join: ", joined, JoinedWine), *check_contract("ledger: ", ledger, LedgerRow)]:
        return broken
    sentences = _check_links(cleaned, joined)
    for source, rows in zip(SOURCES, cleaned, strict=True):
        sentences += _check_values(source, rows, joined)
        of_source = ledger.filter(source=source)
        sentences += _check_rows(source, rows, of_source, "accounted for")
        sentences += _check_dispositions(source, rows, of_source, joined.select(row=f"{source}_row"))
    counted = _sum(cleaned.web.filter(counts_once()), "total_sales")
    used, rejected = _sum(joined.unique("web_row"), "total_sales"), _sum(ledger, "units")
    if counted != used + rejected:
        sentences.append(f"of {in_words(counted, 'unit')} {used:,} are used and {rejected:,} rejected")
    return sentences


def _check_links(cleaned: Cleaned, joined: pl.LazyFrame) -> list[str]:
    """Cardinality: the join has the links whose both ends exist, each once."""
    expected = (
        accepted(cleaned.liaison)
        .join(accepted(cleaned.erp), on="product_key", how="semi")
        .join(accepted(cleaned.web), on="web_key", how="semi")
        .select(_KEYS["liaison"])
        .collect()
    )
    found = joined.select(_KEYS["liaison"]).collect()
    if expected.sort(expected.columns).equals(found.sort(found.columns)):
        return []
    differing = pl.concat(
        [found.join(expected, on=found.columns, how="anti"), expected.join(found, on=found.columns, how="anti")]
    )
    product, sku = differing.sort(differing.columns).row(0)
    first = f'the first that differs is product "{product}" with sku "{sku}"'
    return [f"the join has {in_words(found.height, 'row')} where the keys give {expected.height:,}, {first}"]


_VALUES: dict[Source, dict[str, str]] = {
    "erp": {"product_id": "key", "product_key": "product_key", "price": "price", "stock_quantity": "stock_quantity"},
    "liaison": {"product_key": "product_key", "web_key": "web_key"},
    "web": {name: name for name in ("web_key", "total_sales", "post_title", "post_date")} | {"sku": "key"},
}
"""The columns of the join that each source gives, and their names in its cleaned rows."""


def _check_values(source: Source, rows: pl.LazyFrame, joined: pl.LazyFrame) -> list[str]:
    """Whether each joined product has the values of its cleaned row."""
    columns = _VALUES[source]
    cleaned = rows.select(
        pl.col("row").alias(f"{source}_row"),
        expected=pl.struct(pl.col(was).alias(name) for name, was in columns.items()),
    )
    compared = joined.select(f"{source}_row", found=pl.struct(list(columns))).join(
        cleaned, on=f"{source}_row", how="left"
    )
    is_same = pl.col("found").eq_missing(pl.col("expected"))
    wrong = compared.filter(~is_same).select(f"{source}_row").collect().to_series().sort()
    if wrong.is_empty():
        return []
    return [f"{source}: {in_words(len(wrong), 'joined product')} with wrong values, the first is of row {wrong[0]}"]


def _check_rows(source: Source, before: pl.LazyFrame, after: pl.LazyFrame, what: str) -> list[str]:
    """Whether both have the same rows, each once."""
    read, kept = (frame.select("row").collect().to_series().sort() for frame in (before, after))
    if read.equals(kept):
        return []
    repeated = kept.filter(kept.is_duplicated())
    first = min([*set(read) ^ set(kept), *repeated])
    return [f"{source}: {in_words(len(read), 'row')} read, {len(kept):,} {what}, the first that differs is row {first}"]


def _check_dispositions(source: Source, rows: pl.LazyFrame, ledger: pl.LazyFrame, used: pl.LazyFrame) -> list[str]:
    """Whether joined rows are used, and others ignored or rejected by a rule, that of the cleaning if it gave one."""
    is_joined = used.unique().with_columns(is_joined=pl.lit(value=True))
    compared = ledger.join(is_joined, on="row", how="left").join(rows.select("row", given="rule"), on="row", how="left")
    disposition, rule, given = pl.col("disposition").cast(pl.String), pl.col("rule"), pl.col("given")
    excluded = (
        pl.when(rule.is_in(codes(disposition="ignored")))
        .then(pl.lit("ignored"))
        .when(rule.is_in(codes(disposition="rejected")))
        .then(pl.lit("rejected"))
    )
    is_right = pl.when("is_joined").then((disposition == "used") & rule.is_null()).otherwise(disposition == excluded)
    is_right &= given.is_null() | (given == rule)
    wrong = compared.filter(~is_right.fill_null(value=False)).select("row").collect().to_series().sort()
    return (
        [f"{source}: {in_words(len(wrong), 'row')} in a wrong disposition, the first is row {wrong[0]}"]
        if len(wrong)
        else []
    )


def check_revenue(joined: pl.LazyFrame, revenue: pl.LazyFrame) -> list[str]:
    """The products are those of the join; price x units is the revenue of each of them and in total, to the cent."""
    if broken := check_contract("", revenue, WineRevenue):
        return broken
    rows = in_cents(revenue.collect())
    cents = pl.col("price").cast(pl.Int128) * pl.col("total_sales")
    wrong = rows.filter(cents != pl.col("revenue"))["product_id"]
    sentences = []
    if len(wrong):
        sentences.append(
            f'price x units is not the revenue of {in_words(len(wrong), "product")}, the first is "{wrong[0]}"'
        )
    before = in_cents(joined.select("product_id", "price", "total_sales").collect())
    for what, column in (("products", pl.len()), ("units", pl.sum("total_sales")), ("cents", cents.sum())):
        then, now = before.select(column).item(), rows.select(pl.sum("revenue") if what == "cents" else column).item()
        if then != now:
            sentences.append(f"the join has {then:,} {what}, the revenue {now:,}")
    if not rows.equals(rows.sort("revenue", "product_id", descending=[True, False])):
        sentences.append("the products are not in order of revenue and key")
    return sentences


def check_classification(revenue: pl.LazyFrame, wines: pl.LazyFrame, premium_threshold: float) -> list[str]:
    """Premium and ordinary wines are all the wines; each class follows from the exact price at the threshold."""
    if broken := check_contract("", wines, Wine):
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
    exact = pl.DataFrame(
        {
            "price": prices,
            "score": [float((price - mean) / deviation) if deviation else 0.0 for price in prices],
            "is_too_cheap": [price <= lowest for price in prices],
            "is_too_dear": [bool(deviation) and price > lowest + margin for price in prices],
        }
    )
    judged = rows.join(exact, on="price", how="left", maintain_order="left")
    score, is_premium = pl.col("z_score"), pl.col("is_premium")
    is_strange = (score - pl.col("score")).abs() > SCORE_TOLERANCE * (1 + score.abs())
    is_wrong = pl.when(is_premium).then("is_too_cheap").otherwise("is_too_dear")
    strange, wrong = (judged.filter(found.fill_null(value=True))["product_id"] for found in (is_strange, is_wrong))
    sentences = []
    if len(strange):
        sentences.append(
            f'{in_words(len(strange), "z-score")} not following from the prices, the first is of "{strange[0]}"'
        )
    if len(wrong):
        side = f"on the wrong side of {lowest:.4f} EUR"
        sentences.append(f'{in_words(len(wrong), "product")} {side}, the first is "{wrong[0]}"')
    return sentences


def _sum(frame: pl.LazyFrame, column: str) -> int:
    total: Any = frame.select(pl.sum(column)).collect().item()
    return int(total)


def check_contract(prefix: str, frame: pl.LazyFrame, contract: type[dy.Schema]) -> list[str]:
    """The columns that are not those of the contract, or the rules that rows of the frame break."""
    rows = frame.collect()
    expected = contract.create_empty().schema
    if wrong := [name for name, dtype in expected.items() if rows.schema.get(name) != dtype]:
        return [f"{prefix}not the columns of the contract {contract.__name__}: {', '.join(wrong)}"]
    _, failures = contract.filter(rows)
    return [
        f"{prefix}{in_words(count, 'row')} against the rule {name}" for name, count in sorted(failures.counts().items())
    ]


def in_words(count: int, noun: str) -> str:
    """`1 row` and `1,200 rows`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
