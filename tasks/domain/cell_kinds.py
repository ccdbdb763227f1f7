"""The kinds of cells, in a module of its own: the process that reads a workbook imports as little as it can."""

import polars as pl

CELL_KINDS = pl.Enum(["number", "text", "boolean", "date", "error", "uncalculated"])
"""What a cell contains apart from its text; null is an empty cell."""
