#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the shipped weights make of real frames, and of scenes and streams that are made (scenes.py), by `vfi eval` on the CPU, against the limits of TASK.txt.

    quality.py interp|scenes|streams|sequence|flow|inpaint VFI_PROGRAM SOURCE_ROOT

A line of TASK.txt is what is scored, in two words, a figure, and what its mean must reach (>=) or stay at or below (<=).
The frames, but those that are made, are no part of the project: VFI_FOOTAGE names the folder that holds eval/interp/SET/NAME/{first,truth,last},
eval/flow/SET/NAME-{gt,img0,img1} and eval/inpaint/NAME/{frames,masks}, default ../shared/footage beside the sources. Without them, or
without weights, there is nothing to test; without OpenCV, nothing to compare with.
"""
import collections
import csv
import os
import subprocess
import sys
import tempfile

import scenes

TASK, PROGRAM, ROOT = sys.argv[1:]
MADE = {'scenes': (scenes.SCENES, 3, 2), 'streams': (scenes.STREAMS, scenes.FRAMES, 1)}.get(TASK)
FOLDER_MADE = tempfile.TemporaryDirectory() if MADE else None
EVAL = {'scenes': 'interp', 'streams': 'interp', 'sequence': 'interp'}.get(TASK, TASK)
FOLDER = {'sequence': 'inpaint/davis_tennis_240p'}.get(TASK, TASK)
FRAMES = FOLDER_MADE.name if MADE else os.path.join(os.environ.get('VFI_FOOTAGE') or os.path.join(ROOT, '..', 'shared', 'footage'), 'eval', FOLDER)
LIMIT = '16'  # frames of each sequence


def weights(model):
    own = {'vfi-base': 'vfi-nano'}.get(model, model)  # whose weights it takes
    return os.path.join(ROOT, 'models', 'weights', own + '.safetensors')


def limits():
    """(first word, second word, figure, whether that is the least, limit) of each line."""
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), TASK + '.txt')) as f:
        lines = [line.split() for line in f if line.strip() and not line.startswith('#')]
    return [(a, b, figure, sign == '>=', float(limit)) for a, b, figure, sign, limit in lines]


def evaluate(*options, may_lack=None):
    """The rows of the CSV that `vfi eval` writes; None where it says that it lacks a method."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'scores.csv')
        run = subprocess.run([PROGRAM, 'eval', EVAL, FRAMES, '--csv', path, '--backend', 'cpu', *options], capture_output=True, text=True)
        if may_lack and run.returncode == 2 and "'%s' is none of" % may_lack in run.stderr:
            return None
        if run.returncode:
            print('Bail out! vfi eval %s: %s' % (TASK, run.stderr.strip().replace('\n', '; ')), flush=True)
            sys.exit(1)
        with open(path, newline='') as f:
            return list(csv.DictReader(f))


def means(rows, first, second):
    """{(first, second, figure): mean} over rows that are alike in two columns; what is no figure is left out."""
    values = collections.defaultdict(list)
    for row in rows:
        for figure, text in row.items():
            try:
                value = float(text)
            except ValueError:
                continue
            values[row[first], row[second], figure].append(value)
    return {key: sum(v) / len(v) for key, v in values.items()}


def by_model(precision, *options):
    """Each model that has a limit; rows of other methods are left out."""
    got = {}
    for model in {model for model, *_ in limits()}:
        rows = evaluate('--model', model, '--weights', weights(model), '--precision', precision, *options)
        got.update(means([{**row, 'model': model} for row in rows if row.get('method', 'vfi') == 'vfi'], 'model', 'set'))
    return got


def streams(precision):
    """The frames between, every second one given."""
    return by_model(precision, '--multiplier', '2')


def sequence(precision):
    """The frames between, every second one given, by what is known around them."""
    got = {}
    for how, options in {'linear': ('--trajectory', 'linear'), 'before': (), 'around': ('--lookahead', '1')}.items():
        for model in {model for _, model, *_ in limits()}:
            rows = evaluate('--multiplier', '2', '--model', model, '--weights', weights(model), '--precision', precision, *options)
            got.update(means([{**row, 'how': how, 'model': model} for row in rows], 'how', 'model'))
    return got


def inpaint(precision):
    options = '--frames', LIMIT, '--precision', precision
    kinds = ','.join(sorted({kind for kind, *_ in limits()} - {'removed'}))
    rows = (evaluate('--kinds', kinds, '--methods', 'ours,causal,telea', *options, may_lack='telea') or
            evaluate('--kinds', kinds, '--methods', 'ours,causal', *options))
    got = means(rows + evaluate('--object', '--methods', 'ours,causal', *options), 'kind', 'method')
    for kind, method, figure in list(got):
        if figure == 'psnr_hole' and (kind, 'telea', figure) in got:
            got[kind, method, 'above_telea'] = got[kind, method, figure] - got[kind, 'telea', figure]
    return got


def main():
    task, precisions, needs = {'interp': (by_model, ('fp32', 'auto'), []),  # auto: its best one
                               'scenes': (by_model, ('fp32',), []),
                               'streams': (streams, ('fp32',), []),
                               'sequence': (sequence, ('fp32',), ['vfi-nano']),
                               'flow': (by_model, ('fp32',), []),
                               'inpaint': (inpaint, ('fp32',), ['vfi-flow-nano', 'vfi-fill-nano'])}[TASK]
    missing = [weights(m) for m in needs or {model for model, *_ in limits()} if not os.path.exists(weights(m))]
    skip = ('no frames in %s: set VFI_FOOTAGE' % FRAMES if not os.path.isdir(FRAMES) else
            'no weights: %s' % ', '.join(missing) if missing else None)
    failed, i = False, 0
    if MADE and not skip:
        scenes.write(FRAMES, *MADE)
    print('1..%d' % (len(precisions) * len(limits())))
    for precision in precisions:
        got = {} if skip else task(precision)
        for a, b, figure, least, limit in limits():
            i += 1
            name = '%d - %s %s %s %s, %s' % (i, TASK, a, b, figure, precision)
            value = got.get((a, b, figure))
            if skip or (value is None and figure == 'above_telea'):
                print('ok %s # SKIP %s' % (name, skip or 'a build without OpenCV'))
                continue
            good = value is not None and (value >= limit if least else value <= limit)
            print('# %s, at %s %g' % ('%.4f' % value if value is not None else 'nothing', 'least' if least else 'most', limit))
            print('%s %s' % ('ok' if good else 'not ok', name), flush=True)
            failed = failed or not good
    return failed


sys.exit(main())
