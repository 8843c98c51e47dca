import functools
import gzip
import hashlib
import http.server
import threading

import pytest

from runner.data import DataError, find, open_images
from tests.runner.data.test_binary import idx, random_images

FILE = "train-images-idx3-ubyte.gz"


class Silent(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def mirror(tmp_path, monkeypatch):
    """A server on this machine that offers a tiny MNIST, after a mirror that does not."""
    content = gzip.compress(idx(random_images(150)))
    (tmp_path / "mirror").mkdir()
    (tmp_path / "mirror" / FILE).write_bytes(content)
    handler = functools.partial(Silent, directory=str(tmp_path / "mirror"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        here = f"http://127.0.0.1:{server.server_port}/"
        files = [(FILE, hashlib.md5(content).hexdigest())]
        mnist = find.NAMED["mnist"]._replace(download=lambda: ([f"{here}gone/", here], files))
        monkeypatch.setitem(find.NAMED, "mnist", mnist)
        yield tmp_path / "mirror"
        server.shutdown()


def test_a_named_set_is_downloaded_once_from_the_mirror_that_has_it(mirror, cache):
    images = open_images("mnist")
    assert len(images.train) + len(images.held_out) == 150
    assert [path.name for path in (cache / "downloads" / "mnist").iterdir()] == [FILE]
    (mirror / FILE).unlink()
    assert open_images("mnist", size=28).size == 28


def test_a_download_with_the_wrong_content_is_refused(mirror, cache):
    (mirror / FILE).write_bytes(b"something else")
    with pytest.raises(DataError, match="mnist is not on this machine and cannot be downloaded"):
        open_images("mnist")
    assert list((cache / "downloads").iterdir()) == []
