#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Does the path hold for faces that are drawn, painted or rendered?

    drawn.py LIPSYNC OUT_DIR [CLIP...]

Draws heads with Cairo, renders one by marching rays through distances, and styles frames of the
CLIPs (posterised, painted, pencil, comic), all into OUT_DIR. For each: whether a face is found, and
what a second of speech makes of it. Needs ffmpeg, python3-cairo and python3-numpy."""
import json
import math
import os
import subprocess
import sys

import cairo
import numpy as np

SIZE = 512
RENDERED = 256 # marching rays is slow


def save(surface, path):
    surface.write_to_png(path)


def ellipse(c, x, y, rx, ry, fill=None, line=None, width=4):
    c.save()
    c.translate(x, y)
    c.scale(rx, ry)
    c.arc(0, 0, 1, 0, 2 * math.pi)
    c.restore()
    if fill:
        c.set_source_rgb(*fill)
        c.fill_preserve() if line else c.fill()
    if line:
        c.set_source_rgb(*line)
        c.set_line_width(width)
        c.stroke()


def stroke(c, points, width, colour=(0, 0, 0)):
    c.move_to(*points[0])
    c.curve_to(*points[1], *points[2], *points[3])
    c.set_line_width(width)
    c.set_source_rgb(*colour)
    c.stroke()


def drawn(path, kind):
    """kind: line, flat, shaded, anime, smiley."""
    s = cairo.ImageSurface(cairo.FORMAT_RGB24, SIZE, SIZE)
    c = cairo.Context(s)
    c.set_source_rgb(*(1, 1, 1) if kind == "line" else (0.55, 0.7, 0.8))
    c.paint()
    ink = (0.1, 0.08, 0.08)
    skin = {"line": (1, 1, 1), "smiley": (1, 0.85, 0.2)}.get(kind, (0.93, 0.76, 0.65))
    if kind not in ("line", "smiley"):
        c.rectangle(206, 380, 100, 132)
        c.set_source_rgb(0.85, 0.66, 0.55)
        c.fill()
        ellipse(c, 256, 190, 158, 160, (0.25, 0.16, 0.1))
    ellipse(c, 256, 260, 150 if kind == "smiley" else 132, 150 if kind == "smiley" else 172, skin,
            ink)
    if kind == "shaded":
        light = cairo.LinearGradient(150, 150, 400, 300)  # from the left
        light.add_color_stop_rgba(0, 1, 1, 0.9, 0.25)
        light.add_color_stop_rgba(1, 0.25, 0.08, 0.05, 0.45)
        c.save()
        c.translate(256, 260)
        c.scale(130, 170)
        c.arc(0, 0, 1, 0, 2 * math.pi)
        c.restore()
        c.set_source(light)
        c.fill()
    big = 1.9 if kind == "anime" else 1.0
    for x in (200, 312):
        high = 22 if kind == "smiley" else 14
        ellipse(c, x, 240, 24 * big, high * big * (1.3 if big > 1 else 1),
                (1, 1, 1) if kind != "smiley" else ink, ink, 3)
        if kind != "smiley":
            ellipse(c, x, 240, 11 * big, 11 * big * (1.2 if big > 1 else 1), (0.25, 0.4, 0.35))
            ellipse(c, x, 240, 5 * big, 5 * big, ink)
            ellipse(c, x - 4, 235, 3 * big, 3 * big, (1, 1, 1))
            stroke(c, [(x - 32, 208), (x - 15, 194), (x + 15, 194), (x + 32, 206)], 7, ink)
    if kind == "smiley":
        stroke(c, [(186, 310), (220, 370), (292, 370), (326, 310)], 8, ink)
        save(s, path)
        return
    if kind == "anime":
        stroke(c, [(252, 300), (254, 308), (258, 310), (262, 308)], 3, ink)
        stroke(c, [(232, 352), (245, 358), (267, 358), (280, 352)], 4, ink)
        save(s, path)
        return
    stroke(c, [(262, 240), (272, 280), (285, 305), (258, 312)], 3, ink)
    stroke(c, [(238, 312), (246, 320), (266, 320), (276, 312)], 3, ink)
    lips = (0.78, 0.36, 0.36) if kind != "line" else (1, 1, 1)
    c.move_to(206, 356)
    c.curve_to(230, 338, 248, 338, 256, 346)
    c.curve_to(264, 338, 282, 338, 306, 356)
    c.curve_to(284, 386, 228, 386, 206, 356)
    c.set_source_rgb(*lips)
    c.fill_preserve()
    c.set_source_rgb(*ink)
    c.set_line_width(2)
    c.stroke()
    stroke(c, [(206, 356), (240, 362), (272, 362), (306, 356)], 3, ink)
    save(s, path)


def smooth_min(a, b, k):
    h = np.clip(0.5 + 0.5 * (b - a) / k, 0, 1)
    return b * (1 - h) + a * h - k * h * (1 - h)


def ball(p, at, r):
    """An ellipsoid's distance, nearly."""
    q = (p - np.array(at)) / np.array(r)
    return (np.linalg.norm(q, axis=-1) - 1) * min(r)


def head(p):
    """(distance, material) of a head that looks along -z; y down."""
    p = p.copy()
    p[..., 0] = np.abs(p[..., 0])
    skull = ball(p, (0, -0.15, 0.1), (0.72, 0.85, 0.85))
    d = smooth_min(skull, ball(p, (0, 0.5, -0.1), (0.5, 0.5, 0.6)), 0.25)
    d = smooth_min(d, ball(p, (0, 0.95, 0.3), (0.36, 0.6, 0.36)), 0.15)
    d = smooth_min(d, ball(p, (0.38, 0.2, -0.42), (0.22, 0.2, 0.2)), 0.2)  # cheek
    d = smooth_min(d, ball(p, (0, 0.86, -0.52), (0.2, 0.14, 0.14)), 0.15)  # chin
    d = -smooth_min(-d, ball(p, (0.28, -0.12, -0.85), (0.2, 0.13, 0.2)), 0.1)  # socket
    d = smooth_min(d, ball(p, (0.28, -0.28, -0.66), (0.22, 0.06, 0.1)), 0.06)  # brow
    d = smooth_min(d, ball(p, (0, 0.1, -0.8), (0.08, 0.26, 0.14)), 0.08)
    d = smooth_min(d, ball(p, (0, 0.26, -0.9), (0.11, 0.09, 0.12)), 0.06)  # nose
    d = smooth_min(d, ball(p, (0.1, 0.3, -0.8), (0.07, 0.06, 0.09)), 0.05)
    upper = ball(p, (0.07, 0.5, -0.75), (0.17, 0.045, 0.08))
    lower = ball(p, (0.0, 0.6, -0.74), (0.2, 0.06, 0.09))
    lips = np.minimum(upper, lower)
    eye = ball(p, (0.28, -0.1, -0.66), (0.12, 0.12, 0.12))
    ear = ball(p, (0.74, 0.05, 0.15), (0.08, 0.22, 0.14))
    hair = np.maximum(ball(p, (0, -0.3, 0.25), (0.8, 0.85, 0.85)), p[..., 1] + 0.3 - p[..., 2])
    parts = np.stack([np.minimum(d, ear), lips, eye, hair])
    return parts.min(0), parts.argmin(0)


def rendered(path, yaw=0.0, textured=True):
    y, x = np.mgrid[0:RENDERED, 0:RENDERED]
    rays = np.stack([(x - RENDERED / 2) / RENDERED * 1.1, (y - RENDERED / 2) / RENDERED * 1.1,
                     np.full(x.shape, 1.6)], -1).astype(float)
    rays /= np.linalg.norm(rays, axis=-1, keepdims=True)
    turn = np.array([[math.cos(yaw), 0, math.sin(yaw)], [0, 1, 0],
                     [-math.sin(yaw), 0, math.cos(yaw)]])
    rays, eye = rays @ turn.T, np.array([0, 0.12, -4.2]) @ turn.T
    t = np.full(x.shape, 2.2)
    for _ in range(24):
        t += 0.9 * head(eye + rays * t[..., None])[0]
    p = eye + rays * t[..., None]
    d, material = head(p)
    e = 2e-3
    n = np.stack([head(p + e * axis)[0] - head(p - e * axis)[0] for axis in np.eye(3)], -1)
    n /= np.linalg.norm(n, axis=-1, keepdims=True) + 1e-9
    light = np.array([-0.4, -0.6, -0.7]) / np.linalg.norm([-0.4, -0.6, -0.7])
    shade = 0.35 + 0.65 * np.clip((n * light).sum(-1), 0, 1)
    colours = np.array([[0.85, 0.64, 0.53], [0.7, 0.36, 0.34], [0.95, 0.95, 0.95],
                        [0.2, 0.13, 0.09]])
    colour = colours[material]
    q = np.abs(p - np.array([0, -0.1, 0]))
    iris = (material == 2) & (np.hypot(np.abs(p[..., 0]) - 0.28, p[..., 1] + 0.1) < 0.055)
    colour = np.where(iris[..., None], [0.15, 0.25, 0.2], colour)
    brow = (material == 0) & (np.abs(q[..., 0] - 0.28) < 0.18) & \
        (np.abs(p[..., 1] + 0.31 - 0.1 * np.abs(np.abs(p[..., 0]) - 0.28)) < 0.035) & \
        (p[..., 2] < 0)
    colour = np.where(brow[..., None], [0.22, 0.14, 0.1], colour)
    line = (np.abs(p[..., 1] - 0.545) < 0.012) & (np.abs(p[..., 0]) < 0.22) & (p[..., 2] < -0.5)
    colour = np.where(line[..., None], [0.25, 0.1, 0.1], colour)
    if textured:
        rng = np.random.default_rng(1)
        colour = colour * (1 + 0.03 * rng.standard_normal(x.shape)[..., None])
    picture = np.where((d < 0.02)[..., None], colour * shade[..., None], [0.5, 0.55, 0.6])
    data = (np.clip(picture, 0, 1) ** (1 / 1.8) * 255).astype(np.uint8)
    bgrx = np.zeros((RENDERED, RENDERED, 4), np.uint8)
    bgrx[..., :3] = data[..., ::-1]
    save(cairo.ImageSurface.create_for_data(bgrx, cairo.FORMAT_RGB24, RENDERED, RENDERED), path)


STYLES = {
    "posterised": "lutyuv=y='floor(val/40)*40+20':u='floor(val/16)*16+8':v='floor(val/16)*16+8'",
    "painted": "median=radius=4,median=radius=3,unsharp=5:5:1.5",
    "pencil": "format=gray,edgedetect=low=0.03:high=0.1,negate,format=yuv420p",
    "comic": "median=radius=3,lutyuv=y='floor(val/32)*32+16',split[a][b];[b]edgedetect=low=0.06:"
             "high=0.15,negate,format=yuv420p[c];[a][c]blend=c0_mode=multiply:c1_mode=normal:"
             "c2_mode=normal",
    "grey": "hue=s=0",
}


def style(clip, name, path):
    subprocess.run(["ffmpeg", "-v", "error", "-y", "-ss", "0.5", "-i", clip, "-an", "-vf",
                    "scale='min(640,iw)':-2,format=yuv420p," + STYLES[name], "-frames:v", "12",
                    "-c:v", "libx264", "-crf", "12", "-pix_fmt", "yuv420p", path], check=True)


def ask(lipsync, path, sound, out):
    """A line of the table: what became of it."""
    done = subprocess.run([lipsync, "faces", path, "--json", "--progress", "none", "--threads",
                           "1"], capture_output=True, text=True)
    faces = json.loads(done.stdout) if done.returncode == 0 and done.stdout.strip() else []
    done = subprocess.run([lipsync, path, sound, "-o", out, "--overwrite", "--json", "--progress",
                           "none", "--threads", "1", "--sync", "bounce"], capture_output=True,
                          text=True)
    if done.returncode:
        return f"{len(faces)} | {done.stderr.strip().splitlines()[-1]}"
    got = json.loads(done.stdout)
    declined = ", ".join(f"{k} {v}" for k, v in got["declined"].items() if v)
    return (f"{len(faces)} | {got['edited'] + got['matching']} of {got['frames']}"
            f"{', declined: ' + declined if declined else ''} | {got['verdict']}")


def main():
    lipsync, out, clips = sys.argv[1], sys.argv[2], sys.argv[3:]
    os.makedirs(out, exist_ok=True)
    def at(name):
        return os.path.join(out, name)
    sound = at("voice.wav")
    subprocess.run(["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i",
                    "aevalsrc='0.4*sin(2*PI*140*t)*(0.5+0.5*sin(2*PI*4*t))':s=16000:d=1", sound],
                   check=True)
    paths = []
    for kind in ("line", "flat", "shaded", "anime", "smiley"):
        drawn(at(f"drawn-{kind}.png"), kind)
        paths.append(at(f"drawn-{kind}.png"))
    for name, yaw, textured in (("front", 0, True), ("turned", 0.5, True), ("plain", 0, False)):
        rendered(at(f"rendered-{name}.png"), yaw, textured)
        paths.append(at(f"rendered-{name}.png"))
    for k, clip in enumerate(clips):
        for name in STYLES:
            style(clip, name, at(f"{name}-{k}.mp4"))
            paths.append(at(f"{name}-{k}.mp4"))
    for path in paths:
        stem = os.path.splitext(os.path.basename(path))[0]
        print(f"| {stem} | {ask(lipsync, path, sound, at(stem + '-out.mp4'))} |", flush=True)


if __name__ == "__main__":
    main()
