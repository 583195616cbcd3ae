#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What interpolation makes of pictures between bars: PSNR of made frames within 24 pixels of the bars, of the bars, and of the same picture with the bars cut off.

    bars.py VFI_PROGRAM FRAMES... [--letterbox] [--crf N] [-- options of `vfi eval interp`]

FRAMES are folders of a sequence's frames, of which 41 are taken and every second one is given. An eighth of the width left and right is made black, or of the height above and below. With --crf they go through x264 after that.
Needs OpenCV's Python module and, for --crf, ffmpeg.
"""
import glob
import os
import tempfile

import cv2
import numpy as np

from captions import arguments, frames_made, psnr, through_x264

NEAR = 24


def main():
    args, options = arguments(__doc__, '--letterbox')
    for folder in args.frames:
        scores = []
        for cut in False, True:
            with tempfile.TemporaryDirectory() as top:
                frames = os.path.join(top, 'frames')
                os.mkdir(frames)
                clean = []
                for k, path in enumerate(sorted(glob.glob(os.path.join(folder, '*')))[:41]):
                    picture = cv2.imread(path)
                    picture = picture[:picture.shape[0] // 2 * 2, :picture.shape[1] // 2 * 2]
                    h, w = picture.shape[:2]
                    y, x = (h // 16 * 2, 0) if args.letterbox else (0, w // 16 * 2)
                    inner = picture[y:h - y, x:w - x]
                    clean.append(inner if cut else cv2.copyMakeBorder(inner, y, y, x, x, cv2.BORDER_CONSTANT))
                    cv2.imwrite(os.path.join(frames, '%04d.png' % k), clean[-1])
                if args.crf:
                    through_x264(frames, args.crf)
                y, x = (0, 0) if cut else (y, x)
                near, bar = np.zeros(clean[0].shape[:2], bool), np.ones(clean[0].shape[:2], bool)
                h, w = near.shape
                near[y:h - y, x:w - x] = True
                bar[y:h - y, x:w - x] = False
                if args.letterbox:
                    near[y + NEAR:h - y - NEAR] = False
                else:
                    near[:, x + NEAR:w - x - NEAR] = False
                pictures = frames_made(args.program, frames, top, ['--multiplier', '2', *options])
                for where in (near,) if cut else (near, bar):
                    scores.append(np.mean([psnr(m, clean[2 * i + 1], where) for i, m in enumerate(pictures)]))
        print('%-24s near bars %.2f, bars %.2f dB; near the edge of the same without bars %.2f' % (os.path.basename(folder.rstrip('/').removesuffix('/frames')), *scores), flush=True)


if __name__ == '__main__':
    main()
