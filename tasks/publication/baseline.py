"""The products of the month that this one is compared with, as its committed files hold them."""

from pathlib import Path

import polars as pl

from tasks.domain.issues import OutsideFailure
from tasks.domain.parameters import CSV_DIALECTS
from tasks.domain.schemas import PublishedWine
from tasks.publication.files import wine_files
from tasks.publication.manifest import Manifest
from tasks.report.csv_files import UnexpectedContent, read_wines
from tasks.storage.protocol import Storage


def read_baseline(storage: Storage, baseline: Manifest, scratch: Path) -> pl.DataFrame:
    """The products of a published month (`PublishedWine`), read from the files of its committed revision.

    Raises:
        OutsideFailure: A file is not what the manifest says.
    """
    classes = []
    for name, is_premium in wine_files(baseline.month).items():
        key = baseline.files[name]["key"]
        path = scratch / f"baseline_{Path(name).name}"
        there = storage.download(key, path)
        if there is None or not there.has_same_content(baseline.stored(name)):
            raise OutsideFailure(
                f"{storage.address(key)}, with which the month is compared, "
                f"{'is missing' if there is None else 'is not what its manifest says'}. Restore it: see "
                f"`monthly-sales verify --month {baseline.month}`, and the runbook."
            )
        try:
            wines = read_wines(path, CSV_DIALECTS[baseline.parameters["language"]])
        except (UnexpectedContent, pl.exceptions.PolarsError) as fault:
            reason = str(fault).splitlines()[0]
            raise OutsideFailure(f"{storage.address(key)} cannot be compared with: {reason}") from None
        classes.append(wines.with_columns(is_premium=pl.lit(is_premium)))
    return pl.concat(classes).select(PublishedWine.column_names())
