"""What people read, in both languages: a complete catalogue, and numbers and dates as CLDR has them."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from tasks.domain.issues import AND_MORE, MORE, REFUSED
from tasks.domain.parameters import LANGUAGES
from tasks.domain.period import CHANGES
from tasks.domain.rules import RULES
from tasks.messages import messages_in
from tasks.report.layout import TABLES

ROOT = Path(__file__).parents[2]
KEYWORDS = {"gettext": None, "mark": None, "ngettext": (1, 2), "plural": (1, 2)}
N = "\N{NO-BREAK SPACE}"
NN = "\N{NARROW NO-BREAK SPACE}"


def marked() -> set[str | tuple[str, ...]]:
    """Every message that the code marks, and those that are declared with rules and columns."""
    found = [
        message
        for folder in ("tasks", "flows")
        for _, _, message, _, _ in extract_from_dir(ROOT / folder, [("**.py", "python")], keywords=KEYWORDS)
    ]
    declared = [text for rule in RULES.values() for text in (rule.sentence, rule.remedy, rule.subject)]
    changes = [text for change in CHANGES.values() for text in (change.word, (change.one, change.many))]
    return {
        *found,
        *declared,
        *changes,
        MORE,
        REFUSED,
        AND_MORE,
        *(column.heading for table in TABLES for column in table),
    }


TRANSLATED = [language for language in LANGUAGES if language != "en"]


def catalogue_of(language: str) -> Catalog:
    with (ROOT / f"tasks/messages/{language}.po").open("rb") as file:
        return read_po(file, locale=language)


@pytest.fixture(params=TRANSLATED)
def catalogue(request: pytest.FixtureRequest) -> Catalog:
    return catalogue_of(request.param)


def test_the_catalogue_is_complete_without_fuzzy_or_unused_entries(catalogue: Catalog) -> None:
    ids = {message.id if isinstance(message.id, str) else tuple(message.id) for message in catalogue if message.id}
    assert marked() - ids == set(), "not translated: add them to the catalogue"
    assert ids - marked() == set(), "no longer used: remove them from the catalogue"
    assert [message.id for message in catalogue if message.id and message.fuzzy] == []
    assert [message.id for message in catalogue if message.id and not all(forms(message.string))] == []


def forms(message: object) -> list[str]:
    return list(message) if isinstance(message, list | tuple) else [str(message)]


def test_translations_have_the_placeholders_of_their_messages(catalogue: Catalog) -> None:
    def names(text: str) -> set[str | None]:
        return {name for _, name, _, _ in Formatter().parse(text) if name}

    wrong = [
        (message.id, form)
        for message in catalogue
        if message.id
        for form in forms(message.string)
        if names(form) != names(forms(message.id)[-1])
    ]
    assert wrong == []


def test_french_typography_has_no_break_before_high_punctuation() -> None:
    texts = [form for message in catalogue_of("fr") if message.id for form in forms(message.string)]
    assert [text for text in texts if any(f" {sign}" in text for sign in ";:!?%€")] == []


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", ["70,568.60", "€70,568.60", "-€5.00", "€70,569", "9.8%", "-22%", "+20.7%", "0", "+3"]),
        (
            "fr",
            [
                f"70{NN}568,60", f"70{NN}568,60{N}€", f"-5,00{N}€", f"70{NN}569{N}€", f"9,8{N}%",
                f"-22{N}%", f"+20,7{N}%", "0", "+3",
            ],
        ),
    ],
)  # fmt: skip
def test_numbers_money_and_percentages_follow_cldr(language: str, expected: list[str]) -> None:
    text = messages_in(language)
    assert [
        text.number(70568.6, 2),
        text.money(Decimal("70568.60")),
        text.money(Decimal(-5)),
        text.money(Decimal("70568.60"), 0),
        text.percent(0.0978),
        text.percent_change(-0.22, 0),
        text.percent_change(0.207),
        text.number_change(0),
        text.number_change(3),
    ] == expected


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", ["15 September 2025", "15 Sept 2025", "15 September"]),
        ("fr", ["15 septembre 2025", "15 sept. 2025", "15 septembre"]),
    ],
)
def test_dates_follow_cldr(language: str, expected: list[str]) -> None:
    text, day = messages_in(language), date(2025, 9, 15)
    assert [text.long_date(day), text.short_date(day), text.day(day)] == expected


@pytest.mark.parametrize(
    ("count", "english", "french"),
    [(0, "0 bottles", "0 bouteille"), (1, "1 bottle", "1 bouteille"), (2, "2 bottles", "2 bouteilles")],
)
def test_nouns_agree_with_their_number_and_french_zero_is_singular(count: int, english: str, french: str) -> None:
    assert messages_in("en").ngettext("{count} bottle", "{count} bottles", count) == english
    assert messages_in("fr").ngettext("{count} bottle", "{count} bottles", count) == french


def test_cells_have_the_patterns_of_cldr_in_the_notation_of_excel() -> None:
    english, french = messages_in("en"), messages_in("fr")
    assert english.cell_format("money change") == '+"€"#,##0.00;-"€"#,##0.00;"€"#,##0.00'
    assert french.cell_format("money") == f'[$-40C]#,##0.00"{N}€"'
    assert (english.cell_format("percent"), french.cell_format("percent")) == ("#,##0.0%", f'[$-40C]#,##0.0"{N}"%')
