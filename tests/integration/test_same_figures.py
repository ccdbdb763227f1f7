"""The month's exact figures, and the same ones however the three workbooks are arranged and their keys are typed."""

import json
import random
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
from builders import write_parts, write_workbook
from hostile.spoiled import run_flow

from tasks.domain.sources import SOURCES, Source
from tasks.workbook.addresses import column_letter

# openpyxl does not know what Excel added in 2010.
pytestmark = pytest.mark.filterwarnings("ignore:.*extension is not supported:UserWarning")

Rows = list[list[object]]

SAMPLE = Path(__file__).parents[2] / "data" / "2025-05"
KEYS = {"product_id", "id_web", "sku"}

FIGURES = {
    "sample month": (210, Decimal("25236.60"), 1_059, 11, 199),
    "real month": (714, Decimal("70568.60"), 2_865, 30, 684),
}
"""Products, revenue, units, premium and ordinary wines, as computed elsewhere."""

ROWS = {
    "sample month": {"erp": (210, 0, 30), "liaison": (210, 0, 30), "web": (210, 234, 2)},
    "real month": {"erp": (714, 0, 111), "liaison": (714, 0, 111), "web": (714, 797, 2)},
}
"""Rows used, ignored and rejected of each workbook."""


@dataclass
class Outcome:
    """What is published of three workbooks: figures, counts of rows, wine files, and the two sheets of products."""

    figures: tuple[object, ...]
    rows: dict[Source, tuple[int, int, int]]
    wines: list[bytes]
    sheets: dict[str, Rows]


def outcome_of(source: Path, reports: Path) -> Outcome:
    found = run_flow(source, reports).figures
    counts = json.loads((reports / "manifests/2025-05.json").read_text())["rows"]
    book = openpyxl.load_workbook(reports / "sales_reports/sales_report_2025-05.xlsx", data_only=True)
    return Outcome(
        (found.products, found.revenue, found.units, found.premium, found.ordinary),
        {
            one: (rows["used"], sum(rows["ignored"].values()), sum(rows["rejected"].values()))
            for one, rows in counts.items()
        },
        [(reports / f"wines/{kind}_wines_2025-05.csv").read_bytes() for kind in ("premium", "ordinary")],
        {name: [list(row) for row in book[name].values] for name in ("Products", "Premium wines")},
    )


@dataclass
class Original:
    """A month as it came: its name, the cells of its workbooks, and what is published of it."""

    name: str
    cells: dict[Source, Rows]
    outcome: Outcome


@pytest.fixture(scope="module", params=list(FIGURES))
def original(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Original:
    folder = SAMPLE if request.param == "sample month" else request.getfixturevalue("real_workbooks")
    cells = {source: cells_of(next(folder.glob(f"*{source}.xlsx"))) for source in SOURCES}
    return Original(request.param, cells, outcome_of(folder, tmp_path_factory.mktemp("original") / "reports"))


def cells_of(workbook: Path) -> Rows:
    """The values of the first sheet, header first."""
    book = openpyxl.load_workbook(workbook, read_only=True)
    rows = [list(row) for row in book.worksheets[0].iter_rows(values_only=True)]
    book.close()
    return rows


def test_the_month_has_its_known_figures_to_the_cent_and_to_the_row(original: Original) -> None:
    assert original.outcome.figures == FIGURES[original.name]
    assert original.outcome.rows == ROWS[original.name]


def test_the_wine_files_contain_every_product_once_below_a_header(original: Original) -> None:
    for content, wines in zip(original.outcome.wines, FIGURES[original.name][3:], strict=True):
        assert content.startswith(b"product_id,sku,post_title,total_sales,price,revenue,z_score\n")
        assert content.count(b"\n") == wines + 1


def test_the_sheets_of_products_contain_every_product_once_with_its_totals_above(original: Original) -> None:
    products, revenue, units, premium, _ = FIGURES[original.name]
    listed, of_premium = original.outcome.sheets.values()
    assert (len(listed), len(of_premium)) == (4 + products, 4 + premium)
    assert Decimal(str(listed[2][listed[3].index("Total revenue to date (€)")])) == revenue
    assert listed[2][listed[3].index("Sold to date")] == units
    for sheet, contents in ((listed, original.outcome.wines), (of_premium, original.outcome.wines[:1])):
        keys = [str(row[sheet[3].index("Product")]) for row in sheet[4:]]
        written = [line.split(",")[0] for content in contents for line in content.decode().splitlines()[1:]]
        assert sorted(keys) == sorted(written)


# --- the same month, arranged and typed in other ways


def rows_shuffled(rows: Rows) -> Rows:
    header, *rest = rows
    return [header, *random.Random(5).sample(rest, len(rest))]


def columns_shuffled(rows: Rows) -> Rows:
    order = random.Random(5).sample(range(len(rows[0])), len(rows[0]))
    return [[row[index] for index in order] for row in rows]


def keys(change: Callable[[object], object]) -> Callable[[Rows], Rows]:
    """Every key that is there, typed in another way."""

    def changed(rows: Rows) -> Rows:
        columns = [index for index, name in enumerate(rows[0]) if name in KEYS]
        for row in rows[1:]:
            for column in columns:
                row[column] = None if row[column] is None else change(row[column])
        return rows

    return changed


def float_text(key: object) -> str:
    return f"{key}.0" if str(key).isdecimal() else str(key)


def number(key: object) -> object:
    return int(str(key)) if str(key).isdecimal() else key


def blank_rows_inserted(rows: Rows) -> Rows:
    blanks = ([None] * len(rows[0]), [" \u00a0"] * len(rows[0]))
    return [row for index, one in enumerate(rows) for row in (one, *(blanks if index % 50 == 0 else ()))]


def all_at_once(rows: Rows) -> Rows:
    """With headers in capitals, no-break spaces around them, and a banner above."""
    for change in (keys(float_text), blank_rows_inserted, rows_shuffled, columns_shuffled):
        rows = change(rows)
    header, *rest = rows
    return [["Export of May 2025"], [], ["price", None, "in EUR"], [f"\u00a0{str(n).upper()} " for n in header], *rest]


def arranged(original: Original, change: Callable[[Rows], Rows], folder: Path, sheet: str = "Sheet1") -> Path:
    """The original's workbooks, written again with their rows changed."""
    folder.mkdir()
    for source, rows in original.cells.items():
        write_workbook(folder / f"{source}.xlsx", change([list(row) for row in rows]), sheet)
    return folder


def assert_same(outcome: Outcome, original: Original) -> None:
    assert outcome.figures == original.outcome.figures
    assert outcome.wines == original.outcome.wines
    assert outcome.sheets == original.outcome.sheets


@pytest.mark.parametrize(
    ("change", "blanks"),
    [
        pytest.param(rows_shuffled, 0, id="rows shuffled"),
        pytest.param(columns_shuffled, 0, id="columns shuffled"),
        pytest.param(keys(float_text), 0, id="keys all text of floats"),
        pytest.param(keys(number), 0, id="keys numbers where they can be"),
        pytest.param(blank_rows_inserted, 2, id="blank rows inserted"),
        pytest.param(all_at_once, 2, id="all at once"),
    ],
)
def test_figures_do_not_depend_on_how_the_workbooks_are_arranged(
    original: Original, change: Callable[[Rows], Rows], blanks: int, tmp_path: Path
) -> None:
    """And blank rows are ignored and counted."""
    outcome = outcome_of(arranged(original, change, tmp_path / "source"), tmp_path / "reports")
    assert_same(outcome, original)
    inserted = {source: blanks * len(range(0, len(rows), 50)) for source, rows in original.cells.items()}
    assert outcome.rows == {
        source: (used, ignored + inserted[source], rejected)
        for source, (used, ignored, rejected) in ROWS[original.name].items()
    }


def test_figures_depend_neither_on_the_name_of_the_sheet_nor_on_how_a_program_spells_whole_numbers(
    original: Original, tmp_path: Path
) -> None:
    """Some programs store the key 15298 as 15298.0."""
    source = arranged(original, keys(number), tmp_path / "source", sheet="Été 2025 & co")
    for name, rows in original.cells.items():
        letters = [column_letter(index) for index, title in enumerate(rows[0]) if title in KEYS]
        assert respell_whole_numbers(source / f"{name}.xlsx", letters) >= FIGURES[original.name][0]
    assert_same(outcome_of(source, tmp_path / "reports"), original)


def respell_whole_numbers(workbook: Path, letters: list[str]) -> int:
    """Put ".0" behind the whole numbers of these columns, in the sheet's own XML; how many there were."""
    with zipfile.ZipFile(workbook) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    pattern = rf'(<c r="(?:{"|".join(letters)})[0-9]+"><v>[0-9]+)(?=</v>)'
    parts[sheet], spelled = re.subn(pattern.encode(), rb"\1.0", parts[sheet])
    write_parts(workbook, parts)
    return spelled
