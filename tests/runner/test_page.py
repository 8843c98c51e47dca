"""The report in a browser: nothing is fetched, nothing fails, and everybody can read it.

Skipped where there is no Chromium, or no Playwright to drive it.
"""

import json
import shutil
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from socket import create_server
from threading import Thread

import numpy as np
import pytest
from PIL import Image

from runner.report import write_report
from runner.report.interactive import VEGA
from runner.serve import server
from tests.runner.runs import diagnosis, plan, results, run_folder, write

api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")

VALUES = {
    "sn-gan": [20.0, 21.4, 19.7],
    "wgan-gp": [30.1, 29.5, None],
    "lsgan": [None, None, None],
    "baseline": [40.2, 41.5, 42.6],
}
PHONE, DESK = (360, 740), (1280, 900)


def with_pictures(folder, planned, ended):
    """What a run leaves beside samples: grids on the way, nearest training images, a strip."""
    rng = np.random.default_rng(0)
    seen = [planned.budget * k // 4 for k in range(1, 5)]

    def save(path, shape):
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, shape, np.uint8)).save(path)

    for result in ended:
        for count in seen[: len(result.looks)]:
            save(folder / "trials" / result.trial.id / "grids" / f"{count}.webp", (128, 128))
    save(folder / "nearest.webp", (96, 320))
    save(folder / "interpolation.webp", (96, 900))
    pairs = [{"distance": 1.5 + k, "of_real": 2.0, "more": "unknown"} for k in range(3)]
    said = {"arm": "sn-gan", "says": "None of 3 samples is a copy.", "pairs": pairs, "tile": 32}
    (folder / "nearest.json").write_text(json.dumps(said))


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    planned = plan(list(VALUES))
    folder = tmp_path_factory.mktemp("run")
    ended = results(planned, VALUES)
    run_folder(folder, planned, ended, control="baseline")
    with_pictures(folder, planned, ended)
    (folder / "run.json").write_text(json.dumps({"command": "gan-runner run x.json -o y " * 9}))
    write(folder / "diagnosis.json", diagnosis(ended))
    return write_report(folder).as_uri()


@pytest.fixture(scope="module")
def browser():
    with api.sync_playwright() as play:
        made = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield made
        made.close()


@pytest.fixture
def opened(browser, url):
    """A page at a size, with what it complained of and asked for."""
    contexts = []

    def at(size=DESK, **settings):
        context = browser.new_context(viewport={"width": size[0], "height": size[1]}, **settings)
        contexts.append(context)
        page = context.new_page()
        page.complaints, page.asked = [], []
        page.on("console", lambda said: page.complaints.append(said.text))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.on("request", lambda asked: page.asked.append(asked.url))
        page.goto(url)
        return page

    yield at
    for context in contexts:
        context.close()


def use_everything(page):
    page.locator("#theme").click()
    for head in page.locator("th button").all():
        head.click()
    page.get_by_label("time", exact=True).check()
    page.locator("[data-arm]").first.click()
    page.locator("#looked").press("Home")
    for each in page.locator("summary").all():
        each.click()
    page.locator("#curves-chart").hover()


def test_nothing_fails_and_nothing_is_fetched_whatever_is_pressed(opened, url) -> None:
    page = opened()
    use_everything(page)
    assert page.complaints == []
    assert [asked for asked in page.asked if not asked.startswith("data:")] == [url]


def test_the_page_could_not_fetch_or_evaluate_if_it_wanted_to(opened) -> None:
    with create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.5)
        tried = opened().evaluate(
            """async address => {
              const tried = {};
              // By itself: what a debugger says may evaluate.
              await new Promise(done => setTimeout(() => {
                try { new Function("return 1")(); tried.eval = true; } catch { tried.eval = false; }
                done();
              }));
              new Image().src = `${address}/x.png`;
              await fetch(address).then(() => tried.fetch = true, () => tried.fetch = false);
              return tried;
            }""",
            f"http://127.0.0.1:{server.getsockname()[1]}",
        )
        assert tried == {"eval": False, "fetch": False}
        with pytest.raises(TimeoutError):
            server.accept()


SLOW = pytest.mark.slow


@pytest.mark.parametrize(
    ("size", "scheme"),
    [
        (PHONE, "light"),
        (DESK, "dark"),
        pytest.param(PHONE, "dark", marks=SLOW),
        pytest.param(DESK, "light", marks=SLOW),
    ],
)
def test_axe_finds_nothing(opened, size, scheme) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is missing")
    page = opened(size, color_scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    found = axe.Axe().run(page).response["violations"]
    assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in found] == []


@pytest.mark.parametrize(
    ("size", "scripts"),
    [
        (PHONE, True),
        (PHONE, False),
        (DESK, True),
        pytest.param((768, 1000), True, marks=SLOW),
        pytest.param((2560, 1400), True, marks=SLOW),
    ],
)
def test_it_never_scrolls_sideways(opened, size, scripts) -> None:
    page = opened(size, java_script_enabled=scripts)
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= size[0]


def test_it_works_as_well_where_it_is_served(opened, url) -> None:
    served = server(Path(url.removeprefix("file://")).parent)
    Thread(target=served.serve_forever, daemon=True).start()
    try:
        page = opened()
        page.goto(f"http://127.0.0.1:{served.server_address[1]}/")
        with page.expect_response("**/state.json") as answer:
            page.wait_for_selector("#curves-chart svg")
        assert answer.value.ok
        use_everything(page)
        assert page.complaints == []
    finally:
        served.shutdown()
        served.server_close()


# The leaderboard --------------------------------------------------------------------------------


def arms_in_order(page):
    return page.locator("#standings tbody th a").all_inner_texts()


def test_sorting_by_a_click_or_by_the_keyboard(opened) -> None:
    page = opened()
    distance = page.get_by_role("columnheader", name="Distance")
    distance.get_by_role("button").click()
    rising = ["SN-GAN", "WGAN-GP", "non-saturating + spectral norm", "LSGAN"]
    assert arms_in_order(page) == rising
    assert distance.get_attribute("aria-sort") == "ascending"
    page.keyboard.press("Enter")  # the focus is still there
    assert arms_in_order(page) == [*rising[2::-1], "LSGAN"]  # what has no distance stays last
    assert distance.get_attribute("aria-sort") == "descending"
    assert page.locator("th[aria-sort]").count() == 1
    assert page.locator("#sorted").inner_text() == "Sorted by Distance, descending"
    page.get_by_role("columnheader", name="Arm").get_by_role("button").click()
    assert arms_in_order(page) == ["LSGAN", rising[2], "SN-GAN", "WGAN-GP"]
    page.get_by_role("columnheader", name="Rank").get_by_role("button").click()
    assert arms_in_order(page)[0] == "SN-GAN"


# Charts -----------------------------------------------------------------------------------------


def test_charts_show_every_trial_and_every_failure(opened) -> None:
    page = opened()
    lines = page.locator("#curves-chart .mark-line path")
    # Three trials of LSGAN and one of WGAN-GP have one look each, which makes a line of no length.
    assert lines.count() == 12
    points = page.locator("#curves-chart .mark-symbol path")
    assert points.count() == 8 * 4 + 4 + 4  # looks, and crosses of four that failed
    assert page.locator("#intervals-chart .mark-symbol path").count() == 8  # seeds with a score
    # The drawings for paper show as many.
    drawings = page.locator("details.drawings")
    assert drawings.count() == 2
    for each in drawings.all():
        assert each.locator(".own polyline").count() == 12
        assert each.locator(".own .cross").count() == 4


def test_an_arm_is_hidden_and_shown_by_its_button(opened) -> None:
    page = opened()
    button = page.get_by_role("button", name="WGAN-GP")
    button.press("Space")
    assert button.get_attribute("aria-pressed") == "false"
    page.wait_for_function("document.querySelectorAll('#curves-chart .mark-line path').length == 9")
    button.press("Space")
    page.wait_for_function(
        "document.querySelectorAll('#curves-chart .mark-line path').length == 12"
    )


def test_the_chart_goes_over_images_or_over_time(opened) -> None:
    page = opened()
    assert "real images shown to the critic" in page.locator("#curves-chart").text_content()
    page.get_by_label("time", exact=True).check()
    assert "time spent on training (minutes)" in page.locator("#curves-chart").text_content()


def test_the_pointer_tells_which_trial_it_is_at(opened) -> None:
    page = opened()
    for arm in ("WGAN-GP", "LSGAN", "non-saturating + spectral norm"):
        page.get_by_role("button", name=arm).click()
    page.locator("#curves-chart").scroll_into_view_if_needed()
    box = page.locator("#curves-chart .mark-symbol path").last.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_selector(".tip:not([hidden])")
    assert page.locator(".tip").inner_text() == "SN-GAN, seed 2\n29.5 after 2M images, 4 min"


# Grids over time --------------------------------------------------------------------------------


def test_the_slider_moves_every_arm_to_the_same_number_of_images(opened) -> None:
    page = opened()
    slider = page.get_by_role("slider", name="Real images shown to the critic")
    film = page.locator('[data-film="sn-gan"]')
    said = page.locator('[data-said="sn-gan"]')
    last = film.get_attribute("src")
    assert page.locator("#looked-at").inner_text() == "2M"
    assert said.inner_text() == "fd-efficientnet-lite0@64-10k 20.0"
    slider.press("ArrowLeft")
    assert page.locator("#looked-at").inner_text() == "1.5M"
    assert slider.get_attribute("aria-valuetext") == "1.5M images"
    assert said.inner_text() == "33.3 at a look after 1.5M images"
    frames = {film.get_attribute("src"), last}
    slider.press("Home")
    frames.add(film.get_attribute("src"))
    assert len(frames) == 3
    assert page.locator('[data-said="wgan-gp"]').inner_text().endswith("after 500k images")
    slider.press("End")
    assert film.get_attribute("src") == last
    assert said.inner_text() == "fd-efficientnet-lite0@64-10k 20.0"


# Light and dark, paper, no scripts --------------------------------------------------------------


def lightness(page):
    red, green, blue = page.evaluate(
        "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3).map(Number)"
    )
    return (red + green + blue) / 3


def test_the_page_follows_the_system_until_the_reader_chooses(opened, url) -> None:
    page = opened(color_scheme="dark")
    assert lightness(page) < 60
    line = page.locator("#curves-chart .mark-line path").first
    before = line.get_attribute("stroke")
    button = page.get_by_role("button", name="Dark")
    assert button.get_attribute("aria-pressed") == "true"
    button.click()
    assert lightness(page) > 200
    assert line.get_attribute("stroke") != before
    page.goto(url)
    assert lightness(page) > 200  # it is remembered
    page.emulate_media(color_scheme="light")
    assert lightness(page) > 200


def test_paper_is_white_and_has_everything_on_it(opened) -> None:
    page = opened(color_scheme="dark")
    page.locator("#looked").press("Home")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    assert lightness(page) == 255
    for gone in ("#theme", "#curves-chart", ".slider", "nav"):
        assert not page.locator(gone).first.is_visible()
    for there in (".gallery svg", "#curves table", "#predicted table", ".claims li"):
        assert page.locator(there).first.is_visible()
    assert page.locator("#looked").input_value() == "3"
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("#looked").input_value() == "0"


def test_without_scripts_everything_is_there_and_nothing_waits_for_a_script(opened) -> None:
    page = opened(java_script_enabled=False)
    for there in ("#standings", ".gallery svg", "#samples img", "#closer img", "#predicted table"):
        assert page.locator(there).first.is_visible()
    for gone in ("#theme", "#curves-chart", "#intervals-chart", ".slider"):
        assert not page.locator(gone).is_visible()
    assert page.locator("th button").count() == 0
    assert page.complaints == []


def test_headings_and_controls_are_reached_by_the_keyboard_in_order(opened) -> None:
    page = opened()
    reached = []
    for _ in range(16):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate("document.activeElement.getBoundingClientRect().top + scrollY")
        )
    assert len(set(reached)) >= 5
    assert all(b >= a - 60 for a, b in pairwise(reached))  # downwards, but for lines of one row


# What is embedded -------------------------------------------------------------------------------


def test_the_embedded_library_is_what_was_published() -> None:
    said = (VEGA / "README.md").read_text(encoding="utf-8")
    assert sha256((VEGA / "vega.min.js").read_bytes()).hexdigest() in said
    lite = (VEGA / "vega-lite.min.js").read_bytes() + b"//# sourceMappingURL=vega-lite.min.js.map"
    assert any(sha256(lite + end).hexdigest() in said for end in (b"", b"\n"))
    assert "Redistribution and use" in (VEGA / "LICENSES.txt").read_text(encoding="utf-8")
    for path in VEGA.glob("*.js"):
        text = path.read_text(encoding="utf-8")
        assert "</script" not in text
        assert "<!--" not in text


def test_no_picture_is_lost_from_a_page_that_is_printed(url) -> None:
    html = Path(url.removeprefix("file://")).read_text(encoding="utf-8")
    assert html.count('src="data:image/') >= 8


def test_a_candidate_that_is_linked_to_is_unfolded(opened) -> None:
    page = opened()
    last = page.locator("#candidates article").last
    assert not last.locator("details").first.evaluate("each => each.open")
    page.evaluate("id => { location.hash = id }", last.get_attribute("id"))
    page.wait_for_function("id => document.querySelector(`#${id} details`).open",
                           arg=last.get_attribute("id"))  # fmt: skip
