"""What is published opens where people open it, with every title as it was."""

import shutil
import subprocess
from pathlib import Path

import openpyxl
import pytest
from hostile.corpus import TITLES
from hostile.spoiled import SpoiledMonth, run_flow, spoiled_month

from tasks.report.csv_files import WINE_COLUMNS, read_wines

# openpyxl does not know what Excel added in 2010.
pytestmark = pytest.mark.filterwarnings("ignore:.*extension is not supported:UserWarning")

REPORT = "sales_reports/sales_report_2025-05.xlsx"


def all_titles(month: SpoiledMonth) -> None:
    """A product for each hostile title."""
    title, kind = month.column("web", "post_title"), month.column("web", "post_type")
    products = [row for row in month.rows("web")[1:] if row[kind] == "product" and row[0] is not None]
    for row, hostile in zip(products, TITLES.values(), strict=False):
        row[title] = hostile


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile")
    run_flow(spoiled_month(folder / "source", all_titles), folder / "reports")
    return folder / "reports"


UNCHANGED = {
    name: title
    for name, title in TITLES.items()
    if name in {"32,767 characters", "32,767 units of emoji", "emoji", "right-to-left text", "combining marks"}
    or name in {"formula", "dde", "dde behind a plus", "web service", "hyperlink formula", "at sign", "minus"}
    or name in {"web address", "mail address", "internal link", "external file", "markup", "quotation marks"}
}


def test_openpyxl_reads_every_title_as_text(reports: Path) -> None:
    sheet = openpyxl.load_workbook(reports / REPORT)["Products"]
    cells = [cell for row in sheet.iter_rows() for cell in row if cell.data_type == "s"]
    shown = {cell.value for cell in cells}
    assert set(UNCHANGED.values()) <= shown
    assert not [cell for row in sheet.iter_rows() for cell in row if cell.hyperlink]


def test_the_csv_files_give_every_title_back(reports: Path) -> None:
    titles = set()
    for name in ("premium", "ordinary"):
        wines = read_wines(reports / f"wines/{name}_wines_2025-05.csv")
        assert wines.columns[: len(WINE_COLUMNS)] == WINE_COLUMNS
        titles |= set(wines["post_title"])
    assert set(UNCHANGED.values()) <= titles


def test_libreoffice_opens_the_workbook_and_computes_nothing_of_the_data(reports: Path, tmp_path: Path) -> None:
    office = shutil.which("soffice")
    if not office:
        pytest.skip("needs LibreOffice: soffice is not installed")
    subprocess.run(
        [
            office, "--headless", f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}",
            "--convert-to", "xlsx:Calc MS Excel 2007 XML", "--outdir", tmp_path, reports / REPORT,
        ],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    book = openpyxl.load_workbook(tmp_path / Path(REPORT).name)
    shown = {cell.value for row in book["Products"].iter_rows() for cell in row if cell.data_type == "s"}
    assert set(UNCHANGED.values()) - {TITLES["32,767 units of emoji"]} <= shown
    formulas = [str(cell.value) for sheet in book for row in sheet.iter_rows() for cell in row if cell.data_type == "f"]
    assert formulas
    assert all(formula.startswith("=SUBTOTAL(10") for formula in formulas)
