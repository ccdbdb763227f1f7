"""Writes the sample: fourteen monthly snapshots of an invented wine shop, with the faults of real exports.

`python data/generate.py` writes `2024-04/` to `2025-05/` next to this file: the same seed, the same bytes. The last
snapshot is drawn first; the earlier ones follow from it, by taking back what has happened since.
Every estate, wine and figure is made up; only appellations and grapes exist.
"""
# ruff: noqa: INP001, S311 - a script, not a package; random numbers with a seed

import random
import re
import unicodedata
from copy import copy
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import xlsxwriter

Row = dict[str, Any]

SEED = 202505
SNAPSHOTS = [datetime(2024 + month // 12, month % 12 + 1, 15, 6, 0, tzinfo=UTC) for month in range(3, 17)]
EXPORTED = SNAPSHOTS[-1]
SEASON = dict.fromkeys(range(1, 13), 8) | {1: 24, 2: 7, 3: 6, 5: 6, 8: 6, 9: 5, 11: 10, 12: 14}
"""How much is sold in the period that ends in each month: most of it for Christmas."""
EARLIER_SALES = 80
"""How much was sold before the first snapshot, on the same scale."""

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
    is_linked: bool = True
    listed: datetime | None = None


@dataclass
class History:
    """What happened to a wine; snapshots are counted from 0, and the period before each has its number.

    Attributes:
        sold: Bottles sold in each period.
        first: The first snapshot with the wine.
        last: The last one.
        linked: The first one in which the wine is linked to the shop.
        repriced: The first one with today's price.
        factor: The price before that, as a share of today's.
    """

    sold: list[int]
    first: int = 0
    last: int = len(SNAPSHOTS) - 1
    linked: int = 0
    repriced: int = 0
    factor: float = 1.0

    def at(self, snapshot: int, wine: Wine) -> Wine | None:
        """The wine at a snapshot; None if it was not in the shop."""
        if not self.first <= snapshot <= self.last:
            return None
        sold_since = sum(self.sold[snapshot + 1 :])
        stock = wine.stock + sold_since
        then = replace(
            wine,
            units=wine.units - sold_since,
            # Stock above forty bottles was delivered since then, in cases of six.
            stock=wine.stock if wine.stock < 0 else stock if stock <= max(40, wine.stock) else 12 + stock % 24,
            is_linked=snapshot >= self.linked,
        )
        if snapshot < self.repriced:
            then.price = round(wine.price * self.factor, 1)
        return then


def draw_wines(rng: random.Random) -> list[Wine]:
    """Products without faults: 210 linked ones, 30 only in the ERP, 2 only in the shop."""
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
        wine.id_web = dead_link  # the shop has removed the product, the link remains
    unlinked[10].online = unlinked[5].online = True  # sold online according to the ERP, but without a partner
    linked[23].id_web = f"{linked[23].id_web}-1"
    gift_card = linked[24]
    gift_card.id_web, gift_card.title, gift_card.price = "carte-cadeau-50-euros", "Carte cadeau de 50 €", 50
    linked[25].price = 34.29999999999999  # sums of floats end like this; it is 34.30
    for wine in linked[26:34]:
        wine.title += " Fût &amp; Amphore"
    for wine in linked[34:38]:
        wine.title = wine.title.replace(" ", "\N{NO-BREAK SPACE}", 1).replace("'", "&#8217;")


def erp_row(wine: Wine) -> Row:
    """The product's row in the ERP."""
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
    created = wine.listed or datetime(2023, 4, 3, 8, 0, tzinfo=UTC) + timedelta(minutes=37 * wine.product_id)
    modified = EXPORTED - timedelta(seconds=rng.randrange(10**7))
    post_id = rng.randrange(10**6)
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
        "guid": f"https://cave.example/?post_type=product&#038;p={post_id}",
        "post_type": "product",
    }  # fmt: skip


def attachment_row(page: Row, rng: random.Random) -> Row:
    """The picture of a page: it repeats the sku, and sometimes an older count of sales."""
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


def draw_histories(rng: random.Random, wines: list[Wine]) -> list[History]:
    """What happened to each of the linked wines, within the fourteen snapshots."""
    last = len(SNAPSHOTS) - 1
    first = dict(zip(range(40, 46), (2, 4, 7, 9, 11, last), strict=True))  # six wines that are new in these months
    histories = []
    for number, wine in enumerate(wines):
        begins = first.get(number, 0)
        weights = [SEASON[snapshot.month] if period > begins else 0 for period, snapshot in enumerate(SNAPSHOTS)]
        weights[begins] = SEASON[SNAPSHOTS[begins].month] if begins else EARLIER_SALES
        periods = rng.choices(range(last + 1), weights, k=wine.units)
        histories.append(History([periods.count(period) for period in range(last + 1)], first=begins))
        if begins:
            wine.listed = SNAPSHOTS[begins] - timedelta(days=rng.randint(4, 25))
    for history in rng.sample(histories, 60):
        history.repriced, history.factor = rng.randint(1, last), rng.uniform(0.9, 1.04)
    for number, linked in zip((60, 75, 90), (3, 8, last), strict=True):
        histories[number].linked = linked
    quiet = [history for history in histories if history.sold[-1] == history.sold[-2] == 0 < history.sold[0]]
    for history in rng.sample(quiet, 4):  # ordered before the last snapshot but one, and cancelled after it
        history.sold[-2:] = [1, -1]
    return histories


def draw_delisted(rng: random.Random, wines: list[Wine]) -> list[tuple[Wine, History]]:
    """Five more wines that the shop delisted."""
    taken = {wine.product_id for wine in wines} | {wine.id_web for wine in wines}
    estates = [
        f"{estate} {rng.choice(NAMES)} {next(iter(appellations))}" for estate, appellations in APPELLATIONS.items()
    ]
    delisted = []
    for title, last in zip(estates, (2, 5, 8, 10, 12), strict=True):
        product_id = next(number for number in iter(lambda: rng.randrange(3900, 6100), None) if number not in taken)
        id_web = next(number for number in iter(lambda: rng.randrange(14000, 17000), None) if number not in taken)
        sold = [rng.randint(6, 15), *(rng.randint(0, 2) for _ in range(last))]
        wine = Wine(product_id, id_web, f"{title} 2011", rng.randint(12, 40), sum(sold), rng.randint(0, 9))
        delisted.append((wine, History(sold + [0] * (len(SNAPSHOTS) - len(sold)), last=last)))
    return delisted


def sample_snapshots(rng: random.Random) -> dict[str, list[Wine]]:
    """The products of each snapshot, by its label."""
    wines = draw_wines(rng)
    add_dirt(wines)
    history_rng = random.Random(SEED + 1)
    pairs = list(zip(wines, draw_histories(history_rng, wines[:210]), strict=False))
    pairs += [(wine, History([0] * len(SNAPSHOTS))) for wine in wines[210:]]
    pairs += draw_delisted(history_rng, wines)
    return {
        f"{exported:%Y-%m}": [then for wine, history in pairs if (then := history.at(number, wine))]
        for number, exported in enumerate(SNAPSHOTS)
    }


def write_month(folder: Path, wines: list[Wine], rng: random.Random) -> None:
    """Write `erp.xlsx`, `liaison.xlsx` and `web.xlsx` into the folder."""
    products = sorted((wine for wine in wines if wine.in_erp), key=lambda wine: wine.product_id)
    links = [{"product_id": wine.product_id, "id_web": wine.id_web if wine.is_linked else None} for wine in products]
    folder.mkdir(parents=True, exist_ok=True)
    write_workbook(folder / "erp.xlsx", [erp_row(wine) for wine in products])
    write_workbook(folder / "liaison.xlsx", links)
    write_workbook(folder / "web.xlsx", web_rows(wines, rng))


def write_sample(folder: Path) -> None:
    """Write a folder for each snapshot."""
    rng = random.Random(SEED)
    for month, wines in sample_snapshots(rng).items():
        write_month(folder / month, wines, copy(rng))


if __name__ == "__main__":
    write_sample(Path(__file__).parent)
