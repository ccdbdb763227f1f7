"""The parameters that a result depends on, and the languages of the report."""

from dataclasses import dataclass
from datetime import date
from typing import Literal, NamedTuple

Language = Literal["en", "fr"]
CsvDialect = Literal["standard", "french"]


class LanguageFormats(NamedTuple):
    """How files are written in a language.

    Attributes:
        locale: Its CLDR locale: numbers, money, dates and plural forms.
        cell_prefix: Its code in front of the format of a cell.
        csv_dialect: `standard` with commas and decimal points, or `french` as French Excel opens CSV files, with
            semicolons, decimal commas and a byte order mark.
    """

    locale: str
    cell_prefix: str
    csv_dialect: CsvDialect


LANGUAGES: dict[Language, LanguageFormats] = {
    "en": LanguageFormats("en_GB", "", "standard"),
    "fr": LanguageFormats("fr_FR", "[$-40C]", "french"),
}
"""The languages of the report. All but English have a catalogue, `tasks/messages/<language>.po`."""


@dataclass(frozen=True)
class Parameters:
    """The parameters of a month's result.

    Attributes:
        month: The label of the snapshot, `YYYY-MM`.
        export_date: The day on which the three workbooks were exported.
        premium_threshold: A wine is premium when the z-score of its price is above this.
        language: Language of the workbook; it also decides how the CSV files are written.
        accept_unusual: Publish a month that is refused only because it is unusual, see `issues.issue_frame`.
    """

    month: str
    export_date: date
    premium_threshold: float = 2.0
    language: Language = "en"
    accept_unusual: bool = False

    @property
    def csv_dialect(self) -> CsvDialect:
        """How the CSV files are written."""
        return LANGUAGES[self.language].csv_dialect
