"""The command `mlci`, and the one boundary where errors become messages and exit codes."""

from __future__ import annotations

import atexit
import errno
import gc
import os
import shutil
import signal
import sys
import threading
from typing import NoReturn

from mlci.errors import MlciError, WorldError

# Which extra brings a package that commands load when they need it.
_EXTRAS = {
    **dict.fromkeys(("onnx", "onnxruntime", "pandas", "pyarrow", "sklearn", "skl2onnx", "joblib"), "model"),
    **dict.fromkeys(("msgspec", "uvicorn", "prometheus_client", "httptools", "uvloop"), "serve"),
    **dict.fromkeys(("model_signing", "OpenSSL", "cryptography"), "sign"),
    **dict.fromkeys(("github", "requests", "urllib3"), "github"),
    "dvc": "dvc",
    "vl_convert": "report",
}


_YOUNG = 500_000
"""So many objects are made before Python looks for garbage among them: more than a short command loads."""


def run() -> NoReturn:
    """The process `mlci`: as `main`, without taking apart what the end of the process frees anyway.

    Both, looking for garbage and taking apart, are a tenth of the time that a short command takes.
    """
    gc.set_threshold(_YOUNG, *gc.get_threshold()[1:])
    # Unwind as Ctrl-C does, so that a job that is cancelled leaves nothing behind. A server has its own way to end.
    for each in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(each) is signal.SIG_DFL:
            signal.signal(each, _end)
    try:
        main()
        code: str | int | None = 0
    except SystemExit as ended:
        code = ended.code
    if threading.active_count() > 1 or not isinstance(code, int | None):
        sys.exit(code)
    atexit._run_exitfuncs()  # noqa: SLF001 - what `sys.exit` would do, and multiprocessing does for its children
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError) as error:
        # Closed where whoever read our output has gone, as `head` does.
        if isinstance(error, OSError) and error.errno != errno.EPIPE:
            code = _told(_unwritten(error))
    os._exit(code or 0)


def _end(number: int, _: object) -> NoReturn:
    # Told twice, it does not let go of what it clears away.
    signal.signal(number, signal.SIG_IGN)
    sys.stderr.write(f"mlci: ended by {signal.Signals(number).name}\n")
    raise SystemExit(128 + number)


def main() -> None:
    """Run a command; a foreseen problem ends with one message on stderr and its own exit code."""
    from mlci.cli.app import app  # noqa: PLC0415 - so that an import that fails is inside the boundary too

    try:
        app()
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in _EXTRAS:
            raise
        mend = f'`pip install "mlci[{_EXTRAS[package]}]"`'
        sys.exit(_told(WorldError(f"this needs {package}, which is not installed", mend)))
    except ImportError:
        # GitPython looks for Git when it is imported, and raises this.
        if shutil.which("git"):
            raise
        sys.exit(_told(WorldError("Git is not on the path", "install it, or add its folder to PATH")))
    except MlciError as error:
        sys.exit(_told(error))
    except BrokenPipeError:
        # Whoever read our output has closed it, as `head` does.
        sys.stderr.close()
        sys.exit(0)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        sys.exit(_told(_unwritten(error)))
    except KeyboardInterrupt:
        sys.stderr.write("mlci: interrupted\n")
        sys.exit(130)


def _told(problem: MlciError) -> int:
    """Say it, and give its exit code."""
    sys.stderr.write(f"mlci: {problem}\n")
    return problem.exit_code


def _unwritten(error: OSError) -> WorldError:
    return WorldError(f"the output can't be written: {error.strerror}", "free some disk space")


if __name__ == "__main__":
    run()
