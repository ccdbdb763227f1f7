"""One wrong bit in a workbook: it is refused, or nothing that matters is changed."""

import random
from pathlib import Path

import polars as pl
import pytest
from frames import stage_here
from hostile.spoiled import SAMPLE
from polars.testing import assert_frame_equal
from publishing import LONG

from tasks.domain.issues import DataRefused
from tasks.domain.sources import SOURCES, Source

FLIPS = 2_000 if LONG else 100


def read(workbook: Path, source: Source, staged: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Where the columns are, and the staged table."""
    book = stage_here(workbook, source, staged)
    return book.columns, book.raw.collect()


@pytest.mark.parametrize("source", SOURCES)
def test_a_flipped_bit_is_refused_or_changes_nothing(source: Source, tmp_path: Path) -> None:
    original = (SAMPLE / f"{source}.xlsx").read_bytes()
    flipped, staged = tmp_path / "flipped.xlsx", tmp_path / "staged.parquet"
    columns, table = read(SAMPLE / f"{source}.xlsx", source, staged)
    rng, refusals = random.Random(f"{source} 2025-05"), 0
    for bit in rng.sample(range(8 * len(original)), FLIPS):
        content = bytearray(original)
        content[bit // 8] ^= 1 << bit % 8
        flipped.write_bytes(content)
        try:
            found = read(flipped, source, staged)
        except DataRefused:
            refusals += 1
            continue
        assert found[0].equals(columns), f"bit {bit}"
        assert_frame_equal(found[1], table)
    assert refusals > FLIPS / 2
