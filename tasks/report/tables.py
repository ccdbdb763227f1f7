"""The published table of a snapshot, as Parquet: for later months, and for analysis."""

from pathlib import Path

import polars as pl
from polars.exceptions import PolarsError

ROWS_IN_GROUP = 1 << 17
"""Fixed, so that the bytes do not depend on the number of threads."""


def write_table(path: Path, rows: pl.DataFrame) -> None:
    """Write the rows (`Snapshot`). The same rows give the same bytes.

    An enumeration is written as text, so that tables of months before and after a new value have the same type.
    """
    rows.cast({pl.Enum: pl.String}).write_parquet(path, compression="zstd", row_group_size=ROWS_IN_GROUP)


def audit_table(path: Path, rows: pl.DataFrame) -> list[str]:
    """Whether the file has exactly these rows: one sentence for each inconsistency."""
    try:
        found = pl.read_parquet(path, use_pyarrow=False, glob=False)
    except (PolarsError, OSError) as error:
        return [f"{path.name} cannot be read: {str(error).splitlines()[0]}"]
    expected = rows.cast({pl.Enum: pl.String})
    if found.schema != expected.schema:
        return [f"{path.name} has the columns {dict(found.schema)} instead of {dict(expected.schema)}"]
    if found.height != expected.height:
        return [f"{path.name} has {found.height:,} rows instead of {expected.height:,}"]
    wrong = [name for name in expected.columns if not found[name].equals(expected[name], null_equal=True)]
    return [f"{path.name}: {name} differs from what was computed" for name in wrong]
