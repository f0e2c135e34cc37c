#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""docs/guide/api.md from what a server says of itself.

    api-doc.py LIPSYNC [--check FILE]

Starts LIPSYNC serve for a moment, asks it for /api-json, and prints the page; with --check, tells
whether FILE is that page.
"""
import json
import re
import subprocess
import sys
import tempfile
import urllib.request

HEAD = """# The API, route by route

Made by `tools/api-doc.py` from what `lipsync serve` says at `/api-json` (OpenAPI 3): do not edit.
What the words mean and where the limits lie: `docs/guide/server.md`.

Every request carries the header `x-api-key`, except where it says *open*. Errors are JSON:
`statusCode`, `message` (a text, or a list of texts), mostly `error` and `errorCode`.
"""


def ask(lipsync):
    with tempfile.TemporaryDirectory() as folder:
        server = subprocess.Popen([lipsync, 'serve', '--data', folder, '--port', '0'],
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            for line in server.stdout:
                found = re.search(r'listening on (\S+)', line)
                if found:
                    with urllib.request.urlopen(found[1] + '/api-json') as answer:
                        return json.load(answer)
            raise SystemExit('the server does not start')
        finally:
            server.terminate()
            server.wait()


def type_of(schema):
    if '$ref' in schema:
        name = schema['$ref'].rsplit('/', 1)[1]
        return f'[{name}](#{name.lower()})'
    if 'allOf' in schema:
        text = type_of(schema['allOf'][0])
    elif 'enum' in schema:
        text = ' '.join(f'`{value}`' for value in schema['enum'])
    elif schema.get('type') == 'array':
        text = 'list of ' + type_of(schema['items'])
    else:
        text = {'date-time': 'time', 'uuid': 'UUID', 'uri': 'address', 'binary': 'bytes'}.get(
            schema.get('format'), schema.get('type', 'anything'))
    return text + (' or null' if schema.get('nullable') else '')


def fields_of(schema):
    must = schema.get('required', [])
    lines = ['| field | | |', '|---|---|---|']
    for name, inner in schema['properties'].items():
        lines.append(f'| `{name}` | {type_of(inner)} | {"always" if name in must else ""} |')
    return lines


def content_of(content):
    return ' or '.join('form (below)' if kind.startswith('multipart') else
                       type_of(inner['schema']) + ('' if kind == 'application/json'
                                                   else f' (`{kind}`)')
                       for kind, inner in content.items())


def operation_of(method, path, o):
    lines = [f'### {method.upper()} {path}', '', o['summary'] + '.'
             + (' *Open.*' if o.get('security') == [] else ''), '']
    queries = [p for p in o['parameters'] if p['in'] == 'query']
    for p in queries:
        lines.append(f'- `?{p["name"]}=` {type_of(p["schema"])}'
                     + (', must be there' if p['required'] else ''))
    content = o.get('requestBody', {}).get('content')
    if content:
        lines.append('- body: ' + content_of(content))
    for status, answer in o['responses'].items():
        if status != 'default':
            lines.append(f'- {status}: ' + (content_of(answer['content']) if 'content' in answer
                                            else 'empty'))
    form = (content or {}).get('multipart/form-data')
    if form:
        lines += ['', 'The form:', ''] + fields_of(form['schema'])
    return lines + ['']


def page(api):
    lines = [HEAD]
    tags = []
    for path in api['paths'].values():
        tags += [o['tags'][0] for o in path.values() if o['tags'][0] not in tags]
    for tag in tags:
        lines += [f'## {tag}', '']
        for path, operations in api['paths'].items():
            for method, o in operations.items():
                if o['tags'][0] == tag:
                    lines += operation_of(method, path, o)
    lines += ['## Objects', '']
    for name, schema in api['components']['schemas'].items():
        lines += [f'### {name}', ''] + fields_of(schema) + ['']
    return '\n'.join(lines).rstrip() + '\n'


def main():
    text = page(ask(sys.argv[1]))
    if sys.argv[2:3] != ['--check']:
        print(text, end='')
        return
    with open(sys.argv[3], encoding='utf-8') as file:
        if file.read() != text:
            raise SystemExit(f'{sys.argv[3]} is old: tools/api-doc.py build/lipsync > it')


main()
