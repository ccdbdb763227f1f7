"""The committed sample month is what its generator writes."""

import runpy
import zipfile
from pathlib import Path

import pytest

DATA = Path(__file__).parents[2] / "data"
WORKBOOKS = ["erp.xlsx", "liaison.xlsx", "web.xlsx"]

write_month = runpy.run_path(str(DATA / "generate.py"))["write_month"]


def parts(workbook):
    """The inflated files inside: how small they were packed depends on the machine's zlib."""
    with zipfile.ZipFile(workbook) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.parametrize("name", WORKBOOKS)
def test_generator_writes_the_committed_workbook(name, tmp_path):
    write_month(tmp_path)

    assert parts(tmp_path / name) == parts(DATA / name)


@pytest.mark.parametrize("name", WORKBOOKS)
def test_generating_twice_gives_the_same_bytes(name, tmp_path):
    once, again = tmp_path / "once", tmp_path / "again"
    for folder in (once, again):
        folder.mkdir()
        write_month(folder)

    assert (once / name).read_bytes() == (again / name).read_bytes()


def test_sample_month_is_small():
    assert sum((DATA / name).stat().st_size for name in WORKBOOKS) < 300_000
