"""python -m knowledge.check: every mistake in the knowledge base, with file and line."""

import sys

from knowledge.library import build
from knowledge.reading import InvalidData


def main() -> int:
    try:
        library = build()
    except InvalidData as error:
        print(error, file=sys.stderr)
        print(f"{len(error.problems)} mistakes in the knowledge base", file=sys.stderr)
        return 1
    print(
        f"knowledge base: {len(library.gans)} GANs, {len(library.claims)} claims, "
        f"{len(library.rules)} rules, {len(library.sources)} sources, no mistakes"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
