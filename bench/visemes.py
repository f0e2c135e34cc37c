#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How well exported mouths agree with mouths that were seen saying it.

  visemes.py LIPSYNC DATA_DIR MOUTHS_DIR [ALIGNED.tsv]

DATA_DIR: manifest.tsv and clips. MOUTHS_DIR: what train/motion/extract.c saw of them. ALIGNED.tsv:
when each viseme is said in the clips whose words are known (train/visemes/train.py writes it).
People never trained on: the rows `val` and `measure`. Prints, per clip and in all (each person
once): the correlation of the opening that Rhubarb's shapes and ARKit's weights show with the
opening that was seen, closures that are shown (of those seen, of p, b and m), and how long a shape
stands."""
import csv
import io
import os
import subprocess
import sys

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "train",
                                "motion"))
from data import read_mouth  # noqa: E402

OPEN = {"A": 0, "B": 0.25, "C": 0.5, "D": 1, "E": 0.55, "F": 0.25, "G": 0.15, "H": 0.5, "X": 0}
NEAR_S = 0.06
PP = 1


def tell(lipsync, clip, form, rate_hz):
    return subprocess.run([lipsync, "visemes", clip, "-f", form, "--fps", str(rate_hz)],
                          stdout=subprocess.PIPE, check=True, text=True).stdout


def shapes_of(lipsync, clip):
    """[(start_s, shape)...]"""
    rows = csv.reader(io.StringIO(tell(lipsync, clip, "rhubarb-tsv", 100)), delimiter="\t")
    return [(float(t), shape) for t, shape in rows]


def arkit_opening(lipsync, clip, rate_hz):
    rows = list(csv.DictReader(io.StringIO(tell(lipsync, clip, "arkit-csv", rate_hz))))
    def weight(name):
        return np.array([float(row[name]) for row in rows])
    return (1.6 * (weight("JawOpen") - weight("MouthClose")) + weight("MouthLowerDownLeft") +
            weight("MouthUpperUpLeft"))


def correlation(a, b):
    return float(np.corrcoef(a, b)[0, 1]) if len(a) > 20 and a.std() > 0 and b.std() > 0 else 0.0


def seen_closures(t, opening):
    """Times at which the lips are seen to meet and part again, and the limit of closed."""
    low, high = np.percentile(opening, 2), np.percentile(opening, 95)
    closed = opening < low + 0.12 * (high - low)
    found = []
    for i in np.flatnonzero(closed):
        around = opening[(t > t[i] - 0.2) & (t < t[i] + 0.2)]
        if opening[i] == around.min() and around.max() > low + 0.35 * (high - low):
            if not found or t[i] - found[-1] > 0.1:
                found.append(t[i])
    return found, low + 0.3 * (high - low)


def shown(cues, t):
    """Is a closed shape there near t?"""
    return any(shape in "AX" and start - NEAR_S < t < end + NEAR_S
               for (start, shape), (end, _) in zip(cues, cues[1:]))


def measure(lipsync, clip, mouth, marks):
    cues = shapes_of(lipsync, clip)
    starts = np.array([start for start, _ in cues])
    t, opening = mouth["t"][mouth["valid"]], mouth["opening"][mouth["valid"]]
    at = np.clip(np.searchsorted(starts, t, side="right") - 1, 0, len(cues) - 1)
    drawn = np.array([OPEN[cues[i][1]] for i in at])
    arkit = arkit_opening(lipsync, clip, 50)
    arkit = np.interp(t, np.arange(len(arkit)) / 50, arkit)
    closures, limit = seen_closures(t, opening)
    touches = [start for start, shape in cues[:-1] if shape == "A"]
    false = [start for start in touches
             if opening[(t > start - NEAR_S) & (t < start + 0.1)].min(initial=9) > limit]
    said = [(a + b) / 2 for (c, a), (_, b) in zip(marks, marks[1:]) if c == PP]
    spans = [b - a for (a, shape), (b, _) in zip(cues, cues[1:]) if shape not in "AX"]
    return {"shapes": correlation(drawn, opening), "arkit": correlation(arkit, opening),
            "seen": (sum(shown(cues, c) for c in closures), len(closures)),
            "pbm": (sum(shown(cues, c) for c in said), len(said)),
            "false": (len(false), len(touches)),
            "shortest": min(spans, default=0), "mean": float(np.mean(spans or [0])),
            "a_second": len(cues) / cues[-1][0]}


def share(rows, key):
    hit, n = (sum(row[key][k] for row in rows) for k in (0, 1))
    return hit / n if n else float("nan")


def main():
    lipsync, data, mouths = sys.argv[1:4]
    aligned, people = {}, {}
    if len(sys.argv) > 4:
        for line in open(sys.argv[4], encoding="utf-8"):
            name, text = line.rstrip("\n").split("\t")
            aligned[name] = [(int(c), float(t)) for c, t in
                             (mark.split(":") for mark in text.split())]
    with open(os.path.join(data, "manifest.tsv"), encoding="utf-8") as f:
        rows = list(csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE))
    for row in rows:
        name = os.path.basename(row["file"])
        mouth = os.path.join(mouths, name + ".mouth")
        if row["split"] == "train" or not os.path.exists(mouth):
            continue
        got = measure(lipsync, os.path.join(data, row["file"]), read_mouth(mouth),
                      aligned.get(name, []))
        people.setdefault(row["identity"], []).append(got)
        print(f"{name}\tshapes {got['shapes']:.2f} arkit {got['arkit']:.2f} closures "
              f"{got['seen'][0]}/{got['seen'][1]} pbm {got['pbm'][0]}/{got['pbm'][1]} false "
              f"{got['false'][0]}/{got['false'][1]} shapes a second {got['a_second']:.1f}",
              flush=True)
    every = [got for part in people.values() for got in part]
    means = {key: np.mean([np.mean([got[key] for got in part]) for part in people.values()])
             for key in ("shapes", "arkit", "mean", "a_second")}
    print(f"{len(every)} clips of {len(people)} people: opening r {means['shapes']:.2f} (shapes), "
          f"{means['arkit']:.2f} (ARKit); closures seen that are shown {share(every, 'seen'):.2f}, "
          f"of p b m {share(every, 'pbm'):.2f}; closed shapes while the mouth is open "
          f"{share(every, 'false'):.2f}; a shape stands {means['mean']:.3f} s, at least "
          f"{min(got['shortest'] for got in every):.3f}; {means['a_second']:.1f} a second")


if __name__ == "__main__":
    main()
