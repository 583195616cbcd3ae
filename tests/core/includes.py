#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reads the includes of all sources: dependencies point down only. See the picture in README.md.

    includes.py SOURCE_ROOT
"""
import os
import re
import sys

ROOT = sys.argv[1]

# folder: which quoted includes it may have beside its own files; 'core' is any header there
ALLOWED = {
    'core': [],
    'models': ['build.h'],
    'cpu': ['core'],
    'cuda': ['core'],
    'gst': ['vfi.h'],
    'tools': ['vfi.h'],
}
# pattern: the only folders (or files) that may have it in code
ONLY = {
    r'\bdnnl_|<oneapi/': ['cpu'],
    r'\bcu(da|dnn|blas)[A-Z]|<cu(da|dnn)': ['cuda', 'gst/cudamemory.c'],
    r'<gst/': ['gst', 'tools'],
    r'<json-glib/': ['core/weights.c', 'tools'],
    r'\b(printf|abort|exit) \(|\bg_print|\bg_error \(|\bg_assert': ['tools', 'gst'],
}


def sources():
    for folder in ALLOWED:
        for where, _, names in os.walk(os.path.join(ROOT, folder)):
            for name in names:
                if name.endswith(('.c', '.h', '.cu')):
                    yield os.path.relpath(os.path.join(where, name), ROOT)


def code_of(path):
    with open(os.path.join(ROOT, path), encoding='utf-8') as f:
        text = f.read()
    text = re.sub(r'/\*.*?\*/', lambda m: '\n' * m[0].count('\n'), text, flags=re.S)
    return re.sub(r'//.*', '', text)


def check(path, core):
    folder = path.split(os.sep)[0]
    code = code_of(path)
    for line, text in enumerate(code.split('\n'), 1):
        found = re.match(r'\s*#\s*include\s*"([^"]+)"', text)
        if found:
            name = found[1]
            own = os.path.normpath(os.path.join(os.path.dirname(path), name))
            allowed = ALLOWED[folder]
            if not (own.startswith(folder + os.sep) and os.path.exists(os.path.join(ROOT, own)) or
                    folder == 'core' and name in core or name in allowed or 'core' in allowed and name in core):
                yield f'{path}:{line}: {folder}/ may not include "{name}"'
        for pattern, where in ONLY.items():
            if re.search(pattern, text) and not any(path == w or folder == w for w in where):
                yield f'{path}:{line}: only {", ".join(where)} may say {text.strip()}'


def main():
    core = {f for f in os.listdir(os.path.join(ROOT, 'core')) if f.endswith('.h')}
    files = sorted(sources())
    print(f'1..{len(files)}')
    for i, path in enumerate(files, 1):
        wrong = list(check(path, core))
        for w in wrong:
            print('#', w)
        print('not ok' if wrong else 'ok', i, path)
    return 0


if __name__ == '__main__':
    sys.exit(main())
