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
from polars.testing import assert_frame_equal

from tasks.domain.issues import DataRefused
from tasks.domain.sources import CELL_KINDS, kind_of
from tasks.workbook import pattern_reader, reader, xml_reader
from tasks.workbook.staging import StagedWorkbook, stage_workbook
from tasks.workbook.stored_cells import StoredCells

ERP = ("product_id", "onsale_web", "price", "stock_quantity", "stock_status")
LINK = ("product_id", "id_web")


def stage(workbook: Path, source: str = "erp", file: str | None = None) -> StagedWorkbook:
    return stage_workbook(workbook, source, file or f"{source}.xlsx", workbook.with_suffix(".parquet"))


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


def told(refusal: DataRefused, *columns: str) -> list[tuple]:
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
        assert told(refusal.exception(), "rule", "column") == [("missing-column", "id_web")]


# What a cell holds


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
def test_a_cell_keeps_what_it_holds(xlsx, value, text, kind):
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
    rows = inline_row(1, "product_id", "price") + f'<row r="2"><c r="A2"><v>1</v></c><c r="B2">{cell}</c></row>'
    write_raw_workbook(xlsx, sheet_xml(rows))

    assert table(xlsx, "price", kind_of("price")) == [(2, text, kind)]


@pytest.mark.parametrize(
    ("cell", "text", "kind"),
    [
        pytest.param('t="str"><f>A1</f>', None, "uncalculated", id="text formula without a result"),
        pytest.param('t="d"><v>2024-03-01</v>', "2024-03-01", "date", id="date in ISO form"),
        pytest.param('t="b"><f>1=1</f>', None, "uncalculated", id="boolean formula without a result"),
        pytest.param('t="inlineStr"><f>A1</f><is><t>x</t></is>', "x", "text", id="formula with its text inside"),
        pytest.param('t="n"><v>7</v>', "7", "number", id="number that says so"),
    ],
)
def test_the_type_of_a_cell_is_the_one_that_is_stored(xlsx, cell, text, kind):
    rows = inline_row(1, "product_id", "price") + f'<row r="2"><c r="A2"><v>1</v></c><c r="B2" {cell}</c></row>'
    write_raw_workbook(xlsx, sheet_xml(rows))

    assert table(xlsx, "price", kind_of("price")) == [(2, text, kind)]


def test_a_last_row_of_nothing_but_an_uncalculated_formula_is_a_row(xlsx):
    """The Excel reader does not see such a row at all."""
    rows = inline_row(1, "product_id", "price") + inline_row(2, "1", "5") + '<row r="4"><c r="B4"><f>B2</f></c></row>'
    write_raw_workbook(xlsx, sheet_xml(rows))

    assert table(xlsx, "product_id", kind_of("price")) == [
        (2, "1", "text"),
        (3, None, None),
        (4, None, "uncalculated"),
    ]


# Which sheet, which row


def test_the_header_may_stand_below_a_banner_and_blank_rows(xlsx):
    write_workbook(xlsx, [("Stock of March",), (), ("product_id",), LINK, (1, 10)])

    assert table(xlsx, "product_id", "id_web", source="liaison") == [(5, "1", "10")]


def test_titles_are_compared_without_case_outer_blanks_and_width(xlsx):
    write_workbook(xlsx, [(" Product_ID ", "\uff30RICE\xa0"), (1, 5)])

    assert letters(stage(xlsx)) | {"product_id": "A", "price": "B"} == letters(stage(xlsx))


@pytest.mark.parametrize(
    "title",
    [pytest.param("pricé", id="accent"), pytest.param("\u0440rice", id="Cyrillic letter")],
)
def test_a_title_that_only_looks_alike_is_not_the_column(xlsx, title):
    write_workbook(xlsx, [("product_id", title), (1, 5)])

    assert told(refused(xlsx), "rule", "column", "value") == [
        ("missing-column", "price", f"found: product_id, {title}")
    ]


def test_a_hidden_sheet_is_ignored(xlsx):
    write_workbook(
        xlsx, [LINK, (1, 10)], "old", more_sheets={"Notes": [("hello",)], "now": [LINK, (2, 20)]}, hidden={"old"}
    )

    assert stage(xlsx, "liaison").columns["sheet"].unique().to_list() == ["now"]
    assert table(xlsx, "product_id", source="liaison") == [(2, "2")]


def test_two_sheets_with_the_columns_are_both_named(xlsx):
    write_workbook(xlsx, [LINK, (1, 10)], "March", more_sheets={"April": [LINK, (1, 10)]})

    refusal = refused(xlsx, "liaison")

    assert told(refusal, "rule", "sheet", "row", "value") == [
        ("several-sheets", "March", 1, '"March", "April"'), ("several-sheets", "April", 1, '"March", "April"'),
    ]  # fmt: skip


def test_a_missing_column_is_told_with_what_is_there_instead(xlsx):
    write_workbook(xlsx, [("Stock",), ("product_id", "prix"), (1, 5)], more_sheets={"Notes": [("hello",)]})

    refusal = refused(xlsx)

    assert told(refusal, "file", "sheet", "row", "rule", "severity", "column", "value", "remedy") == [
        (
            "erp.xlsx",
            "Sheet1",
            2,
            "missing-column",
            "error",
            "price",
            "found: product_id, prix",
            'Rename "prix" (B2) to "price", then run again.',
        )
    ]


def test_all_missing_and_doubled_columns_are_told_at_once(xlsx):
    write_workbook(xlsx, [("sku", "post_type", "SKU "), (1, 2, 3)])

    refusal = refused(xlsx, "web")

    assert told(refusal, "rule", "column", "cell") == [
        ("missing-column", "post_title", None),
        ("missing-column", "total_sales", None),
        ("doubled-column", "sku", "A1"),
        ("doubled-column", "sku", "C1"),
    ]


def test_an_optional_column_may_not_be_doubled_either(xlsx):
    write_workbook(xlsx, [("product_id", "price", "stock_status", "stock_status"), (1, 5, "a", "b")])

    refusal = refused(xlsx)

    assert told(refusal, "rule", "column", "cell") == [
        ("doubled-column", "stock_status", "C1"), ("doubled-column", "stock_status", "D1"),
    ]  # fmt: skip


def test_an_empty_sheet_has_no_columns(xlsx):
    write_workbook(xlsx, [])

    assert told(refused(xlsx, "liaison"), "rule", "column", "value") == [
        ("missing-column", "product_id", "found: nothing"), ("missing-column", "id_web", "found: nothing"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "rows", [pytest.param([LINK], id="header only"), pytest.param([LINK, ("", None)], id="blank row")]
)
def test_a_header_without_rows_is_refused(xlsx, rows):
    write_workbook(xlsx, rows)

    refusal = refused(xlsx, "liaison")

    assert told(refusal, "rule", "sheet", "row") == [("no-rows", "Sheet1", 1)]


# What is no workbook


def _zip(**members: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return content.getvalue()


_OLE = bytes.fromhex("D0CF11E0A1B11AE1") + bytes(504)


@pytest.mark.parametrize(
    ("content", "likeness"),
    [
        pytest.param(b"", "an empty file", id="empty"),
        pytest.param(b"product_id;price\n1;5\n", "a text or CSV file", id="csv"),
        pytest.param(b"\xef\xbb\xbf\n <!DOCTYPE html><table>", "a web page (HTML)", id="html"),
        pytest.param(b"%PDF-1.7", "a PDF file", id="pdf"),
        pytest.param(bytes(20), "a file of an unknown kind", id="zeros"),
        pytest.param(_OLE + "Workbook".encode("utf-16-le"), "an old .xls workbook", id="xls"),
        pytest.param(_OLE + "EncryptedPackage".encode("utf-16-le"), "a password-protected workbook", id="password"),
        pytest.param(_zip(**{"content.xml": ""}), "an OpenDocument file (such as .ods)", id="ods"),
        pytest.param(_zip(**{"word/document.xml": ""}), "a Word document", id="word"),
        pytest.param(_zip(**{"xl/workbook.bin": ""}), "a binary workbook (.xlsb)", id="xlsb"),
        pytest.param(_zip(readme=""), "a zip archive without a workbook", id="zip"),
    ],
)
def test_another_kind_of_file_is_told_by_what_it_looks_like(xlsx, content, likeness):
    xlsx.write_bytes(content)

    refusal = refused(xlsx)

    assert str(refusal).startswith(
        f'1 error, nothing is published. erp.xlsx: "{likeness}" is not an .xlsx workbook. Export the workbook again'
    )
    assert told(refusal, "rule", "value") == [("not-a-workbook", likeness)]


def test_half_a_workbook_is_damaged(xlsx):
    write_workbook(xlsx, [ERP, (1, 1, 5, 0, "instock")])
    content = xlsx.read_bytes()
    xlsx.write_bytes(content[: len(content) // 2])

    assert told(refused(xlsx), "rule", "value") == [("damaged-workbook", "end of the file")]


def test_one_wrong_bit_is_found_though_the_workbook_still_opens(xlsx):
    """Stored without compression, a changed digit is a good workbook with another price."""
    rows = inline_row(1, "product_id", "price") + '<row r="2"><c r="A2"><v>1</v></c><c r="B2"><v>24.2</v></c></row>'
    write_raw_workbook(xlsx, sheet_xml(rows))
    with zipfile.ZipFile(xlsx) as archive:
        xlsx.with_name("s").write_bytes(_zip(**{name: archive.read(name).decode() for name in archive.namelist()}))
    stored = xlsx.with_name("s").read_bytes()
    xlsx.write_bytes(stored.replace(b"<v>24.2</v>", b"<v>24.3</v>"))

    assert told(refused(xlsx), "rule", "sheet", "value") == [("damaged-workbook", "Sheet1", "xl/worksheets/month.xml")]


def test_two_parts_of_one_name_are_refused(xlsx):
    write_raw_workbook(xlsx, sheet_xml(inline_row(1, "product_id", "price") + inline_row(2, "1", "5")))
    with zipfile.ZipFile(xlsx, "a") as archive:
        archive.writestr("xl/worksheets/Month.xml", "<worksheet/>")

    assert told(refused(xlsx), "rule", "sheet", "value") == [
        ("damaged-workbook", "Sheet1", "2 x xl/worksheets/month.xml")
    ]


def test_broken_xml_is_refused_without_low_level_noise(xlsx):
    write_raw_workbook(xlsx, "<worksheet><sheetData><row></worksheet>")

    assert told(refused(xlsx), "rule", "value") == [("damaged-workbook", "xl/worksheets/month.xml")]


@pytest.mark.parametrize(
    ("cells", "value"),
    [
        pytest.param(
            '<c r="B2"><v>abc</v></c>',
            "abc (is stored as a number)",
            id="number that is none",
        ),
        pytest.param(
            '<c r="B2" t="b"><v>2</v></c>',
            "2 (is stored as a truth value)",
            id="boolean that is none",
        ),
        pytest.param(
            '<c r="B2"><v>1</v></c><c r="B2"><v>2</v></c>',
            "1 (is not the only content of the cell)",
            id="cell stored twice",
        ),
        pytest.param(
            '<c r="B2" t="s"><v>9</v></c>',
            "9 (is the number of no text of the workbook)",
            id="text that is not in the table of texts",
        ),
        pytest.param(
            '<c r="B2" t="s"><v></v></c>',
            " (is the number of no text of the workbook)",
            id="text without a number",
        ),
        pytest.param(
            '<c r="B2" t="inlineStr"><v>24.2</v></c>',
            "24.2 (is stored where the cell's type has no text)",
            id="text in the wrong element",
        ),
        pytest.param(
            '<c r="B2"><is><t>24.2</t></is></c>',
            "24.2 (is stored where the cell's type has no text)",
            id="text in a cell of numbers",
        ),
        pytest.param(
            '<c r="B2" t="d"><v>5 May</v></c>',
            "5 May (is stored as a date)",
            id="date that is none",
        ),
        pytest.param(
            '<c r="B2" t="x"><v>1</v></c>',
            "x (is no type of a cell)",
            id="unknown type",
        ),
    ],
)
def test_a_cell_without_a_certain_meaning_is_refused_with_its_address(xlsx, cells, value):
    rows = inline_row(1, "product_id", "price") + f'<row r="2"><c r="A2"><v>1</v></c>{cells}</row>'
    write_raw_workbook(xlsx, sheet_xml(rows))

    refusal = refused(xlsx)

    assert told(refusal, "rule", "sheet", "cell", "value") == [("unreadable-cell", "Sheet1", "B2", value)]


def test_an_error_that_no_program_knows_yet_is_an_error(xlsx):
    rows = (
        inline_row(1, "product_id", "price") + '<row r="2"><c r="A2"><v>1</v></c><c r="B2" t="e"><v>#FOO!</v></c></row>'
    )
    write_raw_workbook(xlsx, sheet_xml(rows))

    assert table(xlsx, "price", kind_of("price")) == [(2, "#FOO!", "error")]


def test_an_address_that_is_none_is_refused(xlsx):
    rows = inline_row(1, "product_id", "price") + '<row r="2"><c r="A2"><v>1</v></c><c r="B"><v>1</v></c></row>'
    write_raw_workbook(xlsx, sheet_xml(rows))

    assert told(refused(xlsx), "rule", "sheet", "cell", "value") == [
        ("unreadable-cell", "Sheet1", "B", "no address of a cell")
    ]


def test_a_workbook_of_hidden_sheets_has_none_to_read(xlsx):
    """No program writes this, and a reader could take the first sheet all the same."""
    write_raw_workbook(xlsx, sheet_xml(inline_row(1, *LINK) + inline_row(2, "1", "5")), sheet_state="hidden")

    assert told(refused(xlsx, "liaison"), "rule", "value") == [("no-visible-sheet", None)]


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
_WITHOUT_ADDRESSES = (
    "<row><c t='inlineStr'><is><t>product_id</t></is></c><c/><c t='inlineStr'><is><t>price</t></is></c></row>"
    "<row><c><v>1</v></c><c><v>9</v></c><c><v>34.299999999999997</v></c></row>"
    "<row><c t='str'><f>\"a&amp;b\"</f><v>a&amp;b</v></c><c/><c t='e'><f>1/0</f><v>#DIV/0!</v></c></row>"
    "<row><c t='b'><v>1</v></c><c/><c><f>A2</f></c></row>"
    "<row/><row><c/><c/><c t='inlineStr'><is><t>x</t></is></c></row>"
)


def _prefixed(rows: str) -> str:
    return rows.replace("</", "<\0").replace("<", "<x:").replace("<x:\0", "</x:")


_DIALECTS = {
    "single quotes": sheet_xml(_COMMON.replace('"', "'").replace("'a&amp;b'", '"a&amp;b"')),
    "namespace prefix": sheet_xml(_prefixed(_COMMON), prefix="x:"),
    "other attribute first": sheet_xml(_COMMON.replace('<c r="A2" s="0">', '<c s="0" r="A2">')),
    "text inside a cell of numbers": sheet_xml(_COMMON.replace('<c r="C2"><v>', '<c r="C2"><is></is><v>')),
    "unknown attribute": sheet_xml(_COMMON.replace('<c r="A2" s="0">', '<c r="A2" ph="1">')),
    "line breaks": sheet_xml(_COMMON.replace("<v>", "\n<v>").replace("<c ", "<c\n")),
    "comment": sheet_xml(_COMMON + "<!-- <c r='A9'><v>1</v></c> -->"),
    "comment inside a number": sheet_xml(_COMMON.replace("34.29", "34.<!-- 5 -->29")),
    "rich text": sheet_xml(
        _COMMON.replace("<t>x</t>", '<r><rPr><color rgb="FF0000"/></rPr><t xml:space="preserve">x</t></r>')
    ),
    "cdata": sheet_xml(_COMMON.replace("<t>x</t>", "<t><![CDATA[x]]></t>")),
    "no addresses": sheet_xml(_WITHOUT_ADDRESSES),
}
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


@pytest.mark.parametrize("sheet", [pytest.param(sheet, id=name) for name, sheet in _DIALECTS.items()])
def test_another_dialect_is_handed_to_the_parser_with_the_same_result(xlsx, sheet):
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


def test_a_sheet_in_another_encoding_is_for_the_parser():
    """Its bytes may be UTF-8 too, with another meaning."""
    sheet = '<?xml version="1.0" encoding="iso-8859-1"?>' + sheet_xml(inline_row(1, "\u00e9"))

    assert by_pattern(sheet, "A") is None
    assert by_parser(sheet, "A").cells["inline"].to_list() == ["\u00c3\u00a9"]


def test_reading_by_pattern_is_several_times_faster_than_by_parser():
    """It is nine times faster; otherwise a change of Polars has made the pattern slow, and it may go."""
    cells = "".join(f'<c r="{letter}ROW" s="1"><v>1234.5</v></c>' for letter in "ABCDEFGHIJ")
    sheet = sheet_xml("".join(f'<row r="{row}">{cells.replace("ROW", str(row))}</row>' for row in range(1, 15_001)))

    def seconds(read) -> float:
        start = time.process_time()
        assert read(sheet, "A", "F").cells.height == 30_000
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
