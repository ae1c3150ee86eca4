"""Draw where a command's time goes, as a small flame graph: `flame.py OUT.svg TITLE -- COMMAND...`.

It needs `py-spy` (`pip install py-spy`). Frames are functions of mlci and, at the top, the library's function that they
wait for; loading modules is one frame. What takes less than one in 150 of the time is left out.
"""

from __future__ import annotations

import html
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

RATE, WIDTH, HEIGHT, LEAST = 200, 1000, 17, 1 / 150
COLOURS = {"mlci": "#9ecbff", "load": "#d8dee4", "other": "#ffd8a8"}


def main() -> None:
    split = sys.argv.index("--")
    (out, title), command = sys.argv[1:split], sys.argv[split + 1 :]
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder) / "raw"
        subprocess.run(["py-spy", "record", "-r", str(RATE), "-f", "raw", "-o", raw, "--", *command], check=False)
        stacks: Counter[tuple[str, ...]] = Counter()
        for line in raw.read_text().splitlines():
            stack, _, samples = line.rpartition(" ")
            if "__main__" not in stack and "runpy" not in stack:
                continue  # a thread beside the command
            stacks[_shortened(stack.split(";"))] += int(samples)
    Path(out).write_text(_drawn(stacks, title))


def _shortened(frames: list[str]) -> tuple[str, ...]:
    kept: list[str] = []
    for frame in frames:
        function, _, place = frame.rpartition(" (")
        if "importlib" in frame or function == "<module>":
            if "mlci/__main__" in frame or "runpy" in frame:
                continue
            return (*kept, "loading modules")
        if "mlci/" in place:
            kept.append(f"{function.rpartition('.')[2]} ({place.rpartition('mlci/')[2].partition(':')[0]})")
    last = frames[-1]
    if "mlci/" not in last.rpartition(" (")[2]:
        function, _, place = last.rpartition(" (")
        kept.append(f"{function} ({place.partition('/')[0].partition(':')[0]})")
    return tuple(frame for i, frame in enumerate(kept) if not i or kept[i - 1] != frame)


def _drawn(stacks: Counter[tuple[str, ...]], title: str) -> str:
    whole = sum(stacks.values())
    boxes: list[tuple[int, float, float, str]] = []
    _box(stacks, 0, 0.0, whole, boxes)
    deep = max((box[0] for box in boxes), default=0) + 1
    size = f'width="{WIDTH}" height="{(deep + 2) * HEIGHT}"'
    rows = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="11">',
        '<rect width="100%" height="100%" fill="white"/>',
        f'<text x="4" y="13" font-weight="bold">{html.escape(title)}</text>',
    ]
    for depth, start, share, name in boxes:
        x, width, y = start * WIDTH, share * WIDTH, (depth + 1.5) * HEIGHT
        kind = "load" if name == "loading modules" else "mlci" if ".py)" in name else "other"
        shown = html.escape(name[: max(0, int(width / 6))])
        rows.append(
            f'<g><title>{html.escape(name)}: {share:.1%}</title><rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" '
            f'height="{HEIGHT - 1}" fill="{COLOURS[kind]}"/><text x="{x + 2:.1f}" y="{y + 12:.1f}">{shown}</text></g>'
        )
    return "\n".join([*rows, "</svg>"]) + "\n"


def _box(
    stacks: Counter[tuple[str, ...]], depth: int, start: float, whole: int, boxes: list[tuple[int, float, float, str]]
) -> None:
    """The frames on one level, each with what it called above it, the widest first."""
    names: Counter[str] = Counter()
    for stack, samples in stacks.items():
        if len(stack) > depth:
            names[stack[depth]] += samples
    for name, samples in names.most_common():
        share = samples / whole
        if share < LEAST:
            return
        boxes.append((depth, start, share, name))
        inner = Counter({stack: n for stack, n in stacks.items() if len(stack) > depth and stack[depth] == name})
        _box(inner, depth + 1, start, whole, boxes)
        start += share


if __name__ == "__main__":
    main()
