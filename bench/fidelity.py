#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How much the default encoding changes outside the mask: PSNR of the result against the film.

    fidelity.py LIPSYNC SECONDS FILM...     each film is cut to its first SECONDS without encoding

The voice is the film's own sound; --reencode, so that nothing is copied. Needs ffmpeg."""
import pathlib
import re
import subprocess
import sys
import tempfile


def run(*args):
    return subprocess.run([str(a) for a in args], check=True, capture_output=True).stdout


def size(path):
    text = run('ffprobe', '-v', 'error', '-select_streams', 'v:0', '-show_entries',
               'stream=width,height,codec_name', '-of', 'csv=p=0', path).decode().strip().split(',')
    return text[0], int(text[1]), int(text[2])


def video_bytes(path):
    text = run('ffprobe', '-v', 'error', '-select_streams', 'v:0', '-show_entries', 'packet=size',
               '-of', 'csv=p=0', path).decode().replace(',', ' ').split()
    return sum(int(t) for t in text)


def outside(before, after, mask):
    """Luma PSNR, mean and worst frame, with what lies inside the mask taken from the film. (Over
    the whole picture: with a mask of a tenth of it the true figure is 0.5 dB lower.)"""
    shown = run('ffprobe', '-v', 'error', '-select_streams', 'v:0', '-count_packets',
                '-show_entries', 'stream=nb_read_packets', '-of', 'csv=p=0', after)
    graph = (f'[0:v]trim=end_frame={int(shown.split(b",")[0])},extractplanes=y,split[a][b];'
             '[1:v]extractplanes=y[c];[2:v]extractplanes=y[m];'
             '[c][a][m]maskedmerge[d];[d][b]psnr=shortest=1')
    text = subprocess.run(
        ['ffmpeg', '-v', 'info', '-i', before, '-i', after, '-i', mask, '-filter_complex', graph,
         '-f', 'null', '-'],
        check=True, capture_output=True, text=True).stderr
    return [float(v) for v in re.search(r'average:([\d.]+|inf) min:([\d.]+|inf)', text).groups()]


def measure(lipsync, seconds, film, folder):
    film = pathlib.Path(film)
    source = folder / ('source' + film.suffix)
    run('ffmpeg', '-v', 'error', '-y', '-i', film, '-t', seconds, '-c', 'copy', source)
    out, mask = folder / ('out' + film.suffix), folder / 'mask.mkv'
    run(lipsync, source, source, '-o', out, '--mask', mask, '--overwrite', '--reencode', '--sync',
        'cut_off', '--progress', 'none', '--threads', '1')
    codec, w, h = size(source)
    mean, worst = outside(source, out, mask)
    print(f'| {film.stem} | {codec} | {w} × {h} | {video_bytes(source) * 8 / seconds / 1e3:.0f} | '
          f'{video_bytes(out) * 8 / seconds / 1e3:.0f} | {mean:.1f} | {worst:.1f} |', flush=True)


def main():
    lipsync, seconds, films = sys.argv[1], float(sys.argv[2]), sys.argv[3:]
    print('| film | codec | size | its kbit/s | ours | PSNR outside, dB | worst frame |')
    print('|---|---|---|---|---|---|---|')
    for film in films:
        with tempfile.TemporaryDirectory() as folder:
            measure(lipsync, seconds, film, pathlib.Path(folder))


main()
