#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Tune a network to a camera, a sport, a game: to footage of your own, at the rate it has.

    python3 tools/train/tune.py --footage my.mp4 --model vfi-nano --minutes 30
    gst-launch-1.0 ... ! vfiinterp model=vfi-nano weights=vfi-nano-tuned.safetensors ! ...

Nothing but the footage is needed, no frames in between: the network learns by cycle consistency with pseudo supervision
(losses.py: cycle) and starts from the shipped weights. A few minutes of moving pictures are enough to learn from. What is printed as
"footage" before and while it trains is the PSNR of every other frame made from its neighbours, which is as near to a proof
as footage without frames in between comes. Options of train.py may follow.
"""
import argparse
import os
import shutil
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import data
import net
import train

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..')


def main(argv=None):
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--footage', required=True, metavar='PATH', help='a video file, or a folder of them')
    p.add_argument('--model', default='vfi-nano', choices=sorted(net.CONFIGS))
    p.add_argument('--weights', metavar='FILE', help='to start from (default: the shipped ones of the model)')
    p.add_argument('--minutes', type=float, default=30, help='of training (default %(default)s)')
    p.add_argument('--out', metavar='FILE', help='the tuned weights (default: MODEL-tuned.safetensors)')
    args, rest = p.parse_known_args(argv)
    weights = args.weights or os.path.join(ROOT, 'models', 'weights', args.model + '.safetensors')
    out = args.out or args.model + '-tuned.safetensors'
    if not os.path.exists(args.footage):
        p.error(f'{args.footage}: there is no such file or folder')
    if not os.path.exists(weights):
        p.error(f'{weights}: there are no weights to start from; name some with --weights')
    work = os.path.splitext(out)[0] + '-run'
    os.makedirs(work, exist_ok=True)
    footage = args.footage
    if os.path.isfile(footage):
        if not footage.lower().endswith(data.EXTENSIONS):
            p.error(f'{footage}: its name must end with one of {" ".join(data.EXTENSIONS)}')
        footage = os.path.join(work, 'footage')
        os.makedirs(footage, exist_ok=True)
        link = os.path.join(footage, os.path.basename(args.footage))
        if not os.path.exists(link):
            os.symlink(os.path.abspath(args.footage), link)
    train.main(['--model', args.model, '--footage', footage, '--cache', os.path.join(work, 'frames'), '--out', work,
                '--minutes', str(args.minutes), '--init', weights, '--loss', 'cc+ps', '--lr', '1e-4', '--warmup', '50', '--batch', '4', '--crop', '192', *rest])
    shutil.copy(os.path.join(work, args.model + '.safetensors'), out)
    print(f'{out}: use it as  vfiinterp model={args.model} weights={out}')


if __name__ == '__main__':
    main()
