"""Real .xlsx files in, staged tables out."""

import io
import os
import pickle
import time
import zipfile
from concurrent.futures import ProcessPoolExecutor
from datetime import date, datetime
from multiprocessing import get_context
from pathlib import Path

import openpyxl
import polars as pl
import pytest
from builders import Formula, inline_row, sheet_xml, write_raw_workbook, write_workbook
from frames import stage_here
from polars.testing import assert_frame_equal

from tasks.domain.issues import DataRefused
from tasks.domain.sources import CELL_KINDS, kind_of
from tasks.workbook import pattern_reader, reader, xml_reader
from tasks.workbook.staging import StagedWorkbook, stage_workbook
from tasks.workbook.stored_cells import StoredCells

ERP = ("product_id", "onsale_web", "price", "stock_quantity", "stock_status")
LINK = ("product_id", "id_web")


def stage(workbook: Path, source: str = "erp", file: str = "") -> StagedWorkbook:
    return stage_here(workbook, source, workbook.with_suffix(".parquet"), file)


def letters(staged: StagedWorkbook) -> dict[str, str | None]:
    """The letter of each declared column; None for one that the sheet lacks."""
    return dict(staged.columns.drop_nulls("column").select("column", "letter").iter_rows())


def table(workbook: Path, *columns: str, source: str = "erp") -> list[tuple]:
    return stage(workbook, source).raw.select("row", *columns).collect().rows()


def refused(workbook: Path, source: str = "erp") -> DataRefused:
    with pytest.raises(DataRefused) as caught:
        stage(workbook, source)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return caught.value


def issues(refusal: DataRefused, *columns: str) -> list[tuple]:
    return refusal.issues.select(columns).rows()


@pytest.fixture
def xlsx(tmp_path) -> Path:
    return tmp_path / "workbook.xlsx"


# What is staged


def test_every_cell_becomes_text_with_its_row_and_its_kind(xlsx):
    write_workbook(xlsx, [ERP, (3847, 1, 24.2, 0, "outofstock"), ("bon-cadeau", None, "12,50", -8, None)])

    staged = stage(xlsx, file="Fichier_erp.xlsx")

    assert staged.columns.select("file", "sheet").unique().rows() == [("Fichier_erp.xlsx", "Sheet1")]
    assert letters(staged) == dict(zip(ERP, "ABCDE", strict=True))
    expected = pl.DataFrame(
        {
            "row": [2, 3],
            "product_id": ["3847", "bon-cadeau"],
            "product_id__kind": ["number", "text"],
            "onsale_web": ["1", None],
            "onsale_web__kind": ["number", None],
            "price": ["24.2", "12,50"],
            "price__kind": ["number", "text"],
            "stock_quantity": ["0", "-8"],
            "stock_quantity__kind": ["number", "number"],
            "stock_status": ["outofstock", None],
            "stock_status__kind": ["text", None],
        },
        schema_overrides={"row": pl.UInt32, **{kind_of(column): CELL_KINDS for column in ERP}},
    )
    assert_frame_equal(staged.raw.collect(), expected)


def test_an_absent_optional_column_is_null_and_named_as_absent(xlsx):
    write_workbook(xlsx, [("price", "product_id"), (5, 1)])

    staged = stage(xlsx)

    assert letters(staged) == {
        "product_id": "B", "onsale_web": None, "price": "A", "stock_quantity": None, "stock_status": None,
    }  # fmt: skip
    assert table(xlsx, "product_id", "onsale_web", kind_of("onsale_web")) == [(2, "1", None, None)]


def test_other_columns_are_not_staged_but_their_rows_are_counted(xlsx):
    write_workbook(
        xlsx, [("product_id", "Région", "price"), (1, "Rhône", 5), (None, "Loire", None), (2, None, 6), (None, "note")]
    )

    assert table(xlsx, "product_id", "price") == [(2, "1", "5"), (3, None, None), (4, "2", "6"), (5, None, None)]
    assert stage(xlsx).raw.collect_schema().names() == [
        "row",
        *(name for column in ERP for name in (column, kind_of(column))),
    ]


def test_blank_rows_keep_the_rows_below_at_their_own_numbers(xlsx):
    write_workbook(xlsx, [LINK, (1, "a"), (), (None, None), (2, "b")])

    assert table(xlsx, "product_id", "id_web", source="liaison") == [
        (2, "1", "a"),
        (3, None, None),
        (4, None, None),
        (5, "2", "b"),
    ]


def test_rows_without_content_at_the_end_are_left_out(xlsx):
    write_raw_workbook(
        xlsx, sheet_xml(inline_row(1, *LINK) + inline_row(2, "1", "a") + '<row r="3"><c r="A3" s="0"/></row>')
    )

    assert stage(xlsx, "liaison").size == "1 rows"


def test_a_sheet_may_start_anywhere(xlsx):
    write_workbook(xlsx, [LINK, (1, 10), (2, 20)], at="C4")

    staged = stage(xlsx, "liaison")

    assert letters(staged) == {"product_id": "C", "id_web": "D"}
    assert table(xlsx, "product_id", "id_web", source="liaison") == [(5, "1", "10"), (6, "2", "20")]


def test_the_staged_workbook_and_its_refusal_cross_a_process_boundary(xlsx):
    good = write_workbook(xlsx, [LINK, (1, 10)])
    bad = write_workbook(xlsx.with_name("bad.xlsx"), [("product_id",), (1,)])

    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        staged = pool.submit(stage_workbook, good, "liaison", "liaison.xlsx", xlsx.with_suffix(".parquet"))
        refusal = pool.submit(stage_workbook, bad, "liaison", "liaison.xlsx", xlsx.with_suffix(".parquet"))
        assert pickle.loads(pickle.dumps(staged.result())).size == "1 rows"
        assert issues(refusal.exception(), "rule", "column") == [("missing-column", "id_web")]


# What a cell contains


@pytest.mark.parametrize(
    ("value", "text", "kind"),
    [
        pytest.param(15298, "15298", "number", id="integer"),
        pytest.param(34.3, "34.3", "number", id="price"),
        pytest.param(-8, "-8", "number", id="negative"),
        pytest.param(1e-7, "1e-7", "number", id="tiny"),
        pytest.param("  Pauillac\xa0", "  Pauillac\xa0", "text", id="text is not trimmed"),
        pytest.param("1.10", "1.10", "text", id="number typed as text"),
        pytest.param("   ", "   ", "text", id="spaces stay text"),
        pytest.param("", None, None, id="empty text is an empty cell"),
        pytest.param(True, "TRUE", "boolean", id="true"),
        pytest.param(False, "FALSE", "boolean", id="false"),
        pytest.param(date(2024, 3, 1), "2024-03-01 00:00:00", "date", id="date"),
        pytest.param(datetime(2024, 3, 1, 12, 30), "2024-03-01 12:30:00", "date", id="date and time"),  # noqa: DTZ001
        pytest.param(Formula("=NA()", "#N/A"), "#N/A", "error", id="error"),
        pytest.param(Formula("=1/0", "#DIV/0!"), "#DIV/0!", "error", id="division by zero"),
        pytest.param(Formula("=2*6", 12), "12", "number", id="formula giving a number"),
        pytest.param(Formula('="a"&"&b"', "a&b"), "a&b", "text", id="formula giving text"),
        pytest.param(Formula("=1=1", True), "TRUE", "boolean", id="formula giving a boolean"),  # noqa: FBT003
        pytest.param(Formula("=2*6"), None, "uncalculated", id="formula never calculated"),
    ],
)
def test_a_cell_keeps_its_content(xlsx, value, text, kind):
    write_workbook(xlsx, [("product_id", "price"), (1, value), (2, 1)])

    assert table(xlsx, "price", kind_of("price"))[0] == (2, text, kind)


@pytest.mark.parametrize(
    ("cell", "text", "kind"),
    [
        pytest.param("<v>34.299999999999997</v>", "34.3", "number", id="the digits Excel writes"),
        pytest.param("<v>3.0000000001</v>", "3.0000000001", "number", id="ten decimals"),
        pytest.param("<v>1.00499999999</v>", "1.00499999999", "number", id="just below a rounding"),
        pytest.param("<v>19.989999999999998</v>", "19.99", "number", id="shortest decimal"),
        pytest.param("<v>999999999999999</v>", "999999999999999", "number", id="fifteen digits"),
        pytest.param("<v>1.5E+300</v>", "1.5e+300", "number", id="huge"),
        pytest.param("<v>-0</v>", "0", "number", id="negative zero"),
        pytest.param("<v> 12 </v>", "12", "number", id="spaces around a number"),
        pytest.param("<v>1E400</v>", "inf", "number", id="beyond every double"),
        pytest.param("<v>INF</v>", "inf", "number", id="infinity"),
        pytest.param("<v></v>", None, None, id="nothing"),
        pytest.param("<f>1+1</f>", None, "uncalculated", id="formula without a result"),
        pytest.param("<f>1+1</f><v/>", None, "uncalculated", id="formula with an empty result"),
        pytest.param('<f t="shared" si="0"/><v>2</v>', "2", "number", id="shared formula"),
    ],
)
def test_a_number_is_the_one_that_is_stored(xlsx, cell, text, kind):
    write_raw_workbook(xlsx, with_price(f'<c r="B2">{cell}</c>'))

    assert table(xlsx, "price", kind_of("price")) == [(2, text, kind)]


def with_price(cell: str) -> str:
    """A sheet of one product whose price is this XML."""
    rows = inline_row(1, "product_id", "price") + f'<row r="2"><c r="A2"><v>1</v></c>{cell}</row>'
    return sheet_xml(rows)


@pytest.mark.parametrize(
    ("cell", "text", "kind"),
    [
        pytest.param('t="str"><f>A1</f>', None, "uncalculated", id="text formula without a result"),
        pytest.param('t="d"><v>2024-03-01</v>', "2024-03-01", "date", id="date in ISO form"),
        pytest.param('t="b"><f>1=1</f>', None, "uncalculated", id="boolean formula without a result"),
        pytest.param('t="inlineStr"><f>A1</f><is><t>x</t></is>', "x", "text", id="formula with its text inside"),
        pytest.param('t="n"><v>7</v>', "7", "number", id="number that says so"),
        pytest.param('t="e"><v>#FOO!</v>', "#FOO!", "error", id="error that no program knows yet"),
    ],
)
def test_the_type_of_a_cell_is_the_one_that_is_stored(xlsx, cell, text, kind):
    write_raw_workbook(xlsx, with_price(f'<c r="B2" {cell}</c>'))

    assert table(xlsx, "price", kind_of("price")) == [(2, text, kind)]


def test_a_last_row_with_only_an_uncalculated_formula_is_a_row(xlsx):
    """The Excel reader does not see such a row at all."""
    rows = inline_row(1, "product_id", "price") + inline_row(2, "1", "5") + '<row r="4"><c r="B4"><f>B2</f></c></row>'
    write_raw_workbook(xlsx, sheet_xml(rows))

    assert table(xlsx, "product_id", kind_of("price")) == [
        (2, "1", "text"),
        (3, None, None),
        (4, None, "uncalculated"),
    ]


# Which sheet, which row


def test_two_sheets_with_the_columns_are_both_named(xlsx):
    write_workbook(xlsx, [LINK, (1, 10)], "March", more_sheets={"April": [LINK, (1, 10)]})

    refusal = refused(xlsx, "liaison")

    both = '"March", "April"'
    assert issues(refusal, "rule", "sheet", "row", "value") == [
        ("several-sheets", "March", 1, both), ("several-sheets", "April", 1, both),
    ]  # fmt: skip


def test_all_missing_and_doubled_columns_are_reported_at_once(xlsx):
    write_workbook(xlsx, [("sku", "post_type", "SKU "), (1, 2, 3)])

    refusal = refused(xlsx, "web")

    assert issues(refusal, "rule", "column", "cell") == [
        ("missing-column", "post_title", None),
        ("missing-column", "total_sales", None),
        ("doubled-column", "sku", "A1"),
        ("doubled-column", "sku", "C1"),
    ]


def test_an_optional_column_may_not_be_doubled_either(xlsx):
    write_workbook(xlsx, [("product_id", "price", "stock_status", "stock_status"), (1, 5, "a", "b")])

    refusal = refused(xlsx)

    assert issues(refusal, "rule", "column", "cell") == [
        ("doubled-column", "stock_status", "C1"), ("doubled-column", "stock_status", "D1"),
    ]  # fmt: skip


def test_an_empty_sheet_has_no_columns(xlsx):
    write_workbook(xlsx, [])

    assert issues(refused(xlsx, "liaison"), "rule", "column", "value") == [
        ("missing-column", "product_id", "found: nothing"), ("missing-column", "id_web", "found: nothing"),
    ]  # fmt: skip


def test_a_header_above_a_blank_row_is_refused(xlsx):
    write_workbook(xlsx, [LINK, ("", None)])

    assert issues(refused(xlsx, "liaison"), "rule", "sheet", "row") == [("no-rows", "Sheet1", 1)]


# What is no workbook


def test_another_kind_of_file_is_reported_by_its_kind(xlsx):
    """Every kind: tests/hostile/corpus.py."""
    xlsx.write_bytes(b"\xef\xbb\xbf\n <!DOCTYPE html><table>")

    refusal = refused(xlsx)

    assert str(refusal).startswith(
        '1 error, nothing is published. erp.xlsx: "a web page (HTML)" is not an .xlsx workbook. Export the workbook'
    )
    assert issues(refusal, "rule", "value") == [("not-a-workbook", "a web page (HTML)")]


def _zip(**members: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return content.getvalue()


def test_one_wrong_bit_is_found_though_the_workbook_still_opens(xlsx):
    """Stored without compression, a changed digit is a good workbook with another price."""
    write_raw_workbook(xlsx, with_price('<c r="B2"><v>24.2</v></c>'))
    with zipfile.ZipFile(xlsx) as archive:
        xlsx.with_name("s").write_bytes(_zip(**{name: archive.read(name).decode() for name in archive.namelist()}))
    stored = xlsx.with_name("s").read_bytes()
    xlsx.write_bytes(stored.replace(b"<v>24.2</v>", b"<v>24.3</v>"))

    assert issues(refused(xlsx), "rule", "sheet", "value") == [
        ("damaged-workbook", "Sheet1", "xl/worksheets/month.xml")
    ]


def test_two_parts_of_one_name_are_refused(xlsx):
    write_raw_workbook(xlsx, sheet_xml(inline_row(1, "product_id", "price") + inline_row(2, "1", "5")))
    with zipfile.ZipFile(xlsx, "a") as archive:
        archive.writestr("xl/worksheets/Month.xml", "<worksheet/>")

    assert issues(refused(xlsx), "rule", "sheet", "value") == [
        ("damaged-workbook", "Sheet1", "2 x xl/worksheets/month.xml")
    ]


def test_broken_xml_is_refused_without_low_level_noise(xlsx):
    write_raw_workbook(xlsx, "<worksheet><sheetData><row></worksheet>")

    assert issues(refused(xlsx), "rule", "value") == [("damaged-workbook", "xl/worksheets/month.xml")]


@pytest.mark.parametrize(
    ("cells", "value"),
    [
        ("><v>abc</v></c>", "abc (is stored as a number)"),
        (' t="b"><v>2</v></c>', "2 (is stored as a truth value)"),
        ('><v>1</v></c><c r="B2"><v>2</v></c>', "1 (is not the only content of the cell)"),
        (' t="s"><v>9</v></c>', "9 (is the number of no text of the workbook)"),
        (' t="s"><v></v></c>', " (is the number of no text of the workbook)"),
        (' t="inlineStr"><v>24.2</v></c>', "24.2 (is stored where the cell's type has no text)"),
        ("><is><t>24.2</t></is></c>", "24.2 (is stored where the cell's type has no text)"),
        (' t="d"><v>5 May</v></c>', "5 May (is stored as a date)"),
        (' t="x"><v>1</v></c>', "x (is no type of a cell)"),
    ],
)
def test_a_cell_without_a_certain_meaning_is_refused_with_its_address(xlsx, cells, value):
    write_raw_workbook(xlsx, with_price(f'<c r="B2"{cells}'))

    assert issues(refused(xlsx), "rule", "sheet", "cell", "value") == [("unreadable-cell", "Sheet1", "B2", value)]


def test_an_address_that_is_none_is_refused(xlsx):
    write_raw_workbook(xlsx, with_price('<c r="B"><v>1</v></c>'))

    assert issues(refused(xlsx), "rule", "sheet", "cell", "value") == [
        ("unreadable-cell", "Sheet1", "B", "no address of a cell")
    ]


def test_a_number_that_no_date_can_show_stays_what_it_is(xlsx):
    write_workbook(xlsx, [("product_id", "price"), (1, date(2024, 3, 1)), (2, 1)])
    with zipfile.ZipFile(xlsx) as archive:
        parts = {name: archive.read(name).decode() for name in archive.namelist()}
    day = "<v>45352</v>"
    assert day in parts["xl/worksheets/sheet1.xml"]
    parts["xl/worksheets/sheet1.xml"] = parts["xl/worksheets/sheet1.xml"].replace(day, "<v>1E+300</v>")
    xlsx.write_bytes(_zip(**parts))

    assert table(xlsx, "price", kind_of("price"))[0] == (2, "1e+300", "date")


# How programs write cells

_COMMON = (
    inline_row(1, "product_id", "note", "price")
    + '<row r="2"><c r="A2" s="0"><v>1</v></c><c r="B2"><v>9</v></c><c r="C2"><v>34.299999999999997</v></c></row>'
    + '<row r="3"><c r="A3" t="str"><f>"a&amp;b"</f><v>a&amp;b</v></c>'
    + '<c r="C3" t="e"><f>1/0</f><v>#DIV/0!</v></c></row>'
    + '<row r="4"><c r="A4" t="b"><v>1</v></c><c r="C4"><f>A2</f></c></row>'
    + '<row r="5"/><row r="6"><c r="A6"/><c r="C6" t="inlineStr"><is><t>x</t></is></c></row>'
)


_EXPECTED = [
    (2, "1", "number", "34.3", "number"),
    (3, "a&b", "text", "#DIV/0!", "error"),
    (4, "TRUE", "boolean", None, "uncalculated"),
    (5, None, None, None, None),
    (6, None, None, "x", "text"),
]
_SHOWN = ("product_id", kind_of("product_id"), "price", kind_of("price"))


def by_pattern(sheet: str, *columns: str) -> StoredCells | None:
    *_, last = parts = list(pattern_reader.read_cells_by_pattern(io.BytesIO(sheet.encode()), columns))
    return None if last is None else StoredCells(pl.concat([part.cells for part in parts]), last.lowest)


def by_parser(sheet: str, *columns: str) -> StoredCells:
    parts = list(xml_reader.read_cells_by_parser(io.BytesIO(sheet.encode()), columns))
    return StoredCells(pl.concat([part.cells for part in parts]), parts[-1].lowest)


def assert_same_cells(one, other):
    assert_frame_equal(one.cells, other.cells)
    assert one.lowest == other.lowest


@pytest.mark.parametrize(
    "sheet",
    [
        pytest.param(sheet_xml(_COMMON), id="as most programs write it"),
        pytest.param(sheet_xml(_COMMON.replace("<v>1<", "<v>&#49;<")), id="number in character references"),
        pytest.param(sheet_xml(_COMMON.replace("<t>x<", "<t>\n x <")), id="blanks around a text"),
    ],
)
def test_the_common_dialect_is_read_by_pattern_and_parser_alike(xlsx, monkeypatch, sheet):
    assert_same_cells(by_pattern(sheet, "A", "C"), by_parser(sheet, "A", "C"))
    monkeypatch.setattr(reader, "read_cells_by_parser", None)  # it is not needed
    assert table(write_raw_workbook(xlsx, sheet), *_SHOWN) == _EXPECTED


@pytest.mark.parametrize(
    ("common", "other"),
    [
        pytest.param("<v>", "\n<v>", id="line breaks"),
        pytest.param("34.29", "34.<!-- 5 -->29", id="comment inside a number"),
        pytest.param('<c r="C2"><v>', '<c r="C2"><is></is><v>', id="text inside a cell of numbers"),
    ],
)
def test_another_dialect_is_read_by_the_parser_with_the_same_result(xlsx, common, other):
    """Many more: tests/structures.py."""
    sheet = sheet_xml(_COMMON.replace(common, other))
    assert by_pattern(sheet, "A", "C") is None
    assert table(write_raw_workbook(xlsx, sheet), *_SHOWN) == _EXPECTED


@pytest.mark.parametrize("size", [1, 7, 64, 1000])
def test_where_the_xml_is_cut_into_chunks_changes_nothing(monkeypatch, size):
    sheet = sheet_xml(_COMMON)
    whole = by_parser(sheet, "A", "C")
    for module in (pattern_reader, xml_reader):
        monkeypatch.setattr(module, "CHUNK", size)

    assert_same_cells(by_pattern(sheet, "A", "C"), whole)
    assert_same_cells(by_parser(sheet, "A", "C"), whole)


def test_a_workbook_saved_by_openpyxl_is_read(xlsx, monkeypatch):
    workbook = openpyxl.Workbook()
    for row in [("product_id", "price"), (1, 34.3), ("a", "=1+1"), (True, date(2024, 3, 1))]:
        workbook.active.append(row)
    workbook.save(xlsx)
    monkeypatch.setattr(reader, "read_cells_by_parser", None)

    assert table(xlsx, *_SHOWN) == [
        (2, "1", "number", "34.3", "number"),
        (3, "a", "text", None, "uncalculated"),
        (4, "TRUE", "boolean", "2024-03-01 00:00:00", "date"),
    ]


def test_the_cells_as_libreoffice_writes_them_are_read_by_pattern():
    """Copied from a file that LibreOffice saved."""
    sheet = sheet_xml(
        '<row r="1" customFormat="false" ht="12.8" hidden="false" customHeight="false" outlineLevel="0">'
        '<c r="A1" s="0" t="n"><v>24.2</v></c><c r="B1" s="0" t="str"><f aca="false">A2&amp;"&lt;x&gt;"</f><v>a</v></c>'
        '<c r="C1" s="0" t="e"><f aca="false">1/0</f><v>#DIV/0!</v></c><c r="D1" s="1"/></row>'
    )

    assert by_pattern(sheet, "A", "B", "C", "D").cells.rows() == [
        ("A", 1, 0, "n", False, "24.2", None),
        ("B", 1, 0, "str", True, "a", None),
        ("C", 1, 0, "e", True, "#DIV/0!", None),
    ]


def test_a_sheet_in_another_encoding_is_read_by_the_parser():
    """Its bytes may be UTF-8 too, with another meaning."""
    sheet = '<?xml version="1.0" encoding="iso-8859-1"?>' + sheet_xml(inline_row(1, "\u00e9"))

    assert by_pattern(sheet, "A") is None
    assert by_parser(sheet, "A").cells["inline"].to_list() == ["\u00c3\u00a9"]


def test_reading_by_pattern_is_several_times_faster_than_by_parser():
    """It is nine times faster; otherwise a change of Polars has made the pattern slow, and it may go."""
    cells = "".join(f'<c r="{letter}ROW" s="1"><v>1234.5</v></c>' for letter in "ABCDEFGHIJ")
    sheet = sheet_xml("".join(f'<row r="{row}">{cells.replace("ROW", str(row))}</row>' for row in range(1, 4_001)))

    def seconds(read) -> float:
        start = time.process_time()
        assert read(sheet, "A", "F").cells.height == 8_000
        return time.process_time() - start

    assert min(seconds(by_parser) for _ in range(3)) > 3 * min(seconds(by_pattern) for _ in range(3))


# The real month


@pytest.mark.skipif("BOTTLENECK_WORKBOOKS" not in os.environ, reason="BOTTLENECK_WORKBOOKS names no folder")
@pytest.mark.parametrize(
    ("source", "file", "rows"),
    [("erp", "Fichier_erp.xlsx", 825), ("liaison", "fichier_liaison.xlsx", 825), ("web", "Fichier_web.xlsx", 1513)],
)
def test_the_real_workbooks_are_read_whole(tmp_path, source, file, rows):
    workbook = Path(os.environ["BOTTLENECK_WORKBOOKS"]) / file
    staged = stage_workbook(workbook, source, file, tmp_path / "staged.parquet")

    assert (set(staged.columns["sheet"]), None in letters(staged).values()) == ({"Sheet1"}, False)
    assert staged.raw.select(pl.len()).collect().item() == rows
