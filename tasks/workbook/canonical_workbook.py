"""A new workbook with the cells that were read, in the most ordinary form.

It has the usual parts with their usual names, one sheet, one table of texts, the numbers as they were spelled, and the
number formats.
"""

import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from tasks.workbook.addresses import column_letter
from tasks.workbook.number_formats import NumberFormats
from tasks.workbook.texts import changed_where

SHEET = "Sheet1"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
_RELATED = {"worksheet": "worksheets/sheet1.xml", "styles": "styles.xml", "sharedStrings": "sharedStrings.xml"}
_BATCH = 100_000
_MARKUP = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_NO_XML = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
_MAY_BE_NO_XML = r"[\x00-\x08\x0b-\x1f\x{FFFE}\x{FFFF}]|_x"


@dataclass(frozen=True)
class Calendar:
    """How a workbook shows numbers as dates."""

    formats: NumberFormats
    is_1904: bool


def write_canonical_workbook(cells: pl.DataFrame, columns: Sequence[str], calendar: Calendar, path: Path) -> None:
    """Write these cells to a new file.

    Args:
        cells: `cell_kinds.READ_CELL`, none of them an error or uncalculated.
        columns: Letters of their columns; they become A, B and so on, because the Excel reader makes a table of all
            columns between the first and the last.
        calendar: How the workbook shows numbers as dates.
        path: The .xlsx file.
    """
    # A shared text is written once, because a million cells may share a long one.
    shared = cells.filter(pl.col("shared").is_not_null()).unique("shared").sort("shared")
    is_own = (pl.col("kind") == "text") & pl.col("shared").is_null()
    own_number = pl.when(is_own).then(shared.height + is_own.cum_sum() - 1)
    number = pl.coalesce(own_number, pl.lit(shared["shared"].search_sorted(cells["shared"])))
    texts = pl.concat([shared["text"], cells.filter(is_own)["text"]])
    moved = pl.col("column").replace({letter: column_letter(i) for i, letter in enumerate(columns)})
    with zipfile.ZipFile(path, "x") as copy:
        for name, content in _small_parts(calendar).items():
            copy.writestr(name, content)
        with copy.open("xl/sharedStrings.xml", "w", force_zip64=True) as part:
            part.write(f'<sst xmlns="{_MAIN}">'.encode())
            for piece in texts.to_frame("text").iter_slices(_BATCH):
                items = '<si><t xml:space="preserve">' + _escaped(piece["text"]) + "</t></si>"
                part.write(items.str.join("").item().encode())
            part.write(b"</sst>")
        with copy.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as part:
            part.write(f'<worksheet xmlns="{_MAIN}"><sheetData><row>'.encode())
            for piece in cells.with_columns(moved, number=number).iter_slices(_BATCH):
                part.write(piece.select(_cell().str.join("")).item().encode())
            part.write(b"</row></sheetData></worksheet>")


def _cell() -> pl.Expr:
    kind, digits = pl.col("kind"), pl.col("digits")
    attribute = (
        pl.when(kind == "text")
        .then(pl.lit('t="s'))
        .when(kind == "boolean")
        .then(pl.lit('t="b'))
        .when(digits.is_null())
        .then(pl.lit('t="d'))
        .otherwise(pl.concat_str(pl.lit('s="'), "style"))
    )
    truth = pl.when(kind == "boolean").then((pl.col("text") == "TRUE").cast(pl.UInt32))
    content = pl.coalesce(pl.when(kind == "text").then("number").otherwise(truth).cast(pl.String), "digits", "text")
    return pl.concat_str(
        pl.lit('<c r="'), "column", "row", pl.lit('" '), attribute, pl.lit('"><v>'), content, pl.lit("</v></c>")
    )


def _escaped(texts: pl.Series) -> pl.Series:
    """The texts as XML; characters that XML cannot contain are written as `_x0007_`, as the format does."""
    changed = changed_where(texts.str.contains(_MAY_BE_NO_XML), texts, lambda text: _NO_XML.sub(_as_code, text))
    return changed.str.replace_many(_MARKUP)


def _as_code(character: re.Match[str]) -> str:
    return f"_x{ord(character[0]):04X}_"


def _small_parts(calendar: Calendar) -> dict[str, str]:
    relations = "".join(
        f'<Relationship Id="{kind}" Type="{_OFFICE}/{kind}" Target="{target}"/>' for kind, target in _RELATED.items()
    )
    return {
        "_rels/.rels": (
            f'<Relationships xmlns="{_PACKAGE}">'
            f'<Relationship Id="main" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
        ),
        "xl/workbook.xml": (
            f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><workbookPr date1904="{int(calendar.is_1904)}"/>'
            f'<sheets><sheet name="{SHEET}" sheetId="1" r:id="worksheet"/></sheets></workbook>'
        ),
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}">{relations}</Relationships>',
        "xl/styles.xml": f'<styleSheet xmlns="{_MAIN}">{calendar.formats.xml()}</styleSheet>',
    }
