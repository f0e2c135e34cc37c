# SPDX-License-Identifier: MIT
"""The directions in which mouths move: PCA over people's canonical shapes, without what a clip has
all the time, of the points below the nose. Writes basis.bin ("LIPBASIS", src/data/curve.c)."""
import os
import struct

import numpy as np

from data import DIMS, POINTS, read_mouth

DEPTH_WEIGHT = 0.5  # the mesh's depth is its least certain number
NOSE_BASE, LIP_TOP = 2, 0


def fade(shape):
    """0 above the nose's base, 1 from half way between it and the upper lip on."""
    nose, lip = shape[NOSE_BASE, 1], shape[LIP_TOP, 1]
    x = np.clip((shape[:, 1] - nose) / (0.5 * (lip - nose)), 0, 1)
    return x * x * (3 - 2 * x)


def learn(rows, folder):
    """(components (12, 468, 3), share of the variance they hold)."""
    people, shapes = {}, []
    for row in rows:
        path = os.path.join(folder, os.path.basename(row["file"]) + ".mouth")
        if not os.path.exists(path):
            continue
        clip = read_mouth(path)
        frames = clip["canon"][clip["valid"]]
        if len(frames) < 25:
            continue
        shapes.append(frames.mean(0))
        moves = (frames - frames.mean(0)).astype(np.float64)
        people.setdefault(row["identity"], []).append(moves)
    weight = fade(np.mean(shapes, 0))[:, None] * np.array([1.0, 1.0, DEPTH_WEIGHT])
    total = np.zeros((POINTS * 3, POINTS * 3))
    for moves in people.values():
        moves = np.concatenate(moves)[:3000] * weight
        flat = moves.reshape(len(moves), -1)
        size = (flat ** 2).sum(1).mean()
        total += flat.T @ flat / len(flat) / max(size, 1e-12) ** 0.5
    values, vectors = np.linalg.eigh(total)
    order = np.argsort(values)[::-1][:DIMS]
    share = values[order].sum() / values.sum()
    comp = vectors[:, order].T.reshape(DIMS, POINTS, 3)
    # Back to true depth, then orthonormal again, in the order of importance.
    comp = comp / np.where(weight > 0, np.array([1.0, 1.0, DEPTH_WEIGHT]), 1.0)
    q, r = np.linalg.qr(comp.reshape(DIMS, -1).T)
    comp = (q * np.sign(np.diag(r))).T.reshape(DIMS, POINTS, 3) * (weight[:, :1] > 0)
    if comp[0, 14, 1] < 0:
        comp[0] *= -1  # the first one opens the mouth
    return comp, share


def write(path, comp, sd):
    with open(path, "wb") as f:
        f.write(b"LIPBASIS" + struct.pack("<III", 1, DIMS, POINTS))
        f.write(np.asarray(sd, "<f4").tobytes() + np.asarray(comp, "<f4").tobytes())


def read(path):
    raw = open(path, "rb").read()
    values = np.frombuffer(raw, "<f4", offset=20)
    return values[DIMS:].reshape(DIMS, POINTS, 3), values[:DIMS]
