"""The business rules a second time, in plain Python, to hold the pipeline against.

It is written from the rules and shares nothing with the pipeline: cells in, loops, dictionaries and exact
fractions, figures out. It knows no severity but error, and nothing of sheets, wording or files.
"""

import html
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation, localcontext
from fractions import Fraction
from typing import Any, NamedTuple

Cell = tuple[str | None, str | None]
"""Kind ("number", "text", "boolean", "date", "error", "uncalculated"; None when empty) and text."""

Row = tuple[int, dict[str, Cell]]
"""The row's number in Excel, and its cells by column."""

EMPTY: Cell = (None, None)
LIMIT = 10**13
CENT = Decimal("0.01")
# Wide enough for the largest double to the cent, so that nothing below is ever rounded by accident.
DIGITS = 400

ERP_DETAILS = ("onsale_web", "stock_quantity", "stock_status")

# Unicode's White_Space.
BLANKS = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
# Control characters, and what is default-ignorable in DerivedCoreProperties.txt, of the first plane.
INVISIBLE = "".join(
    chr(code)
    for span in [
        "0-8", "e-1f", "7f-84", "86-9f", "ad", "34f", "61c", "115f-1160", "17b4-17b5", "180b-180f", "200b-200f",
        "202a-202e", "2060-2064", "2066-206f", "3164", "fe00-fe0f", "feff", "ffa0",
    ]
    for first, _, last in [span.partition("-")]
    for code in range(int(first, 16), int(last or first, 16) + 1)
)  # fmt: skip
SAME_SIGN = str.maketrans(
    dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-") | dict.fromkeys("\u2018\u2019\u02bc", "'")
)
INTEGER_AS_FLOAT = re.compile(r"(-?(?:0|[1-9][0-9]*))\.0+")
NO_NUMBER = {
    "error": "error-cell",
    "uncalculated": "uncalculated-formula",
    "boolean": "not-a-number",
    "date": "not-a-number",
}
AMOUNT = re.compile(r"[+-]?(?:[0-9]+|[0-9]{1,3}(?:[ \u00a0\u202f][0-9]{3})+)(?:[.,][0-9]{1,2})?")
AMBIGUOUS = re.compile(rf"(?:€[{BLANKS}]*)?[+-]?[1-9][0-9]{{0,2}}[.,][0-9]{{3}}(?:[{BLANKS}]*€)?")


class Wine(NamedTuple):
    """One line of the published month."""

    product_id: str
    sku: str
    title: str | None
    units: int
    price: Decimal
    revenue: Decimal
    is_premium: bool
    stock: int | None = None


@dataclass
class Verdict:
    """What the rules make of a month.

    Attributes:
        errors: (source, row, rule) of every issue that stops the run; the row is None where it is about the
            month as a whole, and the source "" where it is about all three.
        dispositions: (source, row) to (disposition, rule); the rule of a used row is None.
        wines: The published lines in their order; none when refused.
        figures: The headline figures by name, `threshold_price` unrounded; none when refused.
    """

    errors: set[tuple[str, int | None, str]] = field(default_factory=set)
    dispositions: dict[tuple[str, int], tuple[str, str | None]] = field(default_factory=dict)
    wines: list[Wine] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)

    @property
    def refused(self) -> bool:
        return bool(self.errors)

    @property
    def revenue(self) -> Decimal:
        return sum((wine.revenue for wine in self.wines), Decimal("0.00"))


@dataclass
class Entry:
    """A row of the ERP or of the shop's products whose key can be read.

    Attributes:
        key: The key as this row spells it.
        value: Its price or its units; None where there is no such number.
        faults: The rules against which it offends.
        details: The other cells of the row.
    """

    source: str
    row: int
    key: str
    value: Decimal | int | None
    faults: list[str]
    details: tuple[str | None, ...]
    onsale: Cell = EMPTY
    title: str | None = None
    stock: int | None = None
    status: str = ""

    @property
    def order(self) -> tuple[Any, ...]:
        """By content, so that no position in the sheet decides; by row where the content is the same."""
        return *nulls_last(self.value, *self.details, self.key), self.row


# --- cells


def trimmed(cell: Cell) -> str | None:
    """The text without blanks around it; None when nothing is left."""
    return (cell[1] or "").strip(BLANKS + INVISIBLE) or None


def is_blank(cell: Cell) -> bool:
    kind, _ = cell
    return kind is None or (kind == "text" and trimmed(cell) is None)


def read_key(cell: Cell) -> tuple[str | None, str | None]:
    """The key and None, or None and the rule against which the cell offends."""
    kind, text = cell[0], trimmed(cell)
    if is_blank(cell):
        return None, "no-key"
    if kind not in ("number", "text") or text is None or any(blank in text for blank in BLANKS):
        return None, "unreadable-key"
    if kind == "text" and (integer := INTEGER_AS_FLOAT.fullmatch(text)):
        return integer[1], None
    return text, None


def compared(key: str) -> str:
    """Keys that look the same are the same."""
    visible = key.translate(dict.fromkeys(map(ord, INVISIBLE)))
    plain = unicodedata.normalize("NFKC", visible).lower().translate(SAME_SIGN)
    integer = INTEGER_AS_FLOAT.fullmatch(plain)
    return integer[1] if integer else plain


def read_number(cell: Cell, *, euro: bool) -> tuple[Decimal | None, str | None]:
    """The exact number, or the rule against which the cell offends."""
    kind, text = cell[0], trimmed(cell)
    if is_blank(cell):
        return None, "blank-cell"
    if kind in NO_NUMBER or text is None:
        return None, NO_NUMBER.get(kind, "not-a-number")
    if kind == "text":
        if euro and text.startswith("€"):
            text = text[1:].lstrip(BLANKS)
        elif euro and text.endswith("€"):
            text = text[:-1].rstrip(BLANKS)
        if not AMOUNT.fullmatch(text):
            return None, "ambiguous-number" if AMBIGUOUS.fullmatch(trimmed(cell)) else "not-a-number"
        text = re.sub("[ \u00a0\u202f]", "", text).replace(",", ".")
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None, "not-a-number"
    return (number, None) if number.is_finite() else (None, "not-a-number")


def read_price(cell: Cell) -> tuple[Decimal | None, str | None]:
    """The price in cents, where there is a number at all, and what is wrong with it: -8 and -1 are two prices."""
    number, fault = read_number(cell, euro=True)
    if number is None:
        return None, fault
    price = number.quantize(CENT, ROUND_HALF_UP)
    fault = "not-above-zero" if price <= 0 else "too-large" if price >= LIMIT else None
    return (price if abs(price) < LIMIT else None), fault


def read_units(cell: Cell) -> tuple[int | None, str | None]:
    """The whole number, where there is one, and what is wrong with it."""
    number, fault = read_number(cell, euro=False)
    if number is None:
        return None, fault
    whole = number == number.to_integral_value()
    fault = "negative" if number < 0 else "too-large" if number >= LIMIT else "fractional" if not whole else None
    return (int(number) if whole and abs(number) < LIMIT else None), fault


def read_title(cell: Cell) -> str | None:
    return None if trimmed(cell) is None else html.unescape(cell[1].strip(BLANKS)).strip(BLANKS) or None


def read_day(cell: Cell) -> date | None:
    day = re.fullmatch(r"([12]\d{3}-\d\d-\d\d)([ T]\d\d:\d\d(:\d\d(\.\d+)?)?)?", trimmed(cell) or "", re.ASCII)
    try:
        return date.fromisoformat(day[1]) if day and cell[0] in ("date", "text") else None
    except ValueError:
        return None


def carries_sales(row: dict[str, Cell]) -> bool:
    cell = row["total_sales"]
    return not is_blank(cell) and read_units(cell)[0] != 0


def nulls_last(*values: Any) -> tuple[Any, ...]:
    return tuple((value is None, 0 if value is None else value) for value in values)


# --- rows


def read_erp(rows: Iterable[Row], verdict: Verdict) -> list[Entry]:
    """The rows of the ERP that have a key; the others are disposed of."""
    entries = []
    for number, row in rows:
        key, fault = read_key(row["product_id"])
        if all(is_blank(row.get(name, EMPTY)) for name in ("product_id", "price", *ERP_DETAILS)):
            verdict.dispositions["erp", number] = "ignored", "blank-row"
        elif key is None:
            verdict.dispositions["erp", number] = "rejected", fault
            if fault == "unreadable-key" and not is_blank(row["price"]):
                verdict.errors.add(("erp", number, fault))
        else:
            price, fault = read_price(row["price"])
            details = tuple(trimmed(row.get(name, EMPTY)) for name in ERP_DETAILS)
            bottles, _ = read_units(row.get("stock_quantity", EMPTY))
            entry = Entry("erp", number, key, price, [fault] if fault else [], details, row.get("onsale_web", EMPTY))
            entry.stock = bottles
            entries.append(entry)
    return entries


def read_web(rows: Iterable[Row], verdict: Verdict) -> list[Entry]:
    """The products of the shop that have a key; the other rows are disposed of."""
    entries = []
    for number, row in rows:
        outcome = dispose_of_post(row)
        key, fault = read_key(row["sku"])
        if outcome is None and key is None:
            outcome = "rejected", fault
            if fault == "unreadable-key" and carries_sales(row):
                verdict.errors.add(("web", number, fault))
        if outcome is None:
            units, fault = read_units(row["total_sales"])
            title, details = row["post_title"], ("post_title", "post_status", "post_date")
            entry = Entry("web", number, key, units, [fault] if fault else [], ())
            entry.details = tuple(trimmed(row.get(name, EMPTY)) for name in details)
            entry.title, entry.status = read_title(title), word(row.get("post_status", EMPTY)) or "publish"
            entries.append(entry)
            continue
        verdict.dispositions["web", number] = outcome
        is_lost = carries_sales(row) or (key is not None and read_title(row["post_title"]) is not None)
        if outcome[1] == "sellable-post-type" or (outcome[1] == "blank-post-type" and is_lost):
            verdict.errors.add(("web", number, outcome[1]))
    return without_unpublished_twins(entries, verdict)


def without_unpublished_twins(entries: list[Entry], verdict: Verdict) -> list[Entry]:
    published = {compared(entry.key) for entry in entries if entry.status == "publish"}
    kept = []
    for entry in entries:
        if entry.status == "publish" or compared(entry.key) not in published:
            kept.append(entry)
        else:
            verdict.dispositions["web", entry.row] = "ignored", "unpublished-twin"
    return kept


def word(cell: Cell) -> str | None:
    """Lower-case; None when blank or nothing that can be read."""
    return (trimmed(cell) or "").lower() or None if cell[0] in ("number", "text") else None


def dispose_of_post(row: dict[str, Cell]) -> tuple[str, str] | None:
    """What becomes of a row that is no product; None for a product."""
    if all(is_blank(row[name]) for name in ("sku", "post_type", "post_title", "total_sales")):
        return "ignored", "blank-row"
    kind = word(row["post_type"])
    if kind == "product":
        return None
    if kind is None:
        is_lost = not is_blank(row["sku"]) or carries_sales(row)
        if read_key(row["sku"])[1] == "unreadable-key" and not carries_sales(row):
            return "rejected", "unreadable-key"
        return ("rejected", "blank-post-type") if is_lost else ("ignored", "blank-row")
    if kind == "product_variation" and carries_sales(row):
        return "rejected", "sellable-post-type"
    return "ignored", "other-post-type"


def read_links(rows: Iterable[Row], verdict: Verdict) -> dict[tuple[str, str], int]:
    """The links that have both keys, each once, with its row; the other rows are disposed of."""
    candidates = defaultdict(list)
    for number, row in rows:
        product_id, product_fault = read_key(row["product_id"])
        id_web, web_fault = read_key(row["id_web"])
        if product_fault == web_fault == "no-key":
            verdict.dispositions["liaison", number] = "ignored", "blank-row"
        elif product_fault or web_fault == "unreadable-key":
            verdict.dispositions["liaison", number] = "rejected", product_fault or web_fault
        else:
            pair = compared(product_id), id_web and compared(id_web)
            candidates[pair].append((nulls_last(product_id, id_web), number))
    links = {}
    for pair, spellings in candidates.items():
        (_, kept), *repetitions = sorted(spellings)
        for _, number in repetitions:
            verdict.dispositions["liaison", number] = "rejected", "repetition"
        if pair[1] is None:
            verdict.dispositions["liaison", kept] = "rejected", "no-web-id"
        else:
            links[pair] = kept
    return links


def keep_one_each(entries: list[Entry], verdict: Verdict) -> dict[str, Entry]:
    """One entry for each key; the others are disposed of, and contradictions noted on all of them."""
    groups = defaultdict(list)
    for entry in entries:
        groups[compared(entry.key)].append(entry)
    kept = {}
    for key, group in groups.items():
        kept[key], *others = sorted(group, key=lambda entry: entry.order)
        contradicting = len({(entry.value, *entry.faults) for entry in group}) > 1
        for entry in others:
            same = (entry.details, entry.key) == (kept[key].details, kept[key].key)
            rule = "contradicting-rows" if contradicting else "repetition" if same else "differing-repetition"
            verdict.dispositions[entry.source, entry.row] = "rejected", rule
        if contradicting:
            for entry in group:
                entry.faults.append("contradicting-rows")
    return kept


# --- the month


def judge(
    erp: Iterable[Row],
    liaison: Iterable[Row],
    web: Iterable[Row],
    *,
    premium_threshold: float = 2.0,
    unmatched_limit: float = 0.1,
) -> Verdict:
    """Everything the rules say about a month."""
    verdict = Verdict()
    erp, web = list(erp), list(web)
    with localcontext(prec=DIGITS):
        erp_entries, web_entries = read_erp(erp, verdict), read_web(web, verdict)
        links = read_links(liaison, verdict)
        products, posts = keep_one_each(erp_entries, verdict), keep_one_each(web_entries, verdict)
        live = {pair: row for pair, row in links.items() if pair[0] in products and pair[1] in posts}
        used = {("erp", product) for product, _ in live} | {("web", sku) for _, sku in live}

        for entry in erp_entries + web_entries:
            if (entry.source, compared(entry.key)) in used:
                verdict.errors |= {(entry.source, entry.row, fault) for fault in entry.faults}
        check_links(live, verdict)
        if live and all(posts[sku].value == 0 for _, sku in live):
            verdict.errors.add(("", None, "no-sales"))
        dispose_of_products(products, posts, used, verdict)
        for (product, sku), row in links.items():
            unknown = "unknown-web-id" if product in products else "unknown-product"
            verdict.dispositions["liaison", row] = ("used", None) if (product, sku) in live else ("rejected", unknown)
        dead_ends = sum(sku not in posts for _, sku in links)
        check_shares(web, dead_ends, len(links), Fraction(str(unmatched_limit)), verdict)
        if has_padded_keys(links, products, posts):
            padded = {(source, row, "padded-keys") for source, row, rule in verdict.errors if rule == "unmatched"}
            verdict.errors = {error for error in verdict.errors if error[2] != "unmatched"} | padded

        if not verdict.refused:
            pairs = [(products[product], posts[sku]) for product, sku in live]
            publish(pairs, Decimal(str(premium_threshold)), verdict)
    return verdict


def check_links(live: dict[tuple[str, str], int], verdict: Verdict) -> None:
    """A product has one live sku, a sku one product; and there is at least one of them."""
    for (product, sku), row in live.items():
        if sum(other == product for other, _ in live) > 1:
            verdict.errors.add(("liaison", row, "several-skus"))
        if sum(other == sku for _, other in live) > 1:
            verdict.errors.add(("liaison", row, "shared-sku"))
    if not live:
        verdict.errors.add(("", None, "no-product"))


def dispose_of_products(
    products: dict[str, Entry], posts: dict[str, Entry], used: set[tuple[str, str]], verdict: Verdict
) -> None:
    """What becomes of the one row of each key."""
    why_unsold = {0: "not-sold-online", 1: "on-sale-unlinked"}
    for key, entry in products.items():
        flag, _ = read_number(entry.onsale, euro=False)
        rule = why_unsold.get(flag, "no-partner")
        verdict.dispositions["erp", entry.row] = ("used", None) if ("erp", key) in used else ("rejected", rule)
    for key, entry in posts.items():
        outcome = ("used", None) if ("web", key) in used else ("rejected", "unlinked-sales")
        verdict.dispositions["web", entry.row] = outcome


def has_padded_keys(links: Iterable[tuple[str, str]], products: dict[str, Entry], posts: dict[str, Entry]) -> bool:
    """Whether most keys of links that lead nowhere are those of a product but for zeros in front."""
    lost = [
        (key, known) for pair in links for key, known in zip(pair, (products, posts), strict=True) if key not in known
    ]
    saved = [key for key, known in lost if key.lstrip("0") in {other.lstrip("0") for other in known}]
    return 2 * len(saved) > len(lost)


def check_shares(web: list[Row], dead_ends: int, links: int, limit: Fraction, verdict: Verdict) -> None:
    """Record which shares without a partner are above the limit: of links, of products, of their units."""
    products = []
    for number, row in web:
        disposition, rule = verdict.dispositions["web", number]
        is_lost = rule in ("no-key", "unreadable-key") and word(row["post_type"]) == "product" and carries_sales(row)
        if disposition == "used" or rule == "unlinked-sales" or is_lost:
            products.append((number, max(read_units(row["total_sales"])[0] or 0, 0)))
    unused = [(number, units) for number, units in products if verdict.dispositions["web", number][0] != "used"]
    shares = [
        ("liaison", dead_ends, links),
        ("web", len(unused), len(products)),
        ("web", sum(units for _, units in unused), sum(units for _, units in products)),
    ]
    for source, part, whole in shares:
        if whole and Fraction(part, whole) > limit:
            verdict.errors.add((source, None, "unmatched"))


def publish(pairs: list[tuple[Entry, Entry]], threshold: Decimal, verdict: Verdict) -> None:
    """Fill in the wines and the figures, or refuse a revenue that a spreadsheet cannot hold."""
    prices = [product.value for product, _ in pairs]
    mean = sum(prices) / len(prices)
    # Told from the prices, as a mean with endless digits leaves equal prices a deviation that is not 0.
    spread = len(set(prices)) > 1
    deviation = (sum((price - mean) ** 2 for price in prices) / len(prices)).sqrt() if spread else Decimal(0)
    wines = [
        Wine(
            product_id=product.key,
            sku=post.key,
            title=post.title,
            units=post.value,
            price=product.value,
            revenue=product.value * post.value,
            is_premium=spread and (product.value - mean) / deviation > threshold + Decimal("1e-9"),
            stock=product.stock,
        )
        for product, post in pairs
    ]
    if sum(wine.revenue for wine in wines) >= LIMIT:
        verdict.errors.add(("", None, "revenue-too-large"))
        return
    premium = [wine for wine in wines if wine.is_premium]
    verdict.wines = sorted(wines, key=lambda wine: (-wine.revenue, wine.product_id))
    verdict.figures = {
        "products": len(wines),
        "units": sum(wine.units for wine in wines),
        "revenue": verdict.revenue,
        "premium": len(premium),
        "ordinary": len(wines) - len(premium),
        "premium_revenue": sum((wine.revenue for wine in premium), Decimal("0.00")),
        "threshold_price": mean + threshold * deviation,
        "cheapest_premium": min((wine.price for wine in premium), default=None),
    }
