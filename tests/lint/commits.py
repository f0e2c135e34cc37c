#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Commit subjects: `room: what`, at most 72 characters, no full stop; then an empty line."""
import re
import sys

from files import SKIP, finish, git

SUBJECT = re.compile(r'^[a-z0-9][a-z0-9_./+-]*(, [a-z0-9_./+-]+)*: [^.\s](.*[^.\s])?$')
SUBJECT_MAX = 72


def check(commit, subject, second):
    if len(subject) > SUBJECT_MAX:
        yield f'{commit}: {len(subject)} characters (at most {SUBJECT_MAX}): {subject}'
    if not SUBJECT.match(subject):
        yield f'{commit}: not `room: what`: {subject}'
    if second:
        yield f'{commit}: the second line is not empty'


def main():
    log = git('log', '--no-merges', '--format=%h%x00%B%x01')
    if log is None:
        print('skipped: no git history here')
        sys.exit(SKIP)
    findings, n = [], 0
    for entry in '\n'.join(log).split('\x01'):
        if '\0' not in entry:
            continue
        commit, body = entry.strip('\n').split('\0')
        lines = body.split('\n') + ['']
        findings += check(commit, lines[0], lines[1])
        n += 1
    finish(findings, f'commits ({n})')


main()
