"""Characters that count for nothing at the edge of a text: in a cell, in a key, and in the title of a column."""

BLANKS = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
"""Unicode's white space."""


def _characters(*ranges: tuple[int, int]) -> str:
    return "".join(chr(code) for first, last in ranges for code in range(first, last + 1))


INVISIBLE = _characters(
    (0x00, 0x08), (0x0E, 0x1F), (0x7F, 0x84), (0x86, 0x9F),  # control characters
    (0xAD, 0xAD),  # the soft hyphen
    (0x200B, 0x200F), (0x2060, 0x2064), (0xFEFF, 0xFEFF),  # zero-width characters and marks of direction
    (0x061C, 0x061C), (0x202A, 0x202E), (0x2066, 0x206F),  # more marks of direction
    (0x034F, 0x034F), (0x180B, 0x180F), (0xFE00, 0xFE0F),  # joiners and variation selectors
    (0x115F, 0x1160), (0x17B4, 0x17B5), (0x3164, 0x3164), (0xFFA0, 0xFFA0),  # fillers
)  # fmt: skip
"""Characters that show as nothing: Unicode's control characters and its default-ignorable ones up to U+FFFF."""
