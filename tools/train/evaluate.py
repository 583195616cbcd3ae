#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""PSNR of a network on triplet folders (three images: first, middle = truth, last), at t = 1/2.

The way of the shipped program: velocities from Y'CbCr 4:2:0, then the RGB planes themselves warped
and blended; the result rounded to 8 bits. A set is a folder of triplet folders; its score is the
mean over its triplets.
"""
import argparse
import os
import sys

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageDraw, ImageFilter

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import basenet
import net


def triplets(folder):
    """[(set, name, [three image paths])] below a folder, sorted."""
    out = []
    for path, _, files in sorted(os.walk(folder)):
        images = sorted(f for f in files if f.lower().endswith(('.png', '.jpg', '.jpeg', '.bmp', '.ppm')))
        if len(images) == 3:
            out.append((os.path.basename(os.path.dirname(path)), os.path.basename(path), [os.path.join(path, f) for f in images]))
    return out


def load_image(path, device):
    return torch.from_numpy(np.array(Image.open(path).convert('RGB'))).to(device).permute(2, 0, 1).float()[None] / 255


def planes(rgb):
    """BT.709 full range: luma (n,1,h,w) and chroma averaged to half size (n,2,h/2,w/2)."""
    r, g, b = rgb.split(1, 1)
    y = .2126 * r + .7152 * g + .0722 * b
    return y, F.avg_pool2d(torch.cat(((b - y) / 1.8556, (r - y) / 1.5748), 1), 2)


def interpolate(model, a, b, t=.5):
    """RGB frames (1,3,h,w) in [0,1] to the frame between them."""
    h, w = a.shape[2:]
    pad = (0, -w % net.MULTIPLE, 0, -h % net.MULTIPLE)
    a, b = F.pad(a, pad, 'replicate'), F.pad(b, pad, 'replicate')
    t = torch.full((1, 1, 1, 1), t, device=a.device)
    state = model(net.pack(*planes(a)), net.pack(*planes(b)), t)[-1]
    return net.synthesize(a, b, state, t, model.sampled, size=(h, w))[:, :, :h, :w]


def psnr(a, b, area=1.):
    """Of images in [0,1], the first rounded to 8 bits; with an area (1,1,h,w) of 0 and 1 only there, and at most 54 dB: half a step everywhere."""
    e = ((a.clamp(0, 1) * 255).round() / 255 - b) ** 2 * area
    if isinstance(area, float):
        return -10 * float(torch.log10(e.mean()))
    return -10 * float(torch.log10((e.sum() / (3 * area.sum())).clamp(min=(.5 / 255) ** 2)))


def overlay(h, w, device):
    """What stands still over a picture: white letters with a black outline, a tenth of the picture high, top right. Opacity and colour (1,1,h,w)."""
    small = Image.new('L', (66, 13))
    ImageDraw.Draw(small).text((3, 1), 'LIVE 12:34', fill=255)
    size = round(66 / 13 * h / 10), round(h / 10)
    letters = small.resize(size, Image.BICUBIC)
    placed = [Image.new('L', (w, h)) for _ in range(2)]
    for to, what in zip(placed, (letters, letters.filter(ImageFilter.MaxFilter(2 * round(h / 200) + 1)))):
        to.paste(what, (w - size[0] - h // 20, h // 20))
    white, opaque = (torch.from_numpy(np.array(p)).to(device).float()[None, None] / 255 for p in placed)
    return opaque, white


@torch.no_grad()
def evaluate(model, cases, device, make=interpolate, still=False):
    """{set: [(name, PSNR)]} of cases as from triplets (); `still`: in the area of an overlay that is laid over all frames."""
    scores = {}
    for group, name, paths in cases:
        frames, area = [load_image(p, device) for p in paths], 1.
        if still:
            opaque, white = overlay(*frames[0].shape[2:], device)
            frames, area = [f + opaque * (white - f) for f in frames], (opaque > 0).float()
        a, m, b = frames
        scores.setdefault(group, []).append((name, psnr(make(model, a, b), m, area)))
    return scores


def load_weights(path):
    """The state dict of a .safetensors file, or the averaged weights of a training checkpoint."""
    if path.endswith('.safetensors'):
        from safetensors.torch import load_file
        return load_file(path)
    return torch.load(path, map_location='cpu')['ema']


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('folder', help='a triplet folder, a set of them, or a folder of sets')
    p.add_argument('--weights', help='.safetensors or training checkpoint; without it the plain average is scored')
    p.add_argument('--model', default='vfi-nano', choices=sorted(basenet.MODELS))
    p.add_argument('--device', default='cpu')
    p.add_argument('--each', action='store_true', help='print every triplet, not just the means')
    p.add_argument('--overlay', action='store_true', help='lay letters over all frames, which stand still, and score where they are')
    p.add_argument('--png', metavar='DIR', help='write the synthesized images')
    args = p.parse_args()
    model, make = None, lambda _, a, b: (a + b) / 2
    if args.weights:
        model, make = basenet.network(args.model).to(args.device).eval(), interpolate
        model.load_state_dict(load_weights(args.weights))
    cases = triplets(args.folder)
    if not cases:
        sys.exit(f'{args.folder}: no folder with exactly three images')
    for group, scores in evaluate(model, cases, args.device, make, args.overlay).items():
        if args.each:
            for name, score in scores:
                print(f'  {group}/{name} {score:.2f}')
        print(f'{group} ({len(scores)}): {np.mean([s for _, s in scores]):.3f} dB')
    if args.png:
        os.makedirs(args.png, exist_ok=True)
        for group, name, paths in cases:
            with torch.no_grad():
                out = make(model, load_image(paths[0], args.device), load_image(paths[2], args.device))
            image = (out[0].clamp(0, 1) * 255).round().byte().permute(1, 2, 0).cpu().numpy()
            Image.fromarray(image).save(os.path.join(args.png, f'{group}_{name}.png'))


if __name__ == '__main__':
    main()
