"""No name that a person, a bucket or a workbook chose leads outside the folder or prefix of a run."""

from datetime import UTC, datetime
from pathlib import Path
from unittest import mock

import pytest
from hostile.spoiled import SAMPLE

from tasks.domain.issues import WrongArgument
from tasks.domain.month import fill_month, resolve_month
from tasks.domain.sources import SOURCES
from tasks.report.files import report_files
from tasks.storage.s3 import S3Storage
from tasks.workbook.fetch import fetch_workbooks, workbook_locations

OUTSIDE = ["..", "../2025-05", "2025-05/../..", "/2025-05", "2025-05\x00", "2025-05\n", "..\\2025-05", "s3://b/2025-05"]


@pytest.mark.parametrize("month", OUTSIDE)
def test_only_a_month_is_accepted_as_a_month(month: str) -> None:
    with pytest.raises(WrongArgument):
        resolve_month(month, datetime(2025, 5, 15, tzinfo=UTC))


@pytest.mark.parametrize("placeholder", ["{month:../../%Y}", "{month:/%Y}", "{month:%Y\\..}"])
def test_a_format_of_the_month_is_the_path_that_the_person_wrote(placeholder: str) -> None:
    """What is filled in are digits; every other character stands in the argument itself."""
    assert fill_month(placeholder, "2025-05") == placeholder[7:-1].replace("%Y", "2025")


def test_the_files_of_a_month_stand_below_their_folder(tmp_path: Path) -> None:
    files = report_files(tmp_path / "files", "2025-05")
    assert all((tmp_path / "files") in files.path(name).resolve().parents for name in files.names)


NAMES = ["..erp.xlsx", "..\\erp.xlsx", "erp\n.xlsx", "=erp.xlsx", "erp;x.xlsx", "\u202eerp.xlsx"]


@pytest.mark.parametrize("name", [name for name in NAMES if not name.startswith(".")])
def test_a_workbook_of_any_name_is_copied_under_its_sources_name(name: str, tmp_path: Path) -> None:
    folder, run = tmp_path / "source", tmp_path / "run"
    folder.mkdir()
    run.mkdir()
    for source in SOURCES:
        (folder / (name if source == "erp" else f"{source}.xlsx")).write_bytes((SAMPLE / f"{source}.xlsx").read_bytes())
    found = fetch_workbooks(workbook_locations("2025-05", str(folder), erp="", liaison="", web=""), run)
    assert found["erp"].file == name
    assert {path.relative_to(tmp_path).as_posix() for path in run.iterdir()} == {
        "run/erp.xlsx", "run/liaison.xlsx", "run/web.xlsx",
    }  # fmt: skip
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run", "source"]


@pytest.mark.parametrize("prefix", ["shop", "shop/reports", ""])
def test_every_key_of_a_bucket_is_below_its_prefix(prefix: str) -> None:
    storage = S3Storage(mock.Mock(), "bucket", prefix)
    below = f"s3://bucket/{prefix}/" if prefix else "s3://bucket/"
    for key in ("manifests/2025-05.json", "../other/x", "/x"):
        assert storage.address(key).startswith(below)
