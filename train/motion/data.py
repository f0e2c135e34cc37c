# SPDX-License-Identifier: MIT
"""Clips as training sees them: what extract.c wrote, standardised as src/speech and src/motion
do."""
import csv
import json
import os
import sys

import numpy as np

DIMS, BANDS, POINTS, RATE_HZ = 12, 80, 468, 50
OPENING, CLOSURE = DIMS, DIMS + 1
MAGIC = b"LIPMOUTH-CLIP01\0"
NEAR_VOICE = 10  # samples: this near to a voice counts as speech, as in src/motion/fit.c


def manifest(path):
    """Rows of manifest.tsv as dictionaries."""
    with open(path, newline="", encoding="utf-8") as f:
        return list(csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE))


def choose(rows, config):
    """The clips to use: all people, of each at most so many clips and seconds, in order."""
    chosen, used = [], {}
    for row in rows:
        n, seconds = used.get(row["identity"], (0, 0.0))
        full = n >= config["clips_per_identity"] or seconds >= config["seconds_per_identity"]
        if full or row["identity"] in config["leave_out"]:
            continue
        used[row["identity"]] = (n + 1, seconds + float(row["seconds"]))
        chosen.append(row)
    return chosen


def read_mouth(path):
    """The parts of a .mouth file."""
    raw = open(path, "rb").read()
    assert raw[:16] == MAGIC, path
    n, n_rows, points = np.frombuffer(raw, "<u4", 3, 16)
    assert points == POINTS
    values = np.frombuffer(raw, "<f4", offset=28)
    at = POINTS * 3
    clip = {"rest": values[:at].reshape(POINTS, 3), "pct": values[at:at + 11]}
    at += 11
    frames = values[at:at + n * (4 + POINTS * 3)].reshape(n, -1)
    at += frames.size
    clip["t"], clip["valid"] = frames[:, 0].astype(np.float64), frames[:, 1] > 0.5
    clip["opening"], clip["width"] = frames[:, 2], frames[:, 3]
    clip["canon"] = frames[:, 4:].reshape(n, POINTS, 3)
    clip["rows"] = values[at:].reshape(n_rows, BANDS + 2)
    return clip


def standardise(rows):
    """What speech_stats does, and the limits of src/motion/trunk.c: the net's inputs."""
    mel, energy, voice = rows[:, :BANDS].astype(np.float64), rows[:, BANDS], rows[:, BANDS + 1]
    weight = (0.05 + 0.95 * voice)[:, None]
    mean = (weight * mel).sum(0) / weight.sum()
    var = (weight * mel ** 2).sum(0) / weight.sum() - mean ** 2
    sd = np.maximum(np.sqrt(np.maximum(var, 0.0)), 0.2)
    out = np.empty((len(rows), BANDS + 2), np.float32)
    out[:, :BANDS] = np.clip((mel - mean) / sd, -4, 4)
    out[:, BANDS] = np.clip((energy - np.percentile(energy, 90)) / 4, -3, 1)
    out[:, BANDS + 1] = voice
    return out


def at_samples(clip, values, n):
    """Values per frame, linear between frames, at the times of n samples; and where that holds."""
    t = np.arange(n) / RATE_HZ
    after = np.searchsorted(clip["t"], t, side="right")
    ok = (after >= 1) & (after < len(clip["t"]))
    after = np.clip(after, 1, max(len(clip["t"]) - 1, 1))
    before = after - 1
    gap = clip["t"][after] - clip["t"][before]
    ok &= clip["valid"][before] & clip["valid"][after] & (gap > 0) & (gap <= 0.1)
    share = np.where(ok, (t - clip["t"][before]) / np.maximum(gap, 1e-6), 0.0)
    share = share.reshape((-1,) + (1,) * (values.ndim - 1))
    return (values[before] * (1 - share) + values[after] * share).astype(np.float32), ok


def voices(rows, n):
    """The voice of each sample: the larger of the two rows around its time."""
    voice = rows[:, BANDS + 1]
    j = np.arange(n)
    last = len(voice) - 1
    return np.maximum(voice[np.clip(2 * j - 2, 0, last)], voice[np.clip(2 * j - 1, 0, last)])


def load(row, folder, basis):
    """A clip ready for training, or None: inputs, targets in the clip's own units, masks."""
    path = os.path.join(folder, os.path.basename(row["file"]) + ".mouth")
    if not os.path.exists(path):
        return None
    raw = read_mouth(path)
    if len(raw["t"]) < 25 or len(raw["rows"]) < 100 or raw["valid"].mean() < 0.5:
        return None
    n = len(raw["rows"]) // 2 + 1
    coef = (raw["canon"] - raw["rest"]).reshape(len(raw["t"]), -1) @ basis.reshape(DIMS, -1).T
    seen = np.concatenate([coef, raw["opening"][:, None]], 1)
    seen, ok = at_samples(raw, seen, n)
    voice = voices(raw["rows"], n)
    near = np.convolve(voice > 0.3, np.ones(2 * NEAR_VOICE + 1), "same") > 0.5
    active = ok & near
    if active.sum() < 50:
        return None
    mean, sd = seen[active].mean(0), np.maximum(seen[active].std(0), 1e-6)
    low = np.percentile(seen[ok, OPENING], 2)
    high = np.percentile(seen[active, OPENING], 95)
    closed = (seen[:, OPENING] < low + 0.12 * (high - low)).astype(np.float32)
    target = np.concatenate([(seen - mean) / sd, closed[:, None]], 1).astype(np.float32)
    return {"name": os.path.basename(row["file"]), "identity": row["identity"],
            "seconds": n / RATE_HZ, "inputs": standardise(raw["rows"]), "target": target,
            "seen": seen, "mean": mean, "sd": sd, "ok": ok, "active": active, "voice": voice}


def main():
    """Prints the clips to extract: MANIFEST CONFIG [SPLIT]; without SPLIT those for training."""
    rows, config = manifest(sys.argv[1]), json.load(open(sys.argv[2], encoding="utf-8"))
    splits = sys.argv[3:] or ["train", "val"]
    for row in choose([row for row in rows if row["split"] in splits], config):
        print(row["file"])


if __name__ == "__main__":
    main()
