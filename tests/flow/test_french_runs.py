"""A run in French shows no English message, whether its data is refused or accepted although it is unusual."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import openpyxl
import pytest
from babel.messages.pofile import read_po
from hostile.spoiled import SAMPLE, run_flow, spoiled_month
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey
from prefect.client.schemas.sorting import ArtifactSort

from flows.monthly_sales import monthly_sales
from tasks.domain.issues import DataRefused
from tasks.messages import messages_in
from tasks.publication.verify import verify_month
from tasks.report.issue_words import refusal_lines
from tasks.storage.local import LocalStorage

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.usefixtures("prefect_server")


def english_fragments() -> set[str]:
    """What is between the placeholders of the English messages, if it has two words and no French message has it."""
    with (ROOT / "tasks/messages/fr.po").open("rb") as file:
        messages = [message for message in read_po(file, locale="fr") if message.id]
    english = [text for one in messages for text in ([one.id] if isinstance(one.id, str) else one.id)]
    french = "\n".join(
        text for one in messages for text in ([one.string] if isinstance(one.string, str) else one.string)
    )
    found = {part.strip(" .,:;()\"'") for text in english for part in re.split(r"\{\w*\}", text)}
    return {part for part in found if len(part.split()) > 1 and part not in french}


def english_in(text: str) -> set[str]:
    return {part for part in english_fragments() if part in text}


def artifacts(keys: Sequence[str]) -> str:
    """The newest artifact of each key as text."""
    found = []
    with get_client(sync_client=True) as client:
        for key in keys:
            chosen = ArtifactFilter(key=ArtifactFilterKey(any_=[key]))
            found += client.read_artifacts(artifact_filter=chosen, sort=ArtifactSort.CREATED_DESC, limit=1)
    assert len(found) == len(keys)
    return "\n".join(f"{one.description} {one.data}" for one in found).replace("\\", "")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """The sample month without the last 36 links."""
    return spoiled_month(tmp_path / "source", lambda month: month.rows("liaison").__delitem__(slice(-36, None)))


def texts_of(workbook: Path) -> Iterator[str]:
    for sheet in openpyxl.load_workbook(workbook):
        yield from (cell for row in sheet.values for cell in row if isinstance(cell, str))


def test_a_refused_run_in_french_shows_no_english_message(tmp_path: Path, source: Path) -> None:
    reports = tmp_path / "reports"
    with pytest.raises(DataRefused) as refused:
        monthly_sales(month="2025-05", source=str(source), destination=str(reports), language="fr")
    terminal = "\n".join(refusal_lines(refused.value.issues, messages_in("fr")))
    (listed,) = reports.glob("refused/2025-05/*.csv")
    stored = listed.read_text(encoding="utf-8-sig")
    page = artifacts(["refused-issues", "refused-warnings"])
    assert english_in("\n".join(refusal_lines(refused.value.issues, messages_in("en"))))
    assert terminal.startswith("les trois classeurs")
    assert refused.value.sentence.startswith("2 erreurs, rien n'est publié. les trois classeurs")
    for shown in (terminal, stored, page, refused.value.sentence):
        assert "produits de la boutique sur" in shown
        assert english_in(shown) == set()
        assert not re.search(r"\d units", shown)


def test_an_unusual_month_in_french_shows_no_english_message(tmp_path: Path, source: Path) -> None:
    reports = tmp_path / "reports"
    month = {"month": "2025-05", "source": str(source), "destination": str(reports), "language": "fr"}
    published = monthly_sales(**month, accept_unusual=True)
    terminal = "\n".join([published.headline.title, *published.headline.sentences()])
    stored = (reports / "quality/data_issues_2025-05.csv").read_text(encoding="utf-8-sig")
    sheets = "\n".join(texts_of(reports / "sales_reports/sales_report_2025-05.xlsx"))
    page = artifacts(["monthly-summary", "data-quality"])
    for shown in (stored, sheets):
        assert "produits de la boutique sur" in shown
    assert "les trois classeurs" in page
    for shown in (terminal, stored, sheets, page):
        assert english_in(shown) == set()
        assert not re.search(r"\d units", shown)


def test_what_verify_finds_in_a_french_month_is_for_engineers_and_in_english(tmp_path: Path) -> None:
    run_flow(SAMPLE, tmp_path, language="fr")
    workbook = tmp_path / "sales_reports/sales_report_2025-05.xlsx"
    workbook.unlink()
    assert verify_month(LocalStorage(tmp_path), "2025-05", repair=False).faults == [
        f"{workbook} is missing: run verify with --repair."
    ]
