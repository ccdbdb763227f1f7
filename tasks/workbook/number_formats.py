"""The number formats of a workbook, and which of them show a date."""

import re
from dataclasses import dataclass
from html import escape
from typing import IO

from tasks.workbook.xml_parts import elements

_DATES_BUILT_IN = frozenset({*range(14, 23), *range(45, 48)})
"""Built-in formats of dates and times, which have the same number in all languages."""

# Parts of a format that are not parts of a date: text, a single character, a fill, a colour or a language.
_NO_PART = re.compile(r'"[^"]*"?|[\\_*].|\[(?!(?:h+|m+|s+)\])[^\]]*\]', re.IGNORECASE)
_PART_OF_DATE = re.compile("[dmyhs]", re.IGNORECASE)


@dataclass(frozen=True)
class NumberFormats:
    """The number formats of a workbook.

    Attributes:
        format_ids: The number of each style's format; cells count the styles from 0.
        codes: The formats that the workbook defines, by their number.
    """

    format_ids: tuple[int, ...] = ()
    codes: tuple[tuple[int, str], ...] = ()

    def dates(self) -> list[int]:
        """The styles that show a number as a date or time."""
        codes = dict(self.codes)
        return [
            style
            for style, id_ in enumerate(self.format_ids)
            if (is_date_format(codes[id_]) if id_ in codes else id_ in _DATES_BUILT_IN)
        ]

    def xml(self) -> str:
        """The XML of the formats, without the other parts of the styles."""
        formats = "".join(f'<numFmt numFmtId="{id_}" formatCode="{escape(code)}"/>' for id_, code in self.codes)
        styles = "".join(f'<xf numFmtId="{id_}"/>' for id_ in self.format_ids)
        return f"<numFmts>{formats}</numFmts><cellXfs>{styles}</cellXfs>"


def read_number_formats(stream: IO[bytes]) -> NumberFormats:
    """The number formats of the part with the styles.

    Raises:
        expat.ExpatError: The XML is broken.
    """
    found = elements(stream)
    codes = {
        _number(element.attributes.get("numFmtId")): element.attributes.get("formatCode", "")
        for element in found
        if (element.parent, element.name) == ("numFmts", "numFmt")
    }
    ids = (
        _number(element.attributes.get("numFmtId"))
        for element in found
        if (element.parent, element.name) == ("cellXfs", "xf")
    )
    return NumberFormats(tuple(ids), tuple(codes.items()))


def is_date_format(code: str) -> bool:
    """Whether the format shows a number above 0 as a date or time."""
    return _PART_OF_DATE.search(_NO_PART.sub("", code).partition(";")[0]) is not None


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else 0  # noqa: PLR2004
