#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the shipped weights make of real frames, against floors.txt: by `vfi eval interp`, on the CPU, in fp32 and in its best precision.

    floors.py VFI_PROGRAM SOURCE_ROOT

The frames are no part of the project: VFI_FOOTAGE names the folder that holds eval/interp/SET/NAME/{first,truth,last}, default
../shared/footage beside the sources. Without them, or without weights, there is nothing to test.
"""
import collections
import csv
import os
import subprocess
import sys
import tempfile

PROGRAM, ROOT = sys.argv[1:]
FRAMES = os.path.join(os.environ.get('VFI_FOOTAGE') or os.path.join(ROOT, '..', 'shared', 'footage'), 'eval', 'interp')


def floors():
    models = collections.defaultdict(dict)
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'floors.txt')) as f:
        for line in f:
            if line.strip() and not line.startswith('#'):
                model, name, psnr = line.split()
                models[model][name] = float(psnr)
    return models


def weights(model):
    return os.path.join(ROOT, 'models', 'weights', model + '.safetensors')


def means(model, precision):
    """The mean PSNR of each set."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'scores.csv')
        run = subprocess.run([PROGRAM, 'eval', 'interp', FRAMES, '--csv', path, '--model', model, '--weights', weights(model),
                              '--precision', precision, '--backend', 'cpu'], capture_output=True, text=True)
        if run.returncode:
            sys.exit('Bail out! ' + run.stderr.strip())
        scores = collections.defaultdict(list)
        with open(path, newline='') as f:
            for row in csv.DictReader(f):
                scores[row['set']].append(float(row['psnr']))
    return {name: sum(s) / len(s) for name, s in scores.items()}


def main():
    tests = [(model, precision) for model in floors() for precision in ('fp32', 'auto')]
    failed = False
    print('1..%d' % len(tests))
    for i, (model, precision) in enumerate(tests, 1):
        name = 'quality %s %s' % (model, precision)
        if not os.path.isdir(FRAMES):
            print('ok %d - %s # SKIP no frames in %s: set VFI_FOOTAGE' % (i, name, FRAMES))
        elif not os.path.exists(weights(model)):
            print('ok %d - %s # SKIP no weights: %s' % (i, name, weights(model)))
        else:
            got = means(model, precision)
            good = True
            for key, floor in floors()[model].items():
                print('# %s: %.2f dB, floor %.2f' % (key, got.get(key, float('nan')), floor))
                good = good and got.get(key, 0) >= floor
            print('%s %d - %s' % ('ok' if good else 'not ok', i, name), flush=True)
            failed = failed or not good
    return failed


sys.exit(main())
