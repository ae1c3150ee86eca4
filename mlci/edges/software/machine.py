"""The machine that measures, and what it says of a process."""

from __future__ import annotations

import os
import platform
import re
import time
from pathlib import Path

_SPIN = 0.05
_TICKS = "SC_CLK_TCK"


def machine() -> str:
    """Processor, cores, system and Python, in words."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    python = f"Python {platform.python_version()}"
    return f"{_processor()}, {cores} core{'' if cores == 1 else 's'}, {platform.system()}, {python}"


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return platform.processor() or platform.machine()
    found = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return " ".join(found[1].split()) if found else platform.machine()


def free_share() -> float:
    """Share of a core that a process gets that wants all of it, right now: about 1 on a machine that rests."""
    begin, used = time.perf_counter(), time.process_time()
    while time.perf_counter() - begin < _SPIN:
        sum(range(500))
    return min((time.process_time() - used) / (time.perf_counter() - begin), 1.0)


def cpu_seconds(pid: int) -> float | None:
    """CPU time that a process has used so far, in steps of a hundredth second; None where the system doesn't tell."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf(_TICKS)


def peak_memory(pid: int) -> int | None:
    """The most bytes that a process had in memory at once; None where the system doesn't tell.

    Not what `wait4` says: on Linux a child begins with the peak of the process that started it.
    """
    try:
        text = Path(f"/proc/{pid}/status").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    found = re.search(r"^VmHWM:\s*(\d+) kB$", text, re.MULTILINE)
    return int(found[1]) * 1024 if found else None
