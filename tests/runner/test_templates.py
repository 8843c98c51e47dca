"""What pages and cards are written from."""

import pytest
from jinja2 import UndefinedError

from runner.report import html, text
from runner.take import card
from runner.templates import templates

SAYS = (
    "{{ 0.04123 | figures }} {{ 0.04123 | figures(2) }} {{ none | figures }} {{ 2000000 | images }}"
    " {{ 200 | duration }} {{ 1.14 | gap }} {{ 0.995 | chance }} {{ ['a', 'b'] | listed }}"
    " {{ 2 | counted('seed') }} {{ 5040 | thousands }} {{ span(20.0, 30.0) }}"
)
READ = "0.0412 0.041 – 2M 3 min 20 s 14 % > 99 % a and b 2 seeds 5,040 20.0–30.0"


@pytest.mark.parametrize("made", [html, text, card], ids=lambda module: module.__name__)
def test_numbers_read_the_same_wherever_they_are_written(made) -> None:
    read = made.environment().from_string(SAYS).render()
    plain = read.replace("\N{NO-BREAK SPACE}", " ").replace("&gt;", ">").replace("\\>", ">")
    assert plain == READ


def test_what_nobody_gave_is_a_mistake(tmp_path) -> None:
    (tmp_path / "page.j2").write_text("{{ title }}")
    page = templates(tmp_path).get_template("page.j2")
    assert page.render(title="Which GAN?") == "Which GAN?"
    with pytest.raises(UndefinedError):
        page.render()
