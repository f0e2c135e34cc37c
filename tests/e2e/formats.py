#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Films of every pixel format and form: outside the mask not one sample of any plane changes, and
what the film says of its picture stays said. And the forms of exported mouths.

    formats.py CASE LIPSYNC"""
import base64
import json
import pathlib
import struct
import subprocess
import xml.etree.ElementTree

import e2e
from e2e import CLIP, coarse, ffmpeg, frame_hashes, lipsync, n_nonzero, number, probe, voice

FRAMES = 10
# What each plane of a raw picture is: width and height are shifted right so often; a letter says
# what the plane is.
YUV420 = (('y', 0, 0), ('u', 1, 1), ('v', 1, 1))
YUV422 = (('y', 0, 0), ('u', 1, 0), ('v', 1, 0))
YUV444 = (('y', 0, 0), ('u', 0, 0), ('v', 0, 0))
ALPHA = (('a', 0, 0),)
RGB = (('g', 0, 0), ('b', 0, 0), ('r', 0, 0))
RAW = {'yuv420p': (YUV420, 1), 'yuvj420p': (YUV420, 1), 'yuv422p': (YUV422, 1),
       'yuv444p': (YUV444, 1),
       'yuv410p': ((('y', 0, 0), ('u', 2, 2), ('v', 2, 2)), 1),
       'yuv420p10le': (YUV420, 2), 'yuv422p10le': (YUV422, 2), 'yuv444p10le': (YUV444, 2),
       'yuv420p12le': (YUV420, 2), 'yuv422p12le': (YUV422, 2), 'yuv444p12le': (YUV444, 2),
       'yuv444p16le': (YUV444, 2),
       'yuva420p': (YUV420 + ALPHA, 1), 'yuva444p10le': (YUV444 + ALPHA, 2),
       'yuva444p12le': (YUV444 + ALPHA, 2),
       'gbrp': (RGB, 1), 'gbrap': (RGB + ALPHA, 1), 'gbrp10le': (RGB, 2), 'gbrp16le': (RGB, 2),
       'gray': ((('y', 0, 0),), 1), 'gray10le': ((('y', 0, 0),), 2)}


def decoder(path):
    """FFmpeg's own VP9 decoder drops the transparency."""
    return ['-c:v', 'libvpx-vp9'] if str(path).endswith('.webm') else []


def raw(path, pixel_format):
    done = subprocess.run(['ffmpeg', '-v', 'error', *decoder(path), '-noautorotate', '-i',
                           str(path), '-map', '0:v:0', '-f', 'rawvideo', '-vsync', '0',
                           '-pix_fmt', pixel_format, '-'], capture_output=True, check=True)
    return done.stdout


def frames_of(samples, w, h, pixel_format):
    """Frames of named planes; a plane is a byte string for each byte of a sample."""
    planes, sample_bytes = RAW[pixel_format]
    at = 0
    while at < len(samples):
        frame = []
        for name, shift_x, shift_y in planes:
            size = (-(-w >> shift_x)) * (-(-h >> shift_y)) * sample_bytes
            plane = samples[at:at + size]
            at += size
            frame.append((name, shift_x, shift_y, [plane[i::sample_bytes]
                                                   for i in range(sample_bytes)]))
        yield frame


def compare(source, result, mask, w, h, pixel_format):
    """(frames, samples outside, changed outside, changed inside, changed alpha)"""
    masks = raw(mask, 'gray')
    n = outside = wrong = inside = alpha = 0
    pairs = zip(frames_of(raw(source, pixel_format), w, h, pixel_format),
                frames_of(raw(result, pixel_format), w, h, pixel_format))
    for before, after in pairs:
        shown = masks[n * w * h:(n + 1) * w * h]
        n += 1
        cells = {}
        for (name, shift_x, shift_y, a_parts), (*_, b_parts) in zip(before, after):
            form = (shift_x, shift_y)
            if form not in cells:
                cells[form] = shown if form == (0, 0) else coarse(shown, w, h, *form)
            m = number(cells[form])
            outside += cells[form].count(0)
            for a, b in zip(a_parts, b_parts):
                changed = number(a) ^ number(b)
                wrong += n_nonzero(changed & ~m, len(cells[form]))
                inside += n_nonzero(changed & m, len(cells[form]))
                alpha += n_nonzero(changed, len(a)) if name == 'a' else 0
    assert len(masks) == n * w * h, (len(masks), n)
    return n, outside, wrong, inside, alpha


def check(source, mask_folder, sound, to='mkv', w=360, h=288, compare_as=None, more=()):
    """Dubs and compares; gives what the program said."""
    result, mask = (mask_folder / f'{source.stem}-{what}' for what in (f'out.{to}', 'mask.mkv'))
    codec = [] if more else ['--codec', 'ffv1']
    said = lipsync(source, sound, '-o', result, *codec, *more, '--mask', mask, '--sync', 'cut_off',
                   '--threads', 2)
    form = compare_as or probe(source, 'stream=pix_fmt', 'v:0')['streams'][0]['pix_fmt']
    n, outside, wrong, inside, alpha = compare(source, result, mask, w, h, form)
    print(f'{source.name} as {form}: {n} frames, {outside} samples outside the mask, {wrong} of '
          f'them changed; {inside} changed inside, {alpha} of transparency', flush=True)
    assert n == len(frame_hashes(source)) and wrong == 0 and alpha == 0, source.name
    assert inside > 50 * n, source.name
    return result, said


def cut(folder, name, *options, filters='null'):
    path = folder / name
    ffmpeg('-ss', 60, '-i', CLIP, '-an', '-vf', filters, '-frames:v', FRAMES, *options, path)
    return path


def yuv(folder):
    """8 to 16 bits, every subsampling, grey."""
    sound = voice(folder, 1)
    for pixel_format in ('yuv422p', 'yuv420p10le', 'yuv444p10le', 'yuv420p12le', 'yuv422p12le',
                         'yuv444p12le', 'yuv444p16le', 'yuv410p', 'gray', 'gray10le'):
        check(cut(folder, f'{pixel_format}.mkv', '-c:v', 'ffv1', '-pix_fmt', pixel_format), folder,
              sound)


ROUND = "geq=lum='lum(X,Y)':cb='cb(X,Y)':cr='cr(X,Y)':a='clip(X*255/W+8*sin(Y),0,255)'"


def alpha(folder):
    """Transparency is bit-identical everywhere, also where the mouth is drawn."""
    sound = voice(folder, 1)
    films = [cut(folder, 'prores.mov', '-c:v', 'prores_ks', '-profile:v', 4, '-alpha_bits', 16,
                 '-pix_fmt', 'yuva444p10le', filters='format=yuva444p,' + ROUND),
             cut(folder, 'vp9.webm', '-c:v', 'libvpx-vp9', '-cpu-used', 8, '-auto-alt-ref', 0,
                 '-pix_fmt', 'yuva420p', '-b:v', '2M', filters='format=yuva420p,' + ROUND),
             cut(folder, 'qtrle.mov', '-c:v', 'qtrle', '-pix_fmt', 'argb',
                 filters='format=yuva444p,' + ROUND + ',format=argb'),
             cut(folder, 'ffv1.mkv', '-c:v', 'ffv1', '-pix_fmt', 'yuva444p10le',
                 filters='format=yuva444p,' + ROUND)]
    for source in films:
        form = probe(source, 'stream=pix_fmt', 'v:0')['streams'][0]['pix_fmt']
        form = {'argb': 'gbrap', 'yuv420p': 'yuva420p'}.get(form, form)
        planes = frames_of(raw(source, form), 360, 288, form)
        values = {v for frame in planes for name, _, _, parts in frame if name == 'a'
                  for v in parts[0]}
        assert len(values) > 50, (source.name, 'has no transparency to lose')
        check(source, folder, sound, compare_as=form)


def rgb(folder):
    sound = voice(folder, 1)
    check(cut(folder, 'gbrp.mkv', '-c:v', 'utvideo', '-pix_fmt', 'gbrp'), folder, sound)
    check(cut(folder, 'rgb24.mov', '-c:v', 'png', '-pix_fmt', 'rgb24'), folder, sound,
          compare_as='gbrp')
    check(cut(folder, 'bgr0.mkv', '-c:v', 'ffv1', '-pix_fmt', 'bgr0'), folder, sound,
          compare_as='gbrp')
    check(cut(folder, 'deep.mkv', '-c:v', 'ffv1', '-pix_fmt', 'gbrp10le'), folder, sound)
    check(cut(folder, 'rgb48.nut', '-c:v', 'rawvideo', '-pix_fmt', 'rgb48le'), folder, sound,
          compare_as='gbrp16le')


def packed(folder):
    """What hardware and capture cards give."""
    sound = voice(folder, 1)
    for pixel_format, as_planes in (('nv12', 'yuv420p'), ('nv21', 'yuv420p'),
                                    ('yuyv422', 'yuv422p'), ('uyvy422', 'yuv422p')):
        check(cut(folder, f'{pixel_format}.nut', '-c:v', 'rawvideo', '-pix_fmt', pixel_format),
              folder, sound, compare_as=as_planes)
    check(cut(folder, 'v210.mov', '-c:v', 'v210'), folder, sound, compare_as='yuv422p10le')


TAGS = 'stream=color_range,color_space,color_transfer,color_primaries,field_order'


def tags(folder):
    """Range and colour tags stay, and the picture inside them."""
    sound = voice(folder, 1)
    for name, pixel_format, options in (
            ('601', 'yuv420p', ('tv', 'smpte170m', 'smpte170m', 'smpte170m')),
            ('709', 'yuv420p', ('tv', 'bt709', 'bt709', 'bt709')),
            ('full', 'yuv420p', ('pc', 'bt709', 'iec61966-2-1', 'bt709')),
            ('2020', 'yuv420p10le', ('tv', 'bt2020nc', 'smpte2084', 'bt2020')),
            ('hlg', 'yuv420p10le', ('tv', 'bt2020nc', 'arib-std-b67', 'bt2020')),
            ('none', 'yuv420p', None)):
        flags = []
        if options:
            for flag, value in zip(('-color_range', '-colorspace', '-color_trc',
                                    '-color_primaries'), options):
                flags += [flag, value]
        source = cut(folder, f'{name}.mkv', '-c:v', 'ffv1', '-pix_fmt', pixel_format, *flags)
        result, _ = check(source, folder, sound)
        before, after = (probe(f, TAGS, 'v:0')['streams'][0] for f in (source, result))
        print(name, after)
        assert before == after, (before, after)
    source = cut(folder, 'mjpeg.avi', '-c:v', 'mjpeg', '-pix_fmt', 'yuvj420p', '-q:v', 3)
    result, _ = check(source, folder, sound)
    assert probe(result, TAGS, 'v:0')['streams'][0]['color_range'] == 'pc'


def forms(folder):
    """Odd sizes, pixels that are not square, turned, frames of any length."""
    sound = voice(folder, 1)
    odd = cut(folder, 'odd.mkv', '-c:v', 'ffv1', '-pix_fmt', 'yuv420p',
              filters='crop=355:281:0:0:exact=1')
    check(odd, folder, sound, w=355, h=281)
    wide = cut(folder, 'wide.mkv', '-c:v', 'ffv1', filters='scale=180:288,setsar=2/1')
    result, _ = check(wide, folder, sound, w=180, h=288)
    assert probe(result, 'stream=sample_aspect_ratio', 'v:0')['streams'][0] == {
        'sample_aspect_ratio': '2:1'}
    side = cut(folder, 'side.mp4', '-c:v', 'libx264', '-qp', 0, filters='transpose=2')
    turned = folder / 'turned.mp4'
    ffmpeg('-i', side, '-c', 'copy', '-metadata:s:v:0', 'rotate=270', turned)
    result, _ = check(turned, folder, sound, to='mp4', w=288, h=360,
                      more=['--codec', 'h264', '--quality', 100])
    angles = [probe(f, 'stream_side_data=rotation', 'v:0')['streams'] for f in (turned, result)]
    assert angles[0] == angles[1] and 'rotation' in str(angles), angles
    uneven = cut(folder, 'vfr.mkv', '-c:v', 'ffv1', '-vsync', 'vfr', '-enc_time_base', '1/1000',
                 filters="settb=1/1000,setpts='N*40+17*mod(N\\,3)'")
    result, _ = check(uneven, folder, sound)
    times = [[t for t, _ in frame_hashes(f)] for f in (uneven, result)]
    assert times[0] == times[1] and len({int(b) - int(a) for a, b in
                                         zip(times[0], times[0][1:])}) > 1, times


UUID = bytes.fromhex('d8fec3d61b0e483c9297582887 7ec481'.replace(' ', ''))


def credentials(folder):
    """A film's content credentials are signed for its own pictures: they go into a file beside the
    output, and the record names it."""
    sound, source, out = voice(folder, 1), folder / 'signed.mp4', folder / 'out.mp4'
    plain = cut(folder, 'plain.mp4', '-c:v', 'libx264', '-crf', 18)
    store = b'\0\0\0\x20jumb' + bytes(range(24))
    body = UUID + bytes(4) + b'manifest\0' + bytes(8) + store
    source.write_bytes(plain.read_bytes() + (8 + len(body)).to_bytes(4, 'big') + b'uuid' + body)
    lipsync(source, sound, '-o', out)
    beside = folder / 'out.mp4.source.c2pa'
    assert beside.read_bytes() == store
    record = json.loads((folder / 'out.mp4.lipsync.json').read_text())
    kept = record['film']['content_credentials']
    assert kept['file'] == str(beside) and kept['bytes'] == len(store), kept
    assert 'kept in a file beside' in str(record['warnings']), record['warnings']
    assert store not in out.read_bytes()
    beside.unlink()
    lipsync(source, sound, '-o', out, '--overwrite', '--no-mark')
    assert not beside.exists()
    lipsync(plain, sound, '-o', out, '--overwrite')
    assert not beside.exists()


def combing(samples, masks, w, h):
    """Inside the mask: how far lines are from the mean of their neighbours, over how far these
    are from one another. Fields of two moments make it large."""
    comb = step = 0
    for at in range(0, len(samples), w * h):
        for y in range(1, h - 1):
            here = at + y * w
            for i in range(here, here + w):
                if masks[i]:
                    above, below = samples[i - w], samples[i + w]
                    comb += abs(2 * samples[i] - above - below)
                    step += abs(above - below)
    return comb / step


def interlaced(folder):
    """Fields stay fields, the order stays said, and the drawn mouth is no comb."""
    sound = voice(folder, 1)
    for name, order in (('top', 'tt'), ('bottom', 'bb')):
        source = cut(folder, f'{name}.mp4', '-c:v', 'libx264', '-qp', 0, '-flags', '+ilme+ildct',
                     '-x264-params', 'tff=1' if name == 'top' else 'bff=1',
                     filters=f'fps=48,tinterlace=interleave_{name}')
        for to, more in (('mkv', ['--codec', 'ffv1']), ('mp4', ['--quality', 100])):
            result, _ = check(source, folder, sound, to=to, more=more)
            said = [probe(f, 'stream=field_order', 'v:0')['streams'][0] for f in (source, result)]
            assert said[0] == said[1] == {'field_order': order}, said
            record = json.loads(pathlib.Path(f'{result}.lipsync.json').read_text())
            assert 'interlaced' in str(record['warnings'])
        masks = raw(folder / f'{name}-mask.mkv', 'gray')
        before, after = (combing(raw(f, 'gray'), masks, 360, 288) for f in (source, result))
        print(f'{name} field first: combing {before:.2f} in the film, {after:.2f} in the result')
        assert after < 1.05 * before


def valid_gltf(path):
    """Without a word of the Khronos validator; true where it is not installed."""
    validator = e2e.ROOT / 'node_modules/gltf-validator'
    if not validator.exists():
        print('skipped: no gltf-validator in node_modules')
        return True
    code = ('require(process.argv[1]).validateBytes(new Uint8Array(require("fs").readFileSync('
            'process.argv[2]))).then(r => console.log(JSON.stringify(r.issues)))')
    issues = json.loads(e2e.run('node', '-e', code, validator, path).stdout)
    return not issues['messages']


def glb_parts(data):
    """JSON and numbers of a binary glTF, with its lengths checked."""
    assert data[:4] == b'glTF' and struct.unpack('<II', data[4:12]) == (2, len(data))
    n, kind = struct.unpack('<I4s', data[12:20])
    assert kind == b'JSON' and n % 4 == 0
    m, kind = struct.unpack('<I4s', data[20 + n:28 + n])
    assert kind == b'BIN\0' and len(data) == 28 + n + m
    return json.loads(data[20:20 + n]), data[28 + n:]


def visemes(folder):
    """Every form from one voice; text in place of a voice; lips meet where they must."""
    sound, out = voice(folder, 2), folder / 'out'
    text = lipsync('visemes', sound, '-f', 'rhubarb-tsv').stdout
    cues = [line.split('\t') for line in text.splitlines()]
    assert cues[0][0] == '0.00' and cues[-1] == ['2.00', 'X'] and len(cues) > 4, text
    assert all(float(a[0]) < float(b[0]) for a, b in zip(cues, cues[1:]))
    lipsync('visemes', sound, '-f', 'rhubarb-json', '-o', out)
    got = json.loads(out.read_text())
    assert got['metadata'] == {'soundFile': str(sound.resolve()), 'duration': 2.0}, got['metadata']
    assert [c['value'] for c in got['mouthCues']] == [shape for _, shape in cues[:-1]]
    lipsync('visemes', sound, '-f', 'rhubarb-xml', '-o', out, '--overwrite')
    root = xml.etree.ElementTree.parse(out).getroot()
    assert [c.text for c in root.iter('mouthCue')] == [shape for _, shape in cues[:-1]]
    lines = lipsync('visemes', sound, '-f', 'moho', '--fps', 12).stdout.splitlines()
    assert lines[0] == 'MohoSwitch1' and lines[-1] == '25 rest', lines
    rows = [r.split(',') for r in
            lipsync('visemes', sound, '-f', 'arkit-csv', '--fps', 29.97).stdout.splitlines()]
    assert len(rows) == 61 and {len(r) for r in rows} == {63} and rows[1][0] == '00:00:00:00.000'
    assert max(float(r[rows[0].index('JawOpen')]) for r in rows[1:]) > 0.05
    rows = [r.split(',') for r in
            lipsync('visemes', sound, '-f', 'oculus-csv', '--fps', 50).stdout.splitlines()]
    assert len(rows) == 101 and all(abs(sum(map(float, r[1:])) - 1) < 2e-3 for r in rows[1:])
    lipsync('visemes', sound, '-f', 'glb', '-o', out, '--overwrite', '--fps', 30)
    tree, numbers = glb_parts(out.read_bytes())
    assert valid_gltf(out)
    broken = out.with_name('broken.glb')
    broken.write_bytes(out.read_bytes().replace(b'"count":52', b'"count":53', 1)
                       .replace(b'5126', b'5121', 1))
    assert not valid_gltf(broken), 'the validator takes anything'
    broken.unlink()
    text = lipsync('visemes', sound, '-f', 'gltf', '--fps', 30).stdout
    same = json.loads(text)
    uri = same['buffers'][0].pop('uri').split(',')[1]
    assert same == tree and base64.b64decode(uri) == numbers
    assert tree['accessors'][3]['count'] == 60 * 52
    for code, args in ((2, [sound]), (2, ['-f', 'moho']), (2, [sound, '-f', 'glb']),
                       (2, [sound, '-f', 'moho', '--fps', 0]), (2, [sound, '-f', 'png']),
                       (2, [sound, '-f', 'moho', '--voice-out', folder / 'x.wav']),
                       (10, [folder / 'none.wav', '-f', 'moho']),
                       (34, [sound, '-f', 'moho', '-o', out]),
                       (31, [sound, '-f', 'moho', '-o', folder / 'none/out'])):
        lipsync('visemes', *args, code=code)
    if not subprocess.run(['which', 'espeak-ng'], capture_output=True).returncode:
        spoken = folder / 'spoken.wav'
        text = lipsync('visemes', '--text', 'Papa, mama, bob.', '-f', 'rhubarb-json',
                       '--voice-out', spoken).stdout
        got = json.loads(text)
        assert got['metadata']['soundFile'] == str(spoken.resolve()) and spoken.exists()
        shapes = ''.join(c['value'] for c in got['mouthCues'])
        print('Papa, mama, bob:', shapes)
        assert shapes.count('A') >= 4, shapes
        spoken.unlink()
    assert e2e.names(folder) == {'voice.wav', 'out'}, e2e.names(folder)


if __name__ == '__main__':
    e2e.main(globals())
