"""The bytes that are published of the sample months change with `REPORT_VERSION`, and never without it."""

import hashlib
import json
import zipfile
from pathlib import Path

from hostile.spoiled import run_flow

from tasks.publication.identity import REPORT_VERSION

SAMPLE = Path(__file__).parents[2] / "data"

GOLDEN: dict[int, dict[str, dict[str, str]]] = {
    2: {
        "en": {
            "quality/data_issues_2025-05.csv": "9f0551629e18e927",
            "sales_reports/sales_report_2025-05.xlsx": "01f1c8bf2f3b9695",
            "tables/wines_2025-05.parquet": "f8027e91cd1d189a",
            "wines/ordinary_wines_2025-05.csv": "5b33c8f45b33ed39",
            "wines/premium_wines_2025-05.csv": "c7a3f4e2c3530f27",
        },
        "fr": {
            "quality/data_issues_2025-05.csv": "3c8f1efa13a1874d",
            "sales_reports/sales_report_2025-05.xlsx": "fd84bc0c7cd3ddf7",
            "tables/wines_2025-05.parquet": "f8027e91cd1d189a",
            "wines/ordinary_wines_2025-05.csv": "4979e1f9135f7770",
            "wines/premium_wines_2025-05.csv": "c1018bb4c38ab745",
        },
    },
}
"""The hash of each file of May 2025, after April 2025, in either language, by `REPORT_VERSION`."""


def hash_of(path: Path) -> str:
    """The sha256 of a file. Of a workbook, that of its unpacked parts: another zlib packs the same parts otherwise."""
    if path.suffix != ".xlsx":
        return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    with zipfile.ZipFile(path) as book:
        parts = [(part.filename, part.date_time, book.read(part)) for part in book.infolist()]
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def publish_and_hash(folder: Path) -> dict[str, dict[str, str]]:
    """The hashes of the files of May 2025 in each language, once April was published."""
    found = {}
    for language in ("en", "fr"):
        destination = folder / language
        for month in ("2025-04", "2025-05"):
            run_flow(SAMPLE / month, destination, month=month, language=language)
        files = json.loads((destination / "manifests/2025-05.json").read_text())["files"]
        found[language] = {name: hash_of(destination / name) for name in sorted(files)}
    return found


def test_the_published_bytes_are_those_of_this_report_version(tmp_path: Path) -> None:
    found = publish_and_hash(tmp_path)
    golden = GOLDEN.get(REPORT_VERSION, {})
    changed = [f"{name} ({language})" for language in found for name in found[language]
               if golden.get(language, {}).get(name) != found[language][name]]  # fmt: skip
    assert found == golden, (
        f"Published bytes differ from those of report version {REPORT_VERSION}: {', '.join(changed)}.\n"
        "If the change is intended, or comes with a new version of a library, raise REPORT_VERSION in "
        f"tasks/publication/identity.py by 1 and put this into GOLDEN for it:\n{json.dumps(found, indent=4)}\n"
        "Otherwise undo it: a month that is run again would not match what was published under the same id."
    )
