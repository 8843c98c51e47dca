"""Where the files of a run lie when its trials are on many machines: a shared folder, or a bucket.

Files come and go whole: who reads sees the old one or the new one, never half of one.
"""

import os
import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol, TypeVar
from uuid import uuid4

from knowledge.files import write_whole

PAUSES = (1.0, 4.0, 16.0)  # seconds: what a network loses for a moment comes back by then
CHECKPOINT, LAST = "checkpoint.pt", "result.json"  # the last one says that all others are there
BELOW = ("grids",)  # folders of a trial that come and go with it
State = tuple[int, int, int]
T = TypeVar("T")


class StorageError(RuntimeError):
    """It cannot be used as it was asked for. One sentence."""


class Unreachable(StorageError):
    """It did not answer, though it was tried several times; it may answer later, or elsewhere."""


class Storage(Protocol):
    """Names are relative, with slashes. All methods raise StorageError."""

    url: str

    def names(self, folder: str) -> list[str]:
        """The files that lie directly in a folder, without its name; empty: it does not exist."""
        ...

    def read(self, names: Sequence[str]) -> dict[str, bytes]:
        """Those that exist."""
        ...

    def write(self, name: str, content: bytes) -> None: ...
    def upload(self, file: Path, name: str) -> None: ...
    def download(self, name: str, file: Path) -> bool:
        """Whether it existed."""
        ...


def storage_at(url: str) -> Storage:
    """A path, file:///…, or whatever fsspec knows: s3://…, gs://…, abfs://…, sftp://…, memory://…

    Raises StorageError.
    """
    if url.startswith("file://"):
        url = url.removeprefix("file://")
    return Bucket(url) if "://" in url else Folder(Path(url).expanduser().absolute())


class Folder:
    """On a file system that all machines share."""

    def __init__(self, path: Path) -> None:
        self.path, self.url = path, str(path)

    def names(self, folder: str) -> list[str]:
        try:
            return sorted(entry.name for entry in os.scandir(self.path / folder) if entry.is_file())
        except FileNotFoundError:
            return []
        except OSError as error:
            raise self.failure(error) from error

    def read(self, names: Sequence[str]) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        for name in names:
            with suppress(FileNotFoundError):
                found[name] = self.attempt((self.path / name).read_bytes)
        return found

    def write(self, name: str, content: bytes) -> None:
        path = self.path / name
        self.attempt(lambda: path.parent.mkdir(parents=True, exist_ok=True))
        self.attempt(lambda: write_whole(path, content))

    def upload(self, file: Path, name: str) -> None:
        self.write(name, file.read_bytes())

    def download(self, name: str, file: Path) -> bool:
        content = self.read([name])
        if content:
            write_whole(file, content[name])
        return bool(content)

    def attempt(self, action: Callable[[], T]) -> T:
        try:
            return patiently(action, self.url)
        except PermissionError as error:
            raise self.failure(error) from error

    def failure(self, error: OSError) -> StorageError:
        return StorageError(f"{error.filename or self.url}: {error.strerror or error}")


class Bucket:
    """By fsspec, which has a package for every kind of store."""

    # An upload to these appears when it is complete. Elsewhere it takes another name first.
    AT_ONCE = ("s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "oss", "oci")

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        try:
            from fsspec.core import url_to_fs

            # What other machines have written meanwhile is not in a cached listing.
            self.files, self.root = url_to_fs(self.url, use_listings_cache=False)
        except (ImportError, ValueError) as error:
            raise StorageError(f"{url} cannot be used: {str(error).rstrip('.')}") from error
        self.at_once = url.partition("://")[0] in self.AT_ONCE

    def names(self, folder: str) -> list[str]:
        def listed() -> list[str]:
            found = self.files.ls(self.place(folder), detail=True)
            return sorted(
                each["name"].rstrip("/").rpartition("/")[2]
                for each in found
                if each["type"] == "file"
            )

        try:
            return self.attempt(listed)
        except FileNotFoundError:
            return []

    def read(self, names: Sequence[str]) -> dict[str, bytes]:
        """All at the same time, where fsspec can."""
        if not names:
            return {}
        places = {self.place(name): name for name in names}

        def contents() -> dict[str, Any]:
            found = self.files.cat(list(places), on_error="return")
            for content in found.values():
                if isinstance(content, Exception) and not isinstance(content, FileNotFoundError):
                    raise content
            return {k: v for k, v in found.items() if isinstance(v, bytes)}

        return {places[place]: content for place, content in self.attempt(contents).items()}

    def write(self, name: str, content: bytes) -> None:
        self.put(name, lambda place: self.files.pipe_file(place, content))

    def upload(self, file: Path, name: str) -> None:
        self.put(name, lambda place: self.files.put_file(str(file), place))

    def put(self, name: str, action: Callable[[str], Any]) -> None:
        place = self.place(name)
        beside = place if self.at_once else f"{place}.{uuid4().hex}.part"

        def put() -> None:
            if not self.at_once:
                self.files.makedirs(place.rpartition("/")[0], exist_ok=True)
            action(beside)
            if not self.at_once:
                self.files.mv(beside, place)

        try:
            self.attempt(put)
        except FileNotFoundError as error:  # such as a bucket that nobody has made
            raise StorageError(f"{self.url} cannot be used: {error}") from error

    def download(self, name: str, file: Path) -> bool:
        beside = file.with_name(f".{file.name}.part")
        try:
            self.attempt(lambda: self.files.get_file(self.place(name), str(beside)))
        except FileNotFoundError:
            beside.unlink(missing_ok=True)
            return False
        os.replace(beside, file)
        return True

    def place(self, name: str) -> str:
        return f"{self.root}/{name}" if name else self.root

    def attempt(self, action: Callable[[], T]) -> T:
        try:
            return patiently(action, self.url)
        except (PermissionError, ImportError, ValueError) as error:
            raise StorageError(f"{self.url} cannot be used: {error}") from error


def patiently(action: Callable[[], T], url: str) -> T:
    """Raises Unreachable, and at once what no patience mends."""
    for pause in (*PAUSES, None):
        try:
            return action()
        except (FileNotFoundError, PermissionError, ImportError, ValueError):
            raise
        except Exception as error:  # every kind of store has errors of its own
            if pause is None:
                says = str(error).strip() or type(error).__name__
                raise Unreachable(f"{url} cannot be reached: {says}") from error
            time.sleep(pause)
    raise AssertionError


class Mirror:
    """A folder of this machine, and its copy in a storage."""

    def __init__(self, folder: Path, storage: Storage, name: str) -> None:
        self.folder, self.storage, self.name = folder, storage, name
        self.sent: dict[str, State] = {}  # as they were when both were the same

    def fetch(self) -> None:
        """All files, or as many as there are."""
        self.folder.mkdir(parents=True, exist_ok=True)
        below = (
            f"{folder}/{n}" for folder in BELOW for n in self.storage.names(self.place(folder))
        )
        for name in (*self.storage.names(self.name), *below):
            file = self.folder / name
            if is_whole(file.name):
                file.parent.mkdir(exist_ok=True)
                if self.storage.download(self.place(name), file):
                    self.sent[name] = state(file)

    def send(self) -> None:
        """What has changed since. Meanwhile the trial may go on writing.

        The checkpoint is kept first and sent late: what belongs to it is never older than it is.
        """
        changed: list[tuple[str, Path, State]] = []
        try:
            for name in sorted(self.files(), key=lambda name: name != CHECKPOINT):
                with suppress(FileNotFoundError):  # it is just being replaced
                    if (now := state(self.folder / name)) != self.sent.get(name):
                        changed.append((name, kept(self.folder / name), now))
            for name, copy, now in sorted(changed, key=lambda each: rank(each[0])):
                self.storage.upload(copy, self.place(name))
                self.sent[name] = now
        finally:
            for _, copy, _ in changed:
                copy.unlink(missing_ok=True)

    def files(self) -> list[str]:
        folders = (self.folder, *(self.folder / below for below in BELOW))
        files = (file for folder in folders if folder.is_dir() for file in folder.iterdir())
        return sorted(
            file.relative_to(self.folder).as_posix()
            for file in files
            if is_whole(file.name) and file.is_file()
        )

    def place(self, name: str) -> str:
        return f"{self.name}/{name}" if self.name else name


def rank(name: str) -> tuple[bool, bool, str]:
    return name == LAST, name == CHECKPOINT, name


def kept(path: Path) -> Path:
    """The file under a second name, where it stays as it is while it is sent."""
    second = path.with_name(f".{path.name}.sending")
    second.unlink(missing_ok=True)
    try:
        os.link(path, second)
    except FileNotFoundError:
        raise
    except OSError:  # a file system without links
        shutil.copyfile(path, second)
    return second


def is_whole(name: str) -> bool:
    """Not what is being written, and not an older state that is kept beside the newest."""
    return not name.startswith(".") and not name.endswith((".part", ".partial", ".previous"))


def state(path: Path) -> State:
    about = path.stat()
    return about.st_mtime_ns, about.st_size, about.st_ino
