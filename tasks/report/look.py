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

_FORMATS = {
    "money": '#,##0.00 "€"',
    "euros": '#,##0 "€"',
    "count": "#,##0",
    "change": "+#,##0;-#,##0;0",
    "money change": '+#,##0.00 "€";-#,##0.00 "€";0.00 "€"',
    "share": "0.0 %",
    "score": "0.00",
    "months": "0.0",
}

_TITLE = {"bold": True, "font_size": 16, "font_color": PREMIUM}
_CELL = {"bottom": 1, "bottom_color": LINE, "valign": "vcenter"}
_TILE = {"align": "left", "indent": 1, "bg_color": PAPER}
_HEADER = {"bold": True, "font_color": "#FFFFFF", "bg_color": PREMIUM, "valign": "vcenter"}
_TOTAL = {"bold": True, "top": 1, "bottom": 1, "top_color": PREMIUM, "bottom_color": PREMIUM, "bg_color": PAPER}

_NUMBERS = {kind: {"num_format": number, "align": "right"} for kind, number in _FORMATS.items()}
_KINDS: dict[str, dict[str, Any]] = {
    "text": {"indent": 1},
    "title": {"indent": 1, "text_wrap": True},
    "tally": {"num_format": _FORMATS["count"], "align": "left", "indent": 1},
    "rank": {"num_format": _FORMATS["count"], "align": "center", "font_color": QUIET},
    "strong": {"num_format": _FORMATS["count"], "align": "right", "bold": True},
    "mark": {"bold": True, "font_color": PREMIUM, "align": "center"},
    **_NUMBERS,
}

_STYLES: dict[str, dict[str, Any]] = {
    "title": _TITLE,
    "section": {"bold": True, "font_size": 11, "font_color": PREMIUM},
    "news": {"bold": True, "font_size": 11, "font_color": INK},
    "note": {"font_color": QUIET, "italic": True, "font_size": 9},
    "alert": {"bold": True, "font_color": PREMIUM, "font_size": 10},
    "plain": {},
    "term": {**_CELL, "bold": True, "valign": "top", "text_wrap": True},
    "meaning": {**_CELL, "text_wrap": True, "valign": "top"},
    "tile label": {**_TILE, "font_color": QUIET, "top": 2, "top_color": PREMIUM},
    "tile note": {**_TILE, "font_color": QUIET, "font_size": 9},
    "tile delta": {**_TILE, "bold": True, "font_size": 9},
    **{
        f"{word} {kind}": {**_TILE, "bold": True, "font_size": size, "num_format": number}
        for word, size in (("tile", 16), ("long tile", 11))
        for kind, number in _FORMATS.items()
    },
    "header": {**_HEADER, "indent": 1, "text_wrap": True},
    "header right": {**_HEADER, "align": "right", "text_wrap": True},
    "header centre": {**_HEADER, "align": "center", "text_wrap": True},
    "line header": {**_HEADER, "indent": 1},
    **{f"total {kind}": {**style, **_TOTAL} for kind, style in _KINDS.items()},
    **{f"cell {kind}": {**_CELL, **style} for kind, style in _KINDS.items()},
    **{f"marked {kind}": {**_CELL, **style, "bg_color": PREMIUM_PAPER} for kind, style in _KINDS.items()},
}


def workbook_options() -> dict[str, Any]:
    """How XlsxWriter makes a workbook; anew for each, since it changes what it is given."""
    return {
        "default_format_properties": {"font_name": FONT, "font_size": 10},
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }


class Look:
    """The cell formats of one workbook, by name: `look["cell money"]`."""

    def __init__(self, workbook: Workbook, locale: str) -> None:
        self._workbook = workbook
        self._locale = locale
        self._formats: dict[str, Format] = {}

    def __getitem__(self, name: str) -> Format:
        if name not in self._formats:
            style = _STYLES[name]
            if number := style.get("num_format"):
                style = {**style, "num_format": self._localised(number)}
            self._formats[name] = self._workbook.add_format(style)
        return self._formats[name]

    def number_format(self, kind: str) -> str:
        """How numbers of this kind are shown in a chart."""
        return self._localised(_FORMATS[kind])

    def _localised(self, number: str) -> str:
        return ";".join(f"{self._locale}{section}" for section in number.split(";"))


def header_style(kind: str) -> str:
    """The header format above a column of this kind: numbers are headed on the right, as they stand."""
    if kind in _NUMBERS:
        return "header right"
    return "header centre" if kind in {"mark", "rank"} else "header"
