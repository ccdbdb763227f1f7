"""The parameters of the flows and commands: name, type, default, range and help, declared here only.

A flow gets the signature and the documentation of its class (`takes`), so the dashboard's form shows them; the command
line is derived from the same class (`flows.cli`). Nothing here imports Prefect, so that `--help` is fast.
"""

import inspect
import re
from collections.abc import Callable
from dataclasses import MISSING, Field, dataclass, fields
from datetime import datetime
from functools import wraps
from typing import TYPE_CHECKING, Annotated, Any, ParamSpec, TypeVar

import pydantic

from tasks.domain.parameters import Language, Parameters

if TYPE_CHECKING:
    from tasks.storage.location import Location
    from tasks.workbook.fetch import WorkbookLocations

Finite = Annotated[float, pydantic.Field(allow_inf_nan=False)]
Day = Annotated[str, pydantic.Field(json_schema_extra={"format": "date"})]
"""A date as text, because it may be empty; the form shows a calendar."""

Given = ParamSpec("Given")
Options = TypeVar("Options")
Result = TypeVar("Result")


@dataclass(frozen=True, kw_only=True)
class ListOptions:
    """List the published months.

    Attributes:
        destination: Folder or s3://bucket/prefix of the published files.
        aws_credentials: Name of the AwsCredentials block for S3. Empty: environment, profile or role of the machine.
    """

    destination: str = "reports"
    aws_credentials: str = ""

    @property
    def location(self) -> "Location":
        """The destination with its credentials."""
        from tasks.storage.location import Location  # noqa: PLC0415 - after --help

        return Location(self.destination, self.aws_credentials)


@dataclass(frozen=True, kw_only=True)
class VerifyOptions(ListOptions):
    """Read a published month back and compare it with its manifest.

    Attributes:
        month: The month's label, such as 2025-05.
        repair: Update the files that people open.
    """

    month: str
    repair: bool = False


@dataclass(frozen=True, kw_only=True)
class EveryMonthOptions(ListOptions):
    """What every month of a shop has in common.

    Attributes:
        source: Folder or s3://bucket/prefix with the three workbooks; {month} or {month:%Y/%m} is filled in.
        erp: Path of the erp workbook, if it is not to be looked for in the source folder.
        liaison: Path of the liaison workbook, if it is not to be looked for in the source folder.
        web: Path of the web workbook, if it is not to be looked for in the source folder.
        language: Language of the workbook, and of the CSV files: in French with semicolons and decimal commas.
        premium_threshold: A wine is premium when the z-score of its price is above this.
        accept_unusual: Publish a month that is refused only because it is unusual, with a warning.
    """

    source: str = "data/{month}"
    erp: str = ""
    liaison: str = ""
    web: str = ""
    language: Language = Parameters.language
    premium_threshold: Finite = Parameters.premium_threshold
    accept_unusual: bool = Parameters.accept_unusual

    def workbooks(self, month: str) -> "WorkbookLocations":
        """Where the workbooks of a month are."""
        from tasks.workbook.fetch import workbook_locations  # noqa: PLC0415 - after --help

        return workbook_locations(
            month, self.source, self.aws_credentials, erp=self.erp, liaison=self.liaison, web=self.web
        )


@dataclass(frozen=True, kw_only=True)
class MonthOptions(EveryMonthOptions):
    """Turn one month's three workbooks into published revenue and premium reports.

    Attributes:
        month: The month's label, such as 2025-05. Empty: the month in which the run was scheduled.
        export_date: Day on which the workbooks were exported, such as 2025-05-15. Empty: the 15th of the month's label.
        dry_run: Do everything up to the audit of the files, but write nothing to the destination and send nothing.
        email_to: E-mail addresses that receive the published workbook, separated by commas. The mail server is in the
            block email-server-credentials/monthly-sales.
    """

    month: str = ""
    export_date: Day = ""
    dry_run: bool = False
    email_to: str = ""

    def parameters(self, scheduled: datetime) -> Parameters:
        """The parameters of the result.

        Args:
            scheduled: When the run was due.

        Raises:
            WrongArgument: The month or the export date is not valid.
        """
        from tasks.domain.month import resolve_export_date, resolve_month  # noqa: PLC0415 - after --help

        month = resolve_month(self.month, scheduled)
        return Parameters(
            month,
            resolve_export_date(self.export_date, month),
            self.premium_threshold,
            self.language,
            self.accept_unusual,
        )


@dataclass(frozen=True, kw_only=True)
class BackfillOptions(EveryMonthOptions):
    """Run every month from the first to the last, in order, and stop at one that is not published.

    Attributes:
        first: The first month, such as 2024-01.
        last: The last month, such as 2025-05.
        deployment: Deployment that runs each month, such as monthly-sales/docker; it also provides what is not given
            here. Empty: each month runs here, one after the other.
    """

    first: str
    last: str
    deployment: str = ""


_ATTRIBUTE = re.compile(r"^ {4}(\w+): (.*(?:\n {8}.*)*)", re.MULTILINE)


def declared(kind: type) -> list[tuple[Field[Any], str]]:
    """The fields of a class of options with their help: its own first, then the inherited ones."""
    known = {field.name: field for field in fields(kind)}
    helps: dict[str, str] = {}
    for one in kind.__mro__[:-1]:
        helps |= {
            name: " ".join(text.split()) for name, text in _ATTRIBUTE.findall(inspect.cleandoc(one.__doc__ or ""))
        }
    return [(known[name], text) for name, text in helps.items()]


def purpose(kind: type) -> str:
    """What a class of options is for, in one sentence."""
    return (kind.__doc__ or "").partition("\n")[0]


def takes(kind: Callable[Given, Options]) -> Callable[[Callable[[Options], Result]], Callable[Given, Result]]:
    """Let a function of a class of options be called with its fields, as a flow is."""

    def decorate(function: Callable[[Options], Result]) -> Callable[Given, Result]:
        @wraps(function)
        def called_with_fields(*args: Given.args, **kwargs: Given.kwargs) -> Result:
            return function(kind(*args, **kwargs))

        assert isinstance(kind, type)
        options = declared(kind)
        called_with_fields.__doc__ = f"{purpose(kind)}\n\nArgs:\n" + "\n".join(
            f"    {field.name}: {text}" for field, text in options
        )
        called_with_fields.__annotations__ = {field.name: field.type for field, _ in options}
        parameters = [
            inspect.Parameter(
                field.name,
                inspect.Parameter.KEYWORD_ONLY,
                default=inspect.Parameter.empty if field.default is MISSING else field.default,
                annotation=field.type,
            )
            for field, _ in options
        ]
        called_with_fields.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        return called_with_fields

    return decorate
