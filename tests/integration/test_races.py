"""Runs of one month at the same moment: all end well, nothing is lost, and people never see two of them mixed."""

from collections.abc import Iterator

import pytest
from fault_proxy import Action, Call, CutAfter, FaultProxy, Request
from publishing import LONG, Destination, Export, Publishers, check_bucket, publish, revisions

PROCESSES = 8
ROUNDS = 20 if LONG else 2
MONTH = "2025-05"
FIRST, SECOND = Export(MONTH, "first"), Export(MONTH, "other")


@pytest.fixture(scope="module")
def publishers(s3, tmp_path_factory) -> Iterator[Publishers]:
    with Publishers(s3.endpoint, s3.keys["publisher"], tmp_path_factory.mktemp("runs")) as publishers:
        yield publishers


@pytest.fixture
def rounds(s3, bucket) -> Iterator[Destination]:
    return (Destination(s3, bucket, f"round-{number}") for number in range(ROUNDS))


@pytest.fixture
def destination(s3, bucket) -> Destination:
    return Destination(s3, bucket)


def committed(destination: Destination, *exports: Export) -> list[Export]:
    """The exports in the order of their revisions, after all that is visible was checked, to the last byte of each."""
    objects = destination.objects()
    manifest = check_bucket(objects, at_rest=True)[MONTH]
    by_id = {export.result_id(): export for export in exports}
    in_order = [by_id[result] for _, result in revisions(manifest)]
    figures = [each["figures"]["revenue"] for each in (*manifest["earlier_revisions"], manifest)]
    assert figures == [str(export.report.summary.figures.revenue) for export in in_order]
    stored = {key: content for export in in_order for key, content in export.stored.items()}
    shown = in_order[-1].files
    assert objects == {**stored, **shown, f"manifests/{MONTH}.json": objects[f"manifests/{MONTH}.json"]}
    return in_order


@pytest.mark.parametrize("before", [(), (SECOND,)], ids=["never published", "published before"])
def test_eight_runs_of_one_export_at_once_all_end_well_with_one_revision(rounds, publishers, before):
    for destination in rounds:
        destination.publish(*before)
        ends = publishers.run(destination, [FIRST] * PROCESSES)
        assert [end.code for end in ends] == [0] * PROCESSES
        assert {end.outcome for end in ends} <= {"published", "unchanged"}
        assert {end.revision for end in ends} == {len(before) + 1}
        assert committed(destination, *before, FIRST) == [*before, FIRST]


def test_eight_runs_of_eight_exports_at_once_become_eight_revisions(rounds, publishers):
    exports = [Export(MONTH, f"word{number}") for number in range(PROCESSES)]
    for destination in rounds:
        ends = publishers.run(destination, exports)
        assert [end.code for end in ends] == [0] * PROCESSES
        in_order = committed(destination, *exports)
        assert sorted(export.word for export in in_order) == [export.word for export in exports]
        last = ends[exports.index(in_order[-1])]
        assert (last.outcome, last.revision) == ("published", PROCESSES)


def test_four_runs_each_of_two_exports_at_once_lose_neither(rounds, publishers):
    for destination in rounds:
        ends = publishers.run(destination, [FIRST, SECOND] * (PROCESSES // 2))
        assert [end.code for end in ends] == [0] * PROCESSES
        in_order = committed(destination, FIRST, SECOND)
        # A run that reads the manifest when its twin's revision is superseded already is a run of an earlier export.
        assert set(in_order) == {FIRST, SECOND}
        assert len(in_order) <= PROCESSES


@pytest.mark.parametrize("step", ["PUT prod/revisions", "GET prod/manifests", "PUT prod/manifests"])
def test_a_late_twin_does_not_undo_a_correction(s3, destination, step: str):
    """Two runs of one export and its correction: the second run comes to its next step after both are published."""
    with FaultProxy(s3.endpoint) as proxy:

        def pause(number: int, request: Request) -> Action | None:
            if number == 1 or not f"{request.method} {request.key}".startswith(step):
                return None
            proxy.plan(None)
            return Call(lambda: destination.publish(FIRST, SECOND))

        proxy.plan(pause)
        late = publish(destination.storage(proxy.endpoint), FIRST)
    assert (late.outcome, late.revision) == ("superseded", 2)
    assert committed(destination, FIRST, SECOND) == [FIRST, SECOND]


def test_a_run_without_changes_reports_that_another_run_has_published(s3, destination):
    destination.publish(FIRST)
    with FaultProxy(s3.endpoint) as proxy:
        proxy.on(2, Call(lambda: destination.publish(SECOND)))
        late = publish(destination.storage(proxy.endpoint), FIRST)
    assert (late.outcome, late.revision) == ("superseded", 2)
    assert committed(destination, FIRST, SECOND) == [FIRST, SECOND]


def test_an_earlier_export_again_becomes_a_new_revision_with_the_old_files(destination):
    destination.publish(FIRST, SECOND)
    before = destination.objects()
    again = publish(destination.storage(), FIRST)
    assert again.sentence.startswith("2025-05 is published (revision 3). Since revision 2: total revenue to date ")
    assert committed(destination, FIRST, SECOND) == [FIRST, SECOND, FIRST]
    assert destination.objects().keys() == before.keys()


@pytest.mark.parametrize(
    ("meanwhile", "sentence", "in_order"),
    [
        ([], "2025-05 is published (revision 1).", [FIRST]),
        (
            [SECOND],
            "2025-05 was published, and another run has published revision 2 since.",
            [FIRST, SECOND],
        ),
    ],
    ids=["nobody else publishes", "another run publishes meanwhile"],
)
def test_a_commit_whose_answer_is_lost_is_not_committed_twice(s3, destination, meanwhile, sentence, in_order):
    with FaultProxy(s3.endpoint) as proxy:

        def lose_the_answer(number: int, request: Request) -> Action | None:
            if request.method != "PUT" or "manifests/" not in request.key:
                return None
            proxy.plan(None)
            proxy.on(number + 1, Call(lambda: destination.publish(*meanwhile)))
            return CutAfter()

        proxy.plan(lose_the_answer)
        published = publish(destination.storage(proxy.endpoint), FIRST)
        log = [(request.method, request.key) for request in proxy.log]
    assert published.sentence == sentence
    assert log.count(("PUT", f"prod/manifests/{MONTH}.json")) > 1
    assert committed(destination, FIRST, SECOND) == in_order
