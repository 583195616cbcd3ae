#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""PSNR inside of holes of 64, 96 and 128 pixels in the middle of pictures, of vfi-fill-nano and of what needs no training.

    python3 tools/train/fillevaluate.py --weights models/weights/vfi-fill-nano.safetensors PICTURES

PICTURES is searched for images, folders named masks left out; of each the 256 x 256 in the middle are taken. Half of the holes are squares,
the others blobs and strokes in them. OpenCV's methods are in the table where there is OpenCV.
"""
import argparse
import os
import sys

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import fillnet
import filltrain
import masks

CROP, SIZES = 256, (64, 96, 128)


def pictures(folder, every):
    found = []
    for path, folders, files in os.walk(folder):
        folders[:] = sorted(f for f in folders if f != 'masks')
        found += [os.path.join(path, f) for f in sorted(files)[::every] if f.lower().endswith(('.png', '.jpg', '.jpeg'))]
    return found


def middle(path):
    """(1,3,CROP,CROP) in [0,1], or None where the picture is smaller."""
    image = Image.open(path).convert('RGB')
    if min(image.size) < CROP:
        return None
    x, y = ((s - CROP) // 2 for s in image.size)
    return torch.from_numpy(np.array(image.crop((x, y, x + CROP, y + CROP)))).permute(2, 0, 1)[None].float() / 255


def hole(rng, size, shaped):
    mask, a = torch.zeros(1, 1, CROP, CROP), (CROP - size) // 2
    shape = masks.hole(rng, size, .5, .95) if shaped else np.ones((size, size), np.uint8)
    mask[0, 0, a:a + size, a:a + size] = torch.from_numpy(shape.astype(np.float32))
    return mask


@torch.no_grad()
def main(argv=None):
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('folder', metavar='PICTURES')
    p.add_argument('--weights', metavar='FILE', help='without it, only the network before any training, and the others')
    p.add_argument('--every', type=int, default=1, metavar='N', help='only every Nth picture of a folder')
    p.add_argument('--sheet', metavar='FILE', help='write a picture of each: with its hole, Telea, ours, the truth')
    args = p.parse_args(argv)
    models = {'untrained': fillnet.FillNet().eval()}
    if args.weights:
        models[fillnet.NAME] = fillnet.FillNet().eval()
        models[fillnet.NAME].load_state_dict(load_file(args.weights))
    rng, rows, sheet = np.random.default_rng(11), [], []
    for i, path in enumerate(pictures(args.folder, args.every)):
        rgb = middle(path)
        if rgb is None:
            continue
        size = SIZES[i % 3]
        mask = hole(rng, size, i // 3 % 2)
        x = filltrain.with_hole(rgb, mask)
        filled = {**filltrain.classical(rgb, mask), **{name: torch.lerp(rgb, model(x)[1], mask) for name, model in models.items()}}
        rows.append((size, {k: filltrain.psnr(v, rgb, mask) for k, v in filled.items()}))
        parts = (rgb * (1 - mask), filled.get('Telea', filled['smooth']), list(filled.values())[-1], rgb)
        sheet.append(np.concatenate([filltrain.to_bytes(v) for v in parts], 1))
    if not rows:
        sys.exit(f'no picture of {CROP} x {CROP} or more in {args.folder}')
    print('PSNR in the hole, dB; ' + ', '.join(f'{sum(s == size for s, _ in rows)} holes of {size}' for size in SIZES))
    print(f'{"":16}' + ''.join(f'{s:>8}' for s in SIZES) + '     all')
    for name in rows[0][1]:
        means = [np.mean([r[name] for s, r in rows if s == size] or [np.nan]) for size in SIZES]
        print(f'{name:16}' + ''.join(f'{m:8.2f}' for m in means) + f'{np.mean([r[name] for _, r in rows]):8.2f}')
    if args.sheet:
        Image.fromarray(np.concatenate(sheet, 0)).save(args.sheet)


if __name__ == '__main__':
    main()
