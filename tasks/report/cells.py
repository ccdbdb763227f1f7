"""What a text becomes when it is put in a cell.

Excel accepts 32,767 UTF-16 units in a cell and XML no control characters; a file that breaks either rule opens with an
offer of repair. So texts are made to fit here, once, and the audit expects them as they fit.
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
    # No text has more UTF-16 units than UTF-8 bytes, so the exact count is needed for next to none.
    if (texts.str.len_bytes().max() or 0) <= CELL_LIMIT:  # type: ignore[operator]  # a length is an integer
        return texts
    return texts.map_elements(_cut, return_dtype=pl.String)


def cell_frame(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with every text column as its cells can contain it."""
    return frame.with_columns(cell_texts(frame[name]) for name in frame.columns if frame[name].dtype == pl.String)


def cell_text(text: str) -> str:
    """One text as `cell_texts` makes it, without what many at once cost to set up."""
    return _cut(re.sub(FORBIDDEN, REPLACEMENT, re.sub(_LINE_END, "\n", text)))


def literal(text: str) -> str:
    """The text in the form that makes XlsxWriter write exactly this text."""
    # XlsxWriter takes <r>…</r> for ready-made rich text and puts it into the XML as it is: so give it valid rich text.
    if text.startswith(_RICH_START) and text.endswith(_RICH_END):
        return f'{_RICH_START}<t xml:space="preserve">{escape(text)}</t>{_RICH_END}'
    return text


def _cut(text: str) -> str:
    units = text.encode("utf-16-le")
    if len(units) <= 2 * CELL_LIMIT:
        return text
    # The last pair may be cut in half: "ignore" drops it.
    return units[: 2 * (CELL_LIMIT - 1)].decode("utf-16-le", errors="ignore") + _ELLIPSIS
