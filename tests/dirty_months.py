"""Small months full of dirt, in cells, for the properties that hold the pipeline against the reference.

The same seed gives the same month. About half of them can be published: what stops a month is dealt on purpose
or not at all, everything else in all of them, up to the very limit.
"""

import random
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field

from reference import EMPTY, Cell, Row

Sheets = dict[str, list[Row]]
"""The rows of `erp`, `liaison` and `web`."""

INVISIBLE = ["\u00ad", "\u200e", "\u00a0", "\u202f", "\u200b", "\ufeff", " ", "\t", "\u3000"]
FULL_WIDTH = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
ODD_KEYS = [
    "007",
    "7",
    "13127-1",
    "bon-cadeau-25-euros",
    "Éclair-9",
    "12.5",
    "1e3",
    "0",
    "-4",
    "007.0",
    "C471",
]

UNREADABLE: list[Cell] = [
    ("boolean", "true"), ("date", "2025-05-03"), ("error", None), ("uncalculated", None),
    ("text", "15 298"), ("text", "15\u00a0298"),
]  # fmt: skip
# What is no number, price or count: a list for each reason, so that none is rare.
NO_NUMBER: list[list[Cell]] = [
    [EMPTY, ("text", " \u00a0")],
    [("error", None)],
    [("uncalculated", None)],
    [("boolean", "true"), ("date", "2025-05-03")],
    [("text", text) for text in ("1,234", "-9.999", "100.000")],
    [("text", text) for text in (
        "n/a", "0,123", "1,234,567", "1.234,50",
        "12 34", "1 2345", "12,", ",5", "12,3,4", "- 5", "--5", "\u22125", "1'234", "1_000",
        "1e3", "inf", "NaN", "\uff11\uff12", "0x10", "1\u2009234",
    )],
]  # fmt: skip
NO_PRICE: list[list[Cell]] = [
    *NO_NUMBER,
    [("text", text) for text in ("€", "€ 5 €", "€€5", "12 EUR", "9999999999999,999")],
    [("number", text) for text in ("0", "-8", "-1", "0.004", "-0.004", "1e-7")],
    [("text", text) for text in ("0,00", "-8", "€ -8", "0,00 €")],
    [("number", "10000000000000"), ("number", "1e300"), ("text", "10 000 000 000 000")],
]
NO_UNITS: list[list[Cell]] = [
    *NO_NUMBER,
    [("text", "12 €"), ("text", "€ 3")],
    [("number", "-1"), ("number", "-2"), ("number", "-0.5"), ("text", "-1"), ("text", "-2,5")],
    [("number", "2.5"), ("number", "3.0000001"), ("text", "2,5"), ("text", "1.25")],
    [("number", "10000000000000"), ("text", "10 000 000 000 000")],
]
# Around half a cent, both as people type it and as doubles hold it, and the ends of what the grammar allows.
EDGE_PRICES: list[Cell] = [
    *[("number", text) for text in (
        "1.005", "2.675", "34.295", "34.29999999999999", "0.005", "0.015", "19.994999999999997", "100.0049",
    )],
    *[("text", text) for text in (
        "34,3", "34.30", "€34,30", "€ 34,30", "34,30\u00a0€", "+12", "012", "  12 ", "\ufeff7,05", "12345",
        "1 234,50", "1\u00a0234", "1\u202f234.5 €", "1 234\u00a0567,89",
    )],
]  # fmt: skip


@dataclass
class Month:
    """A month in the making: rows as cells by column, in no order yet."""

    rng: random.Random
    erp: list[dict[str, Cell]] = field(default_factory=list)
    liaison: list[dict[str, Cell]] = field(default_factory=list)
    web: list[dict[str, Cell]] = field(default_factory=list)
    spare_keys: list[str] = field(default_factory=list)
    joined: int = 0

    def new_key(self) -> str:
        return self.spare_keys.pop()

    def joined_row(self, sheet: list[dict[str, Cell]]) -> dict[str, Cell]:
        """The row of a joined product: the first rows of every sheet are theirs."""
        return sheet[self.rng.randrange(self.joined)]


def number(value: float) -> Cell:
    """A number as it is staged: the shortest decimal that is this double."""
    return "number", repr(value).removesuffix(".0")


def spelled(rng: random.Random, key: str) -> Cell:
    """The same key in one of the ways in which people and programs write it."""
    forms: list[Cell] = [("text", key)] * 2
    if key.isdecimal() and str(int(key)) == key:
        forms += [("number", key)] * 4 + [("text", f"{key}.0"), ("text", f"{key}.000")]
    forms += [("text", key.upper()), ("text", key.lower())]
    forms += [("text", rng.choice(INVISIBLE) + key), ("text", key + rng.choice(INVISIBLE))]
    forms += [("text", unicodedata.normalize("NFD", key)), ("text", key[:1] + "\u00ad\u200b" + key[1:])]
    forms += [("text", key.replace("-", "\u2011")), ("text", key.translate(FULL_WIDTH))]
    return rng.choice(forms)


def respelled(cell: Cell) -> Cell:
    """The same key in small letters and with a blank, where it is text."""
    kind, text = cell
    return ("text", f"\u00a0{text.lower()} ") if kind == "text" and text.strip() else cell


def erp_row(rng: random.Random, key: str, price: Cell) -> dict[str, Cell]:
    stock = rng.choice([EMPTY, ("number", "-2"), ("text", "12"), ("error", None), number(rng.randint(0, 60))])
    return {
        "product_id": spelled(rng, key),
        "onsale_web": rng.choice([("number", "1"), ("number", "0"), ("text", "1"), ("text", " 0 ")]),
        "price": price,
        "stock_quantity": stock,
        "stock_status": rng.choice([("text", "instock"), ("text", "outofstock"), EMPTY]),
    }


def web_row(rng: random.Random, key: str | None, units: Cell, post_type: str = "product") -> dict[str, Cell]:
    title = rng.choice(
        ["Clos &amp; Fils", "\u00a0Mas d&#39;Or&nbsp;", "Château &eacute;", "=1+1", "&amp;amp;", " ", ""]
    )
    return {
        "sku": EMPTY if key is None else spelled(rng, key),
        "post_type": ("text", rng.choice([post_type] * 4 + [post_type.upper(), f" {post_type}\u00a0"])),
        "post_title": ("text", f"{title}{rng.choice(['', ' 2019'])}") if title else EMPTY,
        "total_sales": units,
        "post_status": rng.choice([("text", "publish")] * 4 + [("text", " Publish\u200b"), EMPTY, ("number", "1")]),
        "post_date": rng.choice(DATES),
    }


def link_row(rng: random.Random, product_id: str, id_web: str | None) -> dict[str, Cell]:
    return {
        "product_id": spelled(rng, product_id),
        "id_web": EMPTY if id_web is None else spelled(rng, id_web),
    }


DATES: list[Cell] = [
    *[("date", f"20{year}-02-28 16:27:25") for year in range(10, 25)],
    ("text", "2018-06-07"), ("text", "07/06/2018"), ("text", "2023-02-29"), ("number", "43258"), ("error", None), EMPTY,
]  # fmt: skip


def good_price(rng: random.Random) -> Cell:
    return rng.choice(EDGE_PRICES) if rng.random() < 0.3 else number(round(rng.lognormvariate(3, 0.5), 2))


def good_units(rng: random.Random) -> Cell:
    units = rng.randint(2, 40)
    forms = [
        ("text", f"{units}"),
        ("text", f"{units},00"),
        ("text", f"+{units}.0"),
        ("text", "1 002"),
        ("text", "-0"),
    ]
    return rng.choice(forms) if rng.random() < 0.2 else number(units)


def bad_price(rng: random.Random) -> Cell:
    return rng.choice(rng.choice(NO_PRICE))


def bad_units(rng: random.Random) -> Cell:
    return rng.choice(rng.choice(NO_UNITS))


def few_units(rng: random.Random) -> Cell:
    return number(rng.randint(0, 2))


def clean_month(rng: random.Random) -> Month:
    """Products that are in all three; at times all prices are equal, or all but one: of five it has z = 2."""
    count = rng.choice([5, 6, 9, 10, 18, 20, 27, 36, 40, *(rng.randint(5, 40) for _ in range(9))])
    keys = [f"{key}" for key in rng.sample(range(3000, 20000), 6 * count + 60)] + ODD_KEYS
    rng.shuffle(keys)
    month = Month(rng, spare_keys=keys, joined=count)
    prices = [good_price(rng) for _ in range(count)]
    if rng.random() < 0.25:
        prices = [("text", "12,30")] * (count - 1) + [rng.choice([("number", "12.3"), ("number", "90")])]
    for price in prices:
        product_id, sku = month.new_key(), month.new_key()
        month.erp.append(erp_row(rng, product_id, price))
        month.liaison.append(link_row(rng, product_id, sku))
        month.web.append(web_row(rng, sku, good_units(rng)))
    return month


# --- dirt that stops nothing


def blank_rows(month: Month) -> None:
    for sheet in (month.erp, month.liaison, month.web):
        sheet.append({column: month.rng.choice([EMPTY, ("text", " \u00a0")]) for column in sheet[0]})


def padding(month: Month) -> None:
    """Rows of the shop without type, key or sales."""
    rng = month.rng
    row = web_row(rng, None, rng.choice([EMPTY, ("number", "0"), ("text", "0,0")]))
    month.web.append(row | {"post_type": rng.choice([EMPTY, ("text", " "), ("boolean", "true"), ("error", None)])})


def attachments(month: Month) -> None:
    """Pictures, and variations that sold nothing, which repeat a product's sku."""
    rng = month.rng
    for _ in range(3):
        kind, units = rng.choice(
            [("attachment", number(77)), ("product_variation", number(0)), ("page", ("text", "x"))]
        )
        row = web_row(rng, "1", rng.choice([units, EMPTY]), kind)
        month.web.append(row | {"sku": rng.choice([month.joined_row(month.web)["sku"], EMPTY, *UNREADABLE])})
    month.web.append(web_row(rng, month.new_key(), number(3)) | {"post_type": ("number", "7")})


def unsold_products(month: Month) -> None:
    """Products of the ERP without a live link, faulty prices and all, for every reason there is."""
    rng = month.rng
    for flag in (
        ("number", "0"),
        ("text", "1"),
        EMPTY,
        ("text", "oui"),
        ("boolean", "true"),
        ("number", "2"),
    ):
        key = month.new_key()
        price = rng.choice([good_price(rng), bad_price(rng)])
        month.erp.append(erp_row(rng, key, price) | {"onsale_web": flag})
        if rng.random() < 0.5:
            month.liaison += [link_row(rng, key, None) for _ in range(rng.randint(1, 2))]


def contradicting_unsold_product(month: Month) -> None:
    key = month.new_key()
    prices = [good_price(month.rng), ("number", "4.44"), bad_price(month.rng)]
    month.erp += [erp_row(month.rng, key, price) for price in prices]


def erp_rows_without_key(month: Month) -> None:
    rng = month.rng
    for key, price in ((EMPTY, good_price(rng)), (rng.choice(UNREADABLE), EMPTY)):
        month.erp.append(erp_row(rng, "1", price) | {"product_id": key})


def links_without_key(month: Month) -> None:
    rng = month.rng
    live, dead = rng.choice(month.web[: month.joined])["sku"], rng.choice(UNREADABLE)
    for product_id, id_web in (
        (EMPTY, live),
        (EMPTY, dead),
        (dead, live),
        (dead, EMPTY),
        (("text", "x1"), dead),
    ):
        month.liaison.append({"product_id": product_id, "id_web": id_web})


def link_of_unknown_product(month: Month) -> None:
    """A second link to a live sku, from a product that the ERP does not know: dead, so no sku is shared."""
    month.liaison.append(link_row(month.rng, month.new_key(), None) | {"id_web": month.joined_row(month.web)["sku"]})


def repeated_products(month: Month) -> None:
    """Exact repetitions, and some that differ in the stock, in how the key is spelled or how the price is typed."""
    rng = month.rng
    for _ in range(rng.randint(1, 3)):
        row = rng.choice(month.erp)
        others = [{}, {"stock_quantity": ("number", "99")}, {"stock_status": EMPTY}, {"onsale_web": ("text", "5")}]
        others.append({"product_id": respelled(row["product_id"])})
        if row["price"][0] == "number":
            others.append({"price": ("text", f"{row['price'][1].replace('.', ',')} €")})
        month.erp.append(row | rng.choice(others))


def unpublished_twins(month: Month) -> None:
    """Posts of a sku that is published as well, whatever they say of it."""
    rng = month.rng
    for status in rng.sample(["trash", "Draft ", "pending", "private", "auto-draft"], 2):
        units = rng.choice([number(99), bad_units(rng)])
        row = month.joined_row(month.web)
        row["post_status"] = rng.choice([EMPTY, ("text", "publish")])
        month.web.append(row | {"post_status": ("text", status), "total_sales": units})


def unpublished_products(month: Month) -> None:
    month.joined_row(month.web)["post_status"] = ("text", "trash")


def notes(month: Month) -> None:
    """What people write below a table."""
    rng = month.rng
    words: list[Cell] = [("text", "exported on 31/05/2025"), ("date", "2025-05-31 00:00:00"), ("text", "Total")]
    month.web.append(dict.fromkeys(month.web[0], EMPTY) | {"sku": rng.choice(words)})
    month.erp.append(dict.fromkeys(month.erp[0], EMPTY) | {"product_id": rng.choice(words)})
    month.liaison.append(dict.fromkeys(month.liaison[0], EMPTY) | {"product_id": rng.choice(words)})


def languages(month: Month) -> None:
    """One product in several languages."""
    row = month.joined_row(month.web)
    month.web += [row | {"post_title": ("text", title)} for title in ("Wein", "Wine")]


def drafts(month: Month) -> None:
    for _ in range(9):
        units = month.rng.choice([EMPTY, ("number", "0")])
        month.web.append(web_row(month.rng, None, units) | {"post_status": ("text", "draft")})


def repeated_links(month: Month) -> None:
    for _ in range(2):
        month.liaison.append(dict(month.rng.choice(month.liaison)))


def revenue_below_the_limit(month: Month) -> None:
    """One product with all the money there can be; the others nearly give theirs up."""
    for row in month.web[: month.joined]:
        row["total_sales"] = ("number", "0")
    month.erp[0]["price"], month.web[0]["total_sales"] = ("number", "4999999999999.99"), ("number", "2")


HARMLESS: list[Callable[[Month], None]] = [
    blank_rows, padding, attachments, unsold_products, contradicting_unsold_product, erp_rows_without_key,
    links_without_key, link_of_unknown_product, repeated_products, repeated_links,
    unpublished_products, unpublished_twins, notes, languages, drafts,
]  # fmt: skip


# --- dirt that stops nothing while there is little of it: each adds one product of the shop that is not used


def repeated_post(month: Month) -> None:
    row = month.joined_row(month.web)
    row["total_sales"] = few_units(month.rng)
    others = [{}, {"post_title": ("text", "Autre")}, {"post_title": EMPTY}, {"sku": respelled(row["sku"])}]
    month.web.append(row | month.rng.choice(others))


def post_without_key(month: Month) -> None:
    month.web.append(web_row(month.rng, None, month.rng.choice([few_units(month.rng), bad_units(month.rng)])))


def post_with_unreadable_key(month: Month) -> None:
    units = month.rng.choice([EMPTY, ("number", "0"), ("text", "0,0"), ("text", "\ufeff")])
    month.web.append(web_row(month.rng, "1", units) | {"sku": month.rng.choice(UNREADABLE)})


def unlinked_post(month: Month) -> None:
    month.web.append(
        web_row(month.rng, month.new_key(), month.rng.choice([few_units(month.rng), bad_units(month.rng)]))
    )


UNUSED_POSTS = [repeated_post, post_without_key, post_with_unreadable_key, unlinked_post]


def dead_link(month: Month) -> None:
    """A link to a sku that the shop does not know, from a live product or from one that is not sold."""
    row = month.rng.choice(month.erp)
    month.liaison.append(link_row(month.rng, "1", month.new_key()) | {"product_id": row["product_id"]})


# --- dirt that stops the month


def no_price(month: Month) -> None:
    month.joined_row(month.erp)["price"] = bad_price(month.rng)


def no_units(month: Month) -> None:
    month.joined_row(month.web)["total_sales"] = bad_units(month.rng)


def contradicting_product(month: Month) -> None:
    price = month.rng.choice([("number", "4.44"), ("number", "4.445"), bad_price(month.rng)])
    month.erp.append(month.joined_row(month.erp) | {"price": price})


def contradicting_post(month: Month) -> None:
    units = month.rng.choice([("number", "1"), bad_units(month.rng)])
    month.web.append(month.joined_row(month.web) | {"total_sales": units})


def two_live_skus(month: Month) -> None:
    sku = month.new_key()
    month.web.append(web_row(month.rng, sku, few_units(month.rng)))
    month.liaison.append(link_row(month.rng, "1", sku) | {"product_id": month.joined_row(month.erp)["product_id"]})


def shared_sku(month: Month) -> None:
    key = month.new_key()
    month.erp.append(erp_row(month.rng, key, good_price(month.rng)))
    month.liaison.append(link_row(month.rng, key, None) | {"id_web": month.joined_row(month.web)["sku"]})


def crossed_links(month: Month) -> None:
    """The product of one row and the sku of another: two skus and a shared one at once."""
    first, second = month.rng.sample(month.liaison[: month.joined], 2)
    month.liaison.append({"product_id": first["product_id"], "id_web": second["id_web"]})


def blank_post_type(month: Month) -> None:
    rng = month.rng
    key, units = rng.choice([("1", ("number", "0")), (None, ("number", "3")), (None, ("text", "x")), ("1", EMPTY)])
    blank = rng.choice([EMPTY, ("text", "\u200b"), ("error", None), ("uncalculated", None), ("boolean", "true")])
    month.web.append(web_row(rng, key, units) | {"post_type": blank})


def variation_with_sales(month: Month) -> None:
    units = month.rng.choice([("number", "1"), ("text", "0,5"), ("error", None)])
    month.web.append(web_row(month.rng, month.rng.choice([None, "77777"]), units, "product_variation"))


def unreadable_key_with_price(month: Month) -> None:
    price = month.rng.choice([good_price(month.rng), ("number", "0"), ("error", None)])
    month.erp.append(erp_row(month.rng, "1", price) | {"product_id": month.rng.choice(UNREADABLE)})


def unreadable_key_with_sales(month: Month) -> None:
    units = month.rng.choice([("number", "1"), ("text", "x"), ("error", None)])
    month.web.append(web_row(month.rng, "1", units) | {"sku": month.rng.choice(UNREADABLE)})


def too_many_unused_posts(month: Month) -> None:
    for _ in range(month.joined // 9 + 1):
        unlinked_post(month)


def too_many_unused_units(month: Month) -> None:
    month.web.append(web_row(month.rng, month.new_key(), ("number", "9000")))


def too_many_dead_links(month: Month) -> None:
    for _ in range(month.joined // 9 + 1):
        dead_link(month)


def no_link_at_all(month: Month) -> None:
    for row in month.liaison:
        row["id_web"] = month.rng.choice([EMPTY, ("text", f"gone-{month.rng.randint(0, 9)}")])


def padded_keys(month: Month) -> None:
    """Zeros in front of one workbook's keys, which another one lacks."""
    sheet, column = month.rng.choice([(month.erp, "product_id"), (month.liaison, "id_web"), (month.web, "sku")])
    for row in sheet:
        kind, text = row[column]
        if kind in ("number", "text") and text.strip():
            row[column] = ("text", f"00{text.strip()}")


def revenue_at_the_limit(month: Month) -> None:
    revenue_below_the_limit(month)
    month.erp[0]["price"] = ("number", "5000000000000")


FATAL: list[Callable[[Month], None]] = [
    no_price, no_price, no_units, no_units, contradicting_product, contradicting_post, two_live_skus,
    shared_sku, crossed_links, blank_post_type, variation_with_sales, unreadable_key_with_price,
    unreadable_key_with_sales, too_many_unused_posts, too_many_unused_units, too_many_dead_links, no_link_at_all,
    padded_keys,
]  # fmt: skip


def dirty_month(seed: int) -> Sheets:
    """The month of this seed: `erp`, `liaison` and `web`, each row with its number in Excel."""
    rng = random.Random(seed)
    month = clean_month(rng)
    # Of n products in use n // 9 more may be unused, and as many links dead: exactly 10 % where 9 divides n.
    for _ in range(rng.choice([0, month.joined // 9, rng.randint(0, month.joined // 9)])):
        rng.choice(UNUSED_POSTS)(month)
    for dirty in rng.sample(HARMLESS, rng.randint(2, len(HARMLESS))):
        dirty(month)
    for _ in range(rng.choice([0, month.joined // 9, rng.randint(0, month.joined // 9)])):
        dead_link(month)
    if rng.random() < 0.05:
        rng.choice([revenue_below_the_limit, revenue_at_the_limit])(month)
    elif rng.random() < 0.45:
        for dirty in rng.sample(FATAL, rng.choice([1, 1, 1, 2, 3])):
            dirty(month)
    return {source: numbered(rng, getattr(month, source)) for source in ("erp", "liaison", "web")}


def numbered(rng: random.Random, rows: list[dict[str, Cell]]) -> list[Row]:
    """The rows in some order below a header in row 1."""
    rng.shuffle(rows)
    return list(enumerate(rows, start=2))
