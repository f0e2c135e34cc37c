#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Nothing of the machine it was written on: no absolute paths of somebody's folders, and no
addresses of download servers in the lock file (the client's own setting decides where from)."""
import json
import re

from files import finish, text_files

# Written with classes so that this file does not find itself.
MACHINE = re.compile(r'(?<![\w.])/(?:wor[k]|far[m]|roo[t]|hom[e]/\w+|User[s]/\w+)/'
                     r'|/t[m]p/b[-]\w|/t[m]p/brief|\.pye[n]v')


def check_lock(path, text):
    for name, entry in json.loads(text).get('packages', {}).items():
        if 'resolved' in entry:
            yield f'{path}: {name}: names a download address ("resolved")'
        elif name and 'integrity' not in entry:
            yield f'{path}: {name}: no integrity hash'


def main():
    findings, n = [], 0
    for path, text in text_files():
        n += 1
        for i, line in enumerate(text.split('\n'), 1):
            match = MACHINE.search(line)
            if match:
                findings.append(f'{path}:{i}: {match[0]}: a path of one machine')
        if path.split('/')[-1] == 'package-lock.json':
            findings += check_lock(path, text)
    finish(findings, f'paths ({n} files)')


main()
