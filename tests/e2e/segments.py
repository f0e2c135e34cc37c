#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Parts of a film with voices of their own: what is heard and seen when, to the tick.

    segments.py CASE LIPSYNC"""
import array
import json
import subprocess

import e2e
from e2e import CLIP, ffmpeg, frame_hashes, lipsync, probe, run, video_seconds, voice


def samples(path, rate=44100):
    """The sound as 16-bit mono samples."""
    done = subprocess.run(['ffmpeg', '-v', 'error', '-i', str(path), '-map', '0:a:0', '-f', 's16le',
                           '-ar', str(rate), '-'], capture_output=True, check=True)
    return array.array('h', done.stdout)


def sounding_film(folder, seconds, name='film.mkv', codec=('-c:a', 'flac')):
    """Three seconds or so of the clip with a steady tone, in groups of half a second."""
    path = folder / name
    ffmpeg('-ss', 60, '-t', seconds, '-i', CLIP, '-f', 'lavfi', '-i',
           f"aevalsrc='0.2*sin(2*PI*330*t)':s=44100:d={seconds}", '-map', '0:v', '-map', '1:a',
           '-r', '24', '-c:v', 'libx264', '-crf', 18, '-g', 12, *codec, path)
    return path


def segment_durations(folder):
    """Every length policy with segments: exact to the tick, in picture and sound."""
    source = sounding_film(folder, 3, 'film.mp4', ('-c:a', 'aac'))
    score, film_s = folder / 'film.score', video_seconds(source)
    for voice_s in (0.41, 1.83):
        sound = voice(folder, voice_s, f'{voice_s}.wav')
        for sync in ('bounce', 'loop', 'cut_off', 'silence', 'remap'):
            want, segments = film_s, []
            for start, end in ((0, 0.7), (1.01, 1.9), (2.5, 2.9)):
                length = end - start
                want += {'cut_off': min(voice_s, length), 'silence': max(voice_s, length)}.get(
                    sync, voice_s) - length
                segments += ['--segment', f'{start}-{end}={sound}']
            out = folder / 'out.mp4'
            lipsync(source, *segments, '-o', out, '--sync', sync, '--overwrite', '--score', score,
                    '--tier', 'fast')
            got = video_seconds(out)
            sound_s = float(probe(out, 'stream=duration', 'a:0')['streams'][0]['duration'])
            print(f'{sync}: pieces of {voice_s} s -> picture {got:.4f} s, sound {sound_s:.4f} s, '
                  f'wanted {want:.4f} s')
            assert abs(got - want) < 0.001 and abs(sound_s - want) < 0.001, (sync, want)


def largest_step(sound, start_s, end_s, rate=44100):
    part = sound[int(start_s * rate):int(end_s * rate)]
    return max(abs(a - b) for a, b in zip(part, part[1:]))


def segments(folder):
    """Outside of segments picture and sound are the film's, to the bit; inside they are new."""
    source, score = sounding_film(folder, 4), folder / 'film.score'
    sound = voice(folder, 1.4)
    fast = ['--score', score, '--tier', 'fast', '--overwrite', '--json']
    out, again = folder / 'out.mkv', folder / 'again.mkv'
    (folder / 'list.json').write_text(json.dumps({
        'audio': {'a': 'voice.wav'},
        'segments': [{'startTime': 1.5, 'endTime': 2.5,
                      'audioInput': {'refId': 'a', 'startTime': 0.2, 'endTime': 1.2},
                      'optionsOverride': {'sync_mode': 'cut_off', 'face': 1}}]}))
    got = json.loads(lipsync(source, '--segments', folder / 'list.json', '-o', out, *fast).stdout)
    lipsync(source, '--segment', f'1.5-2.5={sound}:0.2-1.2,sync=cut_off,speaker=1', '-o', again,
            *fast)
    assert frame_hashes(out) == frame_hashes(again) and samples(out) == samples(again)
    before, after = frame_hashes(source), frame_hashes(out)
    assert len(before) == len(after) == 96
    same = [a == b for a, b in zip(before, after)]
    assert all(same[:36]) and all(same[60:]) and sum(same[36:60]) < 6, same
    assert got['copied'] >= 60 and got['outside'] == 72 and got['edited'] > 15, got
    heard, was, new = samples(out), samples(source), samples(sound)
    a, b = int(1.5 * 44100), int(2.5 * 44100)
    assert 0 <= len(was) - len(heard) < 50 # Matroska's pictures last whole milliseconds
    same_sound = heard[:a] == was[:a] and heard[b:] == was[b:len(heard)]
    assert same_sound, 'the film\'s own sound was changed'
    edge = int(0.008 * 44100) + 1
    assert heard[a + edge:b - edge] == new[int(0.2 * 44100):][edge:b - a - edge]
    steps = [largest_step(heard, t - 0.02, t + 0.02) for t in (1.5, 2.5)]
    assert max(steps) < 1.2 * max(largest_step(was, 1, 1.1), largest_step(new, 0, 1.4)), steps
    # The same with a voice that lies on the film's clock, and twice in one run.
    long_voice = voice(folder, 4, 'long.wav')
    got = json.loads(lipsync(source, long_voice, '--only', '0:01-0:02', '--only', '3-4', '-o', out,
                             *fast).stdout)
    heard, new = samples(out), samples(long_voice)
    assert got['outside'] == 48 and got['edited'] > 35, got
    for start, end, want in ((0, 1, was), (1, 2, new), (2, 3, was), (3, 4, new)):
        a, b = start * 44100 + edge, min(end * 44100, len(heard)) - edge
        assert heard[a:b] == want[a:b], start
    record = json.loads((folder / 'out.mkv.lipsync.json').read_text())
    assert [(s['film_from_s'], round(s['to_s'], 2)) for s in record['segments']] == [(1, 2), (3, 4)]
    for more, words in ((['--segment', f'1-2={sound}', '--segment', f'1.5-3={sound}'], 'overlap'),
                        (['--segment', f'2-1={sound}'], 'segment 1 ends'),
                        (['--segment', f'9-10={sound}'], 'segment 1 begins at 9.000 s'),
                        (['--segment', f'1-2={sound}:7-8'], 'only 1.400 s long'),
                        (['--segment', f'1-2={sound},speaker=7'], 'segment 1: there is no face'),
                        (['--segment', '1-2'], 'START-END=AUDIO'), (['--only', 'x'], 'START-END'),
                        ([sound, '--segment', f'1-2={sound}'], 'their own voices')):
        code = 14 if 'speaker=7' in str(more) else 2
        done = lipsync(source, *more, '-o', folder / 'no.mkv', *fast, code=code)
        assert words in done.stderr, (words, done.stderr)
    for text, words in (('[', 'not JSON'), ('{"segment": []}', "has no 'segment'"),
                        ('[{"startTime": 1}]', "segment 1: 'endTime'"),
                        ('[{"startTime": 1, "endTime": 2, "audioInput": {"refId": 3}}]', 'refId'),
                        ('{"audio": {}, "segments": [{"startTime": 1, "endTime": 2, "audioInput": '
                         '{"refId": "a"}}]}', "segment 1: no audio has the refId 'a'")):
        (folder / 'bad.json').write_text(text)
        done = lipsync(source, '--segments', folder / 'bad.json', '-o', folder / 'no.mkv', code=2)
        assert words in done.stderr, (words, done.stderr)
    assert not (folder / 'no.mkv').exists()


def segment_shifts(folder):
    """What follows a longer segment is shown later: pictures, sound, subtitles and chapters."""
    source, score = sounding_film(folder, 3), folder / 'film.score'
    (folder / 'text.srt').write_text('1\n00:00:00,500 --> 00:00:00,900\nbefore\n\n'
                                     '2\n00:00:02,250 --> 00:00:02,750\nafter\n')
    (folder / 'meta.txt').write_text(';FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=2000\n'
                                     'END=3000\ntitle=end\n')
    full = folder / 'full.mkv'
    ffmpeg('-i', source, '-i', folder / 'text.srt', '-i', folder / 'meta.txt', '-map', '0', '-map',
           '1', '-map_metadata', '2', '-c:v', 'copy', '-c:a', 'copy', '-c:s', 'srt', full)
    mono = voice(folder, 1.5)
    out = folder / 'out.mkv'
    lipsync(full, '--segment', f'1-2={mono},sync=loop', '-o', out, '--score', score, '--tier',
            'fast')
    shown = probe(out, 'packet=pts_time,duration_time', 's:0')['packets']
    assert [(float(p['pts_time']), float(p['duration_time'])) for p in shown] == [(0.5, 0.4),
                                                                              (2.75, 0.5)], shown
    chapters = json.loads(run('ffprobe', '-v', 'error', '-show_chapters', '-of', 'json',
                              out).stdout)['chapters']
    assert [(c['start_time'], round(float(c['end_time']), 2)) for c in chapters] == [
        ('2.500000', 3.5)], chapters
    before, after = frame_hashes(full), frame_hashes(out)
    assert len(after) == 84 and [h for _, h in before[48:]] == [h for _, h in after[60:]]
    heard, was = samples(out), samples(full)
    n = len(heard) - int(2.5 * 44100)
    assert heard[-n:] == was[2 * 44100:][:n] and n > 44000


if __name__ == '__main__':
    e2e.main(globals())
