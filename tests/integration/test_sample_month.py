"""The committed sample is what its generator writes."""

import runpy
import zipfile
from pathlib import Path

import pytest

DATA = Path(__file__).parents[2] / "data"

generator = runpy.run_path(str(DATA / "generate.py"))


def parts(workbook):
    """The inflated files inside: how small they were packed depends on the machine's zlib."""
    with zipfile.ZipFile(workbook) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sample")
    generator["write_sample"](folder)
    return folder


def test_generator_writes_the_committed_workbooks(written):
    committed = sorted(path.relative_to(DATA) for path in DATA.glob("*/*.xlsx"))

    assert sorted(path.relative_to(written) for path in written.rglob("*.xlsx")) == committed
    for name in committed:
        assert parts(written / name) == parts(DATA / name), name


def test_generating_twice_gives_the_same_bytes(written, tmp_path):
    generator["write_sample"](tmp_path)

    for path in written.rglob("*.xlsx"):
        assert path.read_bytes() == (tmp_path / path.relative_to(written)).read_bytes()


def test_sample_has_fourteen_snapshots_and_is_small():
    workbooks = list(DATA.glob("*/*.xlsx"))

    assert len(workbooks) == 14 * 3
    assert sum(path.stat().st_size for path in workbooks) < 1_500_000
