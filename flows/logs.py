"""Readable logs: one line per stage, and no traceback for data that was refused."""

import logging
from pathlib import Path

import prefect

from tasks.domain.issues import MonthlySalesError

_ENGINE = str(Path(prefect.__file__).parent)


def keep_logs_readable() -> None:
    """Filter the logs of flow and task runs, in the terminal and in the dashboard; a second call changes nothing."""
    for name in ("prefect.engine", "prefect.flow_runs", "prefect.task_runs"):
        logging.getLogger(name).addFilter(_is_shown)
    logging.getLogger("EventsWorker").addFilter(_is_no_progress)


def _is_shown(record: logging.LogRecord) -> bool:
    """Drop the engine's messages about itself; log a refusal once, as one sentence.

    The engine logs an exception with its traceback when the task ends and again when the flow ends, and then the
    state, which the run's page shows. All of that is kept for an unexpected exception.
    """
    if not record.pathname.startswith(_ENGINE):
        return True
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, MonthlySalesError):
        record.msg, record.args, record.exc_info, record.exc_text = str(error), (), None, None
        return record.name == "prefect.task_runs"
    return record.levelno > logging.INFO and "Finished in state" not in record.getMessage()


def _is_no_progress(record: logging.LogRecord) -> bool:
    """Drop what Prefect may log after the last line of a run: that some of its events are still to be sent."""
    return not record.getMessage().startswith("Still processing items")
