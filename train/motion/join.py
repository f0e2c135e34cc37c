# SPDX-License-Identifier: MIT
"""Joins the .mouth files of one person's short clips into one film, for measures of adaptation.

  join.py OUT.mouth CLIP.mouth...

Each clip's movement is taken from its own rest and put onto the first clip's; sound of a clip is
cut or repeated to a whole number of frames of 40 ms, so that later clips stay in step."""
import struct
import sys

import numpy as np

from data import MAGIC, POINTS, read_mouth


def main():
    clips = [read_mouth(path) for path in sys.argv[2:]]
    rest, frames, rows, began = clips[0]["rest"], [], [], 0.0
    for clip in clips:
        n_rows = len(clip["t"]) * 4
        index = np.minimum(np.arange(n_rows), len(clip["rows"]) - 1)
        rows.append(clip["rows"][index])
        canon = clip["canon"] - clip["rest"] + rest
        head = np.stack([np.arange(len(clip["t"])) * 0.04 + began, clip["valid"].astype(float),
                         clip["opening"], clip["width"]], 1)
        frames.append(np.concatenate([head, canon.reshape(len(canon), -1)], 1))
        began += n_rows / 100
    frames, rows = np.concatenate(frames).astype("<f4"), np.concatenate(rows).astype("<f4")
    seen = frames[frames[:, 1] > 0.5]
    pct = np.concatenate([[clips[0]["pct"][0]], np.percentile(seen[:, 2], (2, 25, 50, 75, 98)),
                          np.percentile(seen[:, 3], (2, 25, 50, 75, 98))])
    with open(sys.argv[1], "wb") as f:
        f.write(MAGIC + struct.pack("<III", len(frames), len(rows), POINTS))
        f.write(rest.astype("<f4").tobytes() + pct.astype("<f4").tobytes())
        f.write(frames.tobytes() + rows.tobytes())


if __name__ == "__main__":
    main()
