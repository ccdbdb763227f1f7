"""Months of several shops, one after the other, as their exports would stand: the shop's counter grows."""

import random
import sys
from collections.abc import Collection, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "data"))

# The generator of the sample month is a script and no package.
from generate import add_dirt, draw_wines, erp_row, web_rows, write_workbook


def write_months(folder: Path, shop: str, months: Sequence[str], *, broken: Collection[str] = ()) -> None:
    """Write `<folder>/<shop>/<month>/` with the three workbooks, for each month.

    Args:
        folder: Where the shops are.
        shop: Its name, which also seeds its wines.
        months: In order; each sells more than the one before.
        broken: Months in which a price is no number, so that they are refused.
    """
    rng = random.Random(shop)
    wines = draw_wines(rng)
    add_dirt(wines)
    products = sorted((wine for wine in wines if wine.in_erp), key=lambda wine: wine.product_id)
    links = [{"product_id": wine.product_id, "id_web": wine.id_web} for wine in products]
    for month in months:
        for wine in wines:
            wine.units += rng.randrange(3)
        prices = [erp_row(wine) for wine in products]
        if month in broken:
            sold = next(row for row in prices if row["onsale_web"])
            sold["price"] = "n/a"
        target = folder / shop / month
        target.mkdir(parents=True)
        write_workbook(target / "erp.xlsx", prices)
        write_workbook(target / "liaison.xlsx", links)
        write_workbook(target / "web.xlsx", web_rows(wines, random.Random(shop)))
