"""The id of a result: two runs with the same id publish the same bytes."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import fields

from tasks.domain.parameters import Parameters
from tasks.workbook.fetch import FetchedWorkbook

REPORT_VERSION = 2
"""Raise it when a rule, a layout or a library changes the bytes that the same inputs give."""

_NOT_IN_THE_ID = {"accept_unusual"}
"""Parameters that decide whether a result is published, but do not change it."""


def result_id(parameters: Parameters, workbooks: Iterable[FetchedWorkbook], earlier_ids: Iterable[str]) -> str:
    """The id of a month's result, which is known before anything is computed.

    A parameter with its default value is left out, so that a new parameter does not change earlier ids.

    Args:
        parameters: The parameters of the run.
        workbooks: The three workbooks. Their names count as well, because the list of issues contains them.
        earlier_ids: The ids of the snapshots that the result is computed with, oldest first.
    """
    facts = {
        "report_version": REPORT_VERSION,
        "parameters": {
            field.name: getattr(parameters, field.name)
            for field in fields(parameters)
            if field.name not in _NOT_IN_THE_ID and getattr(parameters, field.name) != field.default
        },
        "inputs": {book.source: [book.file, book.facts.sha256] for book in workbooks},
        "earlier_snapshots": list(earlier_ids),
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()
