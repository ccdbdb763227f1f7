"""The month a run is for: the label of the snapshot, `YYYY-MM`."""

import re
from datetime import date, datetime
from zoneinfo import ZoneInfo

from tasks.domain.issues import WrongArgument

PARIS = ZoneInfo("Europe/Paris")

MONTH = re.compile(r"(?!0000)[0-9]{4}-(?:0[1-9]|1[0-2])")
_PLACEHOLDER = re.compile(r"\{month(?::([^{}]*))?\}")


def resolve_month(month: str, scheduled_start: datetime) -> str:
    """The given month, or the one in which the run was due, in Paris.

    Args:
        month: `YYYY-MM`, or empty.
        scheduled_start: When the run was due, with its time zone: the same run, repeated later, keeps its month.

    Raises:
        WrongArgument: `month` is neither.
    """
    if not month:
        return f"{scheduled_start.astimezone(PARIS):%Y-%m}"
    if not MONTH.fullmatch(month):
        raise WrongArgument(f'month: "{month}" is not a month. Write it as YYYY-MM, such as 2025-05.')
    return month


def resolve_export_date(export_date: str, month: str) -> date:
    """The day on which a month's workbooks were exported: as given, or the 15th of the month's label.

    Raises:
        WrongArgument: `export_date` is not a date.
    """
    if not export_date:
        return date.fromisoformat(f"{month}-15")
    try:
        day = date.fromisoformat(export_date)
    except ValueError:
        day = None
    if day is None or day.isoformat() != export_date:  # Python also reads 20250515 and 2025-W20-4
        raise WrongArgument(f'export_date: "{export_date}" is not a date. Write it as YYYY-MM-DD, such as 2025-05-15.')
    return day


def fill_month(pattern: str, month: str) -> str:
    """The path with its `{month}` or `{month:%Y/%m}` filled in.

    Raises:
        WrongArgument: The path contains another placeholder, or an unknown date format.
    """
    first_day = date.fromisoformat(f"{month}-01")
    filled = _PLACEHOLDER.sub(lambda found: first_day.strftime(found[1] or "%Y-%m"), pattern)
    if "{" in filled or "}" in filled:
        raise WrongArgument(f'"{pattern}" has a placeholder that is not known. Use {{month}} or, say, {{month:%Y/%m}}.')
    return filled
