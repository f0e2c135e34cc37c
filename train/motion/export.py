# SPDX-License-Identifier: MIT
"""Writes basis.bin, mouth.bin ("LIPMOUTH": docs/design/motion.md), manifest.json and the parity
vectors in one act; of the net of low latency live.bin, its vectors and its part of
manifest.json."""
import hashlib
import json
import os
import struct

import numpy as np
import torch

import basis as basis_file
from data import BANDS, DIMS, EMBED, OPENING, limit, standardise_live
from model import context

PERCENT = (5, 50, 95)


RECTIFIER, RESIDUAL = 1, 2


def layer_bytes(conv, taps, flags, axes=None):
    """Weights go out as [tap][in][out]: the order in which src/motion/trunk.c adds them up. `axes`:
    a linear map in front of it, multiplied in."""
    weight = conv.weight.detach().numpy().transpose(2, 1, 0)
    if axes is not None:
        weight = (axes @ weight[0])[None]
    n_taps, n_in, n_out = weight.shape
    head = struct.pack("<IIII", n_in, n_out, n_taps, flags)
    return (head + np.asarray(taps, "<i4").tobytes() + weight.astype("<f4").tobytes() +
            conv.bias.detach().numpy().astype("<f4").tobytes())


def embed_bytes(model):
    if not model.hears_embed:
        return struct.pack("<I", 0)
    return (struct.pack("<I", 1) + layer_bytes(model.narrow, [0], RECTIFIER, model.axes.numpy()) +
            layer_bytes(model.mix, [0], 0))


def people(clips, val, said):
    """Averages over people, each person once: means and spreads of coefficients and opening."""
    by_person = {}
    for clip in clips + val:
        by_person.setdefault(clip["identity"], []).append((clip["mean"], clip["sd"]))
    mean = np.mean([np.mean([c[0] for c in v], 0) for v in by_person.values()], 0)
    sd = np.mean([np.mean([c[1] for c in v], 0) for v in by_person.values()], 0)
    said_on = np.concatenate([s[c["active"]] for s, c in zip(said, val)])
    real_on = np.concatenate([c["target"][c["active"]] for c in clips + val])
    said_sd = np.mean([s[c["active"]][:, :DIMS + 1].std(0) for s, c in zip(said, val)], 0)
    slopes = []
    for clip in clips + val:
        seen = clip["seen"][clip["active"]]
        opening = seen[:, OPENING] - seen[:, OPENING].mean()
        slopes.append((opening[:, None] * (seen - seen.mean(0))).mean(0)[:DIMS] /
                      max((opening ** 2).mean(), 1e-9))
    return {"mean": mean, "sd": sd, "said_sd": said_sd,
            "opening_said": np.percentile(said_on[:, OPENING], PERCENT),
            "opening_real": np.percentile(real_on[:, OPENING], PERCENT),
            "opening_dir": np.median(slopes, 0)}


def vectors(model, feature_mean, feature_inv_sd, seed=3, n_rows=60):
    """Random smooth rows, and what the net and its head say to them."""
    rng = np.random.default_rng(seed)
    rows = rng.standard_normal((n_rows, BANDS + 2)).cumsum(0) * 0.3
    rows[:, BANDS] = -2 + rows[:, BANDS] * 0.5
    rows[:, BANDS + 1] = 1 / (1 + np.exp(-rows[:, BANDS + 1]))
    rows = rows.astype(np.float32)
    n = n_rows // 2 + 1
    embeds = (rng.standard_normal((n_rows // 2, EMBED)) * 0.5).astype(np.float32)
    embed = embeds[np.maximum(2 * np.arange(n) - 1, 0) // 2]
    clip = {"x": torch.from_numpy(limit(rows.copy())), "embed": torch.from_numpy(embed)}
    with torch.no_grad():
        x, embed = context(model, clip, 0, n)
        features = model.features(x[None], embed[None])
        said = model.say(features)[0].numpy()
    features = (features[0].T.numpy() - feature_mean) * feature_inv_sd
    return (b"LIPMTVEC" + struct.pack("<IIII", n_rows, n, features.shape[1], said.shape[1]) +
            b"".join(a.astype("<f4").tobytes() for a in (rows, embeds, features, said)))


def prior_bytes(prior):
    return b"".join(np.asarray(prior[key], "<f4").tobytes()
                    for key in ("rows", "mean", "sd", "histogram"))


def live_rows(prior, seed=4, n=300):
    """Random rows of a quiet and then louder voice, and how a live stream standardises them."""
    rng = np.random.default_rng(seed)
    rows = prior["mean"] - 3 + rng.standard_normal((n, BANDS)).cumsum(0) * 0.2
    energy = -9 + rng.standard_normal(n) + 4 * (np.arange(n) > n / 2)
    rows = np.concatenate([rows, energy[:, None], rng.random((n, 1))], 1).astype(np.float32)
    return (b"LIPLVROW" + struct.pack("<I", n) + prior_bytes(prior) + rows.astype("<f4").tobytes() +
            standardise_live(rows, prior).astype("<f4").tobytes())


def put(out, name, content):
    with open(os.path.join(out, name), "wb") as f:
        f.write(content)


def write_manifest(out, config, clips, live):
    """One manifest for both nets: the live one, trained second, adds itself."""
    path = os.path.join(out, "manifest.json")
    about = {"name": "motion", "version": 1, "licence": "MIT", "files": {}, "config": {},
             "clips": {}}
    if live and os.path.exists(path):
        about = json.load(open(path, encoding="utf-8"))
    names = ["live.bin"] if live else ["basis.bin", "mouth.bin"]
    for name in names:
        content = open(os.path.join(out, name), "rb").read()
        about["files"][name] = hashlib.sha256(content).hexdigest()
    if live:
        about["live"] = {"config": config, "clips": sorted(clip["name"] for clip in clips)}
    else:
        about["config"], about["clips"] = config, sorted(clip["name"] for clip in clips)
    with open(path, "w", encoding="utf-8") as f:
        json.dump(about, f, indent=1)
        f.write("\n")


def write_all(out, model, config, comp, prior, clips, val, learnt, said):
    os.makedirs(out, exist_ok=True)
    features = np.concatenate([f[c["active"]] for f, c in zip(learnt, clips)])
    mean = features.mean(0)
    inv_sd = 1 / np.maximum(features.std(0), 0.02)
    weight, bias = model.head.weight.detach().numpy()[:, :, 0], model.head.bias.detach().numpy()
    head = np.concatenate([weight / inv_sd, (bias + weight @ mean)[:, None]], 1)
    who = people(clips, val, said)
    body = struct.pack("<III", 2, 1 + len(config["layer_taps"]), config["width"])
    body += layer_bytes(model.front, config["front_taps"], RECTIFIER)
    for layer, taps in zip(model.layers, config["layer_taps"]):
        body += layer_bytes(layer, taps, RECTIFIER | RESIDUAL)
    body += embed_bytes(model)
    for values in (mean, inv_sd, head, who["mean"], who["sd"], who["said_sd"],
                   who["opening_said"], who["opening_real"], who["opening_dir"]):
        body += np.asarray(values, "<f4").tobytes()
    if prior:
        put(out, "live.bin", b"LIPMOUTH" + body + prior_bytes(prior) +
            prior["mouth"].astype("<f4").tobytes())
        put(out, "live_vectors.bin", vectors(model, mean, inv_sd))
        put(out, "live_rows.bin", live_rows(prior))
    else:
        put(out, "mouth.bin", b"LIPMOUTH" + body)
        put(out, "motion_vectors.bin", vectors(model, mean, inv_sd))
        basis_file.write(os.path.join(out, "basis.bin"), comp, who["sd"][:DIMS])
    write_manifest(out, config, clips, bool(prior))
