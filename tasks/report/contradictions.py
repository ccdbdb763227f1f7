"""What the audit says of a file that is not as it was written: in English, as all refusals are."""


def unreadable(file: str, fault: object) -> str:
    """A file that cannot be read back."""
    return f"{file} cannot be read back: {fault}"


def place(file: str, sheet: str) -> str:
    """A sheet of a workbook."""
    return f"{file} [{sheet}]"


def no_header(where: str) -> str:
    """A table that is not there."""
    return f"{where} has no row with the expected headings."


def wrong_length(where: str, found: int, expected: int) -> str:
    """Too many or too few rows."""
    return f"{where} holds {_rows(found, 'row')} where the results have {expected:,}."


def wrong_values(where: str, column: str, number: int, row: int, found: object, expected: object) -> str:
    """Cells that differ, with the first of them."""
    differ = "differs" if number == 1 else "differ"
    return (
        f"{where}, {column}: {_rows(number, 'row')} {differ} from the results; "
        f"the first is row {row:,} of the table, with {found!s} instead of {expected!s}."
    )


def wrong_figure(where: str, label: str, found: object, expected: object) -> str:
    """A headline that contradicts the figures."""
    return f"{where}, {label}: {found!s} instead of {expected!s}."


def wrong_spelling(column: str, text: object) -> str:
    """A number that the writer would not have spelled so."""
    return f'{column}: "{text!s}" is not spelled as it was written.'


def wrong_columns(found: list[str], expected: list[str]) -> str:
    """A header that is not the writer's."""
    return f"the header is {', '.join(found)} instead of {', '.join(expected)}."


def too_many_products(products: int, limit: int) -> str:
    """A month that does not fit a sheet."""
    return f"{products:,} products do not fit a sheet, which holds {limit:,} of them."


def _rows(number: int, noun: str) -> str:
    return f"{number:,} {noun if number == 1 else f'{noun}s'}"
