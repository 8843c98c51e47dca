"""The report of a run in a browser while the run goes on: read-only, and only on this machine."""

import json
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit
from zlib import crc32

from runner.live import ACTIVE, State, state_of
from runner.prepare import RunError
from runner.report import ReportError
from runner.run import page_of

KINDS = {".html": "text/html; charset=utf-8", ".json": "application/json", ".png": "image/png"}
LOOPBACK = ("127.0.0.1", "localhost", "[::1]", "::1")
# Asks now and then whether anything has changed, and loads the page again only then.
AGAIN = """<script>
(() => {
  let known = null;
  const ask = async () => {
    try {
      const state = await (await fetch("state.json", {cache: "no-store"})).json();
      if (known !== null && known !== state.version) location.reload();
      known = state.version;
    } catch { /* the server is gone: the page stays as it is */ }
    setTimeout(ask, 3000);
  };
  ask();
})();
</script>"""
POLICY = "default-src 'none'; img-src data: 'self'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'"


def server(folder: Path, *, host: str = "127.0.0.1", port: int = 0) -> ThreadingHTTPServer:
    """Not yet serving; `server_address` says where it will. Raises RunError and OSError."""
    state_of(folder)
    handler = type("Handler", (Pages,), {"folder": folder.resolve(), "anywhere": host})
    return ThreadingHTTPServer((host, port), handler)


class Pages(BaseHTTPRequestHandler):
    folder: Path
    anywhere: str  # the address that was asked for
    server_version = "gan-runner"

    def do_GET(self) -> None:
        if not self.meant_for_us():
            self.send_error(HTTPStatus.FORBIDDEN, "This address is not served")
            return
        path = unquote(urlsplit(self.path).path).lstrip("/")
        pages: dict[str, Callable[[], tuple[str, bytes]]] = {
            "": self.page,
            "report.html": self.page,
            "state.json": self.state,
        }
        try:
            kind, content = pages[path]() if path in pages else self.file(path)
        except (RunError, ReportError) as error:
            self.send_error(HTTPStatus.CONFLICT, str(error))
        except OSError:
            self.send_error(HTTPStatus.NOT_FOUND)
        else:
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Cache-Control", "no-store")
            self.send_header("Content-Security-Policy", POLICY)
            self.send_header("X-Content-Type-Options", "nosniff")
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content)

    do_HEAD = do_GET

    def meant_for_us(self) -> bool:
        """Another site's name that resolves to this machine must not read the run."""
        name = self.headers.get("Host", "").rsplit(":", 1)[0] or "localhost"
        return self.anywhere not in LOOPBACK or name in LOOPBACK

    def page(self) -> tuple[str, bytes]:
        text = page_of(self.folder).replace("</body>", f"{AGAIN}\n</body>")
        return KINDS[".html"], text.encode()

    def state(self) -> tuple[str, bytes]:
        return KINDS[".json"], json.dumps(told(state_of(self.folder))).encode()

    def file(self, path: str) -> tuple[str, bytes]:
        """Raises FileNotFoundError for what lies elsewhere, links out of the folder included."""
        found = (self.folder / path).resolve()
        if not found.is_relative_to(self.folder) or found.suffix not in KINDS:
            raise FileNotFoundError(path)
        return KINDS[found.suffix], found.read_bytes()

    def log_message(self, format: str, *args: object) -> None:
        """Silent: the terminal belongs to whoever started it."""


def told(state: State) -> dict[str, object]:
    """For programs. `version` changes whenever the page would."""
    trials = [
        {
            "trial": row.trial.id,
            "state": row.state,
            "images_seen": row.images_seen,
            "goal": row.goal,
            "images_per_second": row.images_per_second,
            "distance": row.look.value if row.look else None,
            "why": row.why,
        }
        for row in state.rows
    ]
    shown = [(row.trial.id, row.look, row.why, row.state in (*ACTIVE, "waiting"))
             for row in state.rows]  # fmt: skip
    return {
        "over": state.over,
        "at_work": state.at_work,
        "rung": state.race.rung + 1,
        "rungs": len(state.plan.rungs),
        "seconds_left": state.seconds_left,
        "trials": trials,
        "version": crc32(repr(shown).encode()),
    }
