"""The issues of rows and cells: which rule they break, how severe that is, and their addresses."""

import polars as pl

from tasks.domain.issues import SHOWN_VALUE_LENGTH
from tasks.domain.join import Cleaned
from tasks.domain.rules import CONTRADICTING_ROWS, RULES, SEVERITIES, Rule, cases_of, codes
from tasks.domain.sources import COLUMNS, SOURCE, SOURCES, Source

UNITS_LOST = pl.when(~pl.col("rule").is_in(codes(scope="choice"))).then("units").fill_null(0)
"""Units that are missing without a row; those of a repetition are not, because the accepted row has them."""

_ORDER = [pl.col("severity"), -UNITS_LOST, *map(pl.col, ("source", "row", "column", "rule"))]
"""The most severe issues first, then the rows that cost the most sales."""


def collect_issues(cleaned: Cleaned, joined: pl.LazyFrame, ledger: pl.LazyFrame) -> pl.LazyFrame:
    """Every issue of every row, and one line for each rejected row.

    Args:
        cleaned: The cleaned rows with their faults.
        joined: The live links: some errors of joined products are warnings elsewhere.
        ledger: The disposition of each row, see `build_ledger`.

    Returns:
        One row per source, row, column and rule, with `severity`, `disposition`, `key`, the price or units `lost` with
        a row, the `units` of a rejected row, and the `other_row` that it contradicts; `locate_issues` adds addresses
        and values.
    """
    found = [pl.concat(_of_links(joined, rule) for rule, _ in cases_of("link", "liaison"))]
    for source, rows in zip(SOURCES, cleaned, strict=True):
        key = "web_key" if source == "web" else "product_key"
        joined_keys = joined.select(key, is_joined=pl.lit(value=True)).unique()
        judged = rows.join(joined_keys, on=key, how="left").with_columns(
            source=pl.lit(source, SOURCE), is_joined=pl.col("is_joined").fill_null(value=False), lost=_lost(source)
        )
        rejected = ledger.filter(source=source, disposition="rejected").select("row", "column", code="rule")
        found += [
            _issues(judged.filter(pl.col(fault).is_not_null()), fault.split("__")[0], pl.col(fault))
            for fault in rows.collect_schema().names()
            if fault.endswith("__fault")
        ]
        found += [
            _issues(judged.filter("is_contradicted"), str(case.column), pl.lit(rule.code))
            for rule, case in cases_of("choice", source)
            if rule is CONTRADICTING_ROWS
        ]
        found.append(
            _issues(judged.drop("rule").join(rejected, on="row", how="inner"), pl.col("column"), pl.col("code"))
        )
    return (
        pl.concat(found)
        .with_columns(
            severity=_severity(),
            lost=pl.when(pl.col("rule").is_in(codes(shows_loss=True))).then("lost"),
            other_row=pl.when(pl.col("rule").is_in(list(_contradicting()))).then("other_row"),
        )
        .unique(["source", "row", "column", "rule"])
        .join(ledger.select("source", "row", "disposition", "key", "units"), on=["source", "row"], how="left")
        .sort(_ORDER)
        .select("source", "row", "column", "rule", "severity", "disposition", "key", "lost", "units", "other_row")
    )


def _issues(rows: pl.LazyFrame, column: str | pl.Expr, rule: pl.Expr) -> pl.LazyFrame:
    column = pl.lit(column) if isinstance(column, str) else column
    return rows.select(
        "source", "row", "is_joined", "has_sales", "lost", "other_row", column.alias("column"), rule.alias("rule")
    )


def _of_links(joined: pl.LazyFrame, rule: Rule) -> pl.LazyFrame:
    """The links that break a rule, each with the first other row, by content, of the same key."""
    (case,) = rule.cases
    row, key = pl.col("liaison_row"), "web_key" if rule.other_column == "product_id" else "product_key"
    ordered = row.sort_by("product_key", "web_key")
    first, second = ordered.first().over(key), ordered.get(1, null_on_oob=True).over(key)
    rows = joined.filter(case.condition).with_columns(
        source=pl.lit(case.source, SOURCE),
        row="liaison_row",
        is_joined=pl.lit(value=True),
        has_sales=pl.lit(value=False),
        lost=pl.lit(None, pl.String),
        other_row=pl.when(row == first).then(second).otherwise(first),
    )
    return _issues(rows, str(case.column), pl.lit(rule.code))


def _lost(source: Source) -> pl.Expr:
    """The price or units that are lost without the row."""
    if source == "liaison":
        return pl.lit(None, pl.String)
    return pl.format("{} EUR", "price") if source == "erp" else pl.format("{} units", "total_sales")


def _severity() -> pl.Expr:
    """The severity of the rule; a warning if the condition of the error does not hold."""
    rule = pl.col("rule")
    severity = rule.replace_strict({code: entry.severity for code, entry in RULES.items()}, return_dtype=pl.String)
    is_softened = (rule.is_in(codes(error_when="joined")) & ~pl.col("is_joined")) | (
        rule.is_in(codes(error_when="sales")) & ~pl.col("has_sales")
    )
    return pl.when(is_softened).then(pl.lit("warning")).otherwise(severity).cast(SEVERITIES)


def _contradicting() -> dict[str, str | None]:
    """The rules with another cell, and its column if it is not that of the issue."""
    return {code: rule.other_column for code, rule in RULES.items() if rule.other_column or rule is CONTRADICTING_ROWS}


def locate_issues(issues: pl.LazyFrame, raw: dict[Source, pl.LazyFrame], columns: pl.DataFrame) -> pl.LazyFrame:
    """Give every issue the address that a person can open, the value in the cell, and the remedy.

    Args:
        issues: Issues per source, row, column and rule, see `collect_issues`.
        raw: The staged sheets.
        columns: One row per source and column: `file`, `sheet` and the column's `letter`; a row with a null column is
            for the sheet itself.

    Returns:
        One row per issue (`DataIssue`), errors first; among issues of one severity, those that cost the most sales.
    """
    values = pl.concat(
        frame.select("row", *COLUMNS[source])
        .unpivot(index="row", variable_name="column", value_name="value")
        .with_columns(source=pl.lit(source, SOURCE))
        for source, frame in raw.items()
    )
    cells = values.join(columns.lazy(), on=["source", "column"], how="left")
    others = cells.select("source", other_row="row", other_column="column", other_letter="letter", other_value="value")
    other_columns = {code: column for code, column in _contradicting().items() if column}
    remedies = {code: entry.remedy for code, entry in RULES.items()}
    return (
        issues.join(values, on=["source", "row", "column"], how="left")
        .join(columns.lazy(), on=["source", "column"], how="left", nulls_equal=True)
        .with_columns(other_column=pl.coalesce(pl.col("rule").replace_strict(other_columns, default=None), "column"))
        .join(others, on=["source", "other_row", "other_column"], how="left")
        .sort(_ORDER)
        .select(
            "file",
            "sheet",
            "row",
            pl.concat_str("letter", "row").alias("cell"),
            "column",
            pl.coalesce("lost", _shown("value")).alias("value"),
            "rule",
            "severity",
            "disposition",
            "key",
            pl.format('{}{}, "{}"', "other_letter", "other_row", _shown("other_value").fill_null("")).alias("other"),
            pl.col("rule").replace_strict(remedies, return_dtype=pl.String).alias("remedy"),
        )
    )


def _shown(column: str) -> pl.Expr:
    """The value on one line, shortened as `issues.shortened` does it."""
    one_line = pl.col(column).str.replace_all(r"\s+", " ")
    is_long = one_line.str.len_chars() > SHOWN_VALUE_LENGTH
    return pl.when(is_long).then(one_line.str.head(SHOWN_VALUE_LENGTH - 1) + "…").otherwise(one_line)
