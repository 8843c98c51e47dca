"""gan-advisor as a process: how it starts, and how it ends. What it does: advisor.commands."""

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 130
SHOWN = 6  # mistakes of one input; who wants all of the base's has `kb check`
ALLOCATIONS = 200_000  # between two searches for garbage; a whole `recommend` keeps fewer


def main() -> None:
    """Exit codes: 0 ok, 2 bad input, 3 no candidate survives, 4 not a GAN problem, 130 interrupted."""
    with brief():
        try:
            from advisor.commands.app import app
            from knowledge.reading import InvalidData

            try:
                app()
            finally:
                sys.stdout.flush()  # here, where it can still be told that nobody reads on
        except KeyboardInterrupt:
            sys.exit(INTERRUPTED)
        except BrokenPipeError:  # `| head` has had enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(FAILED)
        except OSError as error:
            print(f"gan-advisor: {error.filename}: {error.strerror}", file=sys.stderr)
            sys.exit(BAD_INPUT)
        except InvalidData as error:
            first = "\n".join(map(str, error.problems[:SHOWN]))
            print(f"gan-advisor: {first}", file=sys.stderr)
            if error.problems[SHOWN:]:
                print(f"… and {len(error.problems) - SHOWN} more", file=sys.stderr)
            sys.exit(BAD_INPUT)


@contextmanager
def brief() -> Iterator[None]:
    """Spare a process that ends at once what only a long one needs (docs/decisions/0009)."""
    os.environ.setdefault(
        "PYDANTIC_DISABLE_PLUGINS", "__all__"
    )  # no search of all that is installed
    usual = gc.get_threshold()
    gc.set_threshold(ALLOCATIONS)
    try:
        yield
    finally:
        gc.freeze()  # the interpreter ends with searches of all objects that are not frozen
        gc.set_threshold(*usual)


if __name__ == "__main__":
    main()
