# SPDX-License-Identifier: MIT
"""Spoken sentences as training sees them: rows by hear.c, and the class of every sample."""
import csv
import os
import sys

import numpy as np
import torch

sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "motion"))
from phones import SIL, UNKNOWN, of_text, transcript  # noqa: E402
import data as motion  # noqa: E402

RATE_HZ = 50


def load_rows(path):
    """The net's inputs of a .rows file, or None."""
    if not os.path.exists(path):
        return None
    rows, embeds = motion.read_rows(path)
    if len(rows) < 40:
        return None
    x, embed = motion.standardise(rows, embeds, None)
    return {"x": torch.from_numpy(x), "embed": torch.from_numpy(embed), "embeds": embed,
            "voice": motion.voices(rows, len(embed)), "n": len(embed),
            "seconds": len(embed) / RATE_HZ}


def spread_labels(marks, n, speed=1.0):
    """Class of each sample from [(class, start_s)...]."""
    y = np.full(n, SIL, np.int64)
    for i, (c, start) in enumerate(marks):
        y[max(0, int(np.ceil(start / speed * RATE_HZ - 0.5))):] = c
    return y


def load_spoken(folder, variants):
    """(to learn, held): what speak.py wrote and hear.c heard. `variants`: of augment.py."""
    found = ([], [])
    for line in open(os.path.join(folder, "labels.tsv"), encoding="utf-8"):
        name, voice, held, _, text = line.rstrip("\n").split("\t")
        marks = [(int(c), int(t) / 1000) for c, t in (m.split(":") for m in text.split())]
        clip = load_rows(os.path.join(folder, name + ".rows"))
        if not clip:
            continue
        clip.update(name=name, identity=voice, y=spread_labels(marks, clip["n"]), variants=[])
        for path, speed in [] if int(held) else variants.get(name, []):
            other = load_rows(path)
            if other:
                other["y"] = spread_labels(marks, other["n"], speed)
                clip["variants"].append(other)
        found[int(held)].append(clip)
    return found


def load_real(manifest, folder, variants, config):
    """{split: clips whose words are known}; their labels come later, by align()."""
    found, used = {"train": [], "val": [], "measure": []}, {}
    for row in motion.manifest(manifest):
        text, name = transcript(row), os.path.basename(row["file"])
        if not text or used.get(row["identity"], 0) >= config["seconds_per_person"]:
            continue
        clip = load_rows(os.path.join(folder, name + ".rows"))
        if not clip:
            continue
        used[row["identity"]] = used.get(row["identity"], 0) + clip["seconds"]
        clip.update(name=name, identity=row["identity"], words=of_text(text), text=text,
                    variants=[])
        for path, speed in variants.get(name, []) if row["split"] == "train" else []:
            other = load_rows(path)
            if other:
                other["speed"] = speed
                clip["variants"].append(other)
        found[row["split"]].append(clip)
    return found


def align(log_p, words):
    """The class of each sample of the path that says the words, with silence between them where it
    fits. log_p: (samples, classes)."""
    states = [SIL]
    for word in words:
        states += word + [SIL]
    skip = [i > 1 and states[i - 1] == SIL for i in range(len(states))]  # over a silence
    n, m = len(log_p), len(states)
    best, back = np.full(m, -np.inf), np.zeros((n, m), np.int32)
    best[0], best[1] = log_p[0, states[0]], log_p[0, states[1]]
    for t in range(1, n):
        options = np.full((3, m), -np.inf)
        options[0] = best
        options[1, 1:] = best[:-1]
        options[2, 2:] = np.where(skip[2:], best[:-2], -np.inf)
        back[t] = options.argmax(0)
        best = options.max(0) + log_p[t, states]
    at = m - 1 if best[m - 1] >= best[m - 2] else m - 2
    y = np.empty(n, np.int64)
    for t in range(n - 1, -1, -1):
        y[t] = states[at]
        at -= back[t, at]
    return y


def label_real(clip, log_p):
    clip["y"] = align(log_p, clip["words"])
    for other in clip["variants"]:
        at = np.minimum((np.arange(other["n"]) * other["speed"]).round().astype(int),
                        clip["n"] - 1)
        other["y"] = clip["y"][at]


def main():
    """Prints the clips whose words are known: MANIFEST."""
    for row in motion.manifest(sys.argv[1]):
        if transcript(row):
            print(row["file"])


if __name__ == "__main__":
    main()
