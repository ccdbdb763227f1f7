"""Writes the sample month: three small workbooks of invented wines, with the dirt that real exports have.

`python data/generate.py` writes the workbooks beside this file again: the same seed, the same bytes.
Every estate, wine and figure is made up; only appellations and grapes exist.
"""
# ruff: noqa: INP001, S311 - a script, not a package; the draws need a seed and no secrecy

import random
import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import xlsxwriter

Row = dict[str, Any]

SEED = 202505
EXPORTED = datetime(2025, 5, 31, 18, 0, tzinfo=UTC)

NAMES = (
    "Aubelune", "Brumevent", "Corneboise", "d'Espérelles", "des Trois Grillons", "Fauvernoise", "Griselande",
    "Hautequeue", "l'Ormeraie-Basse", "Malvaronne", "Noirpinson", "Pierregrive", "Quatrechênes",
)  # fmt: skip
# Kind of estate, what it bottles, and what a bottle costs in the middle of the range, EUR.
APPELLATIONS = {
    "Château": {"Fronsac": 14, "Saint-Estèphe": 31, "Pomerol": 39, "Sauternes": 33},
    "Domaine": {"Mâcon-Villages": 15, "Rully Blanc": 24, "Gevrey-Chambertin": 45, "Corton Grand Cru": 135},
    "Clos": {"Chinon": 13, "Sancerre Blanc": 19, "Vouvray Sec Chenin": 16, "Saumur-Champigny": 14},
    "Mas": {"Faugères": 13, "Pic Saint-Loup Syrah": 17, "Pays d'Oc Grenache": 9, "La Clape Blanc": 15},
    "Champagne": {"Blanc de Blancs": 37, "Extra Brut": 34, "Brut Rosé": 42, "Brut Nature Meunier": 39},
}
EXCERPTS = (
    "Nez de cerise noire et de réglisse, bouche souple.",
    "Un blanc tendu, sur le citron &amp; la pierre à fusil.",
    "Bulle fine, finale saline. Parfait à l'apéritif.",
)


@dataclass
class Wine:
    """One product, before it is spread over the three workbooks."""

    product_id: int
    id_web: int | str | None
    title: str
    price: float
    units: int
    stock: int
    online: bool = True
    in_shop: bool = True
    in_erp: bool = True
    stock_status: str | None = None


def draw_wines(rng: random.Random) -> list[Wine]:
    """Clean products: 210 linked ones, 30 that only the ERP knows, 2 that only the shop knows."""
    bottlings = [
        (f"{estate} {name} {appellation}", price)
        for estate, appellations in APPELLATIONS.items()
        for appellation, price in appellations.items()
        for name in NAMES
    ]
    drawn = rng.sample(bottlings, 242)
    product_ids, web_ids = rng.sample(range(3900, 6100), 242), rng.sample(range(14000, 17000), 242)
    wines = []
    for (title, usual_price), product_id, id_web in zip(drawn, product_ids, web_ids, strict=True):
        price = round(usual_price * rng.lognormvariate(0, 0.3), 1)
        units = int(rng.expovariate(price**0.5 / 25))
        stock = max(0, rng.randint(-12, 60))
        wines.append(Wine(product_id, id_web, f"{title} {rng.randint(2012, 2022)}", price, units, stock))
    for wine in wines[210:240]:
        wine.id_web, wine.online, wine.in_shop = None, False, False
    for wine, units in zip(wines[240:], (2, 7), strict=True):
        wine.id_web, wine.units, wine.in_erp = None, units, False
    return wines


def add_dirt(wines: list[Wine]) -> None:
    """The faults of real months, each on a product of its own; none of them touches a figure."""
    linked, unlinked = wines[:210], wines[210:240]
    unlinked[0].price, unlinked[1].price = -9, -1
    unlinked[2].stock, unlinked[3].stock, linked[20].stock = -4, -1, -2
    for wine in (linked[21], linked[22], unlinked[4]):
        wine.stock_status = "outofstock" if wine.stock > 0 else "instock"
    for wine, dead_link in zip(unlinked[5:10], (17104, 17121, 17133, 17190, "15208-1"), strict=True):
        wine.id_web = dead_link  # the shop has taken the product away, the link was left
    unlinked[10].online = unlinked[5].online = True  # sold online, says the ERP, but without a partner
    linked[23].id_web = f"{linked[23].id_web}-1"
    gift_card = linked[24]
    gift_card.id_web, gift_card.title, gift_card.price = "carte-cadeau-50-euros", "Carte cadeau de 50 €", 50
    linked[25].price = 34.29999999999999  # sums of floats end like this; it is 34.30
    for wine in linked[26:34]:
        wine.title += " Fût &amp; Amphore"
    for wine in linked[34:38]:
        wine.title = wine.title.replace(" ", "\N{NO-BREAK SPACE}", 1).replace("'", "&#8217;")


def erp_row(wine: Wine) -> Row:
    """The product as the ERP knows it."""
    return {
        "product_id": wine.product_id,
        "onsale_web": int(wine.online),
        "price": wine.price,
        "stock_quantity": wine.stock,
        "stock_status": wine.stock_status or ("instock" if wine.stock > 0 else "outofstock"),
    }


def padding_row() -> Row:
    """A row of the shop's export with nothing but flags: its 28 columns, in the shop's order."""
    columns = (
        "sku virtual downloadable rating_count average_rating total_sales tax_status tax_class post_author "
        "post_date post_date_gmt post_content post_title post_excerpt post_status comment_status ping_status "
        "post_password post_name post_modified post_modified_gmt post_content_filtered post_parent guid "
        "menu_order post_type post_mime_type comment_count"
    )
    return dict.fromkeys(columns.split()) | {"virtual": 0, "downloadable": 0, "rating_count": 0}


def product_row(wine: Wine, rng: random.Random) -> Row:
    """The wine's page in the shop."""
    created = datetime(2023, 4, 3, 8, 0, tzinfo=UTC) + timedelta(seconds=rng.randrange(10**7))
    modified = EXPORTED - timedelta(seconds=rng.randrange(10**6))
    paris = timedelta(hours=2)
    plain_title = unicodedata.normalize("NFKD", wine.title).encode("ascii", "ignore").decode()
    counts = dict.fromkeys(("average_rating", "post_parent", "menu_order", "comment_count"), 0)
    return padding_row() | counts | {
        "sku": wine.id_web,
        "total_sales": wine.units,
        "tax_status": "taxable",
        "post_author": 2,
        "post_date": created + paris,
        "post_date_gmt": created,
        "post_title": wine.title,
        "post_excerpt": rng.choice(EXCERPTS),
        "post_status": "publish",
        "comment_status": "closed",
        "ping_status": "closed",
        "post_name": re.sub(r"[^a-z0-9]+", "-", plain_title.lower()),
        "post_modified": modified + paris,
        "post_modified_gmt": modified,
        "guid": f"https://cave.example/?post_type=product&#038;p={wine.product_id}",
        "post_type": "product",
    }  # fmt: skip


def attachment_row(page: Row, rng: random.Random) -> Row:
    """The picture of a page: it repeats the sku, and now and then an older count of sales."""
    stale = rng.randrange(50) == 0
    return page | {
        "total_sales": page["total_sales"] + rng.randint(5, 40) if stale else page["total_sales"],
        "tax_status": None,
        "post_excerpt": None,
        "post_type": "attachment",
        "post_mime_type": "image/jpeg",
        "guid": f"https://cave.example/wp-content/uploads/2025/05/{page['post_name']}.jpg",
    }


def web_rows(wines: list[Wine], rng: random.Random) -> list[Row]:
    """The shop's export: pages, their pictures and padding, in no order."""
    pages = [product_row(wine, rng) for wine in wines if wine.in_shop]
    pictures = [attachment_row(page, rng) for page in pages if page["sku"]]
    rows = pages + pictures + [padding_row() for _ in range(24)]
    rng.shuffle(rows)
    return rows


def write_workbook(path: Path, rows: list[Row]) -> None:
    """The rows below a header on one sheet; the same bytes whenever it is written."""
    options = {
        "strings_to_urls": False,
        "remove_timezone": True,
        "default_date_format": "yyyy-mm-dd hh:mm:ss",
    }
    with xlsxwriter.Workbook(path, options) as workbook:
        workbook.set_properties({"created": EXPORTED})
        sheet = workbook.add_worksheet()
        for index, cells in enumerate([list(rows[0]), *(row.values() for row in rows)]):
            sheet.write_row(index, 0, cells)


def write_month(folder: Path) -> None:
    """Write `erp.xlsx`, `liaison.xlsx` and `web.xlsx` into the folder."""
    rng = random.Random(SEED)
    wines = draw_wines(rng)
    add_dirt(wines)
    products = sorted((wine for wine in wines if wine.in_erp), key=lambda wine: wine.product_id)
    links = [{"product_id": wine.product_id, "id_web": wine.id_web} for wine in products]
    write_workbook(folder / "erp.xlsx", [erp_row(wine) for wine in products])
    write_workbook(folder / "liaison.xlsx", links)
    write_workbook(folder / "web.xlsx", web_rows(wines, rng))


if __name__ == "__main__":
    write_month(Path(__file__).parent)
