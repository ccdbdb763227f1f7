"""The cells of a sheet as its XML stores them, whichever of the two readers reads them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import polars as pl

_BATCH = 100_000

INLINE = "inlineStr"
TEXT_TYPES = ("s", "str", INLINE)
CELL_TYPES = pl.Enum(["n", *TEXT_TYPES, "b", "d", "e"])

STORED_CELL: dict[str, pl.DataType | type[pl.DataType]] = {
    "column": pl.String,
    "row": pl.UInt32,
    "style": pl.UInt32,
    "type": CELL_TYPES,
    "formula": pl.Boolean,
    "value": pl.String,
    "inline": pl.String,
}
"""One row per cell that has a formula, a value or a text of its own.

`style` and `type` are the attributes s (0 when absent) and t ("n" when absent), `formula` whether there is an <f>,
`value` the text of <v>, null without a <v>, and `inline` the text of <is>, null without an <is>.
"""


@dataclass(frozen=True)
class StoredCells:
    """Some of the cells of some columns of a sheet.

    Attributes:
        cells: `STORED_CELL`, in the order of the XML.
        lowest: The lowest cell of any column so far that is not empty: its letters and its row.
    """

    cells: pl.DataFrame
    lowest: tuple[str, int]


def stored_cells(raw: pl.DataFrame) -> pl.DataFrame:
    """`STORED_CELL` from columns of text; null where a cell has no such part. Empty cells are left out."""
    cells = raw.select(
        "column",
        pl.col("row").cast(pl.UInt32),
        pl.col("style").fill_null("0").cast(pl.UInt32, strict=False).fill_null(0),
        pl.col("type").fill_null("n").cast(CELL_TYPES),
        pl.col("formula").is_not_null(),
        "value",
        "inline",
    )
    return cells.filter(pl.col("formula") | pl.col("value").is_not_null() | pl.col("inline").is_not_null())


def in_batches(parts: Iterable[StoredCells | None]) -> Iterator[StoredCells | None]:
    """The same cells in larger batches, for which a Polars query pays off; a None ends them."""
    frames, height, lowest = [pl.DataFrame(schema=STORED_CELL)], 0, ("", 0)
    for part in parts:
        if part is None:
            yield None
            return
        frames.append(part.cells)
        height += part.cells.height
        lowest = part.lowest if part.lowest[1] > lowest[1] else lowest
        if height > _BATCH:
            yield StoredCells(pl.concat(frames), lowest)
            frames, height = [], 0
    yield StoredCells(pl.concat([pl.DataFrame(schema=STORED_CELL), *frames]), lowest)
