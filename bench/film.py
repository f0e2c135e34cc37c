#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How long a whole film takes, beside a plain FFmpeg re-encode with the same encoder settings, in
turn on the same machine.

    bench/film.py LIPSYNC FILM VOICE [RUNS]

Prints medians of wall time and processor time, peak memory, the ratio pair by pair, and where the
time goes."""
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

# What media/encoder.c asks of x264 for films up to 1080p.
X264 = ['-c:v', 'libx264', '-preset', 'medium', '-crf', '16', '-threads', '4', '-x264-params',
        'rc-lookahead=6:sync-lookahead=0:cpu-independent=1']


def measured(args):
    """Wall seconds, processor seconds, peak MB and stdout of a command."""
    begin = time.monotonic()
    child = subprocess.Popen([str(a) for a in args], stdout=subprocess.PIPE)
    out = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit(f'{args[0]} ended with {child.returncode}')
    return (time.monotonic() - begin, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, out)


def main():
    lipsync, film, voice = sys.argv[1:4]
    runs = int(sys.argv[4]) if len(sys.argv) > 4 else 3
    rows, plain, stages = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / 'out.mp4'
        for _ in range(runs):
            row = measured([lipsync, film, voice, '-o', out, '--sync', 'cut_off', '--overwrite',
                            '--progress', 'none', '--json'])
            result = json.loads(row[3])
            rows.append(row)
            stages.append(result['stage_s'])
            length = f"{result['duration_s']:.3f}"
            plain.append(measured(['ffmpeg', '-v', 'error', '-y', '-i', film, '-i', voice, '-map',
                                   '0:v', '-map', '1:a', '-t', length, *X264, out]))
    median = statistics.median
    print(f"{result['frames']} frames, {result['duration_s']:.2f} s, {os.cpu_count()} processors, "
          f'{runs} runs, load {os.getloadavg()[0]:.1f}')
    for name, group in (('lipsync', rows), ('ffmpeg re-encode', plain)):
        print(f'{name:18s} {median(r[0] for r in group):7.2f} s wall '
              f'{median(r[1] for r in group):7.2f} s processor {max(r[2] for r in group):7.0f} MB')
    for i, what in ((0, 'wall'), (1, 'processor')):
        ratios = [a[i] / b[i] for a, b in zip(rows, plain)]
        print(f'{what} ratio: median {median(ratios):.2f} '
              f'(min {min(ratios):.2f}, max {max(ratios):.2f})')
    for name in stages[0]:
        print(f'  {name:8s} {median(s[name] for s in stages):6.2f} s')
    print(f"{result['duration_s'] / median(r[0] for r in rows):.2f} x real time")


main()
