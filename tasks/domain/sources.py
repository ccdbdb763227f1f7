"""The three workbooks and their columns: every column declared here is read and staged.

The process that reads a workbook imports this module, so nothing heavy is imported here.
"""

from typing import Literal, NamedTuple, get_args

import polars as pl

Source = Literal["erp", "liaison", "web"]
SOURCES: tuple[Source, ...] = get_args(Source)

SOURCE = pl.Enum(SOURCES)

CELL_KINDS = pl.Enum(["number", "text", "boolean", "date", "error", "uncalculated"])
"""The kind of content of a cell; null for an empty cell."""


class SourceColumn(NamedTuple):
    """A column of a workbook; one that is not required may be absent."""

    meaning: str
    is_required: bool = True


COLUMNS: dict[Source, dict[str, SourceColumn]] = {
    "erp": {  # one row per product
        "product_id": SourceColumn("The ERP's key of the product"),
        "onsale_web": SourceColumn("1 when the product is sold online, else 0", is_required=False),
        "price": SourceColumn("Selling price of one bottle, EUR"),
        "stock_quantity": SourceColumn("Bottles in stock", is_required=False),
        "stock_status": SourceColumn("instock or outofstock", is_required=False),
    },
    "liaison": {  # one row per product of the ERP
        "product_id": SourceColumn("The ERP's key of the product"),
        "id_web": SourceColumn("The web shop's sku of the same product; empty when it is not sold online"),
    },
    "web": {  # one row per post of the web shop: products, their pictures, and padding
        "sku": SourceColumn("The shop's key of the product"),
        "post_type": SourceColumn("product, attachment, …; only product counts"),
        "post_title": SourceColumn("Name of the wine as the shop shows it"),
        "total_sales": SourceColumn("Units sold so far: the shop's own running counter"),
        "post_status": SourceColumn("publish, draft, trash, …", is_required=False),
        "post_date": SourceColumn("When the post was first published", is_required=False),
    },
}


def required_columns(source: Source) -> list[str]:
    """The columns without which a sheet is not the sheet of `source`."""
    return [name for name, column in COLUMNS[source].items() if column.is_required]


def kind_of(column: str) -> str:
    """The staged column that contains the kinds of `column`'s cells."""
    return f"{column}__kind"
