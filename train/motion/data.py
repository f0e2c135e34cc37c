# SPDX-License-Identifier: MIT
"""Clips as training sees them: what extract.c and hear.c wrote, standardised as src/speech and
src/motion do."""
import csv
import json
import os
import sys

import numpy as np

DIMS, BANDS, POINTS, EMBED, RATE_HZ = 12, 80, 468, 384, 50
OPENING, CLOSURE = DIMS, DIMS + 1
MAGIC, ROWS_MAGIC = b"LIPMOUTH-CLIP02\0", b"LIPMOUTH-ROWS01\0"
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
    n, points = np.frombuffer(raw, "<u4", 2, 16)
    assert points == POINTS
    values = np.frombuffer(raw, "<f4", offset=24)
    at = POINTS * 3
    clip = {"rest": values[:at].reshape(POINTS, 3), "pct": values[at:at + 11]}
    frames = values[at + 11:].reshape(n, -1)
    clip["t"], clip["valid"] = frames[:, 0].astype(np.float64), frames[:, 1] > 0.5
    clip["opening"], clip["width"] = frames[:, 2], frames[:, 3]
    clip["canon"] = frames[:, 4:].reshape(n, POINTS, 3)
    return clip


def read_rows(path):
    """The parts of a .rows file: rows (n, 82), embeds ((n + 1) / 2, 384)."""
    raw = open(path, "rb").read()
    assert raw[:16] == ROWS_MAGIC, path
    n, numbers, embed = np.frombuffer(raw, "<u4", 3, 16)
    assert numbers == BANDS + 2 and embed == EMBED
    values = np.frombuffer(raw, "<f4", offset=28)
    return (values[:n * numbers].reshape(n, numbers),
            values[n * numbers:].reshape((n + 1) // 2, EMBED))


def standardise(rows, embeds):
    """What speech_stats does, and the limits of src/motion/trunk.c: the net's inputs; and the
    embedding of each sample."""
    mel, energy, voice = rows[:, :BANDS].astype(np.float64), rows[:, BANDS], rows[:, BANDS + 1]
    weight = (0.05 + 0.95 * voice)[:, None]
    mean = (weight * mel).sum(0) / weight.sum()
    var = (weight * mel ** 2).sum(0) / weight.sum() - mean ** 2
    sd = np.maximum(np.sqrt(np.maximum(var, 0.0)), 0.2)
    out = np.empty((len(rows), BANDS + 2), np.float32)
    out[:, :BANDS] = np.clip((mel - mean) / sd, -4, 4)
    out[:, BANDS] = np.clip((energy - np.percentile(energy, 90)) / 4, -3, 1)
    out[:, BANDS + 1] = voice
    each = embeds[np.arange(len(rows)) // 2]
    centred = embeds - ((weight * each).sum(0) / weight.sum()).astype(np.float32)
    row = np.clip(2 * np.arange(len(rows) // 2 + 1) - 1, 0, len(rows) - 1)
    return out, centred[row // 2]


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


def load(row, folder, basis, sound=None, speed=1.0):
    """A clip ready for training, or None: inputs, targets in the clip's own units, masks. `sound`:
    a .rows file with the clip's sound played `speed` times as fast, in place of its own."""
    path = os.path.join(folder, os.path.basename(row["file"]) + ".mouth")
    sound = sound or path[:-6] + ".rows"
    if not os.path.exists(path) or not os.path.exists(sound):
        return None
    raw = read_mouth(path)
    rows, embeds = read_rows(sound)
    if len(raw["t"]) < 25 or len(rows) < 100 or raw["valid"].mean() < 0.5:
        return None
    raw["t"] = raw["t"] / speed
    n = len(rows) // 2 + 1
    coef = (raw["canon"] - raw["rest"]).reshape(len(raw["t"]), -1) @ basis.reshape(DIMS, -1).T
    seen = np.concatenate([coef, raw["opening"][:, None]], 1)
    seen, ok = at_samples(raw, seen, n)
    voice = voices(rows, n)
    near = np.convolve(voice > 0.3, np.ones(2 * NEAR_VOICE + 1), "same") > 0.5
    active = ok & near
    if active.sum() < 50:
        return None
    mean, sd = seen[active].mean(0), np.maximum(seen[active].std(0), 1e-6)
    low = np.percentile(seen[ok, OPENING], 2)
    high = np.percentile(seen[active, OPENING], 95)
    closed = (seen[:, OPENING] < low + 0.12 * (high - low)).astype(np.float32)
    target = np.concatenate([(seen - mean) / sd, closed[:, None]], 1).astype(np.float32)
    inputs, embeds = standardise(rows, embeds)
    return {"name": os.path.basename(row["file"]), "identity": row["identity"],
            "seconds": n / RATE_HZ, "inputs": inputs, "embeds": embeds, "target": target,
            "seen": seen, "mean": mean, "sd": sd, "ok": ok, "active": active, "voice": voice}


def load_variants(clip, row, folder, basis, variants):
    """Other ways to hear a clip, with the mouth of the clip: [(sound file, speed)...]."""
    found = []
    for sound, speed in variants:
        other = load(row, folder, basis, sound, speed)
        if not other:
            continue
        other["target"][:, :DIMS + 1] = (other["seen"] - clip["mean"]) / clip["sd"]
        at = np.minimum((np.arange(len(other["ok"])) * speed).round().astype(int),
                        len(clip["active"]) - 1)
        other["active"] = clip["active"][at] & other["ok"]  # music is no voice
        other["speed"] = speed
        found.append(other)
    return found


def main():
    """Prints the clips to extract: MANIFEST CONFIG [SPLIT]; without SPLIT those for training."""
    rows, config = manifest(sys.argv[1]), json.load(open(sys.argv[2], encoding="utf-8"))
    splits = sys.argv[3:] or ["train", "val"]
    for row in choose([row for row in rows if row["split"] in splits], config):
        print(row["file"])


if __name__ == "__main__":
    main()
