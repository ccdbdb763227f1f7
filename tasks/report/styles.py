"""All colours and cell formats of the workbook.

The two classes differ in lightness, not only in hue, so that a colour-blind reader or a grey printer can tell them
apart. Every program has Arial, or a font of the same widths.
"""

from typing import Any, get_args

from xlsxwriter import Workbook
from xlsxwriter.format import Format

from tasks.messages import Messages, NumberKind

FONT = "Arial"
WINE = "#7A1F3D"
SAND = "#B9AB98"
INK = "#262626"
QUIET = "#5F5954"
LINE = "#D9D2C9"
PAPER = "#F6F2ED"
PREMIUM_PAPER = "#F5E6EB"
ALERT = "#B45309"
"""For what somebody has to do something about, always with a word; never for headings."""
ALERT_PAPER = "#FCF3E8"

_CELL = {"bottom": 1, "bottom_color": LINE, "valign": "vcenter"}
_TILE = {"indent": 1, "bg_color": PAPER, "align": "left"}
_HEADER = {"bold": True, "font_color": "#FFFFFF", "bg_color": WINE, "valign": "vcenter", "text_wrap": True}
_TOTAL = {"bold": True, "top": 1, "bottom": 1, "top_color": WINE, "bottom_color": WINE, "bg_color": PAPER}

_KINDS: dict[str, dict[str, Any]] = {
    "text": {"indent": 1, "text_wrap": True},
    "mark": {"bold": True, "font_color": WINE, "align": "center"},
    "state": {"indent": 1},
    **{kind: {"number": kind, "align": "right"} for kind in get_args(NumberKind)},
}
_SPACE_AFTER = "_ " * 3
"""A blank in a number format, as wide as an indent: LibreOffice ignores the indent of some numbers."""

_STYLES: dict[str, dict[str, Any]] = {
    "title": {"bold": True, "font_size": 16, "font_color": WINE},
    "period": {"font_size": 11, "font_color": QUIET, "align": "right", "valign": "vcenter"},
    "news": {"bold": True, "font_size": 11, "text_wrap": True, "valign": "vcenter"},
    "section": {"bold": True, "font_size": 10, "font_color": WINE, "valign": "vcenter"},
    "note": {"font_color": QUIET, "italic": True, "font_size": 9},
    "line": {"font_size": 9, "valign": "top", "text_wrap": True},
    "line label": {"font_size": 9, "bold": True, "font_color": WINE, "valign": "top"},
    "alert label": {"font_size": 9, "bold": True, "font_color": ALERT, "valign": "top"},
    "link": {"font_size": 9, "font_color": WINE, "underline": 1, "align": "right", "valign": "top"},
    "tile label": {**_TILE, "font_size": 9, "bold": True, "font_color": QUIET, "top": 2, "top_color": WINE},
    "tile note": {**_TILE, "font_size": 9},
    **{f"tile {kind}": {**_TILE, "bold": True, "font_size": 16, "number": kind} for kind in get_args(NumberKind)},
    "header text": {**_HEADER, "indent": 1},
    "header mark": {**_HEADER, "align": "center"},
    "header number": {**_HEADER, "align": "right", "indent": 1},
    **{f"total {kind}": {**style, **_TOTAL} for kind, style in _KINDS.items()},
    **{f"cell {kind}": {**_CELL, **style} for kind, style in _KINDS.items()},
    **{f"premium {kind}": {**_CELL, **style, "bg_color": PREMIUM_PAPER} for kind, style in _KINDS.items()},
    **{f"alert {kind}": {**_CELL, **style, "bg_color": ALERT_PAPER} for kind, style in _KINDS.items()},
    "alert state": {**_CELL, "indent": 1, "bold": True, "font_color": ALERT, "bg_color": ALERT_PAPER},
    "section text": {**_CELL, "bold": True, "font_color": WINE, "bg_color": PAPER},
    **{f"small {kind}": {**_CELL, **style, "font_size": 9} for kind, style in _KINDS.items()},
    "small alert": {**_CELL, "font_size": 9, "bold": True, "font_color": ALERT, "align": "right", "indent": 1},
    "small header text": {**_HEADER, "font_size": 9, "indent": 1},
    "small header number": {**_HEADER, "font_size": 9, "align": "right", "indent": 1},
}


def workbook_options() -> dict[str, Any]:
    """XlsxWriter's options; a new object for each workbook, because XlsxWriter changes it."""
    return {
        "default_format_properties": {"font_name": FONT, "font_size": 10},
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }


class Styles:
    """The cell formats of one workbook, by name: `styles["cell money"]`."""

    def __init__(self, workbook: Workbook, messages: Messages) -> None:
        self._workbook = workbook
        self._messages = messages
        self._formats: dict[str, Format] = {}

    def __getitem__(self, name: str) -> Format:
        if name not in self._formats:
            style = dict(_STYLES[name])
            if kind := style.pop("number", None):
                sections = self._messages.cell_format(kind).split(";")
                style["num_format"] = ";".join(section + _SPACE_AFTER for section in sections)
            self._formats[name] = self._workbook.add_format(style)
        return self._formats[name]


def header_style(kind: str) -> str:
    """The style of the heading of a column of this kind; headings of numbers are aligned right, like the numbers."""
    return {"text": "header text", "state": "header text", "mark": "header mark"}.get(kind, "header number")
