"""The command `mlci`, and the one boundary where errors become messages and exit codes."""

from __future__ import annotations

import sys

from mlci.errors import MlciError


def main() -> None:
    """Run a command; a foreseen problem ends with one message on stderr and its own exit code."""
    from mlci.cli.app import app  # noqa: PLC0415 - so that an import that fails is inside the boundary too

    try:
        app()
    except MlciError as error:
        sys.stderr.write(f"mlci: {error}\n")
        sys.exit(error.exit_code)
    except BrokenPipeError:
        # Whoever read our output has closed it, as `head` does.
        sys.stderr.close()
        sys.exit(0)
    except KeyboardInterrupt:
        sys.stderr.write("mlci: interrupted\n")
        sys.exit(130)


if __name__ == "__main__":
    main()
