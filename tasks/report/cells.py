"""Texts that fit a cell.

Excel accepts 32,767 UTF-16 units in a cell, and XML no control characters; Excel offers to repair a file that breaks
either rule. So the texts are changed here, and the audit expects the changed ones.
"""

import re
from xml.sax.saxutils import escape

import polars as pl

CELL_LIMIT = 32_767
ROW_LIMIT = 1_048_576

_ELLIPSIS = "…"
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_LINE_END = r"\r\n?"
FORBIDDEN = "[\x00-\x08\x0b-\x1f\ufffe\uffff]"
_RICH_START, _RICH_END = "<r>", "</r>"


def cell_texts(texts: pl.Series) -> pl.Series:
    """The texts as a cell can contain them: line ends unified, forbidden characters replaced, excess length cut."""
    texts = texts.str.replace_all(_LINE_END, "\n").str.replace_all(FORBIDDEN, REPLACEMENT)
    # No text has more UTF-16 units than UTF-8 bytes, so hardly any text has to be counted.
    if (texts.str.len_bytes().max() or 0) <= CELL_LIMIT:  # type: ignore[operator]  # a length is an integer
        return texts
    return texts.map_elements(_cut, return_dtype=pl.String)


def cell_frame(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with every text column as its cells can contain it."""
    return frame.with_columns(cell_texts(frame[name]) for name in frame.columns if frame[name].dtype == pl.String)


def cell_text(text: str) -> str:
    """One text changed as by `cell_texts`, which is slower for a single one."""
    return _cut(re.sub(FORBIDDEN, REPLACEMENT, re.sub(_LINE_END, "\n", text)))


def literal(text: str) -> str:
    """The text in the form that makes XlsxWriter write exactly this text."""
    # XlsxWriter copies <r>…</r> into the XML unchanged, as rich text: so make it valid rich text.
    if text.startswith(_RICH_START) and text.endswith(_RICH_END):
        return f'{_RICH_START}<t xml:space="preserve">{escape(text)}</t>{_RICH_END}'
    return text


def _cut(text: str) -> str:
    units = text.encode("utf-16-le")
    if len(units) <= 2 * CELL_LIMIT:
        return text
    # The last pair may be cut in half: "ignore" drops it.
    return units[: 2 * (CELL_LIMIT - 1)].decode("utf-16-le", errors="ignore") + _ELLIPSIS
