# SPDX-License-Identifier: MIT
"""Clips as src/speaker/traits.c compares them: fourteen measures of what is seen of a mouth, and
the same of what its sound asks for."""
import os

import numpy as np

from data import DIMS, OPENING, at_samples, load, read_mouth

LOCAL = 60  # samples to both sides: LOCAL_S of src/speaker/traits.c
CLIP = 2.5
OF_PERSON, SECONDS_OF_PERSON = 60, 140  # clips and seconds that are looked at
NOT_THEIR_SOUND = ("DH-1", "advr-man", "McGurk-man")
# Never looked at while anything is chosen: bench/quality/speaker.py --held-out.
HELD_OUT = ("allenye-richard", "Hou-zh1", "HDTF-AllenWest", "Deepfake-original", "GRID-s33",
            "GRID-a8")


def read_layer(take):
    n_in, n_out, n_taps, flags = (int(x) for x in take(4, "u"))
    return {"taps": take(n_taps, "i"), "weights": take(n_taps * n_in * n_out).reshape(
        n_taps, n_in, n_out), "bias": take(n_out), "residual": flags & 2}


def read_net(path):
    """mouth.bin (docs/design/motion.md), as far as the generic head."""
    raw, at = open(path, "rb").read(), 8

    def take(n, kind="f"):
        nonlocal at
        at += 4 * n
        return np.frombuffer(raw, "<" + kind + "4", n, at - 4 * n)

    _, n_layers, n_features = take(3, "u")
    net = {"layers": [read_layer(take) for _ in range(n_layers)]}
    net["embed"] = [read_layer(take), read_layer(take)] if take(1, "u")[0] else []
    net["mean"], net["inv_sd"] = take(n_features), take(n_features)
    net["head"] = take((DIMS + 2) * (n_features + 1)).reshape(DIMS + 2, -1)
    return net


def say(net, inputs, embeds):
    """(n, 13): coefficients and opening in a person's own units, of each of n samples."""
    inner = net["layers"][1:]
    before, after = (-sum(int(la["taps"][0]) for la in inner),
                     sum(int(la["taps"][-1]) for la in inner))
    samples, n = np.arange(-before, len(embeds) + after), len(embeds)
    front = net["layers"][0]
    x = np.tile(front["bias"], (len(samples), 1))
    for tap, weights in zip(front["taps"], front["weights"]):
        x = x + inputs[np.clip(2 * samples - 1 + tap, 0, len(inputs) - 1)] @ weights
    if net["embed"]:
        narrow, wide = net["embed"]
        heard = embeds[np.clip(samples, 0, n - 1)] @ narrow["weights"][0] + narrow["bias"]
        x = x + np.maximum(heard, 0) @ wide["weights"][0] + wide["bias"]
    x = np.maximum(x, 0)
    for layer in inner:
        keep = np.arange(-int(layer["taps"][0]), len(x) - int(layer["taps"][-1]))
        y = layer["bias"] + sum(x[keep + int(tap)] @ weights
                                for tap, weights in zip(layer["taps"], layer["weights"]))
        x = x[keep] + np.maximum(y, 0)
    features = (x - net["mean"]) * net["inv_sd"]
    return (features @ net["head"][:, :-1].T + net["head"][:, -1])[:, :DIMS + 1]


def centre(values, ok):
    """Without the mean of the neighbourhood, and the spread of the livelier ones."""
    values = np.where(ok[:, None], values, 0.0)
    zero = np.zeros((1, values.shape[1]))
    count = np.concatenate([[0], np.cumsum(ok)])
    total = np.concatenate([zero, np.cumsum(values, 0)])
    squares = np.concatenate([zero, np.cumsum(values ** 2, 0)])
    at = np.arange(len(values))
    lo, hi = np.maximum(at - LOCAL, 0), np.minimum(at + LOCAL + 1, len(values))
    n = np.maximum(count[hi] - count[lo], 1)[:, None]
    mean = (total[hi] - total[lo]) / n
    spread = np.sqrt(np.maximum((squares[hi] - squares[lo]) / n - mean ** 2, 0))
    return values - mean, np.percentile(spread[ok], 75, axis=0)


def standard(values, ok):
    out, spread = centre(values, ok)
    return np.clip(out / np.maximum(spread, 1e-6), -CLIP, CLIP) * ok[:, None]


def width_of(clips):
    """A mouth's width from its coefficients, near enough: (12)."""
    coefs, widths = [], []
    for clip in clips:
        seen = clip["seen"][clip["use"]]
        coefs.append(seen[:, :DIMS] - seen[:, :DIMS].mean(0))
        widths.append(seen[:, -1] - seen[:, -1].mean())
    return np.linalg.lstsq(np.concatenate(coefs), np.concatenate(widths), rcond=None)[0]


def read(rows, folder, basis, net):
    """The clips that extract and hear wrote. Each: seen (n, 14), said (n, 14), voice, use: where
    both say something of speech; plain: of training."""
    clips, used = [], {}
    for row in rows:
        n, seconds = used.get(row["identity"], (0, 0.0))
        clip = load(row, folder, basis, None)
        if row["identity"] in NOT_THEIR_SOUND or not clip or n >= OF_PERSON or \
                seconds >= SECONDS_OF_PERSON:
            continue
        used[row["identity"]] = (n + 1, seconds + float(row["seconds"]))
        raw = read_mouth(os.path.join(folder, clip["name"] + ".mouth"))
        width, _ = at_samples(raw, raw["width"][:, None], len(clip["seen"]))
        clip["seen"] = np.concatenate([clip["seen"], width], 1)
        clip["use"] = clip["ok"] & clip["active"]
        clip["said"] = say(net, clip["inputs"], clip["embeds"])
        clip["plain"] = row["split"] == "train"
        clips.append(clip)
    trained = [c for c in clips if c["plain"]]
    spread = np.mean([c["seen"][c["use"]][:, :OPENING + 1].std(0) for c in trained], 0)
    to_width = width_of(trained)
    for clip in clips:
        said = clip["said"] * spread
        clip["said"] = np.concatenate([said, said[:, :DIMS] @ to_width[:, None]], 1)
    return clips
