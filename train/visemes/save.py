# SPDX-License-Identifier: MIT
"""Writes visemes.bin ("LIPVISEM": docs/design/motion.md), manifest.json and the parity vectors in
one act."""
import hashlib
import json
import os
import struct

import numpy as np

import export as motion
from phones import CLASSES


def write_all(out, model, config, clips, say):
    os.makedirs(out, exist_ok=True)
    features = np.concatenate([say(model, c)[0][c["voice"] > 0.3] for c in clips[::4]])
    mean, inv_sd = features.mean(0), 1 / np.maximum(features.std(0), 0.02)
    weight, bias = model.head.weight.detach().numpy()[:, :, 0], model.head.bias.detach().numpy()
    head = np.concatenate([weight / inv_sd, (bias + weight @ mean)[:, None]], 1)
    body = struct.pack("<III", 1, 1 + len(config["layer_taps"]), config["width"])
    body += motion.layer_bytes(model.front, config["front_taps"], motion.RECTIFIER)
    for layer, taps in zip(model.layers, config["layer_taps"]):
        body += motion.layer_bytes(layer, taps, motion.RECTIFIER | motion.RESIDUAL)
    body += motion.embed_bytes(model)
    for values in (mean, inv_sd, head):
        body += np.asarray(values, "<f4").tobytes()
    motion.put(out, "visemes.bin", b"LIPVISEM" + body)
    motion.put(out, "viseme_vectors.bin", motion.vectors(model, mean, inv_sd))
    about = {"name": "visemes", "version": 1, "licence": "MIT", "classes": CLASSES,
             "files": {"visemes.bin": hashlib.sha256(b"LIPVISEM" + body).hexdigest()},
             "config": config,
             "clips": sorted(c["name"] for c in clips if "words" in c)}
    with open(os.path.join(out, "visemes.json"), "w", encoding="utf-8") as f:
        json.dump(about, f, indent=1)
        f.write("\n")
