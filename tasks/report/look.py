"""Colours and cell formats: how the workbook looks is decided here and nowhere else.

The two classes differ in lightness and not in hue alone, so that they stay apart for a colour-blind reader and on a
grey printer; words say the same wherever a colour does. Every program knows Arial, or a font of the same widths.
"""

from typing import Any

from xlsxwriter import Workbook
from xlsxwriter.format import Format

FONT = "Arial"
PREMIUM = "#7A1F3D"
ORDINARY = "#B9AB98"
INK = "#262626"
QUIET = "#6B6560"
LINE = "#D9D2C9"
PAPER = "#F6F2ED"
PREMIUM_PAPER = "#F5E6EB"
BAR = "#EADFD3"

EURO = '#,##0.00 "€"'
WHOLE_EURO = '#,##0 "€"'
COUNT = "#,##0"
SHARE = "0.0 %"
SCORE = "0.00"

_TITLE = {"bold": True, "font_size": 16, "font_color": PREMIUM}
_CELL = {"bottom": 1, "bottom_color": LINE, "valign": "vcenter"}
_TILE = {"align": "center", "bg_color": PAPER}
_HEADLINE = {**_TILE, "bold": True, "font_size": 16, "font_color": INK}
_HEADER = {"bold": True, "font_color": "#FFFFFF", "bg_color": PREMIUM, "valign": "vcenter", "text_wrap": True}
_TOTAL = {"bold": True, "top": 1, "bottom": 1, "top_color": PREMIUM, "bottom_color": PREMIUM, "bg_color": PAPER}

_NUMBERS = {
    "count": {"num_format": COUNT, "align": "right"},
    "money": {"num_format": EURO, "align": "right"},
    "share": {"num_format": SHARE, "align": "right"},
    "score": {"num_format": SCORE, "align": "right"},
}
_KINDS: dict[str, dict[str, Any]] = {
    "text": {"indent": 1},
    "tally": {"num_format": COUNT, "align": "left", "indent": 1},
    "rank": {"num_format": COUNT, "align": "center", "font_color": QUIET},
    "mark": {"bold": True, "font_color": PREMIUM, "align": "center"},
    **_NUMBERS,
}

_STYLES: dict[str, dict[str, Any]] = {
    "title": _TITLE,
    "section": {"bold": True, "font_size": 11, "font_color": PREMIUM},
    "note": {"font_color": QUIET, "italic": True, "font_size": 9},
    "plain": {},
    "tile label": {**_TILE, "font_color": QUIET, "top": 2, "top_color": PREMIUM},
    "tile note": {**_TILE, "font_color": QUIET, "font_size": 9},
    **{f"tile {kind}": {**_HEADLINE, "num_format": number["num_format"]} for kind, number in _NUMBERS.items()},
    "header": {**_HEADER, "indent": 1},
    "header right": {**_HEADER, "align": "right"},
    "header centre": {**_HEADER, "align": "center"},
    **{f"total {kind}": {**style, **_TOTAL} for kind, style in _KINDS.items()},
    **{f"cell {kind}": {**_CELL, **style} for kind, style in _KINDS.items()},
    **{f"marked {kind}": {**_CELL, **style, "bg_color": PREMIUM_PAPER} for kind, style in _KINDS.items()},
}

WORKBOOK_OPTIONS: dict[str, Any] = {
    "default_format_properties": {"font_name": FONT, "font_size": 10},
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}


class Look:
    """The cell formats of one workbook, by name: `look["cell money"]`."""

    def __init__(self, workbook: Workbook) -> None:
        self._workbook = workbook
        self._formats: dict[str, Format] = {}

    def __getitem__(self, name: str) -> Format:
        if name not in self._formats:
            self._formats[name] = self._workbook.add_format(_STYLES[name])
        return self._formats[name]


def header_style(kind: str) -> str:
    """The header format above a column of this kind: numbers are headed on the right, as they stand."""
    if kind in _NUMBERS:
        return "header right"
    return "header centre" if kind in {"mark", "rank"} else "header"
