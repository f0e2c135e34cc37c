#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Files as a C table: name, type, bytes.

    embed.py OUT FILE...
"""
import pathlib
import sys

TYPES = {'.html': 'text/html', '.css': 'text/css', '.js': 'text/javascript',
         '.svg': 'image/svg+xml'}


def main():
    out, *files = map(pathlib.Path, sys.argv[1:])
    lines, table = [], []
    for i, file in enumerate(files):
        data = file.read_bytes()
        rows = [','.join(map(str, data[at:at + 24])) for at in range(0, len(data), 24)]
        lines += [f'static const unsigned char file{i}[] = {{', *(f'{row},' for row in rows), '};']
        kind = f'{TYPES[file.suffix]}; charset=utf-8'
        table.append(f'    {{"{file.name}", "{kind}", file{i}, sizeof file{i}}},')
    lines += ['static const struct file files[] = {', *table, '};']
    out.write_text('\n'.join(lines) + '\n')


main()
