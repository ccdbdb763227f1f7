"""The run's own folder: deleted when the month is published, kept and shown when it is not."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.domain.issues import DataRefused, OutsideFailure
from tasks.report.csv_files import write_issues
from tasks.storage.local import file_facts, outside
from tasks.storage.places import Place
from tasks.storage.protocol import ConflictError

if TYPE_CHECKING:
    import logging

    Logger = logging.LoggerAdapter[logging.Logger] | logging.Logger

ISSUES_FILE = "data_issues.csv"


@contextmanager
def run_folder(month: str, destination: Place, logger: "Logger") -> Iterator[Path]:
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
            _store_refusal(month, folder / ISSUES_FILE, destination, logger)
        logger.error("The run's files are kept in %s", folder)  # noqa: TRY400 - the error speaks for itself
        raise
    shutil.rmtree(folder, ignore_errors=True)


def _store_refusal(month: str, issues: Path, destination: Place, logger: "Logger") -> None:
    """Store the list of issues under the hash of its content: the same refusal twice is one file."""
    facts = file_facts(issues)
    key = f"refused/{month}/data_issues_{facts.sha256[:12]}.csv"
    try:
        storage = destination.open()
        with suppress(ConflictError):
            storage.create(key, issues, facts)
    except OutsideFailure as failure:
        logger.warning("The list of issues could not be stored: %s", failure)
        return
    logger.error("All issues are listed in %s", storage.address(key))
