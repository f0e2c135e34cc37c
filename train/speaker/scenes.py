#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Who speaks, in hundreds of scenes put together at random from what was seen and heard of people
never trained on: what the settings of src/speaker/turns.c are chosen on.

    scenes.py MANIFEST CLIPS MODELS BUILD WORK      as axes.py; BUILD: of train/turns

Three sets: takes in step with each other, takes as they were found, and (look, but choose nothing
on it) people held out. Per set: frames, right ones, sure ones, right among the sure, and those in
which it is sure of a wrong face."""
import glob
import os
import subprocess
import sys

import numpy as np

from data import DIMS, POINTS, manifest
from people import HELD_OUT, read, read_net, standard

FPS, RATE, SURE = 25, 50, 204
LEAST_SAMPLES = 200


def in_step(clip):
    """The sound moved to where the opening follows it best."""
    everywhere = np.ones(len(clip["said"]), bool)
    said = standard(clip["said"], everywhere)[:, DIMS]
    seen, use = standard(clip["seen"], clip["ok"])[:, DIMS], clip["use"]
    lag = max(range(-15, 16), key=lambda k: np.corrcoef(np.roll(said, k)[use], seen[use])[0, 1]
              - 0.002 * abs(k))
    return {**clip, "said": np.roll(clip["said"], lag, 0), "voice": np.roll(clip["voice"], lag)}


def compose(clips, rng):
    """One to three faces, 6 to 18 s; turns of 1.5 to 5 s; at times somebody unseen speaks."""
    people = sorted({c["identity"] for c in clips})
    n = min(int(rng.choice([1, 2, 2, 2, 3, 3])), len(people) - 1)
    who = [people[k] for k in rng.choice(len(people), n, replace=False)]
    of = {p: [c for c in clips if c["identity"] == p] for p in people}
    faces = [of[p][rng.integers(len(of[p]))] for p in who]
    length = min([int(rng.uniform(6, 18) * RATE)] + [len(c["seen"]) for c in faces])
    starts = [int(rng.integers(0, len(c["seen"]) - length + 1)) for c in faces]
    said, voice = np.zeros((length, DIMS + 2), "f4"), np.zeros(length, "f4")
    truth, at = np.full(length, -1), 0
    while at < length:
        turn = min(int(rng.uniform(1.5, 5) * RATE), length - at)
        if rng.random() < (0.5 if n == 1 else 0.12):
            unseen = [c for c in clips if c["identity"] not in who]
            clip, k = unseen[rng.integers(len(unseen))], -1
            begin = int(rng.integers(0, max(1, len(clip["seen"]) - turn)))
            turn = min(turn, len(clip["seen"]) - begin)
        else:
            k = int(rng.integers(n))
            clip, begin = faces[k], starts[k] + at
        said[at:at + turn] = clip["said"][begin:begin + turn]
        voice[at:at + turn] = clip["voice"][begin:begin + turn]
        pause = int(rng.choice([0, 0, 15, 30]))
        truth[at:at + turn + pause] = k
        at += turn + pause
    step = RATE // FPS
    seen = []
    for clip, begin in zip(faces, starts):
        mouth = clip["seen"][begin:begin + length:step].astype("f4")
        mouth[~clip["ok"][begin:begin + length:step]] = np.nan
        seen.append(mouth)
    return seen, said, voice, truth[::step]


def write(path, scene):
    seen, said, voice, truth = scene
    n = len(truth)
    with open(path, "wb") as f:
        np.array([n, len(seen), len(said), RATE], "i8").tofile(f)
        (np.arange(n) / FPS).astype("f4").tofile(f)
        np.zeros(n, "u1").tofile(f)
        for part in (*seen, said, voice):
            part.astype("f4").tofile(f)
    np.save(path + ".npy", truth)


def judge(program, folder):
    files = sorted(glob.glob(folder + "/*.scene"))
    out = subprocess.run([program, *files], check=True, stdout=subprocess.PIPE, text=True).stdout
    n = right = sure = sure_right = wrong = 0
    for path, line in zip(files, out.splitlines()):
        found = np.array([[int(v) for v in w.split(":")] for w in line.split()])
        same, certain = found[:, 0] == np.load(path + ".npy"), found[:, 1] >= SURE
        n, right, sure = n + len(same), right + same.sum(), sure + certain.sum()
        sure_right += (same & certain).sum()
        wrong += (~same & certain & (found[:, 0] >= 0)).sum()
    return (f"{n:7} frames, right {right / n:.1%}, sure {sure / n:.1%}, right where sure "
            f"{sure_right / max(sure, 1):.1%}, sure of a wrong face {wrong / n:.2%}")


def main():
    if len(sys.argv) != 6:
        sys.exit(__doc__)
    rows, (folder, models, build, work) = manifest(sys.argv[1]), sys.argv[2:]
    raw = open(models + "/basis.bin", "rb").read()
    basis = np.frombuffer(raw, "<f4", offset=len(raw) - DIMS * POINTS * 12)
    clips = read(rows, folder, basis.reshape(DIMS, POINTS, 3), read_net(models + "/mouth.bin"))
    new = [c for c in clips if not c["plain"] and len(c["seen"]) >= LEAST_SAMPLES
           and c["ok"].mean() > 0.8]
    chosen_on = [c for c in new if c["identity"] not in HELD_OUT]
    held_out = [c for c in new if c["identity"] in HELD_OUT]
    sets = {"in step": ([in_step(c) for c in chosen_on], 400, 1),
            "as found": (chosen_on, 300, 2), "held out": (held_out, 200, 3)}
    for name, (some, n, seed) in sets.items():
        place = os.path.join(work, name.replace(" ", "-"))
        os.makedirs(place, exist_ok=True)
        rng = np.random.default_rng(seed)
        for i in range(n):
            write(os.path.join(place, f"{i:04}.scene"), compose(some, rng))
        print(f"{name:10}", judge(os.path.join(build, "train/turns"), place), flush=True)


if __name__ == "__main__":
    main()
