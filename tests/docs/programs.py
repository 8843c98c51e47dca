"""The two programs as Typer has them: what the docs list, and what their commands are held against."""

from collections.abc import Iterator
from typing import Any

from typer import BadParameter
from typer.main import get_command

# Of whichever click Typer brings: what a wrong command line raises.
UsageError: type[Exception] = BadParameter.__mro__[1]


def program(name: str) -> Any:
    """gan-advisor or gan-runner, as click's group of commands."""
    if name == "gan-advisor":
        from advisor.commands.app import app
    else:
        from runner.cli import app
    return get_command(app)


def commands(name: str) -> Iterator[tuple[str, Any, Any]]:
    """Every command with its whole name and a context, groups before what is in them."""
    yield from below(program(name), name, None)


def below(command: Any, name: str, parent: Any) -> Iterator[tuple[str, Any, Any]]:
    context = command.context_class(
        command, info_name=name, parent=parent, **command.context_settings
    )
    yield context.command_path, command, context
    for each in command.list_commands(context) if hasattr(command, "list_commands") else ():
        yield from below(command.commands[each], each, context)


def check(words: list[str]) -> None:
    """Parses a command line and runs nothing. Raises UsageError, as the program would."""
    name, *arguments = words
    command, parent = program(name), None
    while True:
        context = command.context_class(
            command, info_name=name, parent=parent, **command.context_settings
        )
        if not hasattr(command, "list_commands"):
            read(command, context, arguments)
            return
        rest = front(command, context, arguments)
        if not rest:
            return
        name, command, arguments = command.resolve_command(context, rest)
        parent = context


def front(group: Any, context: Any, arguments: list[str]) -> list[str]:
    """The options of a group read; what is left is a command and its own words."""
    from advisor.commands.app import Commands, hoisted

    if isinstance(group, Commands):
        arguments = hoisted(arguments)
    _, rest, _ = group.make_parser(context).parse_args(args=list(arguments))
    return rest


def read(command: Any, context: Any, arguments: list[str]) -> None:
    """Options, arguments and their values; files need not exist."""
    given, rest, order = command.make_parser(context).parse_args(args=list(arguments))
    if given.get("help"):
        return
    for parameter in dict.fromkeys([*order, *command.get_params(context)]):
        if parameter.is_eager:
            continue
        try:
            parameter.handle_parse_result(context, given, [])
        except BadParameter as error:
            if "does not exist" not in str(error):
                raise
    if rest:
        context.fail(f"one word too many: {' '.join(rest)}")


def what_is_unknown(words: list[str]) -> str | None:
    """What a command line names that is not there: a command or an option. Values may be missing."""
    name, *arguments = words
    command = program(name)
    context = command.context_class(command, info_name=name)
    while hasattr(command, "list_commands"):
        if not arguments or arguments[0].startswith("-") or not arguments[0].islower():
            break
        name, *arguments = arguments
        if name not in command.list_commands(context):
            return f"no command {name}"
        command = command.commands[name]
    context = command.context_class(command, info_name=name)
    shared = {"--knowledge", "--version", "--help", "-h"}
    known = {
        opt for each in command.get_params(context) for opt in (*each.opts, *each.secondary_opts)
    }
    for word in arguments:
        option = word.partition("=")[0]
        if option.startswith("-") and option not in known | shared:
            return f"no option {option}"
    return None
