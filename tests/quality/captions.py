#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What interpolation leaves of captions that stay while the picture behind them moves: PSNR where they are opaque, of the frames made and of the given ones beside them.

    captions.py VFI_PROGRAM FRAMES... [--crf N] [--apart] [-- options of `vfi eval interp`]

FRAMES are folders of a sequence's frames. Captions, white with a black outline, are laid over 41 of each at 640 pixels' width or less; every second frame is given. With --crf all of them go through x264 first, and
given frames have errors, too: that is what made ones should be no worse than. Scores are of the fifth pair and later ones, from where it is known what lies over the picture (core/ops/overlay.c), behind them those of the
first four. With --apart nothing is known of the stream: each pair is one by itself. Needs OpenCV's Python module and, for --crf, ffmpeg.
"""
import argparse
import glob
import os
import subprocess
import sys
import tempfile

import cv2
import numpy as np

LINES = ((.1, .2, 1), (.3, .55, 2), (.2, .9, 1))  # across, down, thickness


def captioned(picture):
    """It with captions, and where they hide it."""
    h, w = picture.shape[:2]
    white = np.zeros((h, w), np.uint8)
    for k, (across, down, thick) in enumerate(LINES):
        cv2.putText(white, 'CAPTION %d gst-vfi' % k, (int(across * w), int(down * h)), cv2.FONT_HERSHEY_SIMPLEX, .6, 255, thick, cv2.LINE_AA)
    black = cv2.dilate(white, np.ones((3, 3), np.uint8))
    out = picture * (1 - black[..., None] / 255.)
    return (out * (1 - white[..., None] / 255.) + white[..., None]).astype(np.uint8), black >= 250


def psnr(a, b, where):
    e = ((a.astype(float) - b) ** 2).mean(2)[where].mean()
    return -10 * np.log10(max(e, .25) / 255 ** 2)  # at most 54 dB: half a step everywhere


def through_x264(frames, crf):
    """What 4-digit PNGs in a folder become by it."""
    quiet = ['ffmpeg', '-v', 'error', '-y']
    movie, each = os.path.join(os.path.dirname(frames), 'x.mp4'), os.path.join(frames, '%04d.png')
    subprocess.run([*quiet, '-i', each, '-c:v', 'libx264', '-crf', crf, '-preset', 'veryfast', '-pix_fmt', 'yuv420p', movie], check=True)
    subprocess.run([*quiet, '-i', movie, '-start_number', '0', each], check=True)


def arguments(doc, flag):
    """Of the command line, and what stands behind --."""
    own, options = sys.argv[1:], []
    if '--' in own:
        own, options = own[:own.index('--')], own[own.index('--') + 1:]
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('program')
    parser.add_argument('frames', nargs='+')
    parser.add_argument('--crf')
    parser.add_argument(flag, action='store_true')
    return parser.parse_args(own), options


def frames_made(program, seen, top, options):
    """By `vfi eval interp`, in order; what it writes goes into the folder top."""
    page = os.path.join(top, 'page.html')
    subprocess.run([program, 'eval', 'interp', seen, '--html', page, *options], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return [cv2.imread(p) for p in sorted(glob.glob(os.path.join(top, 'page_files', '*-made.png')))]


def main():
    args, options = arguments(__doc__, '--apart')
    for folder in args.frames:
        with tempfile.TemporaryDirectory() as top:
            frames = os.path.join(top, 'frames')
            os.mkdir(frames)
            clean = []
            for k, path in enumerate(sorted(glob.glob(os.path.join(folder, '*')))[:41]):
                picture = cv2.imread(path)
                h, w = picture.shape[:2]
                if w > 640:
                    picture = cv2.resize(picture, (w // 2, h // 2), interpolation=cv2.INTER_AREA)
                picture, hidden = captioned(picture[:picture.shape[0] // 2 * 2, :picture.shape[1] // 2 * 2])
                clean.append(picture)
                cv2.imwrite(os.path.join(frames, '%04d.png' % k), picture)
            if args.crf:
                through_x264(frames, args.crf)
            seen, how = frames, ['--multiplier', '2']
            if args.apart:
                seen, how = os.path.join(top, 'apart'), []
                for k in range(0, len(clean) - 2, 2):
                    pair = os.path.join(seen, 'pairs', '%04d' % k)
                    os.makedirs(pair)
                    for i in range(k, k + 3):
                        os.symlink(os.path.join(frames, '%04d.png' % i), os.path.join(pair, '%d.png' % (i - k)))
            made = frames_made(args.program, seen, top, [*how, *options])
            scores = np.array([(psnr(m, clean[2 * i + 1], hidden), psnr(cv2.imread(os.path.join(frames, '%04d.png' % (2 * i))), clean[2 * i], hidden)) for i, m in enumerate(made)])
        print('%-24s made %.2f, given %.2f dB; first four made %.2f' % (os.path.basename(folder.rstrip('/').removesuffix('/frames')), *scores[4:].mean(0), scores[:4, 0].mean()), flush=True)


if __name__ == '__main__':
    main()
