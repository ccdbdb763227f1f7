"""`monthly-sales run` on a terminal: a pseudo-terminal."""

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
import threading
from pathlib import Path

import pytest
from hostile.spoiled import SAMPLE


def on_a_terminal(destination: Path, server: str, **environment: str) -> str:
    """What a run sends to a terminal of 100 columns."""
    places = ("--source", SAMPLE, "--destination", destination)
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
    sent = bytearray()

    def read() -> None:
        while True:
            try:
                sent.extend(os.read(ours, 4096))
            except OSError:  # the other end is closed
                return

    reader = threading.Thread(target=read)
    reader.start()
    nothing = {name: text for name, text in os.environ.items() if name not in {"NO_COLOR", "COLUMNS", "TERM"}}
    done = subprocess.run(
        [sys.executable, "-m", "flows.cli", "run", "--month", "2025-05", *places],
        env=nothing | {"PREFECT_API_URL": server, "TERM": "xterm-256color", "LANG": "C.UTF-8"} | environment,
        stdin=theirs, stdout=theirs, stderr=theirs, timeout=120, check=False,
    )  # fmt: skip
    os.close(theirs)
    reader.join()
    os.close(ours)
    assert done.returncode == 0, sent.decode()
    return sent.decode()


def test_a_terminal_shows_the_stage_that_runs_then_the_month_as_a_table(tmp_path: Path, prefect_server: str) -> None:
    shown = on_a_terminal(tmp_path, prefect_server)
    assert "\x1b[32m⠋\x1b[0m Starting" in shown
    assert "\x1b[32m✓ \x1b[0mwrite-reports" in shown
    first, last = shown.index("convert-erp"), shown.index("announce")
    assert 0 < first < last < shown.index("Out of stock")
    assert "2025-05 is published (revision 1)." in shown
    assert f"\r\n{tmp_path}/sales_reports/sales_report_2025-05.xlsx\r\n" in shown
    assert shown.rindex("\x1b[?25h") < shown.index("Out of stock"), "the cursor is there again"


@pytest.mark.long
def test_a_terminal_without_colours_gets_none(tmp_path: Path, prefect_server: str) -> None:
    shown = on_a_terminal(tmp_path, prefect_server, NO_COLOR="1")
    assert "✓ write-reports" in shown
    assert "\x1b[32m" not in shown


@pytest.mark.long
def test_a_dumb_terminal_gets_the_lines_of_a_file(tmp_path: Path, prefect_server: str) -> None:
    shown = on_a_terminal(tmp_path, prefect_server, TERM="dumb")
    assert "\x1b" not in shown
    assert "Total revenue to date: €25,236.60; 11 premium, 10.1% of total\r\n" in shown
