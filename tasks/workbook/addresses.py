"""The grid of a spreadsheet: its limits, and the names of its columns."""

LAST_ROW = 1_048_576
COLUMN_COUNT = 16_384


def column_letter(index: int) -> str:
    """The letters Excel shows for the column with this index, counted from 0: 0 is A, 27 is AB."""
    letters = ""
    while index >= 0:
        index, digit = divmod(index, 26)
        letters = chr(ord("A") + digit) + letters
        index -= 1
    return letters


def column_index(letters: str) -> int:
    """The index of the column that Excel shows as these letters."""
    index = 0
    for letter in letters:
        index = 26 * index + ord(letter) - ord("A") + 1
    return index - 1
