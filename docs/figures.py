"""Draw the pictures of docs/concepts/statistics.md, in English and Chinese: `make figures`.

`python docs/figures.py [NAME…]` draws all of them, or those named, into docs/images/statistics;
`python docs/figures.py --numbers SIMULATION…` prints what stands behind them. The numbers come from `simulations`,
nothing is drawn by hand.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

import matplotlib as mpl
from matplotlib import font_manager
from pictures import PICTURES
from pictures.style import numbers
from PIL import Image

FOLDER = Path(__file__).parent / "images" / "statistics"
CHINESE = ["Noto Sans CJK SC", "Noto Serif CJK SC"]
STYLE = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#555555",
    "axes.linewidth": 0.8,
    "axes.titlesize": 9,
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    "axes.unicode_minus": False,
}


def chinese_fonts() -> list[str]:
    """Which of the fonts with Chinese characters this machine has."""
    known = {font.name for font in font_manager.fontManager.ttflist}
    return [name for name in CHINESE if name in known]


def draw(name: str, language: str) -> Image.Image:
    """The picture of this name; its colours are few, so that its file is small."""
    fonts = ["DejaVu Sans", *(chinese_fonts()[:1] if language == "zh" else [])]
    with mpl.rc_context({**STYLE, "font.family": fonts}):
        figure = PICTURES[name](lambda english, chinese: english if language == "en" else chinese)
        file = io.BytesIO()
        figure.savefig(file, format="png", dpi=120)
    return Image.open(file).convert("RGB").quantize(48, dither=Image.Dither.NONE)


def main(names: list[str]) -> None:
    if not chinese_fonts():
        raise SystemExit(
            f"none of the fonts {', '.join(CHINESE)} is here, and half of the labels are Chinese: "
            "install fonts-noto-cjk, then delete matplotlib's font cache"
        )
    unknown = sorted(set(names) - set(PICTURES))
    if unknown:
        raise SystemExit(f"there is no picture {', '.join(unknown)}; there are {', '.join(PICTURES)}")
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in names or PICTURES:
        for language, ending in (("en", ".png"), ("zh", ".zh.png")):
            draw(name, language).save(FOLDER / f"{name}{ending}", optimize=True)
        print(f"{name}.png, {name}.zh.png", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--numbers"]:
        for simulation in sys.argv[2:]:
            print(simulation, numbers(simulation))
    else:
        main(sys.argv[1:])
