"""A run that is killed before or after any of its requests: what people find, and what the next run makes of it."""

import signal
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest
from fault_proxy import Call, CutBefore, FaultProxy
from publishing import Destination, End, Export, Publishers, check_bucket, own_key, publish

APRIL, MAY, MAY_CORRECTED = Export("2025-04", "april"), Export("2025-05", "first"), Export("2025-05", "fixed")


@dataclass(frozen=True)
class Scene:
    """What is published before, the run that is to be killed, and its end when it is not."""

    before: tuple[Export, ...]
    run: Export
    end: End
    lagging: str = ""  # a name that still has the file of the first revision

    def set_up(self, destination: Destination) -> None:
        destination.publish(*self.before)
        if self.lagging:
            destination.copy(
                f"{destination.prefix}/{own_key(MAY.month, MAY.result_id(APRIL), self.lagging)}", self.lagging
            )


SCENES = {
    "first publication": Scene((APRIL,), MAY, End(0, "published", 1)),
    "nothing to do": Scene((APRIL, MAY), MAY, End(0, "unchanged", 1)),
    "a name lags": Scene(
        (APRIL, MAY, MAY_CORRECTED), MAY_CORRECTED, End(0, "unchanged", 2), "wines/premium_wines_2025-05.csv"
    ),
    "new revision": Scene((APRIL, MAY), MAY_CORRECTED, End(0, "published", 2)),
}
of_each_scene = pytest.mark.parametrize(
    "scene",
    [
        pytest.param(scene, id=name, marks=pytest.mark.long if name == "new revision" else [])
        for name, scene in SCENES.items()
    ],
)


@pytest.fixture(scope="module")
def proxy(s3) -> Iterator[FaultProxy]:
    with FaultProxy(s3.endpoint) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def publishers(s3, proxy, tmp_path_factory) -> Iterator[Publishers]:
    with Publishers(proxy.endpoint, s3.keys["publisher"], tmp_path_factory.mktemp("runs")) as publishers:
        yield publishers


@pytest.fixture
def start(s3, bucket) -> Destination:
    return Destination(s3, bucket, "start")


def of_month(objects: Mapping[str, bytes], month: str) -> dict[str, bytes]:
    return {key: content for key, content in objects.items() if month in key}


@of_each_scene
def test_a_run_killed_at_any_request_leaves_whole_files_and_the_next_run_ends_as_if_nothing_had_been(
    scene, start, proxy, publishers, subtests
):
    scene.set_up(start)
    before = start.objects()
    undisturbed = start.copied_to("undisturbed")
    proxy.reset()
    assert publishers.run(undisturbed, [scene.run]) == [scene.end]
    requests = len(proxy.log)
    after = undisturbed.objects()
    check_bucket(after, at_rest=True)
    moments = {
        "before": Call(publishers.kill, then=CutBefore()),
        "after": Call(publishers.kill, after=True),
    }
    for number in range(1, requests + 1):
        for moment, kill in moments.items():
            with subtests.test(f"killed {moment} request {number} of {requests}"):
                destination = start.copied_to(f"{moment}-{number}")
                proxy.reset()
                proxy.on(number, kill)
                assert publishers.run(destination, [scene.run]) == [End(-signal.SIGKILL)]
                assert len(proxy.log) >= number  # others may be on their way

                left = destination.objects()
                check_bucket(left, at_rest=False)
                assert of_month(left, APRIL.month) == of_month(before, APRIL.month)
                assert before.keys() <= left.keys()
                assert [key for key, content in left.items() if content not in {before.get(key), after.get(key)}] == []

                publish(destination.storage(), scene.run)
                assert destination.objects() == after


@pytest.mark.parametrize(("scene", "limit"), [("first publication", 29), ("nothing to do", 9)])
def test_a_run_makes_few_requests(scene, limit: int, start, proxy, publishers):
    """27 for a first snapshot, and two for the one that it is compared with: its manifest and its table."""
    SCENES[scene].set_up(start)
    proxy.reset()
    assert publishers.run(start, [SCENES[scene].run]) == [SCENES[scene].end]
    assert 0 < len(proxy.log) <= limit


def test_nothing_is_deleted_and_only_manifests_and_shown_names_are_replaced(s3, bucket, proxy, publishers):
    log = []
    for name, scene in SCENES.items():
        destination = Destination(s3, bucket, name.replace(" ", "-"))
        scene.set_up(destination)
        proxy.reset()
        assert publishers.run(destination, [scene.run]) == [scene.end]
        log += proxy.log
    assert {request.method for request in log} == {"GET", "HEAD", "PUT"}
    writes = {
        (request.key.split("/")[1], *request.conditions, "a copy" if "x-amz-copy-source" in request.headers else "")
        for request in log
        if request.method == "PUT"
    }
    assert writes == {
        ("revisions", "if-none-match", ""),
        ("manifests", "if-none-match", ""),
        ("manifests", "if-match", ""),
        ("sales_reports", "a copy"),
        ("wines", "a copy"),
        ("tables", "a copy"),
        ("quality", "a copy"),
    }
    assert {request.conditions.get("if-none-match", "*") for request in log} == {"*"}
