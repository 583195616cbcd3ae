#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What propagation could give: holes filled with what other frames show, found along the flow of the true frames, as no inpainting knows it.

    python3 tests/quality/inpaintbound.py DIR [--frames 16] [--lookahead 10] [--history 32]

DIR as for `vfi eval inpaint`, the hole its stationary one. Flow is OpenCV's DIS (medium) between neighbouring frames in both directions; a pixel is
followed, backwards and forwards, for as long as the way back leads to where it came from, and takes the nearest frame's colour that lies outside of the hole; one
that none shows is Telea's. Prints PSNR in the hole (mean over frames), Telea's alone, the part of the hole that some frame shows, and PSNR there.
"""
import argparse
import glob
import os

import cv2
import numpy as np

W, H = 432, 240


def sample(field, x, y):
    return cv2.remap(field, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def psnr(a, b):
    return 10 * np.log10(255 ** 2 / max(np.mean((a.astype(float) - b) ** 2), 1e-9)) if a.size else np.nan


def colours(t, frames, there, back, hole, reach):
    """Colour (h,w,3) of what is nearest in time, and where there is any; reach: {-1: frames back, 1: frames ahead}."""
    colour, age = np.zeros((H, W, 3), np.float32), np.full((H, W), 1 << 30)
    grid = np.mgrid[0:H, 0:W].astype(np.float32)
    for way, n in reach.items():
        y, x = grid.copy()
        sure = hole.copy()
        for k in range(1, n + 1):
            u = t + way * k
            if not 0 <= u < len(frames):
                break
            go, come = (there[u - 1], back[u - 1]) if way > 0 else (back[u], there[u])
            step = sample(go, x, y)
            x, y = x + step[..., 0], y + step[..., 1]
            apart = np.linalg.norm(step + sample(come, x, y), axis=2)
            sure &= (apart < 1 + .05 * np.linalg.norm(step, axis=2)) & (x >= 0) & (x < W) & (y >= 0) & (y < H)
            seen = sure & (sample(hole.astype(np.float32), x, y) <= 0) & (age > k)
            colour[seen], age[seen] = sample(frames[u], x, y)[seen], k
    return colour, age < 1 << 30


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('folder', metavar='DIR')
    p.add_argument('--frames', type=int, default=16)
    p.add_argument('--lookahead', type=int, default=10)
    p.add_argument('--history', type=int, default=32)
    args = p.parse_args()
    hole = np.zeros((H, W), bool)
    hole[H // 2 - H // 8:H // 2 + H // 8, W // 2 - W // 8:W // 2 + W // 8] = True
    flow = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    means = []
    print(f'{"":32}{"bound":>9}{"Telea":>9}{"shown":>9}{"there":>9}')
    for name in sorted(os.listdir(args.folder)):
        paths = sorted(glob.glob(os.path.join(args.folder, name, 'frames', '*')))[:args.frames]
        frames = [cv2.resize(cv2.imread(f), (W, H), interpolation=cv2.INTER_AREA) for f in paths]
        grey = [cv2.cvtColor(f, cv2.COLOR_BGR2GRAY) for f in frames]
        there = [flow.calc(a, b, None) for a, b in zip(grey, grey[1:])]
        back = [flow.calc(b, a, None) for a, b in zip(grey, grey[1:])]
        rows = []
        for t, frame in enumerate(frames):
            telea = cv2.inpaint(frame, hole.astype(np.uint8), 3, cv2.INPAINT_TELEA)
            colour, shown = colours(t, frames, there, back, hole, {-1: args.history, 1: args.lookahead})
            bound = np.where(shown[..., None], colour, telea)
            rows.append((psnr(bound[hole], frame[hole]), psnr(telea[hole], frame[hole]), 100 * shown.sum() / hole.sum(), psnr(colour[shown], frame[shown])))
        if rows:
            means.append(np.nanmean(rows, 0))
            print(f'{name:32}' + '{:9.2f}{:9.2f}{:8.0f}%{:9.2f}'.format(*means[-1]), flush=True)
    print(f'{"mean":32}' + '{:9.2f}{:9.2f}{:8.0f}%{:9.2f}'.format(*np.mean(means, 0)))


if __name__ == '__main__':
    main()
