# SPDX-License-Identifier: MIT
"""The same sentences from other throats, in other rooms, through other lines.

  augment.py SAMPLES_DIR OUT_DIR N CLIP.f32...    (SAMPLES_DIR: hear.c, also for --babble)

Writes N variants of each clip's sound, OUT_DIR/<clip>.<k>.wav, and OUT_DIR/variants.tsv: name,
clip, speed. What is done to sound here cannot be done to rows of features: pitch and vocal tract,
speed, rooms, music, other voices, noise, codecs, clipping."""
import hashlib
import os
import subprocess
import sys
import wave

import numpy as np

RATE_HZ = 16000
CODECS = [("libopus", "ogg", "12k"), ("libopus", "ogg", "20k"), ("libmp3lame", "mp3", "32k"),
          ("pcm_mulaw", "wav", None)]


def ffmpeg(samples, before, after):
    """Samples through one ffmpeg: filters or codec options before, the rest after."""
    command = ["ffmpeg", "-v", "error", "-f", "f32le", "-ar", str(RATE_HZ), "-ac", "1", "-i",
               "-"] + before
    done = subprocess.run(command, input=samples.astype("<f4").tobytes(), stdout=subprocess.PIPE,
                          check=True).stdout
    if not after:
        return np.frombuffer(done, "<f4")
    done = subprocess.run(["ffmpeg", "-v", "error", "-i", "-"] + after, input=done,
                          stdout=subprocess.PIPE, check=True).stdout
    return np.frombuffer(done, "<f4")


RAW = ["-f", "f32le", "-ar", str(RATE_HZ), "-ac", "1", "-"]


def throat_and_speed(x, rng):
    """Pitch and formants by a ratio, then tempo: (samples, speed)."""
    ratio, speed = rng.uniform(0.87, 1.15), rng.uniform(0.86, 1.18)
    chain = f"asetrate={RATE_HZ * ratio:.0f},aresample={RATE_HZ},atempo={speed / ratio:.5f}"
    return ffmpeg(x, ["-af", chain] + RAW, None), speed


def room(x, rng):
    """A direct sound and an exponentially decaying tail of noise."""
    rt60, share = rng.uniform(0.15, 0.6), rng.uniform(0.1, 0.5)
    n = int(RATE_HZ * rt60)
    tail = rng.standard_normal(n) * 10 ** (-3 * np.arange(n) / n)
    tail[:int(RATE_HZ * 0.004)] = 0
    tail *= share / np.sqrt((tail ** 2).sum())
    size = 1 << (len(x) + n).bit_length()
    wet = np.fft.irfft(np.fft.rfft(x, size) * np.fft.rfft(tail, size), size)[:len(x)]
    return x + wet


def noise(n, rng):
    """Noise whose spectrum falls by 0 to 6 dB an octave."""
    spectrum = np.fft.rfft(rng.standard_normal(n))
    spectrum /= np.maximum(np.arange(len(spectrum)), 8) ** rng.uniform(0, 1)
    return np.fft.irfft(spectrum, n)


def music(n, rng):
    """Chords with a beat: decaying harmonics on a random scale."""
    t, out = np.arange(n) / RATE_HZ, np.zeros(n)
    beat = rng.uniform(0.25, 0.6)
    for begin in np.arange(0, n / RATE_HZ, beat):
        i = int(begin * RATE_HZ)
        s = t[:min(n - i, RATE_HZ * 2)]
        for _ in range(rng.integers(1, 4)):
            f = 110 * 2 ** (rng.integers(0, 30) / 12)
            wave_ = sum(np.sin(2 * np.pi * f * k * s) / k for k in range(1, 6))
            out[i:i + len(s)] += wave_ * np.exp(-s / rng.uniform(0.1, 0.5))
        if rng.random() < 0.5:
            out[i:i + len(s)] += 2 * rng.standard_normal(len(s)) * np.exp(-s / 0.04)
    return out


def babble(n, voices, rng):
    out = np.zeros(n)
    for _ in range(rng.integers(1, 5)):
        voice = voices[rng.integers(len(voices))]
        out += np.resize(np.roll(voice, rng.integers(len(voice))), n)
    return out


def mix(x, other, snr_db):
    level = np.sqrt((x ** 2).mean() / max((other ** 2).mean(), 1e-12))
    return x + other * level * 10 ** (-snr_db / 20)


def tone(x, rng):
    """A microphone: a smooth random response of +-6 dB."""
    spectrum = np.fft.rfft(x)
    at = np.log2(np.maximum(np.arange(len(spectrum)) / len(spectrum) * 8000, 60) / 60)
    curve = np.interp(at, np.linspace(0, at[-1], 7), rng.normal(0, 3, 7))
    return np.fft.irfft(spectrum * 10 ** (curve / 20), len(x))


def codec(x, rng):
    name, form, rate = CODECS[rng.integers(len(CODECS))]
    options = ["-c:a", name, "-f", form] + (["-b:a", rate] if rate else ["-ar", "8000"])
    return ffmpeg(x, options + ["-"], RAW)


def variant(x, voices, rng):
    """(samples, speed) of one other way to hear the clip."""
    x, speed = throat_and_speed(x.astype(np.float64), rng)
    n = len(x)
    if rng.random() < 0.5:
        x = tone(x, rng)
    if rng.random() < 0.4:
        x = room(x, rng)
    kind = rng.random()
    if kind < 0.3:
        x = mix(x, noise(n, rng), rng.uniform(5, 30))
    elif kind < 0.5:
        x = mix(x, music(n, rng), rng.uniform(6, 25))
    elif kind < 0.6:
        x = mix(x, babble(n, voices, rng), rng.uniform(10, 25))
    peak = np.abs(x).max() + 1e-9
    x = x / peak * 10 ** rng.uniform(-1.2, 0)
    if rng.random() < 0.1:
        x = np.clip(x * rng.uniform(1, 3), -1, 1)
    if rng.random() < 0.4:
        x = np.resize(codec(x, rng), n) if n > RATE_HZ // 4 else x
    return x, speed


def write_wav(path, x):
    with wave.open(path, "wb") as f:
        f.setnchannels(1)
        f.setsampwidth(2)
        f.setframerate(RATE_HZ)
        x = np.clip(np.round(np.asarray(x) * 32767), -32768, 32767)
        f.writeframes(x.astype("<i2").tobytes())


def main():
    samples_dir, out, n = sys.argv[1], sys.argv[2], int(sys.argv[3])
    voices = [np.fromfile(os.path.join(samples_dir, name), "<f4")
              for name in sorted(os.listdir(samples_dir))[:40]]
    voices = [v / (np.sqrt((v ** 2).mean()) + 1e-6) for v in voices if len(v) > RATE_HZ]
    lines = []
    for path in sys.argv[4:]:
        x = np.fromfile(path, "<f4")
        clip = os.path.basename(path)[:-4]
        for k in range(n):
            name = f"{clip}.{k}.wav"
            seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little")
            rng = np.random.default_rng(seed)
            if os.path.exists(os.path.join(out, name)):
                continue
            y, speed = variant(x, voices, rng)
            write_wav(os.path.join(out, name), y)
            with open(os.path.join(out, "variants.tsv"), "a", encoding="utf-8") as f:
                f.write(f"{name}\t{clip}\t{speed:.6f}\n")


if __name__ == "__main__":
    main()
