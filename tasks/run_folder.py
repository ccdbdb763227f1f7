"""The run's own folder: deleted when the month is published, kept and shown when it is not."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.artifacts import refused_table, text
from tasks.dashboard import Artifact, only_warned, show_artifacts
from tasks.domain.issues import DataRefused, OutsideFailure
from tasks.report.csv_files import write_issues
from tasks.storage.local import file_facts, outside
from tasks.storage.location import Location
from tasks.storage.protocol import ConflictError

if TYPE_CHECKING:
    import logging

    Logger = logging.LoggerAdapter[logging.Logger] | logging.Logger

ISSUES_FILE = "data_issues.csv"


@contextmanager
def run_folder(month: str, destination: Location, logger: "Logger") -> Iterator[Path]:
    """A new folder for the run's copies, stages and files.

    On a failure it stays, and the log tells where it is. The issues of refused data are also stored at the
    destination, under `refused/<month>/`, since a container's own folder is gone when it ends.
    """
    with outside(f"cannot make a folder for the run in {tempfile.gettempdir()}"):
        folder = Path(tempfile.mkdtemp(prefix=f"monthly-sales-{month}-"))
    try:
        yield folder
    except BaseException as error:
        if isinstance(error, DataRefused):
            write_issues(folder / ISSUES_FILE, error.issues)
            listed = _store_refusal(month, folder / ISSUES_FILE, destination, logger)
            with only_warned("The run's page does not show the issues", logger):
                table = refused_table(error.issues, listed)
                show_artifacts(Artifact("refused-issues", text(str(error)), table))
        logger.error("The run's files are kept in %s", folder)  # noqa: TRY400 - the error speaks for itself
        raise
    shutil.rmtree(folder, ignore_errors=True)


def _store_refusal(month: str, issues: Path, destination: Location, logger: "Logger") -> str:
    """Store the list of issues under the hash of its content, and say where: the same refusal twice is one file."""
    facts = file_facts(issues)
    key = f"refused/{month}/data_issues_{facts.sha256[:12]}.csv"
    try:
        storage = destination.open()
        with suppress(ConflictError):
            storage.create(key, issues, facts)
    except OutsideFailure as failure:
        logger.warning("The list of issues could not be stored: %s", failure)
        return str(issues)
    logger.error("All issues are listed in %s", storage.address(key))
    return storage.address(key)
