#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What inpainting makes of holes in real frames, against inpaint.txt: by `vfi eval inpaint`, on the CPU, in fp32.

    inpaint.py VFI_PROGRAM SOURCE_ROOT

The frames are no part of the project: VFI_FOOTAGE names the folder that holds eval/inpaint/NAME/{frames,masks}, default ../shared/footage
beside the sources. Without them, or without weights, there is nothing to test; without OpenCV, nothing to compare with.
"""
import collections
import csv
import os
import subprocess
import sys
import tempfile

PROGRAM, ROOT = sys.argv[1:]
FRAMES = os.path.join(os.environ.get('VFI_FOOTAGE') or os.path.join(ROOT, '..', 'shared', 'footage'), 'eval', 'inpaint')
WEIGHTS = os.path.join(ROOT, 'models', 'weights', 'vfi-flow-nano.safetensors')
METHODS = ['ours', 'causal', 'telea']
LIMIT = '16'  # frames of each sequence


def floors():
    """(kind, method, PSNR in the hole, how much of it above Telea) of each line."""
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'inpaint.txt')) as f:
        lines = [line.split() for line in f if line.strip() and not line.startswith('#')]
    return [(kind, method, float(psnr), float(above)) for kind, method, psnr, above in lines]


def evaluate(kinds, methods, path):
    return subprocess.run([PROGRAM, 'eval', 'inpaint', FRAMES, '--csv', path, '--kinds', ','.join(kinds), '--methods', ','.join(methods),
                           '--frames', LIMIT, '--precision', 'fp32', '--backend', 'cpu'], capture_output=True, text=True)


def means(kinds):
    """The mean PSNR in the hole over the sequences, of each kind and method."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'scores.csv')
        run = evaluate(kinds, METHODS, path)
        if run.returncode == 2:  # a build without OpenCV
            run = evaluate(kinds, METHODS[:2], path)
        if run.returncode:
            sys.exit('Bail out! ' + run.stderr.strip())
        scores = collections.defaultdict(list)
        with open(path, newline='') as f:
            for row in csv.DictReader(f):
                if row['psnr_hole']:
                    scores[row['kind'], row['method']].append(float(row['psnr_hole']))
    return {key: sum(s) / len(s) for key, s in scores.items()}


def main():
    tests = [(kind, method, what, floor) for kind, method, psnr, above in floors() for what, floor in (('hole', psnr), ('above Telea', above))]
    missing = ('no frames in %s: set VFI_FOOTAGE' % FRAMES if not os.path.isdir(FRAMES) else
               'no weights: %s' % WEIGHTS if not os.path.exists(WEIGHTS) else None)
    got = {} if missing else means(sorted({kind for kind, _, _, _ in floors()}))
    failed = False
    print('1..%d' % len(tests))
    for i, (kind, method, what, floor) in enumerate(tests, 1):
        name = 'quality inpaint %s %s %s' % (kind, method, what)
        if missing:
            print('ok %d - %s # SKIP %s' % (i, name, missing))
        elif what == 'above Telea' and (kind, 'telea') not in got:
            print('ok %d - %s # SKIP a build without OpenCV' % (i, name))
        else:
            value = got[kind, method] - (got[kind, 'telea'] if what == 'above Telea' else 0)
            print('# %.2f dB, floor %.2f' % (value, floor))
            print('%s %d - %s' % ('ok' if value >= floor else 'not ok', i, name))
            failed = failed or value < floor
    return failed


sys.exit(main())
