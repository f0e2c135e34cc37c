# SPDX-License-Identifier: MIT
"""Our slots of ONNX Runtime's function table against the official header, where there is one.

ort_slots.py <source root>: compares the slot number and the parameter count of each function in
src/nn/ort_api.h with onnxruntime_c_api.h from LIPSYNC_ORT_HEADER, the system, or node_modules.
Exit 77: no official header here."""
import glob
import os
import re
import subprocess
import sys


def find_header(root):
    candidates = [os.environ.get('LIPSYNC_ORT_HEADER', '')]
    try:
        folder = subprocess.run(['pkg-config', '--variable=includedir', 'libonnxruntime'],
                                capture_output=True, text=True).stdout.strip()
        if folder:
            candidates += glob.glob(folder + '/**/onnxruntime_c_api.h', recursive=True)
    except OSError:
        pass
    for folder in ('/usr/include/onnxruntime', '/usr/local/include/onnxruntime',
                   root + '/node_modules/com.github.asus4.onnxruntime'):
        candidates += glob.glob(folder + '/**/onnxruntime_c_api.h', recursive=True)
    return next((c for c in candidates if c and os.path.isfile(c)), None)


def plain(text):
    text = re.sub(r'/\*.*?\*/', '', text, flags=re.S)
    return re.sub(r'//[^\n]*', '', text)


def count_parameters(text):
    """Parameters of the argument list that begins at text[0] == '('."""
    depth, commas, seen = 0, 0, ''
    for c in text:
        depth += (c == '(') - (c == ')')
        if depth == 0:
            break
        commas += c == ',' and depth == 1
        seen += c
    inside = seen[1:].strip()
    return 0 if inside in ('', 'void') else commas + 1


def official_table(path):
    text = plain(open(path).read())
    body = text[text.index('struct OrtApi {'):]
    body = body[:body.index('\n};')]
    table = []
    pattern = (r'ORT_API2_STATUS\(\s*(\w+)|ORT_CLASS_RELEASE\(\s*(\w+)\s*\)'
               r'|\(\s*ORT_API_CALL\s*\*\s*(\w+)\s*\)')
    for m in re.finditer(pattern, body):
        if m.group(1):  # the name is the macro's first argument
            table.append((m.group(1), count_parameters(body[body.index('(', m.start()):]) - 1))
        elif m.group(2):
            table.append(('Release' + m.group(2), 1))
        else:
            table.append((m.group(3), count_parameters(body[body.index('(', m.end()):])))
    return table


def our_slots(path):
    text = open(path).read().replace('\\\n', ' ')
    for m in re.finditer(r'X\((\d+), (\w+), [^,(]+,\s*\(', text):
        yield int(m.group(1)), m.group(2), count_parameters(text[m.end() - 1:])


def main():
    root = sys.argv[1]
    header = find_header(root)
    if not header:
        print('skipped: no onnxruntime_c_api.h here (LIPSYNC_ORT_HEADER may name one)')
        return 77
    table, n, bad = official_table(header), 0, 0
    for slot, name, parameters in our_slots(root + '/src/nn/ort_api.h'):
        n += 1
        if table[slot] != (name, parameters):
            print('slot %d: ours %s with %d parameters, theirs %s with %d' %
                  ((slot, name, parameters) + table[slot]))
            bad += 1
    print('%d slots compared with a table of %d' % (n, len(table)))
    return 1 if bad or n < 30 else 0


sys.exit(main())
