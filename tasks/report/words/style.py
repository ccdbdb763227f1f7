"""How a language spells numbers, amounts and changes."""

from decimal import Decimal
from typing import ClassVar

_MINUS = "\N{MINUS SIGN}"


class NumberStyle:
    """Numbers as texts; a language sets the marks.

    Attributes:
        THOUSANDS: Stands between groups of three digits.
        DECIMAL: Stands before the decimals.
        UNIT_SPACE: Stands before € and %.
        CELL_LOCALE: Begins the number formats of cells: LibreOffice then shows them in this language; other programs
            follow their reader's own settings.
    """

    THOUSANDS: ClassVar[str] = ","
    DECIMAL: ClassVar[str] = "."
    UNIT_SPACE: ClassVar[str] = " "
    CELL_LOCALE: ClassVar[str] = ""

    def number(self, value: float | Decimal, places: int = 0) -> str:
        """A number with thousands apart."""
        marks = str.maketrans(",.", self.THOUSANDS + self.DECIMAL)
        spelled = f"{abs(value):,.{places}f}".translate(marks)
        return f"{_MINUS}{spelled}" if value < 0 else spelled

    def counted(self, number: int, one: str, many: str) -> str:
        """A number and its noun."""
        return f"{self.number(number)} {self.plural(number, one, many)}"

    def plural(self, number: int, one: str, many: str) -> str:
        """The form of a word that goes with a number."""
        return one if number == 1 else many

    def amount(self, value: Decimal, places: int = 2) -> str:
        """An amount in EUR."""
        return f"{self.number(value, places)}{self.UNIT_SPACE}€"

    def percent(self, share: float | Decimal) -> str:
        """A share of 1, to a tenth of a percent."""
        return f"{self.number(100 * share, 1)}{self.UNIT_SPACE}%"

    def signed(self, spelled: str) -> str:
        """A spelled number as a change: with its sign also where it grew."""
        return spelled if spelled.startswith(_MINUS) else f"+{spelled}"

    def change(self, spelled: str, value: Decimal, before: Decimal) -> str:
        """A spelled change, and the same in percent where there was something before."""
        change = self.signed(spelled)
        return f"{change} ({self.signed(self.percent(value / before))})" if before else change
