#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Which sums of what is seen of a mouth go best with which sums of what its sound asks for
(canonical correlation over the training people). Writes src/speaker/axes.h.

    axes.py MANIFEST CLIPS MODELS OUT      CLIPS: what retrain.sh wrote; MODELS: models/motion

Prints how well the pairs agree, in pose and in speed, over people never trained on."""
import sys

import numpy as np

from data import DIMS, POINTS, manifest
from people import HELD_OUT, centre, read, read_net, standard

N, LESS_SAID, LESS_SEEN = 3, 0.1, 0.3  # pairs; what is added to the diagonals, of their means
FULL_S = 20.0  # from so much speech on more of a person counts less


def pairs(clips):
    """(said axes (14, N), seen axes (14, N))."""
    seconds, said, seen, both, total = {}, 0, 0, 0, 0
    for clip in clips:
        seconds[clip["identity"]] = seconds.get(clip["identity"], 0) + clip["active"].sum() / 50
    for clip in clips:
        weight = min(1.0, (FULL_S / seconds[clip["identity"]]) ** 0.5)
        x = standard(clip["said"], np.ones(len(clip["said"]), bool))[clip["use"]]
        y = standard(clip["seen"], clip["ok"])[clip["use"]]
        said, seen, both = said + weight * x.T @ x, seen + weight * y.T @ y, both + weight * x.T @ y
        total += weight * len(x)

    def whiten(squares, less):
        squares = squares / total
        squares = squares + less * np.trace(squares) / len(squares) * np.eye(len(squares))
        values, vectors = np.linalg.eigh(squares)
        return vectors @ np.diag(values ** -0.5) @ vectors.T

    a, b = whiten(said, LESS_SAID), whiten(seen, LESS_SEEN)
    u, _, vt = np.linalg.svd(a @ (both / total) @ b)
    return a @ u[:, :N], b @ vt[:N].T


def speed(pose):
    """The change from two samples before to two after: 40 ms each."""
    at = np.arange(len(pose))
    return pose[np.clip(at + 2, 0, len(pose) - 1)] - pose[np.clip(at - 2, 0, len(pose) - 1)]


def agreement(clips, axes):
    """Mean correlations of poses and speeds, the picture moved to where the opening agrees best."""
    rows = []
    for clip in clips:
        if clip["use"].sum() < 100:
            continue
        everywhere = np.ones(len(clip["said"]), bool)
        said = standard(clip["said"], everywhere) @ axes[0]
        seen = standard(clip["seen"], clip["ok"]) @ axes[1]
        use, best = clip["use"], None
        for lag in range(-15, 16):
            moved = np.roll(said, lag, 0)
            r = [np.corrcoef(centre(f(moved), everywhere)[0][use, k],
                             centre(f(seen), clip["ok"])[0][use, k])[0, 1]
                 for f in (lambda v: v, speed) for k in range(N)]
            best = r if best is None or r[0] > best[0] else best
        rows.append(best)
    return np.mean(rows, 0)


def table(name, axes):
    lines = [f"static const float {name}[SPEAKER_POSES][SPEAKER_MEASURES] = {{"]
    for axis in axes.T:
        words = [f"{v:.3f}f" for v in axis]
        lines += ["    {" + ", ".join(words[:9]) + ",", "     " + ", ".join(words[9:]) + "},"]
    return "\n".join(lines + ["};\n"])


def main():
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    rows, folder, models, out = manifest(sys.argv[1]), *sys.argv[2:]
    raw = open(models + "/basis.bin", "rb").read()
    basis = np.frombuffer(raw, "<f4", offset=len(raw) - DIMS * POINTS * 12)
    clips = read(rows, folder, basis.reshape(DIMS, POINTS, 3), read_net(models + "/mouth.bin"))
    axes = pairs([c for c in clips if c["plain"]])
    others = [c for c in clips if not c["plain"] and c["identity"] not in HELD_OUT]
    for name, some in (("trained on", [c for c in clips if c["plain"]]), ("others", others)):
        print(f"{name:12}", np.round(agreement(some, axes), 2))
    with open(out, "w", encoding="utf-8") as f:
        f.write("/* SPDX-License-Identifier: MIT\n"
                " * Written by train/speaker/axes.py: weights of the measures, one row a pair. */\n"
                "#ifndef SPEAKER_AXES_H\n#define SPEAKER_AXES_H\n\n"
                "#include \"speaker/traits.h\"\n\n"
                + table("said_axes", axes[0]) + table("seen_axes", axes[1]) + "\n#endif\n")


if __name__ == "__main__":
    main()
