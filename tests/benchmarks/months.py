"""Months of any size for the benchmarks: the merchant's columns and its shares of dirt, from a seed.

`python tests/benchmarks/months.py 10k FOLDER` writes one by hand. The same size and seed give the same bytes.
"""

import random
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import xlsxwriter

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "data"))

from generate import (  # noqa: E402 - the generator of the sample month is a script and no package
    APPELLATIONS,
    EXPORTED,
    NAMES,
    Row,
    Wine,
    attachment_row,
    erp_row,
    padding_row,
    product_row,
)

CACHE = ROOT / "build" / "benchmarks"
"""Generated months are kept here between runs; not under version control."""

SIZES = {"real": 714, "10k": 10_000, "100k": 100_000, "500k": 500_000}
"""Products that are in all three workbooks; `real` is the size of the merchant's own month."""

SEED = 202505
_REAL = SIZES["real"]
_SHEET_ROWS = 1_048_575  # below the header


def month(size: str) -> Path:
    """The folder with the three workbooks of this size, written at the first call."""
    folder = CACHE / size
    if not (folder / "web.xlsx").exists():
        folder.mkdir(parents=True, exist_ok=True)
        write_month(folder, SIZES[size])
    return folder


def write_month(folder: Path, products: int) -> None:
    """Write `erp.xlsx`, `liaison.xlsx` and `web.xlsx`, the web shop's last."""
    rng = random.Random(SEED)
    wines = _wines(rng, products)
    known = sorted((wine for wine in wines if wine.in_erp), key=lambda wine: wine.product_id)
    _write(folder / "erp.xlsx", map(erp_row, known))
    _write(folder / "liaison.xlsx", ({"product_id": wine.product_id, "id_web": wine.id_web} for wine in known))
    _write(folder / "web.xlsx", _web_rows(rng, [wine for wine in wines if wine.in_shop]))


def _wines(rng: random.Random, products: int) -> list[Wine]:
    """Linked products, then those that only the ERP knows, then those that only the shop knows."""
    alone, unlisted = _share(products, 111), _share(products, 2)
    count = products + alone + unlisted
    bottlings = [
        (f"{estate} {name} {appellation}", price)
        for estate, appellations in APPELLATIONS.items()
        for appellation, price in appellations.items()
        for name in NAMES
    ]
    product_ids = rng.sample(range(3_900, 3_900 + 2 * count), count)
    web_ids = rng.sample(range(14_000, 14_000 + 2 * count), count)
    wines = []
    for number, (product_id, id_web) in enumerate(zip(product_ids, web_ids, strict=True)):
        name, usual_price = bottlings[rng.randrange(len(bottlings))]
        price = round(usual_price * rng.lognormvariate(0, 0.3), 1)
        title = f"{name} {rng.randint(2005, 2022)} n° {number + 1}"
        units = int(rng.expovariate(price**0.5 / 25))
        wines.append(Wine(product_id, id_web, title, price, units, stock=max(0, rng.randint(-12, 60))))
    linked, unlinked, only_shop = wines[:products], wines[products : products + alone], wines[products + alone :]
    for wine in unlinked:
        wine.id_web, wine.online, wine.in_shop = None, False, False
    for wine in only_shop:
        wine.id_web, wine.in_erp = None, False
    _add_dirt(rng, products, linked, unlinked)
    return wines


def _share(products: int, of_the_real_month: int) -> int:
    return max(1, round(products * of_the_real_month / _REAL))


def _add_dirt(rng: random.Random, products: int, linked: list[Wine], unlinked: list[Wine]) -> None:
    """The faults of the merchant's month, as often as there; none of them touches a figure."""
    for wine in rng.sample(unlinked, _share(products, 2)):
        wine.price = -wine.price
    for wine in rng.sample(unlinked, _share(products, 20)):
        wine.id_web = f"{wine.product_id}-gone"  # the shop has taken the product away, the link was left
    for wine in (*rng.sample(unlinked, _share(products, 1)), *rng.sample(linked, _share(products, 1))):
        wine.stock = -rng.randint(1, 9)
    for wine in rng.sample(linked, _share(products, 6)):
        wine.stock_status = "outofstock" if wine.stock > 0 else "instock"
    for wine in rng.sample(linked, _share(products, 3)):
        wine.id_web = f"{wine.id_web}-1"
    for wine in rng.sample(linked, _share(products, 2)):
        wine.price = round(wine.price, 2) + 1e-14  # sums of floats end like this
    for wine in rng.sample(linked, _share(products, 30)):
        wine.title += " Fût &amp; Amphore"


def _web_rows(rng: random.Random, wines: list[Wine]) -> Iterator[Row]:
    """Pages, the pictures of those with a sku, and padding, in no order; padding ends where the sheet does."""
    pictured = [wine for wine in wines if wine.id_web is not None]
    padding = min(_share(len(pictured), 83), _SHEET_ROWS - len(wines) - len(pictured))
    rows = [(wine, False) for wine in wines] + [(wine, True) for wine in pictured] + [(None, False)] * padding
    rng.shuffle(rows)
    for wine, is_picture in rows:
        if wine is None:
            yield padding_row()
        else:
            page = product_row(wine, random.Random(wine.product_id))  # the same page for its picture
            yield attachment_row(page, rng) if is_picture else page


def _write(path: Path, rows: Iterator[Row]) -> None:
    """Rows below a header; a workbook that is not complete has another name."""
    partial = path.with_suffix(".partial")
    options = {
        "constant_memory": True,
        "strings_to_urls": False,
        "strings_to_formulas": False,
        "remove_timezone": True,
        "default_date_format": "yyyy-mm-dd hh:mm:ss",
    }
    first = next(rows)
    with xlsxwriter.Workbook(partial, options) as workbook:
        workbook.set_properties({"created": EXPORTED})
        sheet = workbook.add_worksheet()
        for index, cells in enumerate(chain([list(first)], (row.values() for row in chain([first], rows)))):
            sheet.write_row(index, 0, cells)
    partial.rename(path)


if __name__ == "__main__":
    target = Path(sys.argv[2])
    target.mkdir(parents=True, exist_ok=True)
    write_month(target, SIZES[sys.argv[1]])
