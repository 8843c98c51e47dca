"""gan-advisor kb: look into the knowledge base, check it, extend it."""

import typer

from advisor.kb import finding, upkeep

kb = typer.Typer(
    name="kb",
    add_completion=False,
    help="Look into the knowledge base, check it, extend it.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
finding.register(kb)
upkeep.register(kb)
