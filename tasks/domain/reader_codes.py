"""Codes of the rules that the reading process uses, which imports nothing else of the domain: see `rules`."""

MISSING_WORKBOOK = "missing-workbook"
NOT_A_WORKBOOK = "not-a-workbook"
DAMAGED_WORKBOOK = "damaged-workbook"
TOO_LARGE_WORKBOOK = "too-large-workbook"
READER_FAILED = "reader-failed"
NO_VISIBLE_SHEET = "no-visible-sheet"
UNREADABLE_CELL = "unreadable-cell"
