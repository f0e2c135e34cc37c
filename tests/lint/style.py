#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The house style that a compiler does not check. An exception is a visible comment on the same
line or the one above:  lint: allow <word>: <why>"""
import re

from files import finish, text_files

LINE_MAX, FUNCTION_MAX, FILE_MAX = 100, 70, 800
C = ('.c', '.h', '.cpp')
CODE = C + ('.py', '.sh', '.js', '.mjs')
# Files whose lines a machine or a table makes.
LONG_LINES = ('.md', '.json', '.tsv', '.csv', '.txt', '.svg', '.html', '.scd')
INVISIBLE = re.compile('[\u00a0\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufffd]')
CONTROL = re.compile('[\x00-\x08\x0b-\x1f\x7f]')
# Unbounded, not thread-safe, or silent on errors.
BANNED = set('''strcpy strcat sprintf vsprintf strtok atoi atol atoll atof gets localtime gmtime
    asctime ctime system popen alloca tmpnam mktemp rand srand setjmp longjmp'''.split())
# base/ has one place for each of these, with a ceiling and a fault hook.
ONLY_BASE = set('''malloc calloc realloc free reallocarray strdup strndup posix_memalign
    aligned_alloc asprintf vasprintf fopen fdopen freopen open creat rename unlink mkdir'''.split())
# A library prints nothing and does not end the program.
NOT_IN_SRC = set('''printf vprintf puts putchar perror fprintf vfprintf fputs dprintf exit abort
    _exit quick_exit getenv'''.split())
CALL = re.compile(r'(?<![\w.>])([A-Za-z_]\w*)\s*\(')
ALLOW = re.compile(r'lint: allow (\w+): \S')
BLANKED = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def blank(match):
    """Comments and strings become blanks; lines stay where they are."""
    return re.sub(r'[^\n]', ' ', match[0])


def banned_here(path):
    banned = set(BANNED)
    if path.startswith('src/'):
        banned |= NOT_IN_SRC
    if path.startswith(('src/', 'cli/', 'service/')) and not path.startswith('src/base/'):
        banned |= ONLY_BASE
    return banned


def check_calls(path, text, lines):
    banned = banned_here(path)
    for match in CALL.finditer(BLANKED.sub(blank, text)):
        name = match[1]
        if name not in banned:
            continue
        at = text.count('\n', 0, match.start())
        near = lines[at] + (lines[at - 1] if at else '')
        if name not in ALLOW.findall(near):
            yield f'{path}:{at + 1}: {name}() is banned here'


def check_functions(path, lines):
    """A function's braces stand alone in the first column: that is the house style."""
    start = None
    for i, line in enumerate(lines):
        if line == '{':
            start = i
        elif line.startswith('}') and start is not None:
            if i - start - 1 > FUNCTION_MAX:
                yield (f'{path}:{start}: a function of {i - start - 1} lines '
                       f'(at most {FUNCTION_MAX})')
            start = None


def check_lines(path, lines):
    tabs_fine = path.split('/')[-1] == 'Makefile' or path.endswith(('.mk', '.tsv', '.patch'))
    for i, line in enumerate(lines, 1):
        if '\t' in line and not tabs_fine:
            yield f'{path}:{i}: a tab'
        if line != line.rstrip():
            yield f'{path}:{i}: blanks at the end'
        if INVISIBLE.search(line) or CONTROL.search(line):
            yield f'{path}:{i}: an invisible or damaged character'
        if len(line) > LINE_MAX and not path.endswith(LONG_LINES):
            yield f'{path}:{i}: {len(line)} columns (at most {LINE_MAX})'


def check_file(path, text):
    lines = text.split('\n')
    yield from check_lines(path, lines)
    if text and not text.endswith('\n'):
        yield f'{path}: no newline at the end'
    if text.endswith('\n\n'):
        yield f'{path}: an empty line at the end'
    if path.endswith(CODE):
        if not any('SPDX-License-Identifier: MIT' in line for line in lines[:3]):
            yield f'{path}: no SPDX line'
        if len(lines) > FILE_MAX + 1:
            yield f'{path}: {len(lines) - 1} lines (at most {FILE_MAX})'
    if path.endswith(C):
        yield from check_calls(path, text, lines)
        yield from check_functions(path, lines)


def main():
    findings, n = [], 0
    for path, text in text_files():
        findings += check_file(path, text)
        n += 1
    if not n:
        findings.append('no file was looked at')
    finish(findings, f'style ({n} files)')


main()
