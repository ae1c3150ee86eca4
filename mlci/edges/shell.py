"""Commands of the policy, run by the shell: the only texts that are."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_LINES = 20


class Ended(NamedTuple):
    """How a command ended.

    Attributes:
        code: Its exit code; None where it was stopped because it took too long.
        said: The last lines of what it wrote.
    """

    code: int | None
    said: str


def run_command(command: str, folder: Path, told: Mapping[str, str], *, seconds: float) -> Ended:
    """Run a command that a reviewed policy holds; what may be hostile is told in variables, never in its text.

    Args:
        command: As the policy says it.
        folder: Where to run it.
        told: Further environment variables.
        seconds: After which it is stopped.
    """
    try:
        done = subprocess.run(  # noqa: S602 - a command of the policy is meant for the shell
            command,
            shell=True,
            cwd=folder,
            env={**os.environ, **told},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        return Ended(None, _last(error.stdout))
    return Ended(done.returncode, _last(done.stdout))


def _last(output: bytes | None) -> str:
    return "\n".join((output or b"").decode("utf-8", "replace").splitlines()[-_LINES:])
