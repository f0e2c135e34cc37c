# SPDX-License-Identifier: MIT
"""Joins the .mouth and .rows files of one person's short clips into one film, for measures of
adaptation.

  join.py OUT.mouth CLIP.mouth...

Each clip's movement is taken from its own rest and put onto the first clip's; sound of a clip is
cut or repeated to a whole number of frames of 40 ms, so that later clips stay in step."""
import struct
import sys

import numpy as np

from data import BANDS, EMBED, MAGIC, POINTS, ROWS_MAGIC, read_mouth, read_rows


def main():
    out, paths = sys.argv[1], sys.argv[2:]
    clips = [read_mouth(path) for path in paths]
    rest, frames, rows, embeds, began = clips[0]["rest"], [], [], [], 0.0
    for clip, path in zip(clips, paths):
        n_rows = len(clip["t"]) * 4
        clip_rows, clip_embeds = read_rows(path[:-6] + ".rows")
        rows.append(clip_rows[np.minimum(np.arange(n_rows), len(clip_rows) - 1)])
        embeds.append(clip_embeds[np.minimum(np.arange(n_rows // 2), len(clip_embeds) - 1)])
        canon = clip["canon"] - clip["rest"] + rest
        head = np.stack([np.arange(len(clip["t"])) * 0.04 + began, clip["valid"].astype(float),
                         clip["opening"], clip["width"]], 1)
        frames.append(np.concatenate([head, canon.reshape(len(canon), -1)], 1))
        began += n_rows / 100
    frames, rows = np.concatenate(frames).astype("<f4"), np.concatenate(rows).astype("<f4")
    seen = frames[frames[:, 1] > 0.5]
    pct = np.concatenate([[clips[0]["pct"][0]], np.percentile(seen[:, 2], (2, 25, 50, 75, 98)),
                          np.percentile(seen[:, 3], (2, 25, 50, 75, 98))])
    with open(out, "wb") as f:
        f.write(MAGIC + struct.pack("<II", len(frames), POINTS))
        f.write(rest.astype("<f4").tobytes() + pct.astype("<f4").tobytes() + frames.tobytes())
    with open(out[:-6] + ".rows", "wb") as f:
        f.write(ROWS_MAGIC + struct.pack("<III", len(rows), BANDS + 2, EMBED))
        f.write(rows.tobytes() + np.concatenate(embeds).astype("<f4").tobytes())


if __name__ == "__main__":
    main()
