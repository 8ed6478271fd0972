#!/usr/bin/env python3
"""Makes the two font subsets from Inter. Needs fonttools and brotli; see README.md.

Usage: make_fonts.py DIRECTORY_WITH_INTER_WOFF2
"""

import sys
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

# Latin with its extensions, the Greek letters and signs that units use, superscripts and
# subscripts, arrows, comparison signs, dashes, quotes and narrow spaces.
RANGES = [
    (0x20, 0x7E), (0xA0, 0x17F), (0x394, 0x394), (0x3A9, 0x3A9), (0x3BC, 0x3BC),
    (0x1E00, 0x1EFF), (0x2009, 0x2009), (0x2010, 0x2015), (0x2018, 0x201D),
    (0x2022, 0x2022), (0x2026, 0x2026), (0x202F, 0x202F), (0x2032, 0x2033),
    (0x2070, 0x207B), (0x2080, 0x2089), (0x2190, 0x2193), (0x2212, 0x2212),
    (0x221E, 0x221E), (0x2248, 0x2248), (0x2264, 0x2265),
]  # fmt: skip


def main():
    here = Path(__file__).parent
    for style in ("Regular", "SemiBold"):
        font = TTFont(Path(sys.argv[1]) / f"Inter-{style}.woff2", recalcTimestamp=False)
        options = Options(layout_features=[], hinting=False, notdef_outline=True)
        options.drop_tables += ["GSUB", "GPOS", "GDEF", "STAT", "BASE"]
        subsetter = Subsetter(options)
        subsetter.populate(unicodes=[code for a, b in RANGES for code in range(a, b + 1)])
        subsetter.subset(font)
        font.flavor = None
        font.save(here / f"inter-{style.lower()}.ttf", reorderTables=None)


if __name__ == "__main__":
    main()
