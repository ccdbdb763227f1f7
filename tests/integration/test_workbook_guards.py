"""Hostile and broken workbooks: each is refused in a sentence, soon and cheaply, and the run lives on."""

import json
import random
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest
from builders import inline_row, raw_parts, sheet_xml, write_parts, write_workbook
from frames import stage_here
from publishing import LONG

from tasks.domain.issues import DataRefused
from tasks.workbook.limited_process import WorkbookReader
from tasks.workbook.process_limits import Limits
from tasks.workbook.staging import StagedWorkbook, stage_workbook

HEADER = inline_row(1, "product_id", "price")
ROW = '<row r="2"><c r="A2"><v>1</v></c><c r="B2"><v>5</v></c></row>'
SHARED = ROW.replace('<c r="A2">', '<c r="A2" t="s">')
MEGABYTE = 1 << 20
SHEET = "xl/worksheets/month.xml"


@pytest.fixture
def xlsx(tmp_path) -> Path:
    return tmp_path / "workbook.xlsx"


def sheet(rows: str = ROW) -> str:
    return sheet_xml(HEADER + rows)


def refusal(workbook: Path, limits: Limits | None = None) -> DataRefused:
    with pytest.raises(DataRefused) as caught, WorkbookReader(limits) as reader:
        stage_workbook(workbook, "erp", "erp.xlsx", workbook.with_suffix(".parquet"), reader)
    return caught.value


def stage(workbook: Path) -> StagedWorkbook:
    return stage_here(workbook, "erp", workbook.with_suffix(".parquet"))


def _noise(size: int) -> bytes:
    return random.Random(1).randbytes(size // 2).hex().encode()


def _lying(path: Path) -> None:
    """The last part, the sheet, unpacks to 50 MB and declares a thousand bytes."""
    write_parts(path, raw_parts(sheet() + " " * 50 * MEGABYTE))
    content = bytearray(path.read_bytes())
    entry = content.rfind(b"PK\x01\x02")
    content[entry + 24 : entry + 28] = struct.pack("<I", 1000)
    path.write_bytes(content)


def _laughing(path: Path) -> None:
    entities = "".join(f'<!ENTITY e{depth} "{f"&e{depth - 1};" * 10}">' for depth in range(1, 10))
    xml = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e0 "ha">{entities}]>' + sheet(inline_row(2, "&e9;", "5"))
    write_parts(path, raw_parts(xml))


def _external(path: Path) -> None:
    parts = raw_parts(sheet())
    parts["xl/workbook.xml"] = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + parts["xl/workbook.xml"]
    write_parts(path, parts)


def _overlapping(path: Path) -> None:
    """Every entry of the table of contents points at the same packed bytes."""
    write_parts(path, raw_parts(sheet()) | {f"xl/media/{number}.bin": _noise(100_000) for number in range(3)})
    content = bytearray(path.read_bytes())
    entry, first = 0, None
    while (entry := content.find(b"PK\x01\x02", entry + 1)) >= 0:
        if b"xl/media/" in content[entry + 46 : entry + 60]:
            first = first or content[entry + 42 : entry + 46]
            content[entry + 42 : entry + 46] = first
            content[entry + 20 : entry + 24] = struct.pack("<I", len(content))
    path.write_bytes(content)


def _many_texts(path: Path) -> None:
    texts = "".join(f"<si><t>{random.Random(seed).random()}</t></si>" + "<si/>" * 6 for seed in range(600_000))
    write_parts(path, raw_parts(sheet(SHARED)) | {"xl/sharedStrings.xml": f"<sst>{texts}</sst>"})


def _wide_row(path: Path) -> None:
    cells = "".join(f"<c><v>{random.Random(seed).randrange(10**9)}</v></c>" for seed in range(1_000_000))
    write_parts(path, raw_parts(sheet(f"{ROW}<row>{cells}</row>")))


def _long_text(path: Path) -> None:
    write_parts(path, raw_parts(sheet(inline_row(2, _noise(3 * MEGABYTE).decode(), "5"))))


def _long_shared_text(path: Path) -> None:
    text = f"<sst><si><t>{_noise(5 * MEGABYTE).decode()}</t></si></sst>"
    write_parts(path, raw_parts(sheet(SHARED)) | {"xl/sharedStrings.xml": text})


def _deep(path: Path) -> None:
    write_parts(path, raw_parts(sheet(ROW + "".join(random.Random(1).choices(["<a>", "<b>"], k=500_000)))))


def _many_titles(path: Path) -> None:
    row = "".join(f'<c t="inlineStr"><is><t>{number}</t></is></c>' for number in range(16_384))
    write_parts(path, raw_parts(sheet_xml(f"<row>{row}</row>" * 50)))


def _cell(address: str):
    return lambda path: write_parts(path, raw_parts(sheet(f'{ROW}<row r="3"><c r="{address}"><v>7</v></c></row>')))


def _more(parts: dict[str, bytes]):
    return lambda path: write_parts(path, raw_parts(sheet()) | parts)


BOMBS = {
    "a part of nothing but zeros": (_more({"xl/media/a.bin": bytes(300 * MEGABYTE)}), " to 314,572,800 bytes"),
    "twenty thousand parts": (_more({f"xl/media/{number}": b"" for number in range(20_000)}), "20,005 parts"),
    "a size that lies": (_lying, f'[Sheet1]: "{SHEET}" is damaged'),
    "parts on top of each other": (_overlapping, '"overlapping parts" is damaged'),
    "entities of entities": (_laughing, f'"DOCTYPE in {SHEET}" is damaged'),
    "an external entity": (_external, '"DOCTYPE in xl/workbook.xml" is damaged'),
    "the last cell of the grid": (_cell("XFD1048576"), '[Sheet1] XFD1048576: "'),
    "a stray cell far down": (_cell("B1048576"), '[Sheet1] B1048576: "'),
    "a stray cell far down and out": (_cell("ALL200000"), '[Sheet1] ALL200000: "'),
    "a stray cell beside the header": (_cell("XFD3"), '[Sheet1] XFD3: "up to XFD3" is larger than'),
    "a row beyond every number": (_cell("B99999999999"), 'B99999999999: "no address of a cell" cannot be read'),
    "a row that wraps to a good one": (_cell("A4294967298"), 'A4294967298: "no address of a cell" cannot be read'),
    "a column beyond the last": (_cell("XFE2"), 'XFE2: "no address of a cell" cannot be read'),
    "a row of a million columns": (_wide_row, '[Sheet1] AMK3: "up to AMK3" is larger than'),
    "a text of megabytes in a cell": (_long_text, '[Sheet1] A2: "a text too long" is larger than'),
    "a text of megabytes in the table of texts": (_long_shared_text, '"a text too long" is larger than'),
    "elements inside elements": (_deep, '[Sheet1]: "XML nested too deeply" is larger than'),
    "titles in every column": (_many_titles, '[Sheet1] AMK1: "up to AMK1" is larger than'),
    "four million texts": (_many_texts, '"more than 4,000,000 texts" is larger than'),
}  # fmt: skip


LONG_TO_BUILD = {"a row of a million columns", "four million texts"}


STAGE_ALL = """
import json, resource, sys
from pathlib import Path
from tasks.domain.issues import DataRefused
from tasks.workbook.staging import stage_workbook
spent = 0
for workbook in map(Path, sys.argv[1:]):
    sentence = ""
    try:
        stage_workbook(workbook, "erp", "erp.xlsx", workbook.with_suffix(".parquet"))
    except DataRefused as refusal:
        sentence = str(refusal)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(json.dumps([sentence, used.ru_utime + used.ru_stime - spent, used.ru_maxrss // 1024]))
    spent = used.ru_utime + used.ru_stime
"""


def test_a_bomb_is_refused_soon_and_cheaply(tmp_path, subtests):
    """Seconds of the processor, because the clock of a busy machine says little.

    The largest of the readers so far is what the memory is of; their parent is a process that has imported little.
    """
    names = [name for name in BOMBS if LONG or name not in LONG_TO_BUILD]
    paths = [tmp_path / f"{number}.xlsx" for number in range(len(names))]
    for name, path in zip(names, paths, strict=True):
        BOMBS[name][0](path)
    done = subprocess.run([sys.executable, "-c", STAGE_ALL, *paths], capture_output=True, check=True, text=True)
    for name, line in zip(names, done.stdout.splitlines(), strict=True):
        with subtests.test(name):
            sentence, seconds, megabytes = json.loads(line)
            assert BOMBS[name][1] in sentence
            assert "\n" not in sentence
            assert sentence.startswith("1 error, nothing is published. erp.xlsx")
            assert seconds < 5
            assert megabytes < 300


@pytest.mark.parametrize("dimension", ["A1:XFD1048576", "A1:A2147483648", "ZZZZZZZZ1:ZZZZZZZZ99999999999999999999"])
def test_the_declared_size_of_a_sheet_does_not_matter(xlsx, dimension):
    write_parts(xlsx, raw_parts(sheet().replace("<sheetData>", f'<dimension ref="{dimension}"/><sheetData>')))

    assert stage(xlsx).size == "1 rows"


def test_a_stray_cell_far_to_the_right_changes_nothing(xlsx):
    write_parts(xlsx, raw_parts(sheet(f'{ROW}<row r="60"><c r="XFD60"><v>7</v></c></row>')))

    staged = stage(xlsx)

    assert staged.raw.drop_nulls("price").select("row", "price").collect().rows() == [(2, "5")]


def test_a_part_that_fails_its_checksum_is_named(xlsx):
    write_parts(xlsx, raw_parts(sheet()))
    content = bytearray(xlsx.read_bytes())
    content[content.rfind(b"PK\x01\x02") + 16] ^= 1
    xlsx.write_bytes(content)

    assert refusal(xlsx).issues.select("rule", "sheet", "value").rows() == [("damaged-workbook", "Sheet1", SHEET)]


@pytest.fixture
def long_workbook(xlsx) -> Path:
    return write_workbook(xlsx, [("product_id", "price"), *((number, 5) for number in range(60_000))])


def test_a_reader_that_hangs_is_a_refusal_that_names_the_file(long_workbook):
    refused = refusal(long_workbook, Limits(patience=0.01))

    assert str(refused).startswith('1 error, nothing is published. erp.xlsx: "out of time" cannot be read within')
    assert refused.issues.select("file", "rule", "value").rows() == [("erp.xlsx", "reader-failed", "out of time")]


def test_a_reader_that_runs_out_of_memory_is_a_refusal_that_names_the_file(long_workbook):
    """Which of its libraries dies of it, and how, is not ours to say."""
    refused = refusal(long_workbook, Limits(memory=75, memory_per_mb=0))

    assert refused.issues.select("file", "rule").rows() == [("erp.xlsx", "reader-failed")]


def test_a_workbook_that_brings_the_reader_down_does_no_harm_to_the_next(long_workbook, tmp_path):
    sound = write_workbook(tmp_path / "sound.xlsx", [("product_id", "price"), (1, 5)])
    with WorkbookReader(Limits(memory=200, memory_per_mb=0)) as reader:
        assert stage_workbook(sound, "erp", "erp.xlsx", tmp_path / "before", reader).size == "1 rows"
        with pytest.raises(DataRefused) as refused:
            stage_workbook(long_workbook, "erp", "erp.xlsx", tmp_path / "long", reader)
        assert refused.value.issues["rule"].to_list() == ["reader-failed"]
        assert stage_workbook(sound, "erp", "erp.xlsx", tmp_path / "after", reader).size == "1 rows"


def test_a_killed_run_leaves_no_reader_behind(tmp_path):
    workbook = write_workbook(
        tmp_path / "slow.xlsx", [("product_id", "price"), *((number, 5) for number in range(60_000))]
    )
    script = (
        "import sys; from pathlib import Path; from tasks.workbook.staging import stage_workbook; "
        "stage_workbook(Path(sys.argv[1]), 'erp', 'erp.xlsx', Path(sys.argv[1] + '.parquet'))"
    )
    run = subprocess.Popen([sys.executable, "-c", script, str(workbook)])
    readers = _wait_for(lambda: _children(run.pid))

    run.send_signal(signal.SIGKILL)
    run.wait()

    assert _wait_for(lambda: not any(map(_is_alive, readers)))


def _children(process: int) -> list[str]:
    return [
        child for task in Path(f"/proc/{process}/task").iterdir() for child in (task / "children").read_text().split()
    ]


def _is_alive(process: str) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def _wait_for(condition):
    end = time.monotonic() + 20
    while not (result := condition()):
        assert time.monotonic() < end
        time.sleep(0.02)
    return result
