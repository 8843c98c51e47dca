import json
from html.parser import HTMLParser
from io import BytesIO
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from advisor.recommendation import Failure
from runner.pictures import grid
from runner.report import ReportError, content, page, read, recipe_rows, write_report
from runner.report.html import web
from tests.runner.runs import CITATION, advice, plan, results, run_folder

VALUES = {
    "sn-gan": [20.0, 21.4, 19.7],
    "wgan-gp": [30.1, 29.5, None],
    "lsgan": [None, None, None],
    "baseline": [40.2, 41.5, 42.6],
}
VOID = {"meta", "img", "br", "link", "input", "hr", "base", "embed", "source"}
EVIL = "<script>alert('x')</script>\"'><img src=x onerror=alert(1)>"


class Page(HTMLParser):
    """What a browser would find: text, elements, and what is wrong with them."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.open, self.elements, self.texts = [], [], []
        self.feed(html)
        assert self.open == [], f"never closed: {self.open}"

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        assert len(dict(attrs)) == len(attrs), f"an attribute twice: {attrs}"
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in {"style", "script"}:
            self.texts.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.texts).split())

    def all(self, tag):
        return [attrs for name, attrs in self.elements if name == tag]


def written(folder):
    return write_report(folder).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    planned = plan(list(VALUES))
    made = tmp_path_factory.mktemp("run")
    run_folder(made, planned, results(planned, VALUES), control="baseline")
    about = {"version": "0.1.0", "cores": 2, "gpu": None, "command": "gan-runner run x.json -o y"}
    (made / "run.json").write_text(json.dumps(about))
    return made


@pytest.fixture(scope="module")
def html(folder):
    return written(folder)


@pytest.fixture(scope="module", name="page")
def parsed_page(html):
    return Page(html)


# As a page -------------------------------------------------------------------------------------


def test_it_is_well_formed_with_unique_ids_and_links_that_lead_somewhere(page, html) -> None:
    assert html.startswith("<!doctype html>")
    ids = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    inner = [attrs["href"][1:] for _, attrs in page.elements if attrs.get("href", "")[:1] == "#"]
    assert inner
    assert set(inner) <= set(ids)


def test_it_loads_nothing_from_anywhere(page, html) -> None:
    for tag, attrs in page.elements:
        assert tag not in {"link", "iframe", "object", "embed", "base", "form"}
        assert not any(name.startswith("on") for name in attrs)
        assert attrs.get("src", "data:image/").startswith("data:image/")
        if tag != "a":
            assert attrs.get("href", "#").startswith("#")
    style = html.partition("<style>")[2].partition("</style>")[0]
    assert "default-src 'none'" in html.partition("<style>")[0]
    assert "prefers-color-scheme: dark" in style
    assert "@import" not in style
    assert "url(" not in style


def test_pictures_have_words_and_tables_captions_and_scopes(page) -> None:
    assert all(attrs.get("alt") and attrs.get("width") for attrs in page.all("img"))
    assert len(page.all("caption")) == len(page.all("table"))
    assert all("scope" in attrs for attrs in page.all("th"))
    drawings = page.all("svg")
    assert all(attrs.get("aria-label") or attrs.get("aria-hidden") for attrs in drawings)
    levels = [int(tag[1]) for tag, _ in page.elements if tag in {"h1", "h2", "h3", "h4"}]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in pairwise(levels))
    assert page.all("html")[0]["lang"] == "en"


def test_text_of_users_and_of_knowledge_is_escaped_and_hostile_links_are_dropped(tmp_path) -> None:
    planned = plan(["a", "b"])
    trials = tuple(t.model_copy(update={"name": EVIL}) for t in planned.trials)
    data = planned.data.model_copy(update={"name": EVIL, "where": EVIL, "held_out_is": EVIL})
    skipped = tuple(skip.model_copy(update={"why": EVIL, "arm": EVIL}) for skip in planned.skipped)
    planned = planned.model_copy(update={"trials": trials, "data": data, "skipped": skipped})
    ended = results(planned, {"a": [20, 21, 22], "b": [None, None, None]})
    ended = [r.model_copy(update={"why": EVIL}) if r.why else r for r in ended]
    hostile = {field: EVIL for field in ("says", "short", "locator", "condition")}
    citation = CITATION.model_copy(
        update=hostile | {"url": "javascript:alert(1)", "checks": (EVIL,)}
    )
    recommended = advice(planned)
    witness = recommended.candidates[0].testimony[0].model_copy(update={"citation": citation})
    arm = recommended.candidates[0].model_copy(
        update={
            "testimony": (witness,),
            "fails": (Failure(says=EVIL, then=EVIL, sources=(EVIL,)),),
            "id": EVIL,
            "name": EVIL,
        }
    )
    recommended = recommended.model_copy(
        update={"candidates": (arm,), "answers": {EVIL: EVIL}, "unknown": (EVIL,)}
    )
    run_folder(tmp_path, planned, ended, recommended=recommended)
    (tmp_path / "run.json").write_text(json.dumps({EVIL: EVIL, "command": EVIL}))
    html = written(tmp_path)
    page = Page(html)
    assert page.text.count("<script>alert('x')</script>") >= 15
    assert html.count("<script") == len(page.all("script")) == 5
    assert not any("onerror" in attrs for attrs in page.all("img"))
    assert not any(attrs["href"].startswith("javascript") for attrs in page.all("a"))


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://arxiv.org/abs/1802.05957", True),
        ("http://example.org", True),
        ("javascript:alert(1)", False),
        ("data:text/html,x", False),
        ("https://[broken", False),
        ("/etc/passwd", False),
        (None, False),
    ],
)
def test_only_web_addresses_become_links(url, kept) -> None:
    assert web(url) == (url if kept else None)


# What it says ----------------------------------------------------------------------------------


def test_the_answer_stands_first_then_table_curves_samples_reasons_protocol(page) -> None:
    order = ["SN-GAN wins", "Leaderboard", "Distances on the way", "Samples of every arm",
             "Why these candidates", "Each candidate and its evidence", "Arms that were not trained",
             "Protocol and reproduction"]  # fmt: skip
    text = page.text.replace("Contents", "")
    # The contents name some of the headings before.
    places = [text.index(order[0]), *(text.rindex(title) for title in order[1:])]
    assert places == sorted(places)


def test_every_arm_has_its_scores_its_failures_and_its_place(page) -> None:
    for name in ("SN-GAN", "WGAN-GP", "LSGAN", "non-saturating + spectral norm"):
        assert name in page.text
    assert "20.0, 21.4, 19.7" in page.text
    assert "seed 2: diverged: the critic's loss is not a number" in page.text
    assert "seeds 0, 1 and 2: diverged" in page.text
    assert "control arm" in page.text
    assert "The floor is 1.50" in page.text
    assert "best of many looks flatters" in page.text


def test_the_distance_bears_the_name_of_its_metric_and_is_no_fid(page) -> None:
    assert page.text.count("fd-efficientnet-lite0@64-10k") > 5
    assert "fid-" not in page.text
    assert "not those of the published FID" in page.text


def test_evidence_stands_on_both_sides_with_links_to_its_sources(page) -> None:
    assert "It gives sharper images than weight clipping." in page.text
    assert "It costs more time." in page.text
    assert "another study found a tie" in page.text
    assert "quality and diversity" in page.text  # a claim is quoted once, with all its needs
    assert any(attrs["href"] == "https://arxiv.org/abs/1802.05957" for attrs in page.all("a"))
    assert "5,040 combinations" in page.text


def test_the_run_can_be_repeated_from_what_the_page_says(page) -> None:
    for says in ("gan-runner run x.json -o y", "0123456789abcdef", "feedbeef", "0, 1 and 2",
                 "the test split", "float32 on cpu", "rate 0.0002", "64 images, 128 latents"):  # fmt: skip
        assert says in page.text
    assert "gpu" not in page.text  # nothing is said of what there is not


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"a": [20.0, 22.0, 18.0], "b": [20.5, 21.0, 19.0]}, "No single winner"),
        ({"a": [20.0], "b": [30.0]}, "preview without a winner"),
        ({"a": [None], "b": [None]}, "No trial finished"),
        ({"a": [None, 20.0]}, "only arm to be trained"),
    ],
)
def test_every_verdict_makes_a_page(tmp_path, values, says) -> None:
    planned = plan(list(values), max(map(len, values.values())))
    run_folder(tmp_path, planned, results(planned, values), real=None)
    assert says in Page(written(tmp_path)).text


def test_a_run_that_has_only_begun_says_what_is_still_to_come(tmp_path) -> None:
    planned = plan(["a", "b"], 2)
    run_folder(tmp_path, planned, results(planned, {"a": [20.0], "b": []}))
    text = Page(written(tmp_path)).text
    assert "only 1 of 4 trials have ended" in text
    assert "none has ended yet" in text


def test_grids_of_unlike_latents_are_not_said_to_correspond(tmp_path) -> None:
    planned = plan(["a", "b"], 1)
    other = plan(["b"], 1, latent_dim=64).trials
    planned = planned.model_copy(update={"trials": (planned.trials[0], *other)})
    run_folder(tmp_path, planned, results(planned, {"a": [20.0], "b": [30.0]}))
    text = Page(written(tmp_path)).text
    assert "arms with equally many latents (64 and 128 here)" in text
    assert "place of every grid" not in text


# Files -----------------------------------------------------------------------------------------


def test_without_pictures_and_circumstances_it_is_still_a_page(tmp_path) -> None:
    planned = plan(list(VALUES))
    run_folder(tmp_path, planned, results(planned, VALUES), pictures=False)
    page = Page(written(tmp_path))
    assert page.all("img") == []
    assert "SN-GAN wins" in page.text


def test_a_torn_picture_is_left_out(tmp_path) -> None:
    planned = plan(["a"], 1)
    run_folder(tmp_path, planned, results(planned, {"a": [20.0]}))
    (tmp_path / "real.png").write_bytes(b"\x89PNG\r\n\x1a\n torn")
    assert len(Page(written(tmp_path)).all("img")) == 2  # the arm's own, twice


def test_the_first_finished_seed_is_shown_and_not_the_best(tmp_path) -> None:
    planned = plan(["a", "b"])
    values = {"a": [None, 20.0, 10.0], "b": [50.0, 51.0, 52.0]}
    run_folder(tmp_path, planned, results(planned, values))
    alts = [attrs["alt"] for attrs in Page(written(tmp_path)).all("img")]
    assert "A grid of images generated by A, seed 1" in alts


def test_a_page_with_large_pictures_stays_below_five_megabytes(tmp_path) -> None:
    arms = [f"arm-{k}" for k in range(7)]
    planned = plan(arms, 1)
    run_folder(tmp_path, planned, results(planned, {arm: [20.0] for arm in arms}), pictures=False)
    noise = np.random.default_rng(0).integers(0, 256, (36, 3, 64, 64), np.uint8)
    for trial in planned.trials:
        (tmp_path / "trials" / trial.id / "samples.png").write_bytes(grid(noise, columns=6))
    path = write_report(tmp_path)
    assert path.stat().st_size < 5_000_000
    assert len(Page(path.read_text(encoding="utf-8")).all("img")) == 8


def nearest(folder, said):
    Image.new("L", (64, 64)).save(folder / "nearest.webp")
    (folder / "nearest.json").write_text(said)
    return Page(written(folder))


def test_nearest_training_images_are_shown_with_what_is_said_of_them(tmp_path) -> None:
    planned = plan(["a"], 1)
    run_folder(tmp_path, planned, results(planned, {"a": [20.0]}))
    assert "nearest to them" not in Page(written(tmp_path)).text
    pairs = [
        {"distance": 1.25, "of_real": 2.5, "nearer": 0.25, "picked": "nearest"},
        {"distance": 3.5, "of_real": 2.5, "nearer": 0.8, "picked": "as it came"},
        {"distance": 0.5},
    ]
    said = {"arm": "a", "says": "one is a copy", "pairs": pairs, "space": "pixels", "count": 2000}
    page = nearest(tmp_path, json.dumps(said))
    assert "One is a copy." in page.text
    assert "The first 1 row is the nearest of all 2,000 samples" in page.text
    assert "1 nearest 1.25 2.50 25 % 2 as it came 3.50 2.50 80 % 3 – 0.500 – –" in page.text
    assert any("Generated images of A" in attrs["alt"] for attrs in page.all("img"))


@pytest.mark.parametrize("said", ["{", "[]", '{"pairs": 3}', '{"pairs": [{"distance": "far"}]}'])
def test_what_is_not_understood_of_the_nearest_images_is_left_out(tmp_path, said) -> None:
    planned = plan(["a"], 1)
    run_folder(tmp_path, planned, results(planned, {"a": [20.0]}))
    page = nearest(tmp_path, said)
    assert "Samples and the training images nearest to them" in page.text
    assert "How near they are" not in page.text


def test_a_page_with_many_grids_on_the_way_keeps_the_first_and_the_last(tmp_path) -> None:
    arms = [f"arm-{k}" for k in range(4)]
    planned = plan(arms, 1)
    run_folder(tmp_path, planned, results(planned, {arm: [20.0] for arm in arms}), pictures=False)
    noise = np.random.default_rng(0).integers(0, 256, (136, 136, 3), np.uint8)
    file = BytesIO()
    Image.fromarray(noise).save(file, "WEBP", quality=75)
    for trial in planned.trials:
        grids = tmp_path / "trials" / trial.id / "grids"
        grids.mkdir()
        for count in range(1, 121):
            (grids / f"{count * 1000:012}.webp").write_bytes(file.getvalue())
    assert 4 * 120 * len(file.getvalue()) > 5_000_000
    path = write_report(tmp_path)
    assert path.stat().st_size < 5_000_000
    data = path.read_text(encoding="utf-8").partition('id="films-data">')[2]
    films = json.loads(data.partition("</script>")[0])
    assert set(films["arms"]) == set(arms)
    for frames in films["arms"].values():
        assert [frames[0]["seen"], frames[-1]["seen"]] == [1000, 120_000]
        assert len(frames) >= 5


def test_a_page_that_is_too_large_is_written_again_with_smaller_pictures(tmp_path) -> None:
    planned = plan(["a"], 1)
    run_folder(tmp_path, planned, results(planned, {"a": [20.0]}))
    report = content(read(tmp_path))
    exact = page(report, tmp_path)
    size = len(exact.encode())
    assert len(page(report, tmp_path, limit=size - 1000).encode()) < size - 1000
    words = page(report, tmp_path, limit=1000)
    assert Page(words).text == Page(exact).text  # words are never left out
    assert len(words) < len(exact)


def test_the_same_run_gives_the_same_page(folder, html) -> None:
    assert written(folder) == html


def test_a_broken_file_is_named_and_the_old_page_stays(tmp_path) -> None:
    planned = plan(["a"], 1)
    run_folder(tmp_path, planned, results(planned, {"a": [20.0]}))
    before = written(tmp_path)
    torn = tmp_path / "trials" / "a-seed0" / "result.json"
    torn.write_text(torn.read_text()[:40])
    with pytest.raises(ReportError, match=r"a-seed0/result\.json is damaged"):
        write_report(tmp_path)
    (tmp_path / "leaderboard.json").unlink()
    torn.unlink()
    with pytest.raises(FileNotFoundError, match=r"leaderboard\.json"):
        write_report(tmp_path)
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == before
    assert not list(tmp_path.glob(".*.part"))


def test_recipes_are_told_in_the_words_of_their_yaml() -> None:
    recipe = plan(["a"]).trials[0].recipe
    rms = recipe.optimizer.model_copy(update={"name": "rmsprop", "critic_rate": 4e-4})
    rows = dict(recipe_rows(recipe.model_copy(update={"optimizer": rms})))
    assert rows["optimizer"] == "rmsprop, generator's rate 0.0002, critic's 0.0004, smoothing 0.99"
    assert rows["loss"] == "non-saturating, divergence jensen-shannon"
    assert "penalties" not in rows


def test_recipe_rows_name_all_that_was_added(advice):
    added = {
        "divergence": {"name": "alpha", "settings": {"alpha": 0.5}},
        "augmentations": [{"name": "cutout"}],
        "generator_penalties": [{"name": "pulling-away", "settings": {"weight": 0.1}}],
        "optimizer": {"decay_from": 0.5},
        "despite": ["k05"],
    }
    recipe = advice.candidates[0].recipe
    rows = dict(recipe_rows(type(recipe).model_validate({**recipe.model_dump(), **added})))
    assert rows["loss"].endswith("divergence alpha (alpha 0.5)")
    assert rows["augmentations"] == "cutout"
    assert rows["generator penalties"] == "pulling-away (weight 0.1)"
    assert "from 50% of the run on" in rows["optimizer"]
    assert rows["in spite of"] == "the rules k05"
