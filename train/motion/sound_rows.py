# SPDX-License-Identifier: MIT
"""The rows of src/speech, computed with numpy: the second opinion of the parity test.

`python3 train/motion/sound_rows.py tests/parity/speech_rows.bin` writes the vectors anew:
  "LIPSPVEC", u32 n_samples, u32 n_rows, i16 samples (scale 1/32768), f32 rows [80 mel, energy].
"""
import struct
import sys

import numpy as np

RATE_HZ, HOP, WINDOW, FFT, BANDS = 16000, 160, 400, 512, 80
FLOOR = 1e-10


def mel_of_hz(f_hz):
    return 2595.0 * np.log10(1.0 + f_hz / 700.0)


def bank():
    """Weights (80, 257): triangles of height 1, straight in mel."""
    low, high = mel_of_hz(50.0), mel_of_hz(7600.0)
    step = (high - low) / (BANDS + 1)
    centres = low + step * np.arange(1, BANDS + 1)
    bins = mel_of_hz(np.arange(FFT // 2 + 1) * RATE_HZ / FFT)
    weights = np.maximum(0.0, 1.0 - np.abs(bins[None, :] - centres[:, None]) / step)
    weights[:, 0] = 0.0
    return weights


def rows(samples):
    """(n_rows, 81): log-mel and log energy of float samples in -1..1."""
    n = len(samples)
    n_rows = 0 if n <= WINDOW // 2 else -(-(n - WINDOW // 2) // HOP)
    padded = np.concatenate([samples, np.zeros(WINDOW)]).astype(np.float64)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)
    weights = bank()
    out = np.zeros((n_rows, BANDS + 1), np.float32)
    for i in range(n_rows):
        piece = padded[i * HOP:i * HOP + WINDOW]
        power = np.abs(np.fft.rfft(piece * window, FFT)) ** 2
        out[i, :BANDS] = np.log(np.maximum(weights @ power, FLOOR))
        out[i, BANDS] = np.log(max(np.mean(piece ** 2), FLOOR))
    return out


def test_signal(n=6000, seed=7):
    """A gliding buzz, noise, silence: every band sees something."""
    rng = np.random.default_rng(seed)
    t = np.arange(n) / RATE_HZ
    phase = 2 * np.pi * np.cumsum(110 + 60 * t / t[-1]) / RATE_HZ
    buzz = sum(np.cos(k * phase) / k for k in range(1, 40))
    signal = 0.1 * buzz * (0.6 + 0.4 * np.sin(2 * np.pi * 4 * t))
    signal[n // 3:n // 2] += 0.1 * rng.standard_normal(n // 2 - n // 3)
    signal[3 * n // 4:3 * n // 4 + 900] = 0.0
    return np.clip(np.round(signal * 32768 * 0.7), -32768, 32767).astype(np.int16)


def main():
    samples = test_signal()
    expected = rows(samples / 32768.0)
    with open(sys.argv[1], "wb") as f:
        f.write(b"LIPSPVEC" + struct.pack("<II", len(samples), len(expected)))
        f.write(samples.astype("<i2").tobytes() + expected.astype("<f4").tobytes())


if __name__ == "__main__":
    main()
