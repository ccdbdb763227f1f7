"""What is written past XlsxWriter's API: these tests fail when an update of the library moves what that uses."""

import re
import zipfile
from decimal import Decimal
from pathlib import Path

import openpyxl
import polars as pl
import pytest
import xlsxwriter

from tasks.report.past_the_api import CellColumn, OutsideTheSheet, set_language, write_rows

TEXTS = ["=1+1", "<b>&amp;</b>", "_x0041_", "  Clos  ", "007", "'Clos'", "Clos\nVougeot", None, ""]
FRAME = pl.DataFrame(
    {
        "text": TEXTS,
        "count": [None, *range(len(TEXTS) - 1)],
        "money": pl.Series([Decimal("0.10")] * len(TEXTS), dtype=pl.Decimal(38, 2)),
        "score": [-1e-7, 1 / 3, *[0.5] * (len(TEXTS) - 2)],
        "flag": [True, *[False] * (len(TEXTS) - 1)],
    }
)


def test_rows_are_the_cells_that_another_library_reads_between_cells_of_the_api(tmp_path: Path) -> None:
    path = tmp_path / "rows.xlsx"
    with xlsxwriter.Workbook(path, {"constant_memory": True}) as workbook:
        sheet, plain, bold = workbook.add_worksheet(), workbook.add_format(), workbook.add_format({"bold": True})
        sheet.write_string(1, 0, "above")
        names = ["text", "count", "money", "score"]
        write_rows(sheet, 2, [CellColumn(name, plain, bold, "flag") for name in names], FRAME, pl.lit(30))
        sheet.write_string(2 + FRAME.height, 1, "below")
    cells = openpyxl.load_workbook(path).active
    rows = [row[:4] for row in cells.iter_rows(min_row=3, max_row=2 + FRAME.height, values_only=True)]
    expected = FRAME.select(names).with_columns(pl.col("text").replace("", None), pl.col("money").cast(pl.Float64))
    # Excel's own escape of an escape, which openpyxl leaves as it is in the file.
    assert [(row[0] and row[0].replace("_x005F_", "_"), *row[1:]) for row in rows] == expected.rows()
    assert (cells["A3"].font.bold, cells["A4"].font.bold) == (True, False)
    assert (cells["A2"].value, cells.cell(3 + FRAME.height, 2).value) == ("above", "below")
    assert cells.row_dimensions[3].height == 30
    assert cells.dimensions == "A2:D12"


@pytest.mark.parametrize("number", [float("nan"), float("inf")], ids=str)
def test_number_that_is_not_finite_is_never_written(tmp_path: Path, number: float) -> None:
    with xlsxwriter.Workbook(tmp_path / "rows.xlsx", {"constant_memory": True}) as workbook:
        plain = workbook.add_format()
        with pytest.raises(ValueError, match="not finite"):
            write_rows(workbook.add_worksheet(), 0, [CellColumn("n", plain, plain)], pl.DataFrame({"n": [number]}))


def test_rows_outside_the_sheet_are_refused(tmp_path: Path) -> None:
    with xlsxwriter.Workbook(tmp_path / "rows.xlsx", {"constant_memory": True}) as workbook:
        plain = workbook.add_format()
        with pytest.raises(OutsideTheSheet, match="Sheet1, row 1048577, column 1"):
            write_rows(
                workbook.add_worksheet(), 1_048_575, [CellColumn("n", plain, plain)], pl.DataFrame({"n": [1, 2]})
            )


def test_every_text_of_a_chart_has_its_language(tmp_path: Path) -> None:
    path = tmp_path / "chart.xlsx"
    with xlsxwriter.Workbook(path) as workbook:
        sheet, chart = workbook.add_worksheet(), workbook.add_chart({"type": "bar"})
        sheet.write_column(0, 0, [1, 2])
        chart.add_series({"values": "=Sheet1!$A$1:$A$2", "data_labels": {"value": True, "font": {"size": 9}}})
        chart.set_title({"name": "Ventes"})
        set_language(chart, "fr-FR")
        sheet.insert_chart("C1", chart)
    with zipfile.ZipFile(path) as archive:
        xml = archive.read("xl/charts/chart1.xml").decode()
    assert set(re.findall(r'\blang(?: val)?="([^"]*)"', xml)) == {"fr-FR"}
    assert "en-US" not in xml
