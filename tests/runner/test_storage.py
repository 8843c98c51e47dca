"""Files that travel between machines, whole or not at all."""

import itertools
import os
import sys

import pytest

from runner import storage as storages
from runner.storage import Bucket, Folder, Mirror, StorageError, Unreachable, storage_at

NUMBERS = itertools.count()


@pytest.fixture(params=["folder", "file", "memory"])
def storage(request, tmp_path):
    urls = {
        "folder": str(tmp_path / "shared"),
        "file": f"file://{tmp_path}/shared",
        "memory": f"memory://run-{next(NUMBERS)}/deep",
    }
    return storage_at(urls[request.param])


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "here").mkdir()
    return tmp_path / "here"


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    monkeypatch.setattr(storages, "PAUSES", (0.0, 0.0))


def test_what_was_written_is_read_and_what_was_not_is_absent(storage):
    assert storage.names("trials/a") == []
    storage.write("trials/a/result.json", b"one")
    storage.write("trials/a/result.json", b"two")
    storage.write("plan.json", b"plan")
    assert storage.read(["plan.json", "trials/a/result.json", "trials/b/result.json"]) == {
        "plan.json": b"plan",
        "trials/a/result.json": b"two",
    }
    assert storage.names("trials/a") == ["result.json"]
    assert storage.names("") == ["plan.json"]
    assert storage.read([]) == {}


def test_a_file_goes_there_and_comes_back(storage, folder):
    (folder / "checkpoint.pt").write_bytes(bytes(range(256)) * 1000)
    storage.upload(folder / "checkpoint.pt", "trials/a/checkpoint.pt")
    assert storage.download("trials/a/checkpoint.pt", folder / "back")
    assert (folder / "back").read_bytes() == (folder / "checkpoint.pt").read_bytes()
    assert not storage.download("trials/a/none", folder / "none")
    assert sorted(os.listdir(folder)) == ["back", "checkpoint.pt"]


def test_a_mirror_sends_what_changed_and_the_result_last(storage, folder):
    sent = []
    upload = storage.upload
    storage.upload = lambda file, name: (sent.append(name), upload(file, name))
    mirror = Mirror(folder, storage, "trials/a")
    for name in ("result.json", "checkpoint.pt", "looks.json", "checkpoint.pt.previous",
                 "checkpoint.pt.partial", ".looks.json.1.part"):  # fmt: skip
        (folder / name).write_text(name)
    mirror.send()
    assert sent == [f"trials/a/{name}" for name in ("looks.json", "checkpoint.pt", "result.json")]
    mirror.send()
    assert len(sent) == 3
    storages.write_whole(folder / "looks.json", "looks.json")  # the same bytes, a newer file
    mirror.send()
    assert sent[3:] == ["trials/a/looks.json"]
    assert not list(folder.glob(".*.sending"))


def test_looks_in_the_storage_are_never_older_than_the_checkpoint(storage, folder):
    """Or a trial would find that it has trained beyond a look that it never took."""
    upload = storage.upload

    def slow(file, name):
        for each in ("looks.json", "checkpoint.pt"):
            storages.write_whole(folder / each, f"second {each}")
        upload(file, name)

    storage.upload = slow
    for each in ("looks.json", "checkpoint.pt"):
        (folder / each).write_text(f"first {each}")
    Mirror(folder, storage, "a").send()
    assert storage.read(["a/checkpoint.pt"]) == {"a/checkpoint.pt": b"first checkpoint.pt"}


def test_a_folder_goes_on_elsewhere_without_sending_what_it_fetched(storage, folder, tmp_path):
    (folder / "checkpoint.pt").write_text("state")
    Mirror(folder, storage, "trials/a").send()
    storage.write("trials/a/checkpoint.pt.77.part", b"half of it")
    there = Mirror(tmp_path / "there", storage, "trials/a")
    there.fetch()
    assert os.listdir(tmp_path / "there") == ["checkpoint.pt"]
    storage.upload = None  # not called
    there.send()


def test_grids_come_and_go_with_their_trial(storage, folder, tmp_path):
    (folder / "grids").mkdir()
    for name in ("000000000100.webp", ".000000000200.webp.x.part"):
        (folder / "grids" / name).write_text(name)
    (folder / "looks.json").write_text("looks")
    Mirror(folder, storage, "trials/a").send()
    assert storage.names("trials/a/grids") == ["000000000100.webp"]
    there = Mirror(tmp_path / "there", storage, "trials/a")
    there.fetch()
    found = sorted(str(p.relative_to(there.folder)) for p in there.folder.rglob("*") if p.is_file())
    assert found == ["grids/000000000100.webp", "looks.json"]
    storage.upload = None  # not called
    there.send()


def test_a_file_that_vanishes_while_it_is_sent_waits_for_the_next_time(folder, tmp_path):
    mirror = Mirror(folder, Folder(tmp_path / "shared"), "")
    (folder / "a").write_text("a")
    (folder / "b").write_text("b")
    listed = mirror.files()
    (folder / "a").unlink()
    mirror.files = lambda: listed
    mirror.send()
    assert mirror.storage.names("") == ["b"]


def test_a_torn_upload_leaves_the_old_file(monkeypatch):
    bucket = Bucket(f"memory://run-{next(NUMBERS)}")
    bucket.write("result.json", b"old")

    def torn(place, content):
        bucket.files.__class__.pipe_file(bucket.files, place, content[:1])
        raise ConnectionResetError("reset by peer")

    monkeypatch.setattr(bucket.files, "pipe_file", torn)
    with pytest.raises(Unreachable, match="reset by peer"):
        bucket.write("result.json", b"new")
    assert bucket.read(["result.json"]) == {"result.json": b"old"}


def test_what_fails_for_a_moment_is_tried_again():
    bucket, calls = Bucket(f"memory://run-{next(NUMBERS)}"), []

    def action():
        calls.append(1)
        if len(calls) < 3:
            raise ConnectionResetError("reset by peer")
        return "done"

    assert bucket.attempt(action) == "done"
    assert len(calls) == 3


def test_what_stays_away_is_told_after_a_while():
    bucket, calls = Bucket(f"memory://run-{next(NUMBERS)}"), []

    def action():
        calls.append(1)
        raise TimeoutError

    with pytest.raises(Unreachable, match=r"memory://run-\d+ cannot be reached: TimeoutError"):
        bucket.attempt(action)
    assert len(calls) == 3


def test_what_no_patience_mends_is_told_at_once(monkeypatch, tmp_path):
    bucket, calls = Bucket(f"memory://run-{next(NUMBERS)}"), []

    def refused():
        calls.append(1)
        raise PermissionError("Access Denied")

    with pytest.raises(StorageError, match=r"cannot be used: Access Denied"):
        bucket.attempt(refused)
    assert calls == [1]
    with pytest.raises(StorageError, match="Protocol not known: s4"):
        storage_at("s4://bucket/run")
    monkeypatch.setitem(sys.modules, "s3fs", None)
    with pytest.raises(StorageError, match=r"s3://bucket/run cannot be used: .*s3fs"):
        storage_at("s3://bucket/run")
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(StorageError, match="file"):
        Folder(tmp_path / "file").write("plan.json", b"")
