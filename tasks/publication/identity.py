"""What makes two results of a month the same: their inputs, their parameters and the rules."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, replace

from tasks.domain.parameters import Parameters
from tasks.workbook.fetch import FetchedWorkbook

REPORT_VERSION = 1
"""Raise it when a rule, a layout, or a library that writes the files changes what comes out of the same inputs."""


def result_identity(parameters: Parameters, workbooks: Iterable[FetchedWorkbook]) -> str:
    """The identity of a month's result, known before anything is computed.

    The workbooks' names belong to it, since the list of issues tells them.
    """
    facts = {
        "report_version": REPORT_VERSION,
        "parameters": asdict(replace(parameters, accept_unusual=False)),
        "inputs": {book.source: [book.file, book.facts.sha256] for book in workbooks},
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()
