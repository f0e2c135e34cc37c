#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Meson lists files by name, so a forgotten file is silently not built: every source, test, fuzz
target and public header must stand in its meson.build."""
import os
import re

from files import finish, root, text_files

# path of a file -> (the meson.build that must name it, the name)
RULES = [
    (re.compile(r'^src/(\w+)/(.+\.c)$'), 'src/{0}/meson.build', '{1}'),
    (re.compile(r'^service/(\w+)/(.+\.c)$'), 'service/{0}/meson.build', '{1}'),
    (re.compile(r'^cli/(.+\.c)$'), 'cli/meson.build', '{0}'),
    (re.compile(r'^tests/unit/(\w+)/(\w+)_test\.c$'), 'tests/unit/{0}/meson.build', '{1}'),
    (re.compile(r'^fuzz/(\w+)_fuzz\.c$'), 'fuzz/meson.build', '{0}'),
    (re.compile(r'^include/lipsync/(\w+\.h)$'), 'include/meson.build', '{0}'),
]


def main():
    findings, n = [], 0
    for path, _ in text_files('.c', '.h'):
        for rule, build, name in RULES:
            match = rule.match(path)
            if not match:
                continue
            n += 1
            build, name = build.format(*match.groups()), name.format(*match.groups())
            with open(os.path.join(root(), build), encoding='utf-8') as f:
                if f"'{name}'" not in f.read():
                    findings.append(f'{path}: {build} does not name it')
            corpus = os.path.join(root(), 'fuzz/corpus', name)
            if path.startswith('fuzz/') and not os.path.isdir(corpus):
                findings.append(f'{path}: no seeds in fuzz/corpus/{name}/')
    finish(findings, f'registered ({n} files)')


main()
