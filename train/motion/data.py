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
LIPS = (13, 14, 82, 87, 312, 317, 78, 308)  # as in src/motion/mouth.c
HISTOGRAM, HISTOGRAM_LOW, HISTOGRAM_STEP = 240, -24.0, 30.0 / 240  # of energy: src/speech/stats.c
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


def level_of(rows):
    """Weights of the rows, and mean, spread per band and 90th percentile of energy of a whole
    recording: what speech_stats does."""
    mel, energy, voice = rows[:, :BANDS].astype(np.float64), rows[:, BANDS], rows[:, BANDS + 1]
    weight = (0.05 + 0.95 * voice.astype(np.float64))[:, None]
    mean = (weight * mel).sum(0) / weight.sum()
    var = (weight * mel ** 2).sum(0) / weight.sum() - mean ** 2
    return weight, mean, np.maximum(np.sqrt(np.maximum(var, 0.0)), 0.2), np.percentile(energy, 90)


def bins_of(energy):
    """The bin of each energy in the histogram."""
    return np.clip((energy - HISTOGRAM_LOW) / HISTOGRAM_STEP, 0, HISTOGRAM - 1).astype(int)


def learn_prior(rows, folder, seconds):
    """A recording like the average one, worth so many seconds of speech: what a live stream has
    heard before its first row, and the mouth it moves where nobody's is known. Each person counts
    once."""
    people, levels = {}, []
    for row in rows:
        path = os.path.join(folder, os.path.basename(row["file"]) + ".rows")
        if os.path.exists(path):
            sound = read_rows(path)[0]
            if len(sound) >= 100:
                people.setdefault(row["identity"], []).append((sound[:, BANDS], level_of(sound)))
    for parts in people.values():
        levels.append([np.mean([level[k] for _, level in parts], 0) for k in (1, 2, 3)])
    mean, sd, loud = [np.mean([level[k] for level in levels], 0) for k in range(3)]
    histogram = np.zeros(HISTOGRAM)
    for parts in people.values():
        for energy, level in parts:
            bins = np.bincount(bins_of(energy - level[3] + loud), minlength=HISTOGRAM)
            histogram += bins / len(energy) / len(parts) / len(people)
    as_stored = [np.asarray(v, np.float32).astype(np.float64) for v in (mean, sd, histogram)]
    return {"rows": 100.0 * seconds, "mean": as_stored[0], "sd": as_stored[1],
            "histogram": as_stored[2], "mouth": average_mouth(rows, folder)}


def average_mouth(rows, folder):
    """The mouth of the average person: rest of the points that the lips are measured on, then
    opening at rest and the percentiles of opening and width. Each person counts once."""
    people = {}
    for row in rows:
        path = os.path.join(folder, os.path.basename(row["file"]) + ".mouth")
        if os.path.exists(path):
            clip = read_mouth(path)
            mouth = np.concatenate([clip["rest"][list(LIPS)].ravel(), clip["pct"]])
            people.setdefault(row["identity"], []).append(mouth)
    return np.mean([np.mean(mouths, 0) for mouths in people.values()], 0)


def running_percentile(energy, prior, share=0.9):
    """Of the energies so far and the prior, for each row."""
    counts = np.zeros((len(energy), HISTOGRAM))
    counts[np.arange(len(energy)), bins_of(energy)] = 1
    counts = counts.cumsum(0) + prior["rows"] * prior["histogram"]
    upto = counts.cumsum(1)
    wanted = share * upto[:, -1:]
    at = (upto >= wanted).argmax(1)[:, None]
    here = np.take_along_axis(counts, at, 1)
    below = np.take_along_axis(upto, at, 1) - here
    return (HISTOGRAM_LOW + HISTOGRAM_STEP * (at + (wanted - below) / here))[:, 0]


def standardise_live(rows, prior):
    """The same as a live stream does it, from the rows so far (src/speech/stats.c)."""
    mel, energy, voice = rows[:, :BANDS].astype(np.float64), rows[:, BANDS], rows[:, BANDS + 1]
    weight = (0.05 + 0.95 * voice.astype(np.float64))[:, None]
    n = prior["rows"] + weight.cumsum(0)
    mean = (prior["rows"] * prior["mean"] + (weight * mel).cumsum(0)) / n
    square = prior["rows"] * (prior["sd"] ** 2 + prior["mean"] ** 2)
    var = (square + (weight * mel ** 2).cumsum(0)) / n - mean ** 2
    out = np.empty((len(rows), BANDS + 2), np.float32)
    out[:, :BANDS] = (mel - mean) / np.maximum(np.sqrt(np.maximum(var, 0.0)), 0.2)
    out[:, BANDS] = energy - running_percentile(energy, prior)
    out[:, BANDS + 1] = voice
    return out


def limit(rows):
    """The limits of src/motion/trunk.c, in place."""
    rows[:, :BANDS] = np.clip(rows[:, :BANDS], -4, 4)
    rows[:, BANDS] = np.clip(rows[:, BANDS] / 4, -3, 1)
    return rows


def standardise(rows, embeds, prior):
    """The net's inputs, and the embedding of each sample; with a prior as a live stream hears
    them."""
    weight, mean, sd, loud = level_of(rows)
    if prior:
        out = standardise_live(rows, prior)
    else:
        out = rows.astype(np.float64)
        out[:, :BANDS] = (out[:, :BANDS] - mean) / sd
        out[:, BANDS] -= loud
        out = out.astype(np.float32)
    each = embeds[np.arange(len(rows)) // 2]
    centred = embeds - ((weight * each).sum(0) / weight.sum()).astype(np.float32)
    row = np.clip(2 * np.arange(len(rows) // 2 + 1) - 1, 0, len(rows) - 1)
    return limit(out), centred[row // 2]


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


def load(row, folder, basis, prior, sound=None, speed=1.0):
    """A clip ready for training, or None: inputs, targets in the clip's own units, masks. `prior`:
    of learn_prior, or None. `sound`: a .rows file with the clip's sound played `speed` times as
    fast, in place of its own."""
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
    inputs, embeds = standardise(rows, embeds, prior)
    return {"name": os.path.basename(row["file"]), "identity": row["identity"],
            "seconds": n / RATE_HZ, "inputs": inputs, "embeds": embeds, "target": target,
            "seen": seen, "mean": mean, "sd": sd, "ok": ok, "active": active, "voice": voice}


def load_variants(clip, row, folder, basis, prior, variants):
    """Other ways to hear a clip, with the mouth of the clip: [(sound file, speed)...]."""
    found = []
    for sound, speed in variants:
        other = load(row, folder, basis, prior, sound, speed)
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
