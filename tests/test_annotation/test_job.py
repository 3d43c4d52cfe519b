import json
import os
from dataclasses import replace
from pathlib import Path

import made_clips
import pytest
from made_clips import MadeEstimator, make_video

from tpsparse.annotation import job as job_module
from tpsparse.annotation.job import Job, Labelled, PoseOptions, Progress, finished_clips, look_at, run_job
from tpsparse.annotation.labels import Person
from tpsparse.annotation.parts import PARTS
from tpsparse.annotation.rules import read_rules
from tpsparse.annotation.sources import Source
from tpsparse.datasets.video import Video
from tpsparse.errors import InputError
from tpsparse.poses import mediapipe
from tpsparse.taxonomy import Taxonomy


@pytest.fixture(autouse=True)
def made_people(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mediapipe, "PoseEstimator", MadeEstimator)
    MadeEstimator.asked = []


@pytest.fixture
def job(tmp_path: Path) -> Job:
    path = make_video(tmp_path / "raw" / "über (1).mp4", 12)
    rules = read_rules()
    return Job(
        path=path,
        source=Source(path.name, "digest", "walk", "über (1)", "train"),
        root=tmp_path / "set",
        pose=PoseOptions(),
        rules=rules,
        min_visibility=0.5,
        review=False,
        redo=False,
        taxonomy=Taxonomy(parts=PARTS, states=rules.states, actions=("walk",)),
    )


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[list[list[Person]]]:
    """The labels of each review, instead of pictures of them."""
    labels: list[list[list[Person]]] = []

    def write(path: Path, video: Video, frames: list[list[Person]], taxonomy: Taxonomy, *, action: str) -> None:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"drawn")
        labels.append(frames)

    monkeypatch.setattr(job_module, "write_review", write)
    return labels


def annotation(job: Job, name: str, number: int, split: str = "train") -> dict:
    path = job.root / f"{split}_annotations" / "walk" / name / f"img_{number:05d}.json"
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("frames", "step", "numbers"),
    [(0, 1, []), (1, 5, [1]), (3, 1, [1, 2, 3]), (6, 5, [1, 6]), (7, 5, [1, 6, 7]), (5, 9, [1, 5])],
)
def test_frames_looked_at(frames: int, step: int, numbers: list[int]) -> None:
    assert look_at(frames, step) == numbers


def test_a_video_is_copied_and_every_frame_annotated(job: Job) -> None:
    *progress, labelled = run_job(job)
    assert labelled == Labelled("über (1)", "train", 12, 1, 12, kept=False)
    assert all(isinstance(item, Progress) for item in progress)
    assert sum(item.share for item in progress) == pytest.approx(1)
    assert MadeEstimator.asked == list(range(1, 13))
    for number in (1, 12):
        [human] = annotation(job, "über (1)", number)["humans"]
        hip = human["parts"]["hip"]["box"]
        # The person walks a pixel a frame; hips 5 pixels to either side of 60 + number, radius 0.062 of 87.5 pixels.
        assert hip == pytest.approx([49.6 + number, 40.6, 70.4 + number, 51.4], abs=0.051)
    assert Video(job.root / "train_videos" / "walk" / "über (1).mp4").num_frames == 12
    assert not (job.root / "review").exists()


def test_between_the_frames_looked_at_people_are_interpolated(job: Job) -> None:
    list(run_job(replace(job, pose=PoseOptions(step=5))))
    assert MadeEstimator.asked == [1, 6, 11, 12]
    lefts = [annotation(job, "über (1)", n)["humans"][0]["parts"]["hip"]["box"][0] for n in range(1, 13)]
    assert lefts == pytest.approx([49.6 + n for n in range(1, 13)], abs=0.06)


def test_a_video_that_is_done_stays(job: Job) -> None:
    list(run_job(job))
    path = job.root / "train_annotations" / "walk" / "über (1)" / "img_00003.json"
    path.write_text('{"humans": []}')
    MadeEstimator.asked = []
    expected = Labelled("über (1)", "train", 12, 1, 12, kept=True)
    assert finished_clips(job) == [expected]
    assert list(run_job(job)) == [Progress(1.0), expected]
    other = replace(job, min_visibility=0.6)
    assert [clip.same_options for clip in finished_clips(other)] == [False]
    assert path.read_text() == '{"humans": []}' and MadeEstimator.asked == []


@pytest.mark.parametrize("lost", ["video", "labels", "stamp"])
def test_what_is_lost_is_made_again(job: Job, lost: str) -> None:
    list(run_job(job))
    video = job.root / "train_videos" / "walk" / "über (1).mp4"
    labels = job.root / "train_annotations" / "walk" / "über (1)"
    if lost == "video":
        video.unlink()
    elif lost == "labels":
        labels.rename(labels.with_name("elsewhere"))
    else:
        (job.root / "annotate" / "done" / "über (1).json").write_text("{")
    assert finished_clips(job) == []
    *_, labelled = run_job(job)
    assert labelled.kept is (lost == "video"), "labels of a video that was lost may have been corrected"
    assert video.is_file() and len(list(labels.iterdir())) == 12


def test_labels_are_made_anew_from_the_landmarks_that_are_kept(job: Job, tmp_path: Path) -> None:
    list(run_job(job))
    MadeEstimator.asked = []
    path = tmp_path / "rules.yaml"
    groups = ("head", "hip", "arm", "hand", "leg", "foot")
    path.write_text("".join(f"{group}:\n  - watch: otherwise\n" for group in groups))
    redone = replace(job, rules=read_rules(path), redo=True)
    assert finished_clips(redone) == []
    *_, labelled = run_job(redone)
    assert not labelled.kept and MadeEstimator.asked == [], "the landmarks were there"
    assert annotation(job, "über (1)", 5)["humans"][0]["parts"]["left_arm"]["verb"] == "watch"
    *_, labelled = run_job(replace(redone, pose=PoseOptions(step=4)))
    assert MadeEstimator.asked == [1, 5, 9, 12], "other landmarks were asked for"


def test_clips_of_the_only_video_are_in_both_splits(job: Job) -> None:
    source = replace(job.source, split="both", clip_count=3, clip_seconds=0.4, test_share=0.25)
    cut = replace(job, source=source)
    found = [item for item in run_job(cut) if isinstance(item, Labelled)]
    assert [(clip.name, clip.split, clip.num_frames) for clip in found] == [
        ("über (1)_clip001", "train", 4),
        ("über (1)_clip002", "train", 4),
        ("über (1)_clip003", "test", 4),
    ]
    # The third clip begins with frame 9 of the video.
    [human] = annotation(job, "über (1)_clip003", 1, "test")["humans"]
    assert human["parts"]["hip"]["box"][0] == pytest.approx(49.6 + 9, abs=0.051)
    assert [clip.kept for clip in finished_clips(cut)] == [True] * 3
    (job.root / "annotate" / "done" / "über (1)_clip002.json").unlink()
    assert finished_clips(cut) == []
    MadeEstimator.asked = []
    again = [item for item in run_job(cut) if isinstance(item, Labelled)]
    assert [clip.kept for clip in again] == [True, False, True] and MadeEstimator.asked == [], "landmarks are kept"
    (job.root / "annotate" / "done" / "über (1)_clip002.json").unlink()
    (job.root / "annotate" / "poses" / "über (1)_clip002.npz").write_bytes(b"PK\x03\x04 cut off")
    list(run_job(cut))
    assert MadeEstimator.asked == [5, 6, 7, 8]


def test_a_video_without_people_has_empty_labels(job: Job, tmp_path: Path) -> None:
    path = make_video(tmp_path / "raw" / "tall.mp4", 3, size=(128, 96))
    tall = replace(job, path=path, source=replace(job.source, file=path.name, name="tall"), review=True)
    *_, labelled = run_job(tall)
    assert labelled.num_persons == 0
    assert annotation(job, "tall", 3) == {"humans": [], "objects": []}
    assert Video(job.root / "review" / "tall.mp4").num_frames == 3


def test_the_review_has_every_frame(job: Job) -> None:
    list(run_job(replace(job, review=True)))
    review = Video(job.root / "review" / "über (1).mp4")
    assert review.num_frames == 12
    assert review.size[0] > made_clips.SIZE[0], "the picture is enlarged and has a legend"


def test_landmarks_found_otherwise_are_not_used(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    list(run_job(job))
    with monkeypatch.context() as patched:
        patched.setattr(job_module, "label_clip", stop)
        with pytest.raises(KeyboardInterrupt):
            list(run_job(replace(job, pose=PoseOptions(step=5), redo=True)))
    MadeEstimator.asked = []
    list(run_job(replace(job, redo=True)))
    assert MadeEstimator.asked == list(range(1, 13)), "those of the run that was stopped are of every fifth frame"


def stop(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_labels_that_are_being_replaced_do_not_count_as_done(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    list(run_job(job))
    with monkeypatch.context() as patched:
        patched.setattr(job_module, "write_annotations", stop)
        with pytest.raises(KeyboardInterrupt):
            list(run_job(replace(job, redo=True)))
    assert finished_clips(job) == []


def test_lost_files_of_frames_are_counted(job: Job) -> None:
    list(run_job(job))
    folder = job.root / "train_annotations" / "walk" / "über (1)"
    for number in (3, 7):
        (folder / f"img_{number:05d}.json").unlink()
    [clip] = finished_clips(job)
    assert (clip.num_frames, clip.num_annotated) == (12, 10)
    assert len(list(folder.iterdir())) == 10, "the others may have been corrected"


def review_time(job: Job) -> int:
    return (job.root / "review" / "über (1).mp4").stat().st_mtime_ns


def test_a_review_is_drawn_from_the_labels_that_are_there(job: Job, drawn: list[list[list[Person]]]) -> None:
    list(run_job(job))
    wanted = replace(job, review=True)
    path = job.root / "train_annotations" / "walk" / "über (1)" / "img_00003.json"
    path.write_text('{"humans": []}')
    MadeEstimator.asked = []
    assert finished_clips(wanted) == [] and drawn == []
    *_, labelled = [item for item in run_job(wanted) if isinstance(item, Labelled)]
    assert labelled.kept and MadeEstimator.asked == [] and path.read_text() == '{"humans": []}'
    [frames] = drawn
    assert [len(persons) for persons in frames] == [1, 1, 0, *[1] * 9]
    assert finished_clips(wanted) == [labelled]
    assert finished_clips(job) == [labelled]


def test_a_review_older_than_its_labels_is_drawn_anew(job: Job, drawn: list[list[list[Person]]]) -> None:
    wanted = replace(job, review=True)
    list(run_job(wanted))
    path = job.root / "train_annotations" / "walk" / "über (1)" / "img_00003.json"
    os.utime(path, ns=(review_time(job), review_time(job)))
    assert len(finished_clips(wanted)) == 1, "just as old is not older"
    os.utime(path, ns=(review_time(job) + 1, review_time(job) + 1))
    assert finished_clips(wanted) == [] and len(finished_clips(job)) == 1
    list(run_job(wanted))
    assert len(drawn) == 2


def test_labels_made_anew_without_a_review_leave_no_old_one(job: Job, drawn: list[list[list[Person]]]) -> None:
    list(run_job(replace(job, review=True)))
    list(run_job(replace(job, redo=True)))
    assert len(drawn) == 1 and not list((job.root / "review").iterdir())


def test_broken_labels_cost_the_review_alone(job: Job) -> None:
    list(run_job(job))
    (job.root / "train_annotations" / "walk" / "über (1)" / "img_00003.json").write_text("[1")
    items = run_job(replace(job, review=True))
    assert isinstance(next(items), Progress) and isinstance(next(items), Labelled)
    with pytest.raises(InputError, match="img_00003.json is no annotation .*: restore it, or make the labels anew"):
        next(items)
