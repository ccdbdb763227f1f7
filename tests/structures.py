"""One table in the many forms in which programs store it.

A form chooses one option of each `OPTIONS`; the first of each is the usual one. What the table contains is the same in
every form.
"""

import random
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from html import escape
from pathlib import Path

from xlsxwriter.utility import xl_col_to_name

Form = Mapping[str, str]

OPTIONS: dict[str, tuple[str, ...]] = {
    "main part": ("xl/workbook.xml", "workbook.xml", "Mappe/Buch 1.xml"),
    "sheet part": ("xl/worksheets/sheet1.xml", "xl/Blatt 1.xml", "sheets/Sheet", "table.xml"),
    "texts part": ("xl/sharedStrings.xml", "xl/texts/all.xml", "strings.xml"),
    "targets": ("relative", "absolute", "back-slashes", "dots", "escaped", "other case"),
    "members": ("as named", "back-slashes", "leading slash", "other case", "escaped"),
    "order": ("usual", "reversed", "shuffled"),
    "archive": ("packed", "stored", "streamed", "with folders"),
    "encoding": ("utf-8", "utf-8-sig", "utf-16", "iso-8859-1"),
    "namespace": ("default", "prefix", "strict"),
    "texts": ("shared", "inline", "formulas", "runs", "inline runs", "inline beside <v>", "pronounced", "mixed"),
    "index": ("plain", "blank behind", "reference", "pretty-printed", "leading zeros"),
    "numbers": ("plain", "exponent", "point", "blanks", "references"),
    "addresses": ("all", "no cells", "none"),
    "attributes": ("usual", "type first", "style first", "single quotes", "unknown"),
    "in cells": ("nothing", "extension", "comment", "instruction", "CDATA"),
    "blanks": ("none", "empty cells", "far right", "far down", "blank rows"),
    "other sheets": ("none", "macros", "dialog", "chart", "no relation", "broken", "wide", "hidden copy", "many"),
    "beside": ("nothing", "thumbnail", "damaged picture", "twice a picture", "odd XML"),
    "titles": ("plain", "byte order mark", "invisible", "capitals", "no-break spaces"),
    "calculation": ("calculated", "on load", "unsaid"),
}
USUAL: dict[str, str] = {name: options[0] for name, options in OPTIONS.items()}

_DECLARATION = '<?xml version="1.0" encoding="{}"?>\n'
_MAIN = {
    "default": "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
    "strict": "http://purl.oclc.org/ooxml/spreadsheetml/main",
}
_OFFICE = {
    "default": "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
    "strict": "http://purl.oclc.org/ooxml/officeDocument/relationships",
}
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001 - a workbook has no zone
_AROUND = {"byte order mark": "\ufeff", "invisible": "\u200b\u200e", "no-break spaces": "\u00a0\u202f"}
_DAMAGED = "xl/media/damaged.png"


@dataclass(frozen=True)
class Fault:
    """An error cell, such as `Fault("#N/A")`."""

    code: str


@dataclass(frozen=True)
class Calculated:
    """A cell with a formula and the number that it gave."""

    number: float


def random_form(rng: random.Random) -> dict[str, str]:
    """Half of the options as usual, the others any."""
    return {name: rng.choice([options[0], rng.choice(options[1:])]) for name, options in OPTIONS.items()}


def write_structure(path: Path, rows: Sequence[Sequence[object]], form: Form, seed: int = 0) -> Path:
    """Write the rows, header first, as a workbook of one sheet in this form; None leaves a cell empty."""
    return _Writer(USUAL | dict(form), random.Random(seed)).write(path, rows)


class _Writer:
    def __init__(self, form: Form, rng: random.Random) -> None:
        self.form = form
        self.rng = rng
        strict = "strict" if form["namespace"] == "strict" else "default"
        self.main, self.office = _MAIN[strict], _OFFICE[strict]
        self.prefix = "x:" if form["namespace"] == "prefix" else ""
        self.texts: dict[str, int] = {}

    def write(self, path: Path, rows: Sequence[Sequence[object]]) -> Path:
        header, *others = rows
        sheet = self.worksheet([[self.title(str(title)) for title in header], *others])
        main = self.form["main part"]
        sheets = {self.form["sheet part"]: ("worksheet", "Sheet1", "visible", sheet)} | self.other_sheets(sheet)
        relations = [(f"rId{n}", kind, part) for n, (part, (kind, *_)) in enumerate(sheets.items())]
        relations += [("texts", "sharedStrings", self.form["texts part"]), ("looks", "styles", "xl/styles.xml")]
        folder, _, name = main.rpartition("/")
        parts = {
            "_rels/.rels": self.relations("", [("main", "officeDocument", main)]),
            main: self.workbook([(title, state) for _, title, state, _ in sheets.values()]),
            f"{folder}/_rels/{name}.rels".lstrip("/"): self.relations(folder, relations),
            self.form["texts part"]: self.shared_texts(),
            "xl/styles.xml": self.styles(),
            **{part: content for part, (*_, content) in sheets.items()},
        }
        encoded = {name: self.encoded(content) for name, content in parts.items()}
        return self.archive(path, encoded | self.beside())

    # --- cells

    def title(self, title: str) -> str:
        around = _AROUND.get(self.form["titles"], "")
        return f"{around}{title.upper() if self.form['titles'] == 'capitals' else title}{around}"

    def worksheet(self, rows: Sequence[Sequence[object]]) -> str:
        lines = [self.row(number, row) for number, row in enumerate(rows, 1)]
        blanks, last = self.form["blanks"], len(rows)
        if blanks == "far down":
            lines += [self.tag("row", self.tag("c", "", r=f"A{n}", s="1"), r=str(n)) for n in (last + 90, 900_000)]
        if blanks == "blank rows":
            lines += [self.tag("row", "", r=str(last + n)) for n in range(1, 9)]
        if self.form["in cells"] == "comment":
            lines.insert(1, "<!-- <row r='2'><c r='A2'><v>7</v></c></row> -->")
        if self.form["in cells"] == "instruction":
            lines.insert(1, "<?keep <v>7</v> ?>")
        dimension = self.tag("dimension", "", ref="A1:XFD1048576")
        return self.root("worksheet", dimension + self.tag("sheetData", "".join(lines)))

    def row(self, number: int, values: Sequence[object]) -> str:
        cells = [self.cell(f"{xl_col_to_name(index)}{number}", value) for index, value in enumerate(values)]
        if self.form["blanks"] == "far right" and self.form["addresses"] == "all":
            cells += [self.tag("c", "", r=f"{letters}{number}", s="1") for letters in ("AMK", "XFD")]
        attributes = {} if self.form["addresses"] == "none" else {"r": str(number)}
        return self.tag("row", "".join(cells), **attributes)

    def cell(self, address: str, value: object) -> str:
        located = {"r": address} if self.form["addresses"] == "all" else {}
        if value is None:
            is_kept = self.form["blanks"] == "empty cells" or not located
            return self.tag("c", "", **located, s="1") if is_kept else ""
        attributes, content = self.content(value)
        if self.form["in cells"] == "extension":
            content += '<extLst><ext uri="u"><y:f xmlns:y="urn:y"><y:v>7</y:v></y:f></ext></extLst>'
        return self.tag("c", content, **self.arranged(located | attributes))

    def arranged(self, attributes: dict[str, str]) -> dict[str, str]:
        match self.form["attributes"]:
            case "type first":
                order = "trs"
            case "style first":
                order = "srt"
            case _:
                order = "rst"
        unknown = {"ph": "1"} if self.form["attributes"] == "unknown" else {}
        return {name: attributes[name] for name in order if name in attributes} | unknown

    def content(self, value: object) -> tuple[dict[str, str], str]:
        match value:
            case Fault(code):
                return {"t": "e"}, self.tag("v", code)
            case Calculated(number):
                return {}, self.tag("f", "A1*2") + self.number(number)
            case bool():
                return {"t": "b"}, self.tag("v", str(int(value)))
            case date():
                moment = value if isinstance(value, datetime) else datetime(*value.timetuple()[:3])  # noqa: DTZ001
                days = (moment - _EPOCH).total_seconds() / 86_400
                return {"s": "2"}, self.number(int(days) if days == int(days) else days)
            case str():
                return self.text(value)
            case _:
                return {"s": "0"}, self.number(value)

    def number(self, number: object) -> str:
        digits = repr(number)
        match self.form["numbers"]:
            case "exponent" if isinstance(number, float):
                digits = f"{number!r}E0" if "e" not in digits else digits
            case "point" if isinstance(number, int):
                digits += ".0"
            case "blanks":
                digits = f"\n  {digits} "
            case "references":
                digits = "".join(f"&#{ord(digit)};" for digit in digits)
        return self.tag("v", digits)

    def text(self, text: str) -> tuple[dict[str, str], str]:
        form = self.form["texts"]
        if form == "mixed":
            form = self.rng.choice(OPTIONS["texts"][:-1])
        match form:
            case "inline":
                return {"t": "inlineStr"}, self.tag("is", self.plain(text))
            case "inline runs":
                return {"t": "inlineStr"}, self.tag("is", self.runs(text))
            case "inline beside <v>":
                return {"t": "inlineStr"}, self.tag("is", self.plain(text)) + self.tag("v", "0")
            case "formulas":
                return {"t": "str"}, self.tag("f", '"a"') + self.tag("v", self.escaped(text))
        content = {"runs": self.runs, "pronounced": self.pronounced}.get(form, self.plain)(text)
        index = str(self.texts.setdefault(content, len(self.texts)))
        match self.form["index"]:
            case "blank behind":
                index += " "
            case "reference":
                index = f"&#{ord(index[0])};{index[1:]}"
            case "pretty-printed":
                index = f"\n      {index}\n    "
            case "leading zeros":
                index = f"00{index}"
        return {"t": "s"}, self.tag("v", index)

    def plain(self, text: str) -> str:
        return self.tag("t", self.escaped(text), **{"xml:space": "preserve"})

    def runs(self, text: str) -> str:
        half = len(text) // 2
        look = self.tag("rPr", self.tag("b", ""))
        return self.tag("r", self.plain(text[:half])) + self.tag("r", look + self.plain(text[half:]))

    def pronounced(self, text: str) -> str:
        return self.plain(text) + self.tag("rPh", self.tag("t", "reading"), sb="0", eb="1")

    def escaped(self, text: str) -> str:
        text = re.sub("[\x00-\x08\x0b-\x1f]|_(?=x[0-9A-F]{4}_)", lambda one: f"_x{ord(one[0]):04X}_", text)
        if self.form["in cells"] == "CDATA" and (text.isascii() or self.form["encoding"] != "iso-8859-1"):
            return f"<![CDATA[{text}]]>"
        text = escape(text, quote=False)
        if self.form["encoding"] == "iso-8859-1":
            return text.encode("ascii", "xmlcharrefreplace").decode()
        return text

    # --- parts

    def tag(self, name: str, content: str, **attributes: str) -> str:
        quote = "'" if self.form["attributes"] == "single quotes" else '"'
        written = "".join(f" {key}={quote}{value}{quote}" for key, value in attributes.items())
        return (
            f"<{self.prefix}{name}{written}>{content}</{self.prefix}{name}>"
            if content
            else (f"<{self.prefix}{name}{written}/>")
        )

    def root(self, name: str, content: str) -> str:
        declared = f'xmlns{":x" if self.prefix else ""}="{self.main}" xmlns:r="{self.office}"'
        return f"<{self.prefix}{name} {declared}>{content}</{self.prefix}{name}>"

    def workbook(self, sheets: Sequence[tuple[str, str]]) -> str:
        listed = "".join(
            f'<{self.prefix}sheet name="{title}" sheetId="{n + 1}" state="{state}"'
            f"{'' if title == 'lost' else f' r:id={chr(34)}rId{n}{chr(34)}'}/>"
            for n, (title, state) in enumerate(sheets)
        )
        calculation = {
            "calculated": self.tag("calcPr", "", calcId="191029"),
            "on load": self.tag("calcPr", "", calcId="124519", fullCalcOnLoad="1"),
            "unsaid": "",
        }[self.form["calculation"]]
        other = '<y:workbookPr xmlns:y="urn:y" date1904="1"/>'
        return self.root("workbook", self.tag("workbookPr", "") + other + self.tag("sheets", listed) + calculation)

    def shared_texts(self) -> str:
        return self.root("sst", "".join(self.tag("si", content) for content in self.texts))

    def styles(self) -> str:
        formats = self.tag("numFmts", self.tag("numFmt", "", numFmtId="164", formatCode="0.00&quot; d&quot;"))
        other = self.tag("cellStyleXfs", self.tag("xf", "", numFmtId="14"))
        styles = "".join(self.tag("xf", "", numFmtId=number) for number in ("0", "164", "22"))
        return self.root("styleSheet", formats + other + self.tag("cellXfs", styles))

    def relations(self, folder: str, relations: Sequence[tuple[str, str, str]]) -> str:
        listed = "".join(
            f'<Relationship Id="{id_}" Type="{self.office}/{kind}" Target="{escape(self.target(folder, part))}"/>'
            for id_, kind, part in relations
        )
        return f'<Relationships xmlns="{_PACKAGE}">{listed}</Relationships>'

    def target(self, folder: str, part: str) -> str:
        up = "../" * len([step for step in folder.split("/") if step])
        match self.form["targets"]:
            case "absolute":
                return f"/{part}"
            case "back-slashes":
                return (up + part).replace("/", "\\")
            case "dots":
                return f"./{up}none/.././{part}"
            case "escaped":
                return (up + part).replace(" ", "%20").replace("s", "%73")
            case "other case":
                return f"/{part.upper()}"
        return part.removeprefix(f"{folder}/") if folder and part.startswith(f"{folder}/") else up + part

    def other_sheets(self, sheet: str) -> dict[str, tuple[str, str, str, str]]:
        empty = self.root("worksheet", self.tag("sheetData", ""))
        far = self.tag("row", self.tag("c", "", r="XFD1", s="1"), r="1")
        wide = self.root("worksheet", self.tag("sheetData", far))
        broken = "<worksheet><row></worksheet>"
        return {
            "none": {},
            "macros": {"xl/macrosheets/sheet1.xml": ("xlMacrosheet", "Macro1", "visible", "<macro/>")},
            "dialog": {"xl/dialogsheets/sheet1.xml": ("dialogsheet", "Dialog1", "visible", "<dialog/>")},
            "chart": {"xl/chartsheets/sheet1.xml": ("chartsheet", "Chart1", "visible", "<chart/>")},
            "no relation": {"xl/worksheets/lost.xml": ("worksheet", "lost", "visible", empty)},
            "broken": {"xl/worksheets/broken.xml": ("worksheet", "Broken", "visible", broken)},
            "wide": {"xl/worksheets/wide.xml": ("worksheet", "Wide", "visible", wide)},
            "hidden copy": {"xl/worksheets/old.xml": ("worksheet", "Old", "hidden", sheet)},
            "many": {f"xl/worksheets/n{n}.xml": ("worksheet", f"Note {n}", "visible", empty) for n in range(40)},
        }[self.form["other sheets"]]

    def beside(self) -> dict[str, bytes]:
        return {
            "nothing": {},
            "thumbnail": {"docProps/thumbnail.jpeg": b""},
            "damaged picture": {_DAMAGED: b"picture" * 50},
            "twice a picture": {"xl/media/a.png": b"1", "xl/media/A.png": b"2"},
            "odd XML": {"customXml/item1.xml": b"<!DOCTYPE x><x>", "xl/comments1.xml": b"<a><b></a>"},
        }[self.form["beside"]]

    def encoded(self, content: str) -> bytes:
        encoding = self.form["encoding"]
        if encoding == "iso-8859-1":
            content = content.encode("ascii", "xmlcharrefreplace").decode()
        return (_DECLARATION.format(encoding.removesuffix("-sig")) + content).encode(encoding)

    # --- the archive

    def archive(self, path: Path, parts: dict[str, bytes]) -> Path:
        names = list(parts)
        if self.form["order"] == "reversed":
            names.reverse()
        elif self.form["order"] == "shuffled":
            self.rng.shuffle(names)
        how = zipfile.ZIP_STORED if self.form["archive"] == "stored" else zipfile.ZIP_DEFLATED
        with path.open("wb") as file:
            target = _Unseekable(file) if self.form["archive"] == "streamed" else file
            with zipfile.ZipFile(target, "w", how) as archive:
                if self.form["archive"] == "with folders":
                    archive.writestr("xl/", b"")
                for name in names:
                    archive.writestr(self.member(name), parts[name])
        if self.form["beside"] == "damaged picture":
            _spoil(path, self.member(_DAMAGED))
        return path

    def member(self, name: str) -> zipfile.ZipInfo:
        match self.form["members"]:
            case "back-slashes":
                name = name.replace("/", "\\")
            case "leading slash":
                name = f"/{name}"
            case "other case":
                name = name.upper() if name.endswith(("xml", "rels")) else name
            case "escaped":
                name = name.replace(" ", "%20")
        info = zipfile.ZipInfo("x", (2025, 5, 31, 0, 0, 0))
        info.filename = name  # as it is: the constructor corrects names
        info.compress_type = zipfile.ZIP_STORED if self.form["archive"] == "stored" else zipfile.ZIP_DEFLATED
        return info


class _Unseekable:
    """A pipe: sizes and checksums follow the parts."""

    def __init__(self, file) -> None:
        self._file = file

    def write(self, content: bytes) -> int:
        return self._file.write(content)

    def flush(self) -> None:
        self._file.flush()


def _spoil(path: Path, member: zipfile.ZipInfo) -> None:
    """Change the checksum of one part."""
    content = bytearray(path.read_bytes())
    entry = content.rfind(member.filename.encode()) - 46
    content[entry + 16] ^= 1
    path.write_bytes(content)
