"""The last sheet: what the figures mean, and what they were made from."""

from collections.abc import Sequence

from tasks.domain.figures import MonthSummary
from tasks.report.sheets import Sheet
from tasks.report.words import Words
from tasks.workbook.fetch import FetchedWorkbook

_WIDTHS = (34, 112)
_LINE_PIXELS = 19

Told = list[tuple[str, str]]
"""Terms, each with what is told of it."""


def write_about(sheet: Sheet, summary: MonthSummary, inputs: Sequence[FetchedWorkbook]) -> None:
    """Write the workbooks with their sha256, the parameters, the month compared with, and the definitions."""
    words, month = sheet.words, summary.parameters.month
    sheet.widths(_WIDTHS)
    sheet.text(0, 0, words.sheet_title(words.ABOUT, month), "title")
    row = 1
    sections = {
        words.INPUTS_SECTION: told_inputs(inputs, words),
        words.PARAMETERS_SECTION: told_parameters(summary, words),
        words.BASELINE_SECTION: told_baseline(summary, words),
        words.RULES_SECTION: words.definitions(summary.parameters),
    }
    for title, told in sections.items():
        sheet.text(row + 1, 0, title, "section")
        row += 2
        for term, meaning in told:
            sheet.worksheet.set_row_pixels(row, _LINE_PIXELS * (1 + len(meaning) // _WIDTHS[1]))
            sheet.text(row, 0, term, "term")
            sheet.text(row, 1, meaning, "meaning")
            row += 1
    sheet.worksheet.freeze_panes(1, 0)
    sheet.print_setup(month)


def told_inputs(inputs: Sequence[FetchedWorkbook], words: Words) -> Told:
    """The workbooks, each with the name it had where it came from."""
    return [
        (words.SOURCES[book.source], words.workbook(book.file, book.facts.size, book.facts.sha256)) for book in inputs
    ]


def told_parameters(summary: MonthSummary, words: Words) -> Told:
    """What the run was told."""
    parameters = summary.parameters
    told = {
        "month": words.month_name(parameters.month),
        "premium_threshold": words.score(parameters.premium_threshold),
        "language": words.LANGUAGE_NAME,
        "csv_dialect": words.CSV_DIALECTS[parameters.csv_dialect],
    }
    return [(words.PARAMETERS[name], value) for name, value in told.items()]


def told_baseline(summary: MonthSummary, words: Words) -> Told:
    """The month compared with."""
    comparison = summary.comparison
    if comparison is None:
        return [(words.BASELINE_MONTH, words.FIRST_MONTH)]
    return [
        (words.BASELINE_MONTH, words.month_name(comparison.month)),
        (words.BASELINE_IDENTITY, comparison.identity),
    ]
