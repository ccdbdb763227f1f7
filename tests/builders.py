"""Small workbooks built in code."""

import zipfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import xlsxwriter
from xlsxwriter.utility import xl_cell_to_rowcol

Row = Sequence[object]


@dataclass(frozen=True)
class Formula:
    """A formula with the result that its program kept; an empty result is a formula that was never calculated."""

    text: str
    result: str | float | bool = ""


def write_workbook(
    path: Path,
    rows: Sequence[Row],
    sheet: str = "Sheet1",
    *,
    at: str = "A1",
    more_sheets: Mapping[str, Sequence[Row]] | None = None,
    hidden: Collection[str] = (),
) -> Path:
    """Write rows, the first of them usually the header, as Python values: None leaves a cell empty.

    Args:
        path: The .xlsx file.
        rows: What stands in the sheet, row by row.
        sheet: Name of the sheet.
        at: The cell of the first value.
        more_sheets: Further sheets, by name, after the first one.
        hidden: Names of sheets to hide.
    """
    with xlsxwriter.Workbook(path) as workbook:
        formats = {
            date: workbook.add_format({"num_format": "dd/mm/yyyy"}),
            datetime: workbook.add_format({"num_format": "dd/mm/yyyy hh:mm"}),
        }
        top, left = xl_cell_to_rowcol(at)
        for name, sheet_rows in {sheet: rows, **(more_sheets or {})}.items():
            worksheet = workbook.add_worksheet(name)
            for index, row in enumerate(sheet_rows):
                for offset, value in enumerate(row):
                    _write(worksheet, top + index, left + offset, value, formats)
            if name in hidden:
                worksheet.hide()
            else:
                worksheet.activate()
    return path


def _write(worksheet, row: int, column: int, value: object, formats: Mapping[type, object]) -> None:
    match value:
        case None:
            pass
        case Formula(text, result):
            worksheet.write_formula(row, column, text, None, result)
        case bool():
            worksheet.write_boolean(row, column, value)
        case date():
            worksheet.write_datetime(row, column, value, formats[type(value)])
        case str():
            worksheet.write_string(row, column, value)
        case _:
            worksheet.write_number(row, column, value)


_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"

_PARTS = {
    "[Content_Types].xml": (
        f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPES}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/month.xml" ContentType="{_TYPES}.worksheet+xml"/>'
        "</Types>"
    ),
    "_rels/.rels": (
        f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="r1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
    ),
    "xl/workbook.xml": (
        f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}">'
        '<sheets><sheet name="Sheet1" sheetId="1" state="STATE" r:id="rId7"/></sheets></workbook>'
    ),
    # Neither the usual name nor the usual folder notation: what a reader must not take for granted.
    "xl/_rels/workbook.xml.rels": (
        f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId7" Type="{_OFFICE}/worksheet" Target="/xl/worksheets/month.xml"/></Relationships>'
    ),
}


def sheet_xml(rows: str, *, prefix: str = "") -> str:
    """A worksheet around these rows; `prefix` such as "x:" for a sheet whose own tags bear it."""
    namespace = f'xmlns:{prefix.rstrip(":")}="{_MAIN}"' if prefix else f'xmlns="{_MAIN}"'
    return f"<{prefix}worksheet {namespace}><{prefix}sheetData>{rows}</{prefix}sheetData></{prefix}worksheet>"


def write_raw_workbook(path: Path, sheet: str, *, sheet_state: str = "visible") -> Path:
    """A workbook of one sheet, whose XML is written as it stands: for what no library would write.

    Args:
        path: The .xlsx file.
        sheet: The worksheet's XML, as `sheet_xml` makes it.
        sheet_state: Whether the sheet is "visible", "hidden" or "veryHidden".
    """
    return write_parts(path, raw_parts(sheet, sheet_state=sheet_state))


def inline_row(row: int, *texts: str) -> str:
    """A row of text cells from column A, as raw XML."""
    cells = (
        f'<c r="{chr(ord("A") + index)}{row}" t="inlineStr"><is><t>{text}</t></is></c>'
        for index, text in enumerate(texts)
    )
    return f'<row r="{row}">{"".join(cells)}</row>'


def raw_parts(sheet: str, *, sheet_state: str = "visible") -> dict[str, str | bytes]:
    """The parts of a workbook of one sheet, by name, to be spoilt and written by `write_parts`."""
    parts: dict[str, str | bytes] = {name: text.replace("STATE", sheet_state) for name, text in _PARTS.items()}
    return {**parts, "xl/worksheets/month.xml": sheet}


def write_parts(path: Path, parts: Mapping[str, str | bytes]) -> Path:
    """A zip archive of these parts, whatever they are."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path
