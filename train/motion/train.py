# SPDX-License-Identifier: MIT
"""Trains the mouth's net.

  train.py MANIFEST CLIPS_FOLDER VARIANTS_FOLDER OUT_DIR [live] [KEY=VALUE...]

CLIPS_FOLDER: what extract.c and hear.c wrote. VARIANTS_FOLDER: variants.tsv of augment.py and what
hear.c wrote of each variant. `live`: the net of low latency, by the section of that name in
config.json. KEY=VALUE: changes to it."""
import copy
import json
import os
import sys
import time

import numpy as np
import torch

import basis as basis_file
import export
from data import BANDS, DIMS, OPENING, choose, learn_prior, load, load_variants, manifest
from model import Mouth, context

HERE = os.path.dirname(os.path.abspath(__file__))


def prepare(clip):
    clip["y"] = torch.from_numpy(clip["target"])
    weight = clip["ok"] * np.where(clip["active"], 1.0, 0.15)
    clip["w"] = torch.from_numpy(weight.astype(np.float32))


def load_all(rows, folder, basis, prior, variants):
    """`variants`: clip name -> [(sound file, speed)...]."""
    clips = []
    for row in rows:
        clip = load(row, folder, basis, prior)
        if not clip:
            continue
        clip["variants"] = load_variants(clip, row, folder, basis, prior,
                                         variants.get(clip["name"], []))
        for one in [clip] + clip["variants"]:
            one["x"] = torch.from_numpy(one["inputs"])
            one["embed"] = torch.from_numpy(one["embeds"])
            prepare(one)
        clips.append(clip)
    return clips


def read_variants(folder):
    """clip name -> [(sound file, speed)...] of what augment.py made."""
    found = {}
    path = os.path.join(folder, "variants.tsv")
    if os.path.exists(path):
        for line in open(path, encoding="utf-8"):
            name, clip, speed = line.rstrip("\n").split("\t")
            found.setdefault(clip, []).append((os.path.join(folder, name + ".rows"), float(speed)))
    return found


def embed_axes(clips, n):
    """Directions of most variance of the embedding in speech, each person once; whitened."""
    people = {}
    for clip in clips:
        people.setdefault(clip["identity"], []).append(clip["embeds"][clip["active"]])
    total = 0
    for parts in people.values():
        x = np.concatenate([part - part.mean(0) for part in parts])[:4000].astype(np.float64)
        total = total + x.T @ x / len(x) / len(people)
    values, vectors = np.linalg.eigh(total)
    order = np.argsort(values)[::-1][:n]
    return vectors[:, order] / np.sqrt(values[order] + 1e-3 * values[order[0]])


def augment(x, rng):
    """On standardised rows (inputs, rows): another throat, room, microphone, and noise."""
    bands = np.arange(BANDS, dtype=np.float32)
    at = np.clip(bands * rng.uniform(0.86, 1.16) + rng.uniform(-1, 1), 0, BANDS - 1.001)
    low = at.astype(int)
    share = (at - low).astype(np.float32)[:, None]
    mel = x[low] * (1 - share) + x[low + 1] * share
    tilt = rng.normal(0, 0.25) * (bands / BANDS - 0.5) + rng.normal(0, 0.2)
    wave = 0.25 * rng.normal() * np.cos(np.pi * bands / BANDS * rng.integers(2, 7))
    mel = mel * np.float32(rng.uniform(0.85, 1.15)) + (tilt + wave).astype(np.float32)[:, None]
    if rng.random() < 0.4:  # a floor of noise hides what is quiet
        mel = np.maximum(mel, np.float32(rng.uniform(-2.0, -0.3)))
    if rng.random() < 0.5:
        first, n = rng.integers(0, BANDS - 4), rng.integers(2, 16)
        mel[first:first + n] = 0
    mel += 0.15 * rng.standard_normal(mel.shape, dtype=np.float32)
    rest = x[BANDS:] + np.array([[rng.normal(0, 0.1)], [0]], np.float32)
    return np.clip(np.concatenate([mel, rest]), -4, 4)


def sample_batch(model, clips, shares, config, rng):
    n = int(config["window_s"] * 50)
    xs, embeds, ys, ws = [], [], [], []
    for _ in range(config["batch"]):
        people = shares[0][rng.choice(len(shares[0]), p=shares[1])]
        clip = clips[people[rng.integers(len(people))]]
        if clip["variants"] and rng.random() < config["variant_share"]:
            clip = clip["variants"][rng.integers(len(clip["variants"]))]
        first = int(rng.integers(0, max(len(clip["y"]) - n, 0) + 1))
        x, embed = context(model, clip, first, n)
        xs.append(torch.from_numpy(augment(x.numpy(), rng)))
        embeds.append(embed * float(rng.random() >= config["no_embed_share"]))
        index = torch.arange(first, first + n)
        inside = index < len(clip["y"])
        index = index.clamp(max=len(clip["y"]) - 1)
        ys.append(clip["y"][index])
        ws.append(clip["w"][index] * inside)
    return torch.stack(xs), torch.stack(embeds), torch.stack(ys), torch.stack(ws)


def correlation_loss(p, y, w):
    """1 - weighted correlation over each window."""
    total = w.sum(1, keepdim=True) + 1e-6
    p = p - (p * w).sum(1, keepdim=True) / total
    y = y - (y * w).sum(1, keepdim=True) / total
    cov = (p * y * w).sum(1)
    size = ((p * p * w).sum(1) * (y * y * w).sum(1) + 1e-3).sqrt()
    return (1 - cov / size).mean()


def loss_of(said, y, w, dim_weights, config):
    w1 = w[..., None] * dim_weights
    error = (said[..., :DIMS + 1] - y[..., :DIMS + 1]) ** 2
    # Where the lips met, an opening is a fault that everybody sees.
    met = 1 + config["met_weight"] * y[..., DIMS + 1:]
    loss = (error * w1 * met).sum() / w1.sum()
    both = w1[:, 1:] * (w[:, 1:] > 0)[..., None] * (w[:, :-1] > 0)[..., None]
    step = (said[:, 1:] - said[:, :-1] - y[:, 1:] + y[:, :-1])[..., :DIMS + 1] ** 2
    loss = loss + config["velocity_weight"] * (step * both).sum() / both.sum()
    closure = torch.nn.functional.binary_cross_entropy_with_logits(
        said[..., DIMS + 1], y[..., DIMS + 1], weight=w, reduction="sum") / w.sum()
    loss = loss + config["closure_weight"] * closure
    return loss + config["correlation_weight"] * correlation_loss(
        said[..., OPENING], y[..., OPENING], w)


def predict(model, clip):
    """(features, said) of a whole clip."""
    model.eval()
    with torch.no_grad():
        x, embed = context(model, clip, 0, len(clip["y"]))
        features = model.features(x[None], embed[None])
        return features[0].T.numpy(), model.say(features)[0].numpy()


def score(model, clips):
    """Mean over people of the correlation of opening, of width-like rest; per clip."""
    by_person, rows = {}, []
    for clip in clips:
        said = predict(model, clip)[1]
        on = clip["active"]
        r = np.corrcoef(said[on, OPENING], clip["target"][on, OPENING])[0, 1]
        rest = np.mean([np.corrcoef(said[on, k], clip["target"][on, k])[0, 1] for k in range(4)])
        by_person.setdefault(clip["identity"], []).append((r, rest))
        rows.append((clip["name"], r))
    means = np.array([np.mean(v, 0) for v in by_person.values()])
    return means.mean(0), rows


def shares_of(clips):
    people = {}
    for i, clip in enumerate(clips):
        people.setdefault(clip["identity"], []).append(i)
    seconds = np.array([sum(clips[i]["seconds"] for i in people[p]) for p in people])
    weight = np.minimum(seconds, 120) ** 0.6
    return list(people.values()), weight / weight.sum()


def train(clips, val, config):
    torch.manual_seed(config["seed"])
    rng = np.random.default_rng(config["seed"])
    axes = embed_axes(clips, config["embed_axes"]) if config["embed_axes"] else None
    model = Mouth(config, axes)
    spread = np.sqrt(np.mean([clip["sd"][:DIMS] ** 2 for clip in clips], 0))
    dim_weights = np.append(spread / spread.sum() * 4, config["opening_weight"])
    dim_weights = torch.tensor(dim_weights, dtype=torch.float32)
    optimizer = torch.optim.AdamW(model.parameters(), lr=config["learning_rate"],
                                  weight_decay=config["weight_decay"])
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, config["learning_rate"], config["steps"], pct_start=0.1)
    shares, best, began, running = shares_of(clips), (-1, None, 0), time.time(), 0.0
    mean_model = copy.deepcopy(model)  # a running mean of weights is steadier than any of them
    for step in range(1, config["steps"] + 1):
        model.train()
        x, embed, y, w = sample_batch(model, clips, shares, config, rng)
        loss = loss_of(model(x, embed), y, w, dim_weights, config)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        share = min(config["average"], step / (step + 9))
        with torch.no_grad():
            for mean, now in zip(mean_model.parameters(), model.parameters()):
                mean.lerp_(now, 1 - share)
        running += loss.item() / config["check_every"]
        if step % config["check_every"] == 0:
            means, _ = score(mean_model, val)
            print(f"step {step} loss {running:.3f} val opening {means[0]:.3f} rest {means[1]:.3f} "
                  f"{time.time() - began:.0f} s", flush=True)
            running = 0.0
            if means[0] > best[0]:
                best = (means[0], {k: v.clone() for k, v in mean_model.state_dict().items()}, step)
    model.load_state_dict(best[1])
    print(f"best step {best[2]}")
    return model


def correlation(a, b):
    a, b = a - a.mean(), b - b.mean()
    return float((a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum() + 1e-12))


def find_offset(model, clip, config):
    """(samples by which the picture is late, agreement there): what the net says against what was
    seen. A small gain is chance in a short clip and moves nothing."""
    said = predict(model, clip)[1][:, OPENING]
    n, on = len(said), np.flatnonzero(clip["active"])
    scores = {}
    for lag in range(-config["lag_max"], config["lag_max"] + 1):
        at = on[(on + lag >= 0) & (on + lag < n)]
        at = at[clip["ok"][at + lag]]
        seen = clip["target"][at + lag, OPENING]
        scores[lag] = correlation(said[at], seen) if len(at) > 50 else 0
    best = max(scores, key=lambda lag: scores[lag] - 0.002 * abs(lag))
    if scores[best] < max(scores[0] + config["lag_gain"], config["lag_agreement"]):
        best = 0
    return best, scores[best]


def shift(clip, lag):
    """Moves a clip's targets `lag` samples towards its beginning."""
    if not lag:
        return
    for key in ("target", "seen", "ok"):
        clip[key] = np.roll(clip[key], -lag, axis=0)
    edge = slice(None, -lag) if lag < 0 else slice(len(clip["ok"]) - lag, None)
    clip["ok"][edge] = False
    clip["active"] &= clip["ok"]
    prepare(clip)


def align(model, clips, config, drop):
    """Moves each clip's targets to its sound; with `drop`, leaves out what does not agree."""
    kept = []
    for clip in clips:
        lag, agreement = find_offset(model, clip, config)
        shift(clip, lag)
        for variant in clip["variants"]:
            shift(variant, round(lag / variant["speed"]))
        clip["lag"] = clip.get("lag", 0) + lag
        stays = not drop or agreement > config["agreement_min"]
        if stays:
            kept.append(clip)
        if lag or not stays:
            print(f"{clip['name']}\tpicture late by {20 * clip['lag']} ms\t"
                  f"agreement {agreement:.2f}{'' if stays else ', left out'}")
    return kept


def configure(changes):
    """config.json with the changes of the command line."""
    config = json.load(open(os.path.join(HERE, "config.json"), encoding="utf-8"))
    live = config.pop("live")
    if changes[:1] == ["live"]:
        config.update(live)
        changes = changes[1:]
    for change in changes:
        key, value = change.split("=")
        config[key] = json.loads(value)
    return config


def main():
    manifest_path, folder, variants_folder, out = sys.argv[1:5]
    config = configure(sys.argv[5:])
    torch.set_num_threads(config["threads"])
    rows = manifest(manifest_path)
    train_rows = choose([row for row in rows if row["split"] == "train"], config)
    val_rows = [row for row in rows if row["split"] == "val"]
    comp, share = basis_file.learn(train_rows, folder)
    print(f"{DIMS} components hold {share:.3f} of the variance")
    prior = learn_prior(train_rows, folder, config["prior_s"]) if config["prior_s"] else None
    clips = load_all(train_rows, folder, comp, prior, read_variants(variants_folder))
    val = load_all(val_rows, folder, comp, prior, {})
    print(f"{len(clips)} clips, {sum(c['seconds'] for c in clips):.0f} s to learn; {len(val)} val")
    for steps in config["align_steps"]:
        model = train(clips, val, dict(config, steps=steps, check_every=steps))
        clips, val = align(model, clips, config, True), align(model, val, config, False)
    model = train(clips, val, config)
    for name, r in score(model, val)[1]:
        print(f"{name}\t{r:.3f}")
    said = [predict(model, clip)[1] for clip in val]
    learnt = [predict(model, clip)[0] for clip in clips]
    export.write_all(out, model, config, comp, prior, clips, val, learnt, said)


if __name__ == "__main__":
    main()
