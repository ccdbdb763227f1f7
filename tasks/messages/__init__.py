"""What people read, in the language of the run.

Messages are written in English in the code, with named placeholders, and translated by `<language>.po`. Numbers, money,
percentages, dates and plural forms follow CLDR, in sentences and in the formats of cells.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import cache, cached_property
from io import BytesIO
from pathlib import Path
from typing import Literal

from babel import Locale
from babel.dates import format_date, format_skeleton
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_currency, format_decimal, format_percent
from babel.support import NullTranslations, Translations

from tasks.domain.parameters import LANGUAGES, Language

_CATALOGUES = Path(__file__).parent
_CURRENCY = "EUR"

NumberKind = Literal["count", "change", "money", "money change", "euros", "percent", "decimal", "score"]
"""How a number is shown; `change` always has a sign."""


Value = str | int | Decimal | date
"""The value of a placeholder: a text, which is not changed, a whole number, an amount in EUR, or a day."""


def mark(message: str) -> str:
    """Mark a constant for translation; the language is not known yet."""
    return message


def plural(one: str, many: str) -> tuple[str, str]:
    """Mark both forms of a message with a `{count}` for translation."""
    return one, many


class Messages:
    """The messages and formats of one language.

    Attributes:
        language: The language of the run.
        locale: Its CLDR locale.
    """

    def __init__(self, language: Language) -> None:
        self.language = language
        self.locale = Locale.parse(LANGUAGES[language].locale)

    @cached_property
    def _translations(self) -> NullTranslations:
        """The catalogue, compiled in memory; English needs none."""
        if self.language == "en":
            return NullTranslations()
        compiled = BytesIO()
        with (_CATALOGUES / f"{self.language}.po").open("rb") as catalogue:
            write_mo(compiled, read_po(catalogue, locale=self.language))
        compiled.seek(0)
        return Translations(compiled)

    def gettext(self, message: str, **values: Value) -> str:
        """A message with its placeholders filled in."""
        translated = self._translations.gettext(message) if message else ""
        return translated.format(**self._shown(values)) if values else translated

    def ngettext(self, one: str, many: str, count: int, **values: Value) -> str:
        """The form of a message that agrees with a count; `{count}` is filled in."""
        return self._translations.ngettext(one, many, count).format(**self._shown({"count": count, **values}))

    def _shown(self, values: Mapping[str, Value]) -> dict[str, str]:
        """The values in the format of this language."""
        return {name: self._spelled(value) for name, value in values.items()}

    def _spelled(self, value: Value) -> str:
        if isinstance(value, str):
            return value
        if isinstance(value, Decimal):
            return self.money(value)
        return self.number(value) if isinstance(value, int) else self.long_date(value)

    def number(self, value: float | Decimal, places: int = 0) -> str:
        """A number with its thousands grouped."""
        return format_decimal(value, format=_pattern(places), locale=self.locale)

    def money(self, value: Decimal, places: int = 2) -> str:
        """An amount in EUR."""
        return self._currency(value, self._money_pattern(places))

    def score(self, value: float) -> str:
        """A number with its decimal places, four at most."""
        return format_decimal(value, format="0.####", locale=self.locale)

    def percent(self, share: float | Decimal, places: int = 1) -> str:
        """A share of 1 in percent."""
        return format_percent(share, format=self._percent_pattern(places), locale=self.locale)

    def number_change(self, value: float | Decimal, places: int = 0) -> str:
        """A number with its sign."""
        return format_decimal(value, format=_signed(_pattern(places), value), locale=self.locale)

    def percent_change(self, share: float | Decimal, places: int = 1) -> str:
        """A relative change in percent, with its sign."""
        return format_percent(share, format=_signed(self._percent_pattern(places), share), locale=self.locale)

    def long_date(self, day: date) -> str:
        """A date with its month in letters: 15 May 2025."""
        return format_date(day, "long", locale=self.locale)

    def short_date(self, day: date) -> str:
        """A date with its month shortened: 15 Sept 2025."""
        return format_date(day, "medium", locale=self.locale)

    def day(self, day: date) -> str:
        """A date without its year: 15 May."""
        return format_skeleton("MMMMd", day, locale=self.locale)

    def cell_format(self, kind: NumberKind) -> str:
        """How a spreadsheet shows numbers of this kind, from the same CLDR patterns.

        Excel uses the separators of its user; LibreOffice those of the language prefix.
        """
        pattern, signed = {
            "count": (_pattern(0), False),
            "change": (_pattern(0), True),
            "money": (self._money_pattern(2), False),
            "money change": (self._money_pattern(2), True),
            "euros": (self._money_pattern(0), False),
            "percent": (self._percent_pattern(1), False),
            "decimal": (_pattern(1), False),
            "score": (_pattern(2), False),
        }[kind]
        spelled = pattern.replace("¤", '"€"').replace("\N{NO-BREAK SPACE}", '"\N{NO-BREAK SPACE}"').replace('""', "")
        sections = [f"+{spelled}", f"-{spelled}", spelled] if signed else [spelled]
        return ";".join(f"{LANGUAGES[self.language].cell_prefix}{section}" for section in sections)

    @property
    def tag(self) -> str:
        """The language tag of texts, as in fr-FR."""
        return str(self.locale).replace("_", "-")

    def _currency(self, value: Decimal, pattern: str) -> str:
        return format_currency(value, _CURRENCY, format=pattern, locale=self.locale, currency_digits=False)

    def _money_pattern(self, places: int) -> str:
        return str(self.locale.currency_formats["standard"].pattern).replace("#,##0.00", _pattern(places))

    def _percent_pattern(self, places: int) -> str:
        return str(self.locale.percent_formats[None].pattern).replace("#,##0", _pattern(places))


@cache
def messages_in(language: Language) -> Messages:
    """The messages of a language; a catalogue is read once per process."""
    return Messages(language)


def _pattern(places: int) -> str:
    return f"#,##0.{'0' * places}" if places else "#,##0"


def _signed(pattern: str, value: float | Decimal) -> str:
    return f"+{pattern};-{pattern}" if value else pattern
