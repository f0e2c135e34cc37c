# SPDX-License-Identifier: MIT
"""What the linters share: the project's files, and how a finding is told."""
import os
import subprocess
import sys

SKIP = 77  # meson: the test was skipped
BINARY = {'.png', '.jpg', '.onnx', '.bin', '.npy', '.npz', '.wav', '.mp4', '.lip', '.gz'}
FOREIGN_DIRS = {'.git', 'node_modules', 'out', '__pycache__', 'corpus'}


def root():
    """The source folder: the argument, or two floors above this file."""
    if len(sys.argv) > 1:
        return os.path.abspath(sys.argv[1])
    return os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def git(*args):
    """Lines of a git command, or None outside a repository."""
    if not os.path.exists(os.path.join(root(), '.git')):
        return None
    try:
        # a checkout owned by somebody else (a container's root) is still only read here
        out = subprocess.run(['git', '-c', 'safe.directory=*', '-C', root(), *args],
                             capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return out.stdout.decode('utf-8', 'replace').splitlines()


def walked():
    """All files below the root when git cannot tell (a source archive)."""
    found = []
    for folder, dirs, names in os.walk(root()):
        dirs[:] = [d for d in dirs if d not in FOREIGN_DIRS and not d.startswith('build')]
        found += [os.path.relpath(os.path.join(folder, n), root()) for n in names]
    return found


def text_files(*suffixes):
    """(path, text) of the project's text files: tracked ones and those about to be."""
    names = git('-c', 'core.quotePath=false', 'ls-files', '--cached', '--others',
                '--exclude-standard')
    for name in sorted(set(names if names is not None else walked())):
        path = os.path.join(root(), name)
        if suffixes and not name.endswith(suffixes):
            continue
        if os.path.splitext(name)[1] in BINARY or '/corpus/' in name or not os.path.isfile(path):
            continue
        with open(path, 'rb') as f:
            data = f.read()
        if b'\0' not in data:
            yield name, data.decode('utf-8', 'replace')


def finish(findings, what):
    """Prints the findings and leaves with the answer."""
    for line in findings:
        print(line)
    print(f'{what}: {len(findings)} finding(s)')
    sys.exit(1 if findings else 0)
