"""Months published one after the other, each compared with the one before as its committed files hold it."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from compared import Product, compare, wines_of
from polars.testing import assert_frame_equal
from publishing import Destination, check_bucket

from tasks.domain.figures import Comparison
from tasks.domain.issues import OutsideFailure, issue_frame
from tasks.domain.month import resolve_export_date
from tasks.domain.parameters import Language, Parameters
from tasks.domain.schemas import SOURCES, PublishedWine, Source
from tasks.publication.baseline import read_baseline
from tasks.publication.files import report_files
from tasks.publication.manifest import Manifest, read_manifest
from tasks.publication.publisher import PublishedMonth, plan_publication, publish_month, show_month
from tasks.publication.verify import list_months, verify_month
from tasks.report.csv_files import write_issues, write_wines
from tasks.storage.local import LocalStorage
from tasks.storage.protocol import Storage, StoredFile
from tasks.workbook.fetch import FetchedWorkbook


@pytest.fixture(params=["a folder", "S3"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    if request.param == "a folder":
        return LocalStorage(tmp_path / "reports")
    return Destination(request.getfixturevalue("s3"), request.getfixturevalue("bucket")).storage()


@pytest.fixture
def publish(storage: Storage, tmp_path: Path) -> "Publish":
    return Publish(storage, tmp_path)


class Publish:
    """Publishes products as the flow does it, from their classified wines on."""

    def __init__(self, storage: Storage, folder: Path) -> None:
        self.storage = storage
        self.folder = folder

    def __call__(
        self,
        month: str,
        *products: Product,
        compare_again: bool = False,
        language: Language = "en",
        die: bool = False,
    ) -> PublishedMonth | None:
        """Publish a month, or die before its commit."""
        parameters = Parameters(month, resolve_export_date("", month), premium_threshold=1.0, language=language)
        workbooks = _workbooks(products)
        plan = plan_publication(self.storage, parameters, workbooks, compare_again=compare_again)
        if plan.is_published:
            return show_month(self.storage, plan)
        scratch = self.folder / f"run {len(list(self.folder.iterdir()))}"
        scratch.mkdir()
        before = read_baseline(self.storage, plan.baseline, scratch).lazy() if plan.baseline else None
        named = (plan.baseline.month, plan.baseline.identity) if plan.baseline else ()
        wines = wines_of(products, 1.0)
        compared = compare(wines, before, parameters, *named)
        files = report_files(scratch / "files", month)
        # Stands for the workbook: it tells all that is compared, and so changes with the baseline.
        told = f"{compared.summary.comparison}\n{compared.month.wines.collect().write_csv()}"
        files.path(files.workbook).write_text(told, encoding="utf-8")
        write_wines(files.path(files.premium), wines.collect().filter("is_premium"), parameters.csv_dialect)
        write_wines(files.path(files.ordinary), wines.collect().filter(~pl.col("is_premium")), parameters.csv_dialect)
        write_issues(files.path(files.issues), issue_frame([]), parameters.csv_dialect)
        storage = Dying(self.storage) if die else self.storage
        return publish_month(storage, files, compared.summary, workbooks, plan, scratch)

    def manifest(self, month: str) -> Manifest:
        return read_manifest(self.storage, month).manifest

    def comparison(self, month: str) -> Comparison:
        return self.manifest(month).compared()

    def contents(self) -> dict[str, bytes]:
        return {key: self.storage.read(key).content for key in self.storage.keys("")}


def _workbooks(products: Sequence[Product]) -> dict[Source, FetchedWorkbook]:
    sha256 = hashlib.sha256(repr(products).encode()).hexdigest()
    return {
        source: FetchedWorkbook(source, f"{source}.xlsx", Path("gone"), StoredFile(1, sha256)) for source in SOURCES
    }


class Dying:
    """A storage whose user is gone when it is to commit."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def __getattr__(self, name: str) -> Callable[..., object]:
        if name == "compare_and_swap":
            raise KeyboardInterrupt
        return getattr(self._storage, name)


def month(units: int, price: str = "10.00") -> list[Product]:
    """A cellar of eight wines, the first of which was sold this often at this price."""
    return [Product("1", price, units), *(Product(str(number), "12.50", 2) for number in range(2, 8)),
            Product("grand-cru", "250.00", 1, 0)]  # fmt: skip


def test_the_first_month_is_compared_with_nothing_and_the_second_with_it(publish: Publish) -> None:
    publish("2025-04", *month(10))
    publish("2025-05", *month(13, price="11.00"))
    first, second = publish.manifest("2025-04"), publish.manifest("2025-05")
    assert (first.baseline, first.comparison) == (None, None)
    assert second.baseline == {"month": "2025-04", "revision": 1, "identity": first.identity}
    then = publish.comparison("2025-05")
    assert (then.month, then.identity, then.months_apart) == ("2025-04", first.identity, 1)
    assert (then.units_sold, then.sold_value, then.price_effect) == (3, Decimal("33.00"), Decimal("10.00"))
    assert second.headline().revenue - first.headline().revenue == Decimal("43.00")


def test_the_manifest_holds_the_stock_and_the_comparison_as_text_and_gives_them_back(publish: Publish) -> None:
    publish("2025-04", *month(10))
    publish("2025-05", *month(13))
    written = json.loads(publish.contents()["manifests/2025-05.json"])
    assert written["comparison"]["sold_value"] == "30.00"
    assert written["stock"]["sold_out_revenue"] == "250.00"
    manifest = publish.manifest("2025-05")
    for section, numbers in (("stock", manifest.in_stock()), ("comparison", manifest.compared())):
        texts = {name: str(value) if isinstance(value, Decimal) else value for name, value in asdict(numbers).items()}
        assert texts == written[section]


def test_thirteen_months_in_a_row_add_up_to_what_was_sold_from_the_first_to_the_last(publish: Publish) -> None:
    labels = [f"2024-{number:02}" for number in range(5, 13)] + [f"2025-{number:02}" for number in range(1, 6)]
    for number, label in enumerate(labels):
        publish(label, *month(10 + number * number))
    comparisons = [publish.comparison(label) for label in labels]
    assert comparisons[0] is None
    assert [then.units_sold for then in comparisons[1:]] == [2 * number - 1 for number in range(1, 13)]
    revenues = [publish.manifest(label).headline().revenue for label in labels]
    assert sum(then.sold_value for then in comparisons[1:]) == revenues[-1] - revenues[0]
    assert [line.compared_with for line in list_months(publish.storage)] == ["-", *(f"{one} r1" for one in labels[:-1])]
    assert not any(line.is_outdated for line in list_months(publish.storage))
    check_bucket(publish.contents(), at_rest=True)


def test_a_month_that_is_missing_between_is_told_by_the_distance(publish: Publish) -> None:
    publish("2024-12", *month(10))
    publish("2025-03", *month(13))
    assert (publish.comparison("2025-03").month, publish.comparison("2025-03").months_apart) == ("2024-12", 3)


@pytest.mark.parametrize("languages", [("en", "fr"), ("fr", "en"), ("fr", "fr")])
def test_a_month_is_read_back_in_the_language_it_was_written_in(
    publish: Publish, tmp_path: Path, languages: tuple[Language, Language]
) -> None:
    publish("2025-04", *month(10), language=languages[0])
    found = read_baseline(publish.storage, publish.manifest("2025-04"), tmp_path)
    expected = wines_of(month(10), 1.0).select(PublishedWine.column_names()).with_columns(pl.col("z_score").round(6))
    assert_frame_equal(found.sort("product_id"), expected.collect().sort("product_id"), check_exact=True)
    publish("2025-05", *month(13), language=languages[1])
    assert publish.comparison("2025-05").sold_value == Decimal("30.00")


# --- a month before that is corrected, or comes late


OVERTAKEN = (
    "2025-05 was compared with revision 1 of 2025-04, of which revision 2 stands now: "
    "run it again with --compare-again to compare it anew."
)


@pytest.fixture
def corrected(publish: Publish) -> Publish:
    """April was published, then May, then April with a corrected price."""
    publish("2025-04", *month(10))
    publish("2025-05", *month(13))
    sentence = publish("2025-04", *month(10, price="9.00")).sentence()
    assert sentence == (
        f"2025-04 is published (revision 2). Since revision 1: revenue 500.00 → 490.00 EUR. {OVERTAKEN}"
    )
    return publish


def test_a_corrected_month_does_not_change_the_month_after_but_all_commands_tell_it(corrected: Publish) -> None:
    before = corrected.contents()
    again = corrected("2025-05", *month(13))
    assert again.sentence() == f"2025-05 is already published (revision 1), nothing changed. {OVERTAKEN}"
    verdict = verify_month(corrected.storage, "2025-05", repair=False)
    assert (verdict.faults, verdict.remark) == ([], OVERTAKEN)
    assert verify_month(corrected.storage, "2025-04", repair=False).remark == ""
    assert [(line.month, line.compared_with, line.is_outdated) for line in list_months(corrected.storage)] == [
        ("2025-04", "-", False),
        ("2025-05", "2025-04 r1", True),
    ]
    assert corrected.contents() == before


def test_a_month_is_compared_anew_when_that_is_asked_for(corrected: Publish) -> None:
    again = corrected("2025-05", *month(13), compare_again=True)
    assert again.sentence() == (
        "2025-05 is published (revision 2). Since revision 1: the same headline figures, "
        "compared with revision 2 of 2025-04."
    )
    then = corrected.comparison("2025-05")
    assert (then.sold_value, then.price_effect, then.repriced) == (Decimal("30.00"), Decimal("10.00"), 1)
    assert verify_month(corrected.storage, "2025-05", repair=False).remark == ""
    assert not any(line.is_outdated or line.orphans for line in list_months(corrected.storage))
    check_bucket(corrected.contents(), at_rest=True)

    before = corrected.contents()
    for compare_again in (False, True):
        nothing = corrected("2025-05", *month(13), compare_again=compare_again)
        assert nothing.sentence() == "2025-05 is already published (revision 2), nothing changed."
    assert corrected.contents() == before


def test_a_correction_that_is_taken_back_leaves_the_comparison_right(corrected: Publish) -> None:
    """What counts is the result, not the number of its revision."""
    taken_back = corrected("2025-04", *month(10))
    assert "compared" not in taken_back.sentence()
    assert verify_month(corrected.storage, "2025-05", repair=False).remark == ""


def test_a_run_that_died_before_its_commit_does_not_stand_in_the_way_when_the_month_before_is_corrected(
    publish: Publish,
) -> None:
    publish("2025-04", *month(10))
    with pytest.raises(KeyboardInterrupt):
        publish("2025-05", *month(13), die=True)
    publish("2025-04", *month(10, price="9.00"))
    published = publish("2025-05", *month(13))
    assert published.sentence() == "2025-05 is published (revision 1)."
    assert publish.comparison("2025-05").revenue_before == Decimal("490.00")
    (orphan,) = list_months(publish.storage)[1].orphans
    assert orphan.startswith(publish.manifest("2025-05").identity)
    check_bucket(publish.contents(), at_rest=True)


def test_a_month_that_comes_late_is_told_by_the_one_after_it(publish: Publish) -> None:
    publish("2025-03", *month(10))
    publish("2025-05", *month(13))
    late = publish("2025-04", *month(12))
    sentence = (
        "2025-05 was compared with 2025-03, and 2025-04 stands before it now: "
        "run it again with --compare-again to compare it anew."
    )
    assert late.sentence() == f"2025-04 is published (revision 1). {sentence}"
    assert verify_month(publish.storage, "2025-05", repair=False).remark == sentence
    publish("2025-05", *month(13), compare_again=True)
    assert (publish.comparison("2025-05").month, publish.comparison("2025-05").units_sold) == ("2025-04", 1)


def test_a_first_month_that_comes_late_is_told_as_well(publish: Publish) -> None:
    publish("2025-05", *month(13))
    late = publish("2025-04", *month(12))
    assert late.sentence() == (
        "2025-04 is published (revision 1). 2025-05 was compared with no month, and 2025-04 stands before it now: "
        "run it again with --compare-again to compare it anew."
    )


# --- a month before that cannot be read


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        pytest.param(lambda content: content[:-1] + b"!", "is not what its manifest says", id="changed"),
        pytest.param(lambda content: content[:40], "is not what its manifest says", id="cut short"),
    ],
)
def test_a_damaged_month_before_stops_the_run_by_name_and_nothing_is_published(
    publish: Publish, spoil: Callable[[bytes], bytes], fault: str
) -> None:
    publish("2025-04", *month(10))
    key = publish.manifest("2025-04").files["wines/ordinary_wines_2025-04.csv"]["key"]
    there = publish.storage.read(key)
    publish.storage.compare_and_swap(key, spoil(there.content), there.version)
    before = publish.contents()
    with pytest.raises(OutsideFailure) as failed:
        publish("2025-05", *month(13))
    assert str(failed.value) == (
        f"{publish.storage.address(key)}, with which the month is compared, {fault}. "
        "Restore it: see `monthly-sales verify --month 2025-04`, and the runbook."
    )
    assert publish.contents() == before


def test_a_lost_month_before_stops_the_run_by_name(publish: Publish, request: pytest.FixtureRequest) -> None:
    publish("2025-04", *month(10))
    key = publish.manifest("2025-04").files["wines/premium_wines_2025-04.csv"]["key"]
    if isinstance(publish.storage, LocalStorage):
        (publish.storage.folder / key).unlink()
    else:
        client = request.getfixturevalue("s3").client("administrator")
        client.delete_object(Bucket=publish.storage.bucket, Key=publish.storage.prefix + key)
    with pytest.raises(OutsideFailure, match=r"with which the month is compared, is missing\. Restore it"):
        publish("2025-05", *month(13))
    assert read_manifest(publish.storage, "2025-05") is None
