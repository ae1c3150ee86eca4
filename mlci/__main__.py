"""The command `mlci`, and the one boundary where errors become messages and exit codes."""

from __future__ import annotations

import shutil
import sys

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


def main() -> None:
    """Run a command; a foreseen problem ends with one message on stderr and its own exit code."""
    from mlci.cli.app import app  # noqa: PLC0415 - so that an import that fails is inside the boundary too

    try:
        app()
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in _EXTRAS:
            raise
        problem = WorldError(
            f"this needs {package}, which is not installed", f'`pip install "mlci[{_EXTRAS[package]}]"`'
        )
        sys.stderr.write(f"mlci: {problem}\n")
        sys.exit(problem.exit_code)
    except ImportError:
        # GitPython looks for Git when it is imported, and raises this.
        if shutil.which("git"):
            raise
        problem = WorldError("Git is not on the path", "install it, or add its folder to PATH")
        sys.stderr.write(f"mlci: {problem}\n")
        sys.exit(problem.exit_code)
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
