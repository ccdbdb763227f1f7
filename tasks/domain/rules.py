"""Every kind of issue, once: its code, where it holds, how severe it is, which rows it excludes, what to do about it.

The cleaning, the ledger, the severities, the messages and the lists in README.md and data/rules.md all loop over
`RULES`. A rule without cases is about a workbook, the month as a whole or the pipeline itself; the code that finds the
issue refers to the rule.

Conditions are expressions over a staged table and the columns that `clean` and `join` add before they judge it; a
condition that is null does not hold.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, NamedTuple, get_args

import polars as pl

from tasks.domain.cell_values import COUNT_TEXT, MONEY_TEXT, is_ambiguous, is_blank, size
from tasks.domain.money import EXCEL_LIMIT
from tasks.domain.sources import Source, kind_of

Severity = Literal["error", "warning", "info"]
SEVERITIES = pl.Enum(get_args(Severity))

Disposition = Literal["used", "ignored", "rejected"]
DISPOSITIONS = pl.Enum(get_args(Disposition))
"""The dispositions of an input row: read = used + ignored + rejected, for every workbook."""

Scope = Literal["row", "choice", "cell", "unused", "link", "whole"]

UNMATCHED_LIMIT = Fraction(1, 10)
"""The highest share of links, products or units without a partner that is not an error."""


class Case(NamedTuple):
    """Where a rule holds: `column` is the cell that the issue names, or None for the whole row."""

    source: Source
    column: str | None
    condition: pl.Expr


@dataclass(frozen=True, eq=False)
class Rule:
    """One kind of issue.

    Attributes:
        code: Its name in every list; it never changes.
        sentence: Completes an address and a value, `C17, price: "-8" ` + sentence. `{other}` is what it contradicts.
        remedy: What the owner of the workbook has to do.
        severity: `error` stops the run, `warning` is reported, `info` is counted.
        subject: The subject of the sentence if no address precedes it.
        error_when: The severity `error` holds for every row, for rows of a joined product, or for rows with sales (a
            price in the ERP, or a product with a title whose type is missing); elsewhere it is a warning.
        scope: What is judged: a `row` by itself, in the order of this table; the `choice` among rows of one key; a
            `cell`, the first rule of the table for each column; why an accepted row is `unused`; a `link` of joined
            rows; or something as a `whole`, which has no cases.
        disposition: What becomes of a row that the rule excludes.
        cases: Where it holds.
        other_column: The column of the cell that is contradicted, unless it is the issue's own.
        shows_loss: The issue shows the price or the units that are missing without the row.
        acceptable: The error may be right all the same: the parameter `accept_unusual` makes it a warning.
    """

    code: str
    sentence: str
    remedy: str
    severity: Severity = "error"
    subject: str = "The cell"
    error_when: Literal["always", "joined", "sales"] = "always"
    scope: Scope = "whole"
    disposition: Literal["ignored", "rejected"] | None = None
    cases: tuple[Case, ...] = ()
    other_column: str | None = None
    shows_loss: bool = False
    acceptable: bool = False


def _blank(*columns: str) -> pl.Expr:
    return pl.all_horizontal(is_blank(column) for column in columns)


def _numbers(condition: Callable[[str, str], pl.Expr]) -> tuple[Case, ...]:
    """The cases of a rule about the two numbers that every product needs."""
    return (
        Case("erp", "price", condition("price", MONEY_TEXT) & (pl.col("key").is_not_null() | pl.col("has_sales"))),
        Case("web", "total_sales", condition("total_sales", COUNT_TEXT) & pl.col("is_product")),
    )


def _holds(kind: str) -> Callable[[str, str], pl.Expr]:
    return lambda column, _: pl.col(kind_of(column)) == kind


_SCIENTIFIC = r"(?i)^[0-9](?:[.,][0-9]+)?e\+[0-9]{2,}$"
"""How Excel shows a long number, such as 3.76009E+12: not a key."""

_ROUNDED = r"^[1-9][0-9]{5}0{6,}$"
"""The same number read again: six digits, then zeros."""

FEWEST_ROUNDED = 3
"""A long number that ends in zeros is a rounded key if this many rows share it."""


def _is_rounded(key: str) -> pl.Expr:
    text = pl.col(key).str
    return text.contains(_SCIENTIFIC) | (text.contains(_ROUNDED) & (pl.len().over(key) >= FEWEST_ROUNDED))


_TYPE, _HAS_SALES, _KEY = pl.col("type_read"), pl.col("has_sales"), pl.col("key")
_IS_POST = _TYPE.eq_missing("product")
_IS_LATER, _ALWAYS = pl.col("is_later"), pl.lit(value=True)
_NO_KEY = {column: ~is_blank(column) & _KEY.is_null() for column in ("product_id", "sku")}
_CORRECT = "Correct the cell, then run again."
_EXPORT = "Export the workbook again, then run again."
_REPLACE = "Put each source's own workbook in its place, then run again."

# fmt: off
# --- workbooks
MISSING_WORKBOOK = Rule("missing-workbook", "is not there",
    "Put the workbook in the source folder, then run again.")
SEVERAL_WORKBOOKS = Rule("several-workbooks", "is not the only candidate",
    "Keep one workbook for this source, or name it with its own option.")
SAME_WORKBOOK = Rule("same-workbook", "are one and the same file", _REPLACE)
OTHER_SOURCE = Rule("other-source", "are those of another source", _REPLACE)
NOT_A_WORKBOOK = Rule("not-a-workbook", "is not an .xlsx workbook", _EXPORT)
DAMAGED_WORKBOOK = Rule("damaged-workbook", "is damaged or incomplete", _EXPORT)
NO_VISIBLE_SHEET = Rule("no-visible-sheet", "has no visible sheet",
    "Show the sheet with the table, then run again.")
UNREADABLE_CELL = Rule("unreadable-cell", "cannot be read with certainty",
    "Type the cell again in a spreadsheet program, save the workbook, then run again.")
TOO_LARGE_WORKBOOK = Rule("too-large-workbook", "is larger than a workbook that can be read",
    "Delete everything outside the table, or export the sheet alone into a new workbook; then run again.")
READER_FAILED = Rule("reader-failed", "cannot be read within the memory and time that its size allows",
    "Open it in Excel and save it as a new .xlsx workbook, then run again.")
MISSING_COLUMN = Rule("missing-column", "is missing", "Give the column its agreed name, then run again.")
DOUBLED_COLUMN = Rule("doubled-column", "appears more than once in the header",
    "Rename or remove one of them, then run again.")
SEVERAL_SHEETS = Rule("several-sheets", "is not the only sheet with these columns",
    "Hide or remove the others, then run again.")
NO_ROWS = Rule("no-rows", "has a header and no row below it", _EXPORT)
ABSENT_COLUMN = Rule("absent-column", "is not there; it is not needed for the figures", "Add it to see its checks.",
    "info")

# --- rows that are not counted, in the order in which they are judged
BLANK_ROW = Rule("blank-row", "has no content", "Nothing to do.", "info",
    subject="The row", scope="row", disposition="ignored", cases=(
        Case("erp", None, _blank("product_id", "price", "onsale_web", "stock_quantity", "stock_status")),
        Case("liaison", None, _blank("product_id", "id_web")),
        Case("web", None, _TYPE.is_null() & is_blank("sku") & ~_HAS_SALES),
    ))
SELLABLE_POST_TYPE = Rule("sellable-post-type", "is another type of post and has sales",
    "Move the sales to the product itself, then run again.", scope="row", disposition="rejected",
    cases=(Case("web", "post_type", (_TYPE == "product_variation") & _HAS_SALES),))
OTHER_POST_TYPE = Rule("other-post-type", "is not a product", "Nothing to do.", "info", subject="The post", scope="row",
    disposition="ignored", cases=(Case("web", "post_type", _TYPE != "product"),))
NO_KEY = Rule("no-key", "is empty: the row cannot be joined", "Fill in the key.", "warning",
    subject="The key", scope="row", disposition="rejected", shows_loss=True, cases=(
        Case("erp", "product_id", is_blank("product_id")),
        Case("liaison", "product_id", is_blank("product_id")),
        Case("web", "sku", _IS_POST & is_blank("sku")),
    ))
UNREADABLE_KEY = Rule("unreadable-key", "is not a key", "Type the key as a number or plain text, then run again.",
    error_when="sales", subject="The key", scope="row", disposition="rejected", cases=(
        Case("erp", "product_id", _NO_KEY["product_id"]),
        Case("liaison", "product_id", _NO_KEY["product_id"]),
        Case("liaison", "id_web", ~is_blank("id_web") & pl.col("web_key").is_null()),
        Case("web", "sku", _NO_KEY["sku"] & (_IS_POST | ~_HAS_SALES)),
    ))
BLANK_POST_TYPE = Rule("blank-post-type", "is empty although the row has a sku or sales",
    "Fill in the type, then run again.", error_when="sales", scope="row", disposition="rejected",
    cases=(Case("web", "post_type", _TYPE.is_null()),))
UNPUBLISHED_TWIN = Rule("unpublished-twin", "is not published, and a product with the same sku is", "Nothing to do.",
    "info", subject="The product", scope="row", disposition="ignored",
    cases=(Case("web", "post_status", pl.col("is_unpublished") & pl.col("has_published")),))

# --- rows of one key, of which one is accepted
CONTRADICTING_ROWS = Rule("contradicting-rows", "contradicts {other}",
    "Keep the right row and remove the others, then run again.", error_when="joined", subject="The row", scope="choice",
    disposition="rejected", cases=(
        Case("erp", "price", _IS_LATER & pl.col("is_contradicted")),
        Case("web", "total_sales", _IS_LATER & pl.col("is_contradicted")),
    ))
REPETITION = Rule("repetition", "repeats another row exactly", "Remove the row.", "info",
    subject="The row", scope="choice", disposition="rejected", cases=(
        Case("erp", "price", _IS_LATER & pl.col("is_same_content")),
        Case("liaison", "product_id", _IS_LATER),
        Case("web", "total_sales", _IS_LATER & pl.col("is_same_content")),
    ))
DIFFERING_REPETITION = Rule("differing-repetition", "repeats a row with other details",
    "Remove the row that is out of date.", "warning", subject="The row", scope="choice", disposition="rejected",
    cases=(Case("erp", "price", _IS_LATER), Case("web", "total_sales", _IS_LATER)))

# --- cells, in the order in which they are judged
ROUNDED_KEY = Rule("rounded-key", "is a long number that Excel rounded, not a key",
    "Export the workbook again with this column as text, then run again.", scope="cell", cases=(
        Case("erp", "product_id", _is_rounded("key")),
        Case("liaison", "product_id", _is_rounded("key")),
        Case("liaison", "id_web", _is_rounded("web_key")),
        Case("web", "sku", pl.col("is_product") & _is_rounded("key")),
    ))
BLANK_CELL = Rule("blank-cell", "is empty", "Fill the cell, then run again.", error_when="joined", scope="cell",
    cases=_numbers(lambda column, _: is_blank(column)))
ERROR_CELL = Rule("error-cell", "is an error of the spreadsheet", _CORRECT, error_when="joined", scope="cell",
    cases=_numbers(_holds("error")))
UNCALCULATED_FORMULA = Rule("uncalculated-formula", "is a formula that was never calculated",
    "Open the workbook in a spreadsheet program and save it, then run again. Until then, a formula that gives 0 is "
    "refused as well.", error_when="joined", scope="cell", cases=_numbers(_holds("uncalculated")))
AMBIGUOUS_NUMBER = Rule("ambiguous-number", "may mean two things: its separator may be of thousands or of decimals",
    "Type it as a number, or without that separator, then run again.", error_when="joined", scope="cell",
    cases=_numbers(lambda column, grammar: size(column, grammar).is_null() & is_ambiguous(column)))
NOT_A_NUMBER = Rule("not-a-number", "is not a number", _CORRECT, error_when="joined", scope="cell",
    cases=_numbers(lambda column, grammar: size(column, grammar).is_null()))
NOT_ABOVE_ZERO = Rule("not-above-zero", "is not above 0", _CORRECT, error_when="joined", scope="cell",
    cases=(Case("erp", "price", (size("price", MONEY_TEXT) <= 0) | (pl.col("price_read") <= 0)),))
NEGATIVE = Rule("negative", "is below 0", _CORRECT, error_when="joined", scope="cell",
    cases=(Case("web", "total_sales", (size("total_sales", COUNT_TEXT) < 0) & pl.col("is_product")),))
TOO_LARGE = Rule("too-large", "is too large for a spreadsheet", _CORRECT, error_when="joined", scope="cell",
    cases=(
        Case("erp", "price", pl.col("price_read").is_null() & _HAS_SALES),
        Case("web", "total_sales", (size("total_sales", COUNT_TEXT) >= EXCEL_LIMIT) & pl.col("is_product")),
    ))
FRACTIONAL = Rule("fractional", "is not a whole number", _CORRECT, error_when="joined", scope="cell",
    cases=(Case("web", "total_sales", pl.col("sales_read").is_null() & pl.col("is_product")),))
UNPUBLISHED_PRODUCT = Rule("unpublished-product", "is the status of a product that has sales",
    "Nothing to do if it was sold before it was withdrawn; else publish it again.", "warning", scope="cell", cases=(
        Case("web", "post_status", pl.col("is_product") & pl.col("is_unpublished") & _HAS_SALES),
    ))
NOT_A_DATE = Rule("not-a-date", "is not a date", "Correct the date in the shop.", "warning", scope="cell",
    cases=(Case("web", "post_date", pl.col("is_product") & ~is_blank("post_date") & pl.col("date_read").is_null()),))
STOCK_NOT_A_COUNT = Rule("stock-not-a-count", "is not a whole number from 0", "Correct the stock in the ERP.",
    "warning", scope="cell", cases=(
        Case("erp", "stock_quantity",
            ~is_blank("stock_quantity") & (pl.col("stock_read").is_null() | (pl.col("stock_read") < 0))),
    ))
STOCK_STATUS_MISMATCH = Rule("stock-status-mismatch", "contradicts the stock quantity",
    "Correct the stock status in the ERP.", "warning", scope="cell",
    cases=(Case("erp", "stock_status", (pl.col("status_read") == "instock") != (pl.col("stock_read") > 0)),))
UNKNOWN_FLAG = Rule("unknown-flag", "is neither 0 nor 1", "Correct the flag in the ERP.", "warning", scope="cell",
    cases=(Case("erp", "onsale_web", ~is_blank("onsale_web") & pl.col("is_on_sale").is_null()),))

# --- accepted rows that are not joined, in the order in which they are judged
ON_SALE_UNLINKED = Rule("on-sale-unlinked", "is sold online and has no product in the shop", "Link the product.",
    "warning", subject="The product", scope="unused", disposition="rejected",
    cases=(Case("erp", "onsale_web", pl.col("is_on_sale")),))
NOT_SOLD_ONLINE = Rule("not-sold-online", "is not sold online", "Nothing to do.", "info",
    subject="The product", scope="unused",
    disposition="rejected", cases=(Case("erp", "onsale_web", ~pl.col("is_on_sale")),))
NO_PARTNER = Rule("no-partner", "has no product in the shop", "Link the product if it is sold online.", "warning",
    subject="The product", scope="unused", disposition="rejected", cases=(Case("erp", "product_id", _ALWAYS),))
NO_WEB_ID = Rule("no-web-id", "is empty: the product has no link to the shop", "Link the product if it is sold online.",
    "info", subject="The id_web", scope="unused", disposition="rejected",
    cases=(Case("liaison", "id_web", pl.col("web_key").is_null()),))
UNKNOWN_PRODUCT = Rule("unknown-product", "is not a product of the ERP", "Correct the link.", "warning",
    subject="The product_id", scope="unused",
    disposition="rejected", cases=(Case("liaison", "product_id", pl.col("is_known_product").is_null()),))
UNKNOWN_WEB_ID = Rule("unknown-web-id", "is not a product of the web shop", "Correct or remove the link.", "warning",
    subject="The id_web", scope="unused", disposition="rejected", cases=(Case("liaison", "id_web", _ALWAYS),))
UNLINKED_SALES = Rule("unlinked-sales", "is not linked to a product of the ERP",
    "Link the product: its sales are missing.", "warning",
    subject="The web product", scope="unused", disposition="rejected", shows_loss=True,
    cases=(Case("web", "sku", _ALWAYS),))

# --- links that join
SHARED_SKU = Rule("shared-sku", "is also linked from {other}", "Keep the link of one product, then run again.",
    subject="The sku", scope="link", other_column="product_id",
    cases=(Case("liaison", "id_web", pl.len().over("web_key") > 1),))
SEVERAL_SKUS = Rule("several-skus", "is not the only live link of the product: there is {other}",
    "Keep one link for the product, then run again.", subject="The id_web", scope="link", other_column="id_web",
    cases=(Case("liaison", "id_web", pl.len().over("product_key") > 1),))

# --- the month as a whole
NO_PRODUCT = Rule("no-product", "have no product in common", "Check that the three belong together.")
UNMATCHED = Rule("unmatched", "is above the limit",
    "Rows of the {other} workbook are probably missing, or it is of another time: export all of it and run again. "
    "If it is right, complete the links or run with --accept-unusual.", acceptable=True)
PADDED_KEYS = Rule("padded-keys", "is above the limit: keys of one workbook begin with zeros that another one lacks",
    'Write the keys in the same way in all workbooks, "007" or "7", then run again.')
NO_SALES = Rule("no-sales", "cannot be right: the shop counts everything it ever sold",
    "Export the shop's workbook again with its sales, then run again.")
REVENUE_TOO_LARGE = Rule("revenue-too-large", "is more than a spreadsheet can hold", "Check prices and sales.")
STALE_EXPORT = Rule("stale-export", "is the same as for {other}: the shop did not renew it",
    "Export the shop's workbook again; or run with --accept-unusual if nothing was sold.", acceptable=True)

# --- the snapshot compared with the previous one
COUNTERS_FELL = Rule("counters-fell",
    "is lower than {other}, like most counters that changed: the export is probably an older one",
    "Export the web workbook again; or run with --accept-unusual if it is right.", acceptable=True)
PRICES_MOVED = Rule("prices-moved",
    "differs from {other} by the same factor as nearly all prices: another unit, tax or currency",
    "Export the prices as before; or run with --accept-unusual if they are right.", acceptable=True)
CUT_OFF_EXPORT = Rule("cut-off-export",
    "is missing, and so are all rows that followed it before ({other}): the export is probably cut off",
    "Export all of the workbook; or run with --accept-unusual if it is right.", acceptable=True)
MISSING_IN_BULK = Rule("missing-in-bulk",
    "is missing, like many products that sold before ({other}): the export is probably incomplete",
    "Export all of the workbook; or run with --accept-unusual if it is right.", acceptable=True)
COUNTER_FELL_FAR = Rule("counter-fell-far", "is far lower than {other}",
    "Nothing to do if orders were cancelled or the product was added to the shop again.", "warning")
PRICE_JUMPED = Rule("price-jumped", "is far from {other}", "Correct the price in the ERP if it is a mistake.",
    "warning")

# --- the pipeline itself
CHECK_FAILED = Rule("check-failed", "does not hold", "Report this: it is an error in the program.")
# fmt: on

RULES: dict[str, Rule] = {rule.code: rule for rule in list(globals().values()) if isinstance(rule, Rule)}
"""Every rule by its code, in the order of this file."""


def codes(**having: object) -> list[str]:
    """The codes of the rules with these attributes."""
    return [code for code, rule in RULES.items() if all(getattr(rule, name) == value for name, value in having.items())]


def cases_of(scope: Scope, source: Source) -> list[tuple[Rule, Case]]:
    """The rules of a scope and their cases in one source, in order."""
    rules = [rule for rule in RULES.values() if rule.scope == scope]
    return [(rule, case) for rule in rules for case in rule.cases if case.source == source]


def first_rule(scope: Scope, source: Source) -> pl.Expr:
    """A struct of `rule` and `rule_column`: those of the first case that holds, null where none does."""
    cases = cases_of(scope, source)
    number = pl.coalesce(*(pl.when(case.condition).then(index) for index, (_, case) in enumerate(cases)))
    parts: dict[str, list[str | None]] = {
        "rule": [rule.code for rule, _ in cases],
        "rule_column": [case.column for _, case in cases],
    }
    return pl.struct(
        number.replace_strict(dict(enumerate(texts)), return_dtype=pl.String).alias(name)
        for name, texts in parts.items()
    )


def cell_faults(source: Source) -> dict[str, pl.Expr]:
    """For each column that is judged, the code of the first rule that its cell breaks; null where it breaks none."""
    faults: dict[str, list[pl.Expr]] = {}
    for rule, case in cases_of("cell", source):
        faults.setdefault(str(case.column), []).append(pl.when(case.condition).then(pl.lit(rule.code)))
    return {column: pl.coalesce(*one) for column, one in faults.items()}
