"""gan-advisor as a process: how it starts, and how it ends. What it does: advisor.commands."""

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

BAD_INPUT, INTERRUPTED = 2, 130
ALLOCATIONS = 200_000  # between two searches for garbage; a whole `recommend` keeps fewer


def main() -> None:
    """Exit codes: 0 ok, 2 bad input, 3 no candidate survives, 4 not a GAN problem, 130 interrupted."""
    with brief():
        try:
            from advisor.commands.app import app
            from knowledge.reading import InvalidData

            app()
        except KeyboardInterrupt:
            sys.exit(INTERRUPTED)
        except OSError as error:
            print(f"gan-advisor: {error.filename}: {error.strerror}", file=sys.stderr)
            sys.exit(BAD_INPUT)
        except InvalidData as error:
            print(f"gan-advisor: {error}", file=sys.stderr)
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
