#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What `vfiinterp mode=repair` puts into holes of a stream: PSNR of luma of the frames that were taken out.

    holes.py [--lengths 3,8,14] CLIP... [-- properties of vfiinterp]

Of each clip four frames are kept, as many as a hole is long are taken out, and so on to its end, where four are kept. Needs what lossy.py needs.
"""
import argparse
import os
import sys

import numpy as np

from lossy import CLIP, SINK, Gst, frames_of, scores

REPAIR = 'identity name=road ! vfiinterp mode=repair max-gap=100 qos-mode=off scene-threshold=1 %s ! '


def main():
    own, properties = sys.argv[1:], []
    if '--' in own:
        own, properties = own[:own.index('--')], own[own.index('--') + 1:]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('clips', nargs='+', metavar='CLIP')
    parser.add_argument('--lengths', default='3,8,14', help='frames of a hole')
    args = parser.parse_args(own)
    Gst.init(None)
    lengths, rows = [int(n) for n in args.lengths.split(',')], []
    print('%-40s' % '', *('%7d' % n for n in lengths))
    for clip in args.clips:
        truth, row = frames_of((CLIP + SINK).format(clip=clip)), []
        for n in lengths:
            kept = [i % (4 + n) < 4 or i >= len(truth) - 4 for i in range(len(truth))]
            passes = iter(kept)
            frames = frames_of((CLIP + REPAIR % ' '.join(properties) + SINK).format(clip=clip), (('road', Gst.PadProbeType.BUFFER, lambda info: next(passes)),))
            row.append(scores(truth, frames)[~np.array(kept), 0].mean())
        print('%-40s' % os.path.basename(clip)[-40:], *('%7.2f' % p for p in row), flush=True)
        rows.append(row)
    print('%-40s' % 'mean', *('%7.2f' % p for p in np.mean(rows, 0)))


if __name__ == '__main__':
    main()
