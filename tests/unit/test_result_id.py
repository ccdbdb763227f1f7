"""The id of a result changes with everything that the published bytes depend on, and with nothing else."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import pytest

from tasks.domain.parameters import Parameters
from tasks.domain.sources import SOURCES
from tasks.publication import identity
from tasks.publication.identity import result_id
from tasks.storage.protocol import StoredFile
from tasks.workbook.fetch import FetchedWorkbook

MAY = Parameters("2025-05", date(2025, 5, 15))
WORKBOOKS = [FetchedWorkbook(source, f"{source}.xlsx", Path("copy"), StoredFile(1, source * 8)) for source in SOURCES]
EARLIER = ["a" * 64, "b" * 64]
FACTS = (
    f'{{"earlier_snapshots": ["{"a" * 64}", "{"b" * 64}"], '
    '"inputs": {"erp": ["erp.xlsx", "erperperperperperperperp"], '
    '"liaison": ["liaison.xlsx", "liaisonliaisonliaisonliaisonliaisonliaisonliaisonliaison"], '
    '"web": ["web.xlsx", "webwebwebwebwebwebwebweb"]}, '
    '"parameters": {"export_date": "2025-05-15", "month": "2025-05"}, "report_version": 7}'
)


@pytest.fixture(autouse=True)
def _report_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity, "REPORT_VERSION", 7)


def changed_workbook(**changes: object) -> list[FetchedWorkbook]:
    return [replace(WORKBOOKS[0], **changes), *WORKBOOKS[1:]]


def test_the_id_of_the_same_inputs_is_the_same_for_ever() -> None:
    """Another way to compute it would publish every month again."""
    assert result_id(MAY, WORKBOOKS, EARLIER) == hashlib.sha256(FACTS.encode()).hexdigest()


DIFFERENT: dict[str, Callable[[], str]] = {
    "month": lambda: result_id(replace(MAY, month="2025-06"), WORKBOOKS, EARLIER),
    "export date": lambda: result_id(replace(MAY, export_date=date(2025, 5, 16)), WORKBOOKS, EARLIER),
    "threshold": lambda: result_id(replace(MAY, premium_threshold=2.5), WORKBOOKS, EARLIER),
    "language": lambda: result_id(replace(MAY, language="fr"), WORKBOOKS, EARLIER),
    "content of a workbook": lambda: result_id(MAY, changed_workbook(facts=StoredFile(1, "other")), EARLIER),
    "name of a workbook": lambda: result_id(MAY, changed_workbook(file="ERP.xlsx"), EARLIER),
    "an earlier snapshot": lambda: result_id(MAY, WORKBOOKS, ["a" * 64, "c" * 64]),
    "one earlier snapshot fewer": lambda: result_id(MAY, WORKBOOKS, EARLIER[1:]),
    "none earlier": lambda: result_id(MAY, WORKBOOKS, []),
}


@pytest.mark.parametrize("other", DIFFERENT.values(), ids=DIFFERENT)
def test_another_input_gives_another_id(other: Callable[[], str]) -> None:
    assert other() != result_id(MAY, WORKBOOKS, EARLIER)


def test_another_report_version_gives_another_id(monkeypatch: pytest.MonkeyPatch) -> None:
    before = result_id(MAY, WORKBOOKS, EARLIER)
    monkeypatch.setattr(identity, "REPORT_VERSION", 8)
    assert result_id(MAY, WORKBOOKS, EARLIER) != before


@dataclass(frozen=True)
class LaterParameters(Parameters):
    """The parameters, with one that was added."""

    currency: str = "EUR"


def test_a_parameter_that_is_added_leaves_every_id_as_it_was_until_it_is_used() -> None:
    later = LaterParameters(**vars(MAY))
    assert result_id(later, WORKBOOKS, EARLIER) == result_id(MAY, WORKBOOKS, EARLIER)
    assert result_id(replace(later, currency="CHF"), WORKBOOKS, EARLIER) != result_id(MAY, WORKBOOKS, EARLIER)


@pytest.mark.parametrize(
    "same",
    [
        pytest.param(lambda: result_id(replace(MAY, accept_unusual=True), WORKBOOKS, EARLIER), id="accept_unusual"),
        pytest.param(
            lambda: result_id(
                MAY, changed_workbook(path=Path("elsewhere"), facts=StoredFile(1, "erp" * 8, "v2")), EARLIER
            ),
            id="where the copy is and when it was made",
        ),
        pytest.param(lambda: result_id(MAY, reversed(WORKBOOKS), EARLIER), id="order of the workbooks"),
    ],
)
def test_a_parameter_that_changes_no_byte_does_not_change_the_id(same: Callable[[], str]) -> None:
    assert same() == result_id(MAY, WORKBOOKS, EARLIER)
