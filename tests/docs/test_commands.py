"""Every command in the documentation is one that works, and prints what the page says it prints."""

import re
from shutil import copytree

import pytest

from tests.docs.blocks import commands, inline, ours, pages
from tests.docs.programs import UsageError, check, what_is_unknown
from tests.docs.shell import (
    AFTER,
    INSTEAD,
    NOT_RUN,
    PAGES_NOT_RUN,
    codes,
    follow,
    missing,
    my_images,
    why_not,
)

COMMANDS = commands()
SLOW = pytest.mark.slow  # the whole knowledge base is checked, and compared with itself
HEAVY = {page: SLOW for page in ("docs/how-to/add-a-gan.md", "knowledge/README.md")}
ADVISING = sorted({c.page for c in COMMANDS if c.text.startswith("gan-advisor ")} - AFTER.keys())
TRAINING = sorted({c.page for c in COMMANDS if "gan-runner " in c.text} - PAGES_NOT_RUN.keys())


@pytest.mark.parametrize("page", sorted({command.page for command in COMMANDS}))
def test_every_option_of_every_command_exists(page):
    for command in COMMANDS:
        if command.page == page:
            for words in ours(command.text):
                try:
                    check(words)
                except UsageError as error:
                    pytest.fail(f"{command.place}: {' '.join(words)}\n{error}")


@pytest.mark.parametrize("page", pages())
def test_commands_in_running_text_exist(page):
    for line, words in inline(page):
        if unknown := what_is_unknown(words):
            pytest.fail(f"{page}:{line}: {' '.join(words)}: {unknown}")


def test_a_wrong_option_a_wrong_command_and_a_wrong_value_are_noticed():
    for wrong in (
        "gan-runner run advice.json --data x --foo 1",
        "gan-runner run advice.json",
        "gan-runner ran advice.json",
        "gan-runner run advice.json --data x --seeds three",
        "gan-advisor kb shew wgan",
        "gan-advisor recommend a.yaml b.yaml",
    ):
        with pytest.raises(UsageError):
            check(wrong.split())
    assert what_is_unknown(["gan-runner", "run", "--foo"])
    assert not what_is_unknown(["gan-runner", "run", "--data"])


def test_commands_are_found_in_sessions_scripts_and_behind_others():
    assert len(COMMANDS) > 60
    assert len({command.page for command in COMMANDS}) > 8
    assert list(ours('job=1 ~/gan/bin/gan-runner run a.json \\\n  --ray "$head" | tail -1')) == [
        ["gan-runner", "run", "a.json", "--ray", "1"]
    ]


def test_what_is_said_of_commands_is_said_of_one_that_there_is():
    texts = [command.text for command in COMMANDS]
    for pattern in (*NOT_RUN, *INSTEAD):
        assert any(re.search(pattern, text) for text in texts), pattern
    for place in (*PAGES_NOT_RUN, *AFTER, *AFTER.values()):
        assert place.partition(":")[0] in {command.page for command in COMMANDS}, place


# Run ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def desk(tmp_path_factory):
    """A folder with images, to be copied."""
    folder = tmp_path_factory.mktemp("desk")
    my_images(folder / "my-images")
    return folder


@pytest.mark.parametrize(
    "page", [pytest.param(page, marks=HEAVY.get(page, ())) for page in ADVISING]
)
def test_advice_is_as_the_page_shows_it(page, desk, cache, tmp_path):
    folder = copytree(desk, tmp_path / "desk")
    check_all(follow(page, folder, cache, advice_only=True))


@pytest.fixture(scope="session")
def followed(desk, cache, tmp_path_factory):
    """Follows a page to its end, once; another one goes on in its folder."""
    folders = {}

    def there(page):
        if page not in folders:
            before = there(AFTER[page]) if page in AFTER else desk
            folder = copytree(before, tmp_path_factory.mktemp("reader") / "desk")
            check_all(follow(page, folder, cache))
            folders[page] = folder
        return folders[page]

    return there


@pytest.mark.slow
@pytest.mark.parametrize("page", sorted({*TRAINING, *AFTER}))
def test_whoever_follows_the_page_gets_to_its_end(page, followed):
    followed(page)


def check_all(done):
    assert done
    for each in done:
        told = f"{each.command.place}: {each.ran}\n{each.output[-3000:]}"
        assert each.code in codes(each.command), told
        if each.ran.startswith("gan-advisor") and "my-images" not in each.ran:
            assert not missing(each), f"{told}\n\nnot printed: {missing(each)}"


def test_everything_is_run_or_has_a_reason():
    run = {*ADVISING, *TRAINING, *AFTER}
    for command in COMMANDS:
        assert why_not(command) or command.page in run, command.place
