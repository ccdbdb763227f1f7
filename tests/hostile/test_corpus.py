"""Every month of the corpus gives its figures or its refusal, and nothing else."""

import csv
import re
import zipfile
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hostile.corpus import CASES, SOUND, Case
from hostile.spoiled import run_flow, spoiled_month

from tasks.domain.issues import DataRefused, lines

NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def assert_inert(folder: Path) -> None:
    """Nothing in the published files runs or leads anywhere when it is opened."""
    for path in files_in(folder):
        if path.suffix == ".xlsx":
            with zipfile.ZipFile(path) as archive:
                names = archive.namelist()
                parts = {name: archive.read(name).decode() for name in names if name.endswith((".xml", ".rels"))}
            assert not [name for name in names if re.search("externalLink|vbaProject|activeX|embeddings", name)]
            for name, part in parts.items():
                ET.fromstring(part)
                assert 'TargetMode="External"' not in part, name
                assert not re.search("<(ddeLink|oleObject|webPublish)", part), name
                for link in re.findall("<hyperlink [^>]*>", part):  # to another sheet of the report
                    assert " location=" in link
                    assert "r:id" not in link
                for formula in re.findall(r"<f(?: [^>]*)?>(.*?)</f>", part) if "worksheets/" in name else ():
                    assert re.fullmatch(r"SUBTOTAL\(10[39],[A-Z]\d+(:[A-Z]\d+)?\)", formula)
        elif path.suffix == ".csv":
            with path.open(encoding="utf-8", newline="") as file:
                for row in csv.reader(file):
                    for text in row:
                        assert NUMBER.fullmatch(text) or not text.startswith(("=", "+", "-", "@", "\t", "\r")), text


ALIKE = [case for case in CASES if case.group in {"cells", "headers", "keys", "titles"}]
SHORT = [case for case in CASES if case not in ALIKE or ALIKE.index(case) % 3 == 0]
"""The short form has one of three cases of the groups whose cases are much alike."""


def test_the_short_form_has_a_hundred_cases() -> None:
    assert len(SHORT) >= 100


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=f"{case.group}, {case.name}", marks=[] if case in SHORT else pytest.mark.long)
        for case in CASES
    ],
)
def test_the_month_is_published_correctly_or_refused_with_its_rule(case: Case, tmp_path: Path) -> None:
    destination = tmp_path / "reports"
    source = spoiled_month(tmp_path / "source", case.spoil)
    before = {path for path in files_in(tmp_path) if source not in path.parents}
    if case.words:
        with pytest.raises(DataRefused) as refused:
            run_flow(source, destination)
        assert_refused(case, refused.value, destination)
    else:
        published = run_flow(source, destination)
        figures = {name: getattr(published.figures, name) for name in SOUND}
        assert figures == SOUND | case.figures
        assert {path.relative_to(destination).parts[0] for path in files_in(destination)} == {
            "sales_reports", "wines", "quality", "tables", "manifests", "revisions",
        }  # fmt: skip
        left = set(files_in(tmp_path)) - before
        assert all(source in path.parents or destination in path.parents for path in left)
    assert_inert(destination)


def assert_refused(case: Case, refused: DataRefused, destination: Path) -> None:
    shown = lines(refused.issues.filter(severity="error"))
    assert sorted(line[: len(words)] for line, words in zip(sorted(shown), sorted(case.words), strict=True)) == sorted(
        case.words
    ), shown
    assert all("\n" not in line and len(line) < 400 for line in shown)
    assert len(str(refused)) < 600
    assert "\n" not in str(refused)
    assert {path.relative_to(destination).parts[0] for path in files_in(destination)} == {"refused"}
