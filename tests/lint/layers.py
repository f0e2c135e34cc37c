#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Who includes whom. layers.txt is the law; this reads every #include of the rooms, the program,
the public headers and the examples, and tells each one that leaves its room by no door."""
import os
import re

from files import finish, root, text_files

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.M)
# Four walls: what only one room may see.
WALLS = {'media': re.compile(r'^(libav|libsw|libpostproc)'),
         'nn': re.compile(r'onnxruntime'),
         'store': re.compile(r'^(sqlite3|libpq|sodium)'),
         'fetch': re.compile(r'^curl/'),
         'http': re.compile(r'^microhttpd')}
C_HEADERS = {'stddef.h', 'stdint.h', 'stdbool.h', 'stdarg.h', 'limits.h'}


def read_layers():
    layers = {}
    with open(os.path.join(root(), 'layers.txt'), encoding='utf-8') as f:
        for line in f:
            line = line.split('#')[0].strip()
            if line:
                room, allowed = line.split(':')
                layers[room.strip()] = set(allowed.split())
    return layers


def room_of(path):
    parts = path.split('/')
    if parts[0] in ('src', 'service') and len(parts) > 2:
        return parts[1]
    return parts[0] if parts[0] in ('cli', 'include', 'examples') else None


def verdict(layers, room, path, kind, name):
    """Why this include is wrong, or None."""
    for owner, wall in WALLS.items():
        if wall.search(name):
            return None if room == owner else f'only {owner}/ may see it'
    if name.startswith('lipsync/'):
        if room in ('cli', 'worker', 'engine', 'include', 'examples') or name == 'lipsync/error.h':
            return None
        return 'a room sees lipsync/error.h only'
    if room == 'include':
        sibling = os.path.join(root(), os.path.dirname(path), name)
        if name in C_HEADERS or (kind == '"' and '/' not in name and os.path.exists(sibling)):
            return None
        return 'a public header includes its neighbours and plain C only'
    if '..' in name:
        return 'write room/header.h'
    target = name.split('/')[0]
    if '/' in name and target in layers:
        if room == 'examples':
            return 'an example sees the public headers only'
        if target != room and target not in layers[room]:
            return f'layers.txt does not let {room}/ include {target}/'
        return None
    if kind == '"' and room != 'examples' and room != 'cli':
        return 'write room/header.h'
    if kind == '"' and not os.path.exists(os.path.join(root(), os.path.dirname(path), name)):
        return 'no such file in this folder'
    return None


def main():
    layers = read_layers()
    findings = []
    for room, allowed in layers.items():
        findings += [f'layers.txt: {room} names no room: {a}' for a in allowed - set(layers)]
        findings += [f'layers.txt: {room} and {a} include each other' for a in allowed
                     if room in layers.get(a, ())]
    n_files = 0
    for path, text in text_files('.c', '.h', '.cpp'):
        room = room_of(path)
        if not room:
            continue
        n_files += 1
        if path.startswith(('src/', 'service/')) and room not in layers:
            findings.append(f'{path}: the room {room} is not in layers.txt')
            continue
        for match in INCLUDE.finditer(text):
            why = verdict(layers, room, path, match[1], match[2])
            if why:
                line = text.count('\n', 0, match.start()) + 1
                findings.append(f'{path}:{line}: {match[2]}: {why}')
    if not n_files:
        findings.append('no file was looked at')
    finish(findings, f'layers ({n_files} files)')


main()
