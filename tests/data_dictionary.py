"""The README's data dictionary, generated from the schemas: `python tests/data_dictionary.py` writes it again."""

from pathlib import Path

import dataframely as dy

from tasks.domain.schemas import WINE_FILE_COLUMNS, DataIssue, Snapshot, Wine

README = Path(__file__).parents[1] / "README.md"
BEGIN, END = "<!-- data dictionary: python tests/data_dictionary.py -->", "<!-- end of the data dictionary -->"


def dictionary() -> str:
    """One table per published file: name, type, unit, when it is empty, and meaning of every column."""
    wine = [(name, column) for name, column in Wine.columns().items() if name in WINE_FILE_COLUMNS]
    return "\n\n".join(
        [
            "`tables/wines_<month>.parquet`, one row per wine",
            table(list(Snapshot.columns().items())),
            "`wines/premium_wines_<month>.csv` and `wines/ordinary_wines_<month>.csv`, one row per wine",
            table(sorted(wine, key=lambda column: WINE_FILE_COLUMNS.index(column[0]))),
            "`quality/data_issues_<month>.csv`, one row per rejected row and per issue",
            table(list(DataIssue.columns().items())),
        ]
    )


def table(columns: list[tuple[str, dy.Column]]) -> str:
    rows = ["| Column | Type | Unit | Empty | Meaning |", "| --- | --- | --- | --- | --- |"]
    for name, column in columns:
        facts = column.metadata or {}
        empty = facts.get("null", "possible") if column.nullable else "never"
        meaning = column.description or facts["heading"]
        rows.append(f"| `{name}` | {type_of(column)} | {facts.get('unit', '')} | {empty} | {meaning} |")
    return "\n".join(rows)


def type_of(column: dy.Column) -> str:
    """The type as people write it; an enumeration is written as text."""
    if isinstance(column, dy.Enum):
        return "String"
    return str(column.dtype).replace("precision=", "").replace("scale=", "")


def written(readme: str) -> str:
    """The README with the dictionary of today between its marks."""
    before, rest = readme.split(BEGIN)
    after = rest.split(END)[1]
    return f"{before}{BEGIN}\n\n{dictionary()}\n\n{END}{after}"


if __name__ == "__main__":
    README.write_text(written(README.read_text("utf-8")), "utf-8")
