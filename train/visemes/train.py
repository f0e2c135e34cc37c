# SPDX-License-Identifier: MIT
"""Trains the net that hears visemes.

  train.py MANIFEST CLIPS VARIANTS SPOKEN SPOKEN_VARIANTS OUT_DIR [KEY=VALUE...]

CLIPS, VARIANTS: as train/motion has them. SPOKEN: what speak.py wrote and hear.c heard. First the
spoken sentences alone, whose phones are timed; then the net times the phones of the clips whose
words are known, twice, and learns from both."""
import copy
import json
import os
import sys
import time

import numpy as np
import torch
from torch import nn

from phones import CLASSES, SIL, UNKNOWN
from spoken import label_real, load_real, load_spoken
from model import Mouth, context
import save

HERE = os.path.dirname(os.path.abspath(__file__))
SWITCH = 3.0  # what a change of class costs when a sequence is read off


class Visemes(Mouth):
    def __init__(self, config, axes):
        super().__init__(config, axes)
        self.head = nn.Conv1d(config["width"], len(CLASSES), 1)


def read_variants(folder):
    found = {}
    for line in open(os.path.join(folder, "variants.tsv"), encoding="utf-8"):
        name, clip, speed = line.rstrip("\n").split("\t")
        found.setdefault(clip, []).append((os.path.join(folder, name + ".rows"), float(speed)))
    return found


def embed_axes(clips, n):
    """Directions of most variance of the embedding in speech, whitened; each kind of clip once."""
    total = 0
    for part in clips:
        x = np.concatenate([c["embeds"][c["voice"] > 0.3] for c in part]).astype(np.float64)
        x = x - x.mean(0)
        total = total + x.T @ x / len(x) / len(clips)
    values, vectors = np.linalg.eigh(total)
    order = np.argsort(values)[::-1][:n]
    return vectors[:, order] / np.sqrt(values[order] + 1e-3 * values[order[0]])


def augment(x, rng):
    """On standardised rows (inputs, rows): another throat, microphone, and noise."""
    n = len(x) - 2
    bands = np.arange(n, dtype=np.float32)
    at = np.clip(bands * rng.uniform(0.88, 1.13) + rng.uniform(-1, 1), 0, n - 1.001)
    low = at.astype(int)
    share = (at - low).astype(np.float32)[:, None]
    mel = x[low] * (1 - share) + x[low + 1] * share
    tilt = rng.normal(0, 0.25) * (bands / n - 0.5) + rng.normal(0, 0.2)
    wave = 0.25 * rng.normal() * np.cos(np.pi * bands / n * rng.integers(2, 7))
    mel = mel * np.float32(rng.uniform(0.85, 1.15)) + (tilt + wave).astype(np.float32)[:, None]
    if rng.random() < 0.3:
        mel = np.maximum(mel, np.float32(rng.uniform(-2.0, -0.6)))
    if rng.random() < 0.4:
        first, width = rng.integers(0, n - 4), rng.integers(2, 12)
        mel[first:first + width] = 0
    mel += 0.15 * rng.standard_normal(mel.shape, dtype=np.float32)
    rest = x[n:] + np.array([[rng.normal(0, 0.1)], [0]], np.float32)
    return np.clip(np.concatenate([mel, rest]), -4, 4)


def by_person(clips):
    people = {}
    for clip in clips:
        people.setdefault(clip["identity"], []).append(clip)
    weight = np.array([sum(c["seconds"] for c in people[p]) for p in people]) ** 0.6
    return list(people.values()), weight / weight.sum()


def sample_batch(model, kinds, config, rng):
    """`kinds`: by_person of the spoken, and of the real clips or None."""
    n = int(config["window_s"] * 50)
    xs, embeds, ys = [], [], []
    for _ in range(config["batch"]):
        kind = kinds[1] if kinds[1] and rng.random() < config["real_share"] else kinds[0]
        clips = kind[0][rng.choice(len(kind[0]), p=kind[1])]
        clip = clips[rng.integers(len(clips))]
        if clip["variants"] and rng.random() < config["variant_share"]:
            clip = clip["variants"][rng.integers(len(clip["variants"]))]
        first = int(rng.integers(0, max(clip["n"] - n, 0) + 1))
        x, embed = context(model, clip, first, n)
        xs.append(torch.from_numpy(augment(x.numpy(), rng)))
        embeds.append(embed * float(rng.random() >= config["no_embed_share"]))
        y = np.full(n, UNKNOWN)
        part = clip["y"][first:first + n]
        y[:len(part)] = part
        ys.append(torch.from_numpy(y))
    return torch.stack(xs), torch.stack(embeds), torch.stack(ys)


def say(model, clip):
    """(features, log probabilities) of a whole clip."""
    model.eval()
    with torch.no_grad():
        x, embed = context(model, clip, 0, clip["n"])
        features = model.features(x[None], embed[None])
        said = torch.log_softmax(model.say(features)[0], 1)
        return features[0].T.numpy(), said.numpy()


def read_off(log_p):
    """The likeliest sequence of classes when each change costs SWITCH; silences left out."""
    best, back = log_p[0].copy(), np.zeros(log_p.shape, np.int32)
    for t in range(1, len(log_p)):
        jump = best.argmax()
        stay = best >= best[jump] - SWITCH
        back[t] = np.where(stay, np.arange(len(best)), jump)
        best = np.where(stay, best, best[jump] - SWITCH) + log_p[t]
    at, path = best.argmax(), []
    for t in range(len(log_p) - 1, -1, -1):
        if at != SIL and (not path or path[-1] != at):
            path.append(at)
        elif at == SIL and path and path[-1] != SIL:
            path.append(SIL)
        at = back[t, at]
    return [c for c in path[::-1] if c != SIL]


def edits(a, b):
    row = np.arange(len(b) + 1)
    for i, x in enumerate(a):
        last, row = row, row + 1
        for j, y in enumerate(b):
            row[j + 1] = min(last[j] + (x != y), last[j + 1] + 1, row[j] + 1)
    return row[-1]


def measure(model, clips):
    """(share of labelled samples in speech that are right, edits per viseme where words are known,
    confusion)."""
    n = len(CLASSES)
    confusion, wrong, total = np.zeros((n, n)), 0, 0
    for clip in clips:
        log_p = say(model, clip)[1]
        if "words" in clip:
            label_real(dict(clip, variants=[]), log_p)
            said = sum(clip["words"], [])
            said = [c for i, c in enumerate(said) if not i or c != said[i - 1]]
            wrong, total = wrong + edits(read_off(log_p), said), total + len(said)
        if "y" in clip:
            on = clip["y"] != UNKNOWN
            np.add.at(confusion, (clip["y"][on], log_p.argmax(1)[on]), 1)
    speech = confusion[1:].sum()
    right = np.trace(confusion[1:, 1:]) / max(speech, 1)
    return right, wrong / total if total else float("nan"), confusion


def train(kinds, checks, axes, config, steps):
    torch.manual_seed(config["seed"])
    rng = np.random.default_rng(config["seed"])
    model = Visemes(config, axes)
    optimizer = torch.optim.AdamW(model.parameters(), lr=config["learning_rate"],
                                  weight_decay=config["weight_decay"])
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, config["learning_rate"], steps,
                                                   pct_start=0.1)
    weight = torch.ones(len(CLASSES))
    weight[SIL] = config["silence_weight"]
    loss_of = nn.CrossEntropyLoss(weight, ignore_index=UNKNOWN,
                                  label_smoothing=config["label_smoothing"])
    mean_model, began, running = copy.deepcopy(model), time.time(), 0.0
    for step in range(1, steps + 1):
        model.train()
        x, embed, y = sample_batch(model, kinds, config, rng)
        loss = loss_of(model(x, embed).transpose(1, 2), y)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        share = min(config["average"], step / (step + 9))
        with torch.no_grad():
            for mean, now in zip(mean_model.parameters(), model.parameters()):
                mean.lerp_(now, 1 - share)
        running += loss.item() / config["check_every"]
        if step % config["check_every"] == 0:
            told = " ".join(f"{name} {r[0]:.3f}/{r[1]:.3f}" for name, r in
                            ((name, measure(mean_model, clips)) for name, clips in checks.items()))
            print(f"step {step} loss {running:.3f} {told} {time.time() - began:.0f} s", flush=True)
            running = 0.0
    return mean_model


def write_aligned(path, clips):
    """When each viseme is said: name, class:start_s for each run of one class."""
    with open(path, "w", encoding="utf-8") as f:
        for clip in clips:
            y = clip["y"]
            at = np.flatnonzero(np.concatenate([[True], y[1:] != y[:-1]]))
            f.write(clip["name"] + "\t" + " ".join(f"{y[i]}:{i / 50:.2f}" for i in at) +
                    f" 0:{len(y) / 50:.2f}\n")


def configure(changes):
    config = json.load(open(os.path.join(HERE, "config.json"), encoding="utf-8"))
    for change in changes:
        key, value = change.split("=")
        config[key] = json.loads(value)
    return config


def print_confusion(confusion):
    print("said as  " + " ".join(f"{c:>4}" for c in CLASSES))
    for i, row in enumerate(confusion):
        print(f"{CLASSES[i]:>8} " + " ".join(f"{100 * v / max(row.sum(), 1):4.0f}" for v in row) +
              f"  {int(row.sum())}")


def main():
    manifest, clips, variants, spoken, spoken_variants, out = sys.argv[1:7]
    config = configure(sys.argv[7:])
    torch.set_num_threads(config["threads"])
    learn, held = load_spoken(spoken, read_variants(spoken_variants))
    real = load_real(manifest, clips, read_variants(variants), config)
    print(f"spoken {len(learn)} + {len(held)} held; real " +
          " ".join(f"{k} {len(v)}" for k, v in real.items()), flush=True)
    axes = embed_axes([learn, real["train"]], config["embed_axes"])
    checks = {"held": held[::3], "val": real["val"]}
    model = train((by_person(learn), None), checks, axes, config, config["first_steps"])
    for _ in range(2):
        for clip in real["train"] + real["val"] + real["measure"]:
            label_real(clip, say(model, clip)[1])
        kinds = by_person(learn), by_person(real["train"])
        model = train(kinds, checks, axes, config, config["steps"])
    for clip in real["val"] + real["measure"]:
        label_real(clip, say(model, clip)[1])
    for name, part in (("held", held), ("val", real["val"]), ("measure", real["measure"])):
        right, wrong, confusion = measure(model, part)
        print(f"{name}: {right:.3f} of samples right, {wrong:.3f} edits per viseme")
        print_confusion(confusion)
    os.makedirs(out, exist_ok=True)
    write_aligned(os.path.join(out, "aligned.tsv"), real["val"] + real["measure"])
    save.write_all(out, model, config, learn + real["train"], say)


if __name__ == "__main__":
    main()
