"""Workbooks as many programs store them: the same table is read the same, whatever its structure."""

import random
import re
import zipfile
from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import openpyxl
import pytest
from builders import inline_row, raw_parts, sheet_xml, write_parts
from frames import stage_here
from hostile.spoiled import SAMPLE, run_flow, wine_files
from publishing import LONG
from structures import OPTIONS, USUAL, Calculated, Fault, Form, random_form, write_structure

from tasks.domain.issues import DataRefused
from tasks.domain.sources import SOURCES, Source, kind_of
from tasks.workbook import second_reading
from tasks.workbook.staging import stage_workbook

# openpyxl does not know what Excel added in 2010.
pytestmark = pytest.mark.filterwarnings("ignore:.*extension is not supported:UserWarning")

FORMS, TIMES = (320, 10) if LONG else (80, 4)
"""How many mixes there are, and how often each option is in one of them."""

TITLES = ("sku", "note", "post_type", "post_title", "total_sales")
TABLE: list[tuple[object, ...]] = [
    TITLES,
    (15423, "a", "product", "Ch\u00e2teau Margaux 2012", 14),
    ("bon-cadeau", None, "product", "Mas <b>La</b> Clape & fils", 3.0),
    (None, None, None, None, None),
    ("007", "b", "attachment", "  Pauillac\u00a0", None),
    (19814.0, None, "product", "_x0041_ \u65e5\u672c \U0001f377", 0.1),
    ("  k ", "a", "product", "product", 19.989999999999998),
    (1, date(2025, 5, 31), "product", "line\none\ttab", Calculated(12)),
    (True, None, "product", "bell\x07 \rend", Fault("#N/A")),
    ("15423", None, datetime(2025, 5, 31, 12, 30), "Ch\u00e2teau Margaux 2012", 1e-7),  # noqa: DTZ001
]  # fmt: skip
EXPECTED = [
    (2, "15423", "number", "product", "text", "Ch\u00e2teau Margaux 2012", "text", "14", "number"),
    (3, "bon-cadeau", "text", "product", "text", "Mas <b>La</b> Clape & fils", "text", "3", "number"),
    (4, None, None, None, None, None, None, None, None),
    (5, "007", "text", "attachment", "text", "  Pauillac\u00a0", "text", None, None),
    (6, "19814", "number", "product", "text", "_x0041_ \u65e5\u672c \U0001f377", "text", "0.1", "number"),
    (7, "  k ", "text", "product", "text", "product", "text", "19.99", "number"),
    (8, "1", "number", "product", "text", "line\none\ttab", "text", "12", "number"),
    (9, "TRUE", "boolean", "product", "text", "bell\x07 \rend", "text", "#N/A", "error"),
    (10, "15423", "text", "2025-05-31 12:30:00", "date", "Ch\u00e2teau Margaux 2012", "text", "1e-7", "number"),
]  # fmt: skip
SHOWN = [name for column in ("sku", "post_type", "post_title", "total_sales") for name in (column, kind_of(column))]


def forms() -> list[dict[str, str]]:
    rng = random.Random(261)
    return [random_form(rng) for _ in range(FORMS)]


def read(workbook: Path) -> list[tuple]:
    staged = stage_here(workbook, "web", workbook.with_suffix(".parquet"))
    return staged.raw.select("row", *SHOWN).collect().rows()


def test_every_option_is_tried_several_times() -> None:
    tried = Counter((name, option) for form in forms() for name, option in form.items())
    assert min(tried[name, option] for name, options in OPTIONS.items() for option in options) >= TIMES


@pytest.mark.parametrize("group", range(4))
def test_the_same_table_is_read_from_every_mix_of_structures(tmp_path: Path, group: int) -> None:
    for number, form in list(enumerate(forms()))[group::4]:
        rows = [*TABLE, ("z", None, "product", "Zero", Calculated(0))]
        zero = ("0", "number") if form["calculation"] == "calculated" else (None, "uncalculated")
        workbook = write_structure(tmp_path / f"{number}.xlsx", rows, form, seed=number)
        unusual = {name: option for name, option in form.items() if option != USUAL[name]}
        assert read(workbook) == [*EXPECTED, (11, "z", "text", "product", "text", "Zero", "text", *zero)], unusual


@pytest.mark.parametrize(
    ("name", "option"), [(name, option) for name, options in OPTIONS.items() for option in options[1:]]
)
def test_the_same_table_is_read_from_every_single_structure(tmp_path: Path, name: str, option: str) -> None:
    assert read(write_structure(tmp_path / "web.xlsx", TABLE, {name: option})) == EXPECTED


# --- whole months

PRODUCERS: dict[str, Form] = {
    "a report server in Java": {
        "main part": "workbook.xml", "texts": "inline", "archive": "streamed", "attributes": "type first",
        "calculation": "unsaid",
    },
    "a program for Windows with its own zip": {
        "targets": "back-slashes", "members": "back-slashes", "encoding": "utf-16", "order": "reversed",
    },
    "a strict workbook with rich texts": {"namespace": "strict", "texts": "runs", "blanks": "far right"},
    "a tool that indents XML": {"index": "pretty-printed", "numbers": "blanks", "namespace": "prefix"},
    "an old workbook with macros": {
        "other sheets": "macros", "beside": "thumbnail", "in cells": "extension", "attributes": "unknown",
    },
    "a converter that leaves a value next to each text": {
        "texts": "inline beside <v>", "sheet part": "xl/Blatt 1.xml", "targets": "escaped", "titles": "byte order mark",
    },
    "a minimal writer": {"addresses": "none", "texts part": "strings.xml", "index": "reference", "archive": "stored"},
}  # fmt: skip
Rows = Sequence[Sequence[object]]


def cells_of(workbook: Path) -> Rows:
    book = openpyxl.load_workbook(workbook, read_only=True)
    rows = list(book.worksheets[0].iter_rows(values_only=True))
    book.close()
    return rows


SAMPLE_FIGURES = (210, Decimal("25236.60"), 1_059, 11, 199)
REAL_FIGURES = (714, Decimal("70568.60"), 2_865, 30, 684)


@pytest.fixture(scope="module", params=[SAMPLE_FIGURES, REAL_FIGURES], ids=["sample", "real"])
def month(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[Source, Rows], tuple[object, ...], dict[str, bytes]]:
    """The cells of a month's workbooks, its known figures, and its wine files."""
    folder = SAMPLE if request.param is SAMPLE_FIGURES else request.getfixturevalue("real_workbooks")
    reports = tmp_path_factory.mktemp("plain") / "reports"
    run_flow(folder, reports)
    return {one: cells_of(next(folder.glob(f"*{one}.xlsx"))) for one in SOURCES}, request.param, wine_files(reports)


@pytest.mark.parametrize("producer", PRODUCERS)
def test_a_month_is_the_same_from_every_producer(tmp_path: Path, month: tuple[Any, ...], producer: str) -> None:
    sheets, known, wines = month
    source = tmp_path / "source"
    source.mkdir()
    for name, rows in sheets.items():
        write_structure(source / f"{name}.xlsx", rows, PRODUCERS[producer])
    figures = run_flow(source, tmp_path / "reports").figures
    assert (figures.products, figures.revenue, figures.units, figures.premium, figures.ordinary) == known
    assert wine_files(tmp_path / "reports") == wines


# --- what is not the sheet that is meant


def test_a_hundred_and_fifty_sheets_do_not_use_up_the_time(tmp_path: Path) -> None:
    """Through the process with its limits, each sheet with a table of fifty rows."""
    rows = "".join(inline_row(row, *(f"note {row} {column}" for column in range(20))) for row in range(1, 51))
    parts = raw_parts(sheet_xml(inline_row(1, "product_id", "price") + inline_row(2, "1", "5")))
    names = range(150)
    parts["xl/workbook.xml"] = str(parts["xl/workbook.xml"]).replace("</sheets>", "".join(
        f'<sheet name="n{n}" sheetId="{n + 2}" r:id="n{n}"/>' for n in names
    ) + "</sheets>")  # fmt: skip
    relations = "xl/_rels/workbook.xml.rels"
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet"
    parts[relations] = str(parts[relations]).replace("</Relationships>", "".join(
        f'<Relationship Id="n{n}" Type="{kind}" Target="n{n}.xml"/>' for n in names
    ) + "</Relationships>")  # fmt: skip
    workbook = write_parts(tmp_path / "erp.xlsx", parts | {f"xl/n{n}.xml": sheet_xml(rows) for n in names})

    assert stage_workbook(workbook, "erp", "erp.xlsx", tmp_path / "erp.parquet").size == "1 rows"


def test_a_sheet_that_cannot_be_read_is_named_where_no_other_has_a_column(tmp_path: Path) -> None:
    form = USUAL | {"other sheets": "broken"}
    workbook = write_structure(tmp_path / "web.xlsx", [("nothing",), ("of it",)], form)
    with pytest.raises(DataRefused, match=r'web.xlsx \[Broken\]: "xl/worksheets/broken.xml" is damaged'):
        read(workbook)


# --- formulas that nobody calculated


@pytest.mark.parametrize(
    ("calculation", "value", "kind"),
    [
        ("calculated", 0, "number"),
        ("on load", 0, "uncalculated"),
        ("unsaid", 0, "uncalculated"),
        ("calculated", 12, "number"),
        ("on load", 12, "number"),
        ("unsaid", 12, "number"),
    ],
)
def test_a_zero_of_a_formula_counts_where_the_workbook_was_calculated(
    tmp_path: Path, calculation: str, value: int, kind: str
) -> None:
    rows = [TITLES, (1, None, "product", "Mas", Calculated(value)), (2, None, "product", "Mas", 0)]
    table = read(write_structure(tmp_path / "web.xlsx", rows, {"calculation": calculation}))
    assert [row[-2:] for row in table] == [(str(value) if kind == "number" else None, kind), ("0", "number")]


@pytest.mark.parametrize(("calculation", "kind"), [("calculated", None), ("on load", "uncalculated")])
def test_an_empty_text_of_a_formula_counts_where_the_workbook_was_calculated(
    tmp_path: Path, calculation: str, kind: str | None
) -> None:
    rows = [TITLES, (1, None, "product", "", 14)]
    table = read(write_structure(tmp_path / "web.xlsx", rows, {"calculation": calculation, "texts": "formulas"}))
    assert table[0][5:7] == (None, kind)


# --- texts are read twice

WITH_TEXTS = [TITLES, *((f"sku {n}", None, "product", f"Mas {n}", n) for n in range(1, 7)), ("s", None, "post", "M", 3)]
COLUMN_IN_COPY = {"A": "A", "B": "C", "C": "D", "D": "E"}


def other_text(parts: dict[str, str], index: int) -> int:
    """The number of a text that differs from the one with this number."""
    texts = re.findall("<si>(.*?)</si>", parts["xl/sharedStrings.xml"])
    return next(number for number, text in enumerate(texts) if text != texts[index])


def test_no_text_is_taken_for_another_one_unnoticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each text in turn is another one for the Excel reader: the workbook is refused, and the cell is named."""
    workbook = write_structure(tmp_path / "web.xlsx", WITH_TEXTS, {"texts": "mixed"})
    assert len(read(workbook)) == 7
    text_cell = re.compile('<c r="([A-Z])([0-9]+)" t="s"><v>([0-9]+)')
    original, changed = second_reading.write_canonical_workbook, 0

    def write(*args: Any) -> None:
        original(*args)
        with zipfile.ZipFile(args[-1]) as archive:
            parts = {name: archive.read(name).decode() for name in archive.namelist()}
        sheet = parts["xl/worksheets/sheet1.xml"]
        cell = list(text_cell.finditer(sheet))[changed]
        cells.append(f"{COLUMN_IN_COPY[cell[1]]}{cell[2]}")
        number = other_text(parts, int(cell[3]))
        parts["xl/worksheets/sheet1.xml"] = f"{sheet[: cell.start(3)]}{number}{sheet[cell.end(3) :]}"
        write_parts(args[-1], parts)

    cells: list[str] = []
    monkeypatch.setattr(second_reading, "write_canonical_workbook", write)
    while changed < 4 + 3 * 7:
        with pytest.raises(DataRefused) as refused:
            read(workbook)
        assert refused.value.issues.select("rule", "cell").rows() == [("unreadable-cell", cells[-1])]
        changed += 1
    assert len(set(cells)) == changed


@pytest.mark.parametrize("form", ["shared", "inline"])
def test_a_text_with_a_flipped_bit_is_read_as_it_is_or_refused(tmp_path: Path, form: str) -> None:
    """The archive's checksums are right, as if the fault were the writer's own: what it says is in another reader."""
    rows = WITH_TEXTS if LONG or form == "shared" else [*WITH_TEXTS[:2], WITH_TEXTS[-1]]
    workbook = write_structure(tmp_path / "web.xlsx", rows, {"texts": form})
    with zipfile.ZipFile(workbook) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheet, part = parts["xl/worksheets/sheet1.xml"], "xl/worksheets/sheet1.xml"
    texts = re.findall("<si><t[^>]*>(.*?)</t>", parts["xl/sharedStrings.xml"].decode())
    content = re.compile(b'<c r="([ACD])([0-9]+)"[^>]*><v>([^<]+)</v>' if form == "shared" else (
        b'<c r="([ACD])([0-9]+)"[^>]*><is><t[^>]*>([^<]+)</t>'
    ))  # fmt: skip
    sound, tried, refusals = read(workbook), 0, 0
    for cell in content.finditer(sheet, sheet.index(b'<row r="2"')):
        for place in range(cell.start(3), cell.end(3)):
            for bit in range(8):
                flipped = bytearray(sheet)
                flipped[place] ^= 1 << bit
                text = text_of(bytes(flipped[cell.start(3) : cell.end(3)]), texts if form == "shared" else None)
                write_parts(workbook, parts | {part: bytes(flipped)})
                tried += 1
                try:
                    found = read(workbook)
                except DataRefused:
                    refusals += 1
                    assert form == "shared" or text is None
                    continue
                expected = [list(row) for row in sound]
                expected[int(cell[2]) - 2][{b"A": 1, b"C": 3, b"D": 5}[cell[1]]] = text
                assert found == [tuple(row) for row in expected], bytes(flipped[cell.start() : cell.end()])
    assert tried > 150
    assert refusals > tried / 10


def text_of(content: bytes, shared: list[str] | None) -> str | None:
    """What a cell says by another reader; None where it says nothing that can be read."""
    try:
        text = ET.fromstring(b"<t>" + content + b"</t>").text or ""
    except ET.ParseError:
        return None
    if shared is None:
        return text
    is_number = text.strip().isascii() and text.strip().isdigit() and int(text) < len(shared)
    return shared[int(text)] if is_number else None
