"""What `monthly-sales run` shows on a terminal; a stream that is not a terminal is left alone.

Rich itself respects NO_COLOR. A dumb terminal cannot move its cursor, so it is treated as a file.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from prefect.logging.configuration import setup_logging
from prefect.logging.handlers import PrefectConsoleHandler
from rich.console import Console
from rich.status import Status
from rich.table import Table
from rich.text import Text

from tasks.publication.publisher import PublishedMonth
from tasks.run import STAGES

_MARKS = {logging.INFO: ("✓ ", "green"), logging.WARNING: ("! ", "yellow"), logging.ERROR: ("✗ ", "red")}


def is_interactive(console: Console) -> bool:
    """Whether lines can be redrawn on the console, and symbols shown."""
    return console.is_terminal and not console.is_dumb_terminal and console.encoding.startswith("utf")


@contextmanager
def plain_logs() -> Iterator[list[logging.Handler]]:
    """Log lines on stderr without tracebacks: the command itself reports how it ended, and where the trace is."""
    setup_logging()  # otherwise the first flow does it, and replaces our handlers
    plain: list[logging.Handler] = [
        handler for handler in logging.getLogger().handlers if isinstance(handler, PrefectConsoleHandler)
    ]
    for handler in plain:
        handler.addFilter(_has_no_trace)
    yield plain


def _has_no_trace(record: logging.LogRecord) -> bool:
    return not record.exc_info


@contextmanager
def shown_stages() -> Iterator[None]:
    """Show the running stages next to a spinner on stderr, and the finished ones as lines above it."""
    console = Console(stderr=True, highlight=False)
    with plain_logs() as plain:
        if not is_interactive(console):
            yield
            return
        root, stages = logging.getLogger(), logging.getLogger(STAGES)
        with console.status("Starting") as status:
            shown = _Shown(status)
            shown.addFilter(_has_no_trace)
            for handler in plain:
                root.removeHandler(handler)
            root.addHandler(shown)
            stages.setLevel(logging.DEBUG)
            try:
                yield
            finally:
                root.removeHandler(shown)
                for handler in plain:
                    root.addHandler(handler)


class _Shown(logging.Handler):
    """Log records as lines; the running stages next to the spinner."""

    def __init__(self, status: Status) -> None:
        super().__init__()
        self.status = status
        self.running: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.name != STAGES:
            self.status.console.print(Text.assemble(_MARKS.get(record.levelno, "  "), record.getMessage()))
            return
        name = record.getMessage()
        if name in self.running:
            self.running.remove(name)
        else:
            self.running.append(name)
        if self.running:
            self.status.update(", ".join(self.running))


def print_month(published: PublishedMonth) -> bool:
    """Show the snapshot as a small table on stdout; False if that is not a terminal."""
    console = Console(highlight=False)
    if not is_interactive(console):
        return False
    shown = published.headline
    console.print(Text(shown.title, style="bold"), Text(shown.period))
    console.print(Text(shown.news))
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column()
    table.add_column(justify="right", style="bold")
    for tile in shown.tiles:
        table.add_row(tile.label, tile.text, *tile.notes)
    console.print(table)
    for line in shown.lines:
        console.print(Text.assemble((f"{line.label}  " if line.label else "", "bold"), line.text))
    for address in published.addresses:
        # Each address is one line on any terminal, so that it can be copied.
        console.print(Text(address), soft_wrap=True)
    return True
