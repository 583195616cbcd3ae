#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""End-point error of a flow network on pairs with exact flow, beside OpenCV's DIS and Farneback.

A case is three files: NAME-gt.flo (Middlebury), NAME-img0 and NAME-img1 (any picture format); a set is a folder of them.
With --warp, where no flow is known: folders of successive frames, scored by how well each is made from the next one along the flow.
"""
import argparse
import os
import sys

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import evaluate as pictures
import flownet
import net


def read_flo(path):
    """Flow (h,w,2) of a Middlebury file."""
    with open(path, 'rb') as f:
        head = f.read(12)
        w, h = np.frombuffer(head, '<i4', 2, 4)
        if head[:4] != b'PIEH':
            raise ValueError(f'{path}: not a .flo file')
        return np.frombuffer(f.read(), '<f4', h * w * 2).reshape(h, w, 2)


def cases(folder):
    """[(set, name, first, second, flow)] of paths below a folder, sorted."""
    out = []
    for path, _, files in sorted(os.walk(folder)):
        for f in sorted(files):
            if f.endswith('-gt.flo'):
                name = f[:-len('-gt.flo')]
                pair = [next((os.path.join(path, g) for g in sorted(files) if g.startswith(f'{name}-img{i}.')), None) for i in (0, 1)]
                if all(pair):
                    out.append((os.path.basename(path), name, *pair, os.path.join(path, f)))
    return out


def flow_of(model, a, b, coarse=False):
    """Flow (2,h,w) and confidence (h,w) between RGB frames (1,3,h,w) in [0,1]; coarse: without the steps on their own grid."""
    h, w = a.shape[2:]
    pad = (0, -w % net.MULTIPLE, 0, -h % net.MULTIPLE)
    a, b = (net.pack(*pictures.planes(F.pad(x, pad, 'replicate'))) for x in (a, b))
    state = model(a, b)[-1]
    flow, sure = flownet.full(state if coarse else flownet.sharpen(state, a, b), h, w)
    return flow[0], sure[0, 0]


def score(flow, truth):
    """End-point error, parts of the pixels more than 1, 3, 5 off, and Fl: more than 3 and 5 % off. Flows (h,w,2)."""
    e = np.sqrt(((flow - truth) ** 2).sum(2))
    size = np.sqrt((truth ** 2).sum(2))
    known = size < 1e9
    e, size = e[known], size[known]
    return dict(epe=e.mean(), **{f'{k}px': (e > k).mean() for k in (1, 3, 5)}, fl=((e > 3) & (e > .05 * size)).mean())


@torch.no_grad()
def evaluate(model, cases, device, coarse=False):
    """{set: [scores of each]}; model takes (a, b) frames through flow_of, or is a function of grey uint8 pictures."""
    rows = {}
    for group, name, first, second, truth in cases:
        if isinstance(model, torch.nn.Module):
            flow = flow_of(model, *(pictures.load_image(p, device) for p in (first, second)), coarse)[0].permute(1, 2, 0).cpu().numpy()
        else:
            flow = model(*(np.array(Image.open(p).convert('L')) for p in (first, second)))
        rows.setdefault(group, []).append(score(flow, read_flo(truth)))
    return rows


def others():
    """{name: function} of no flow, and of what OpenCV has where there is OpenCV."""
    out = {'no flow': lambda a, b: np.zeros((*a.shape, 2), np.float32)}
    try:
        import cv2
    except ImportError:
        return out
    presets = {'DIS ultrafast': cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST, 'DIS fast': cv2.DISOPTICAL_FLOW_PRESET_FAST,
               'DIS medium': cv2.DISOPTICAL_FLOW_PRESET_MEDIUM}
    out.update({name: lambda a, b, p=p: cv2.DISOpticalFlow_create(p).calc(a, b, None) for name, p in presets.items()})
    out['Farneback'] = lambda a, b: cv2.calcOpticalFlowFarneback(a, b, None, .5, 5, 15, 3, 5, 1.1, 0)
    return out


def sequences(folder, n, size):
    """{name: [RGB frames (1,3,h,w) in [0,1]]}, the first n pictures, reduced to size, of each folder below that has more than three."""
    out = {}
    for path, _, files in sorted(os.walk(folder)):
        files = sorted(f for f in files if f.lower().endswith(('.png', '.jpg', '.jpeg')))[:n]
        if len(files) > 3 and os.path.basename(path) != 'masks':
            frames = [np.array(Image.open(os.path.join(path, f)).convert('RGB').resize(size, Image.BOX)) for f in files]
            out[os.path.relpath(path, folder)] = [torch.from_numpy(f).permute(2, 0, 1).float()[None] / 255 for f in frames]
    return out


@torch.no_grad()
def warped(model, frames, coarse=False, border=10):
    """Mean PSNR of frames made from the next one by cubic sampling along the flow; a border that may have come into view left out."""
    scores = []
    for a, b in zip(frames, frames[1:]):
        if isinstance(model, torch.nn.Module):
            flow = flow_of(model, a, b, coarse)[0][None]
        else:
            grey = [(pictures.planes(x)[0][0, 0] * 255).round().byte().numpy() for x in (a, b)]
            flow = torch.from_numpy(model(*grey)).permute(2, 0, 1)[None]
        made = net.warp_cubic(b, flow, torch.ones(1, 1, 1, 1))
        scores.append(pictures.psnr(*(x[:, :, border:-border, border:-border] for x in (made, a))))
    return np.mean(scores)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('folder')
    p.add_argument('--weights', help='.safetensors or training checkpoint; without it only the others are scored')
    p.add_argument('--model', default='vfi-flow-nano', choices=sorted(flownet.CONFIGS))
    p.add_argument('--device', default='cpu')
    p.add_argument('--coarse', action='store_true', help="leave out the network's last steps, those on the frame's own grid")
    p.add_argument('--each', action='store_true', help='print every pair, not just the means')
    p.add_argument('--warp', type=int, metavar='N', help='the first N frames of each folder of frames, at 432x240, instead of pairs with known flow')
    args = p.parse_args()
    found = cases(args.folder)
    if not found and not args.warp:
        sys.exit(f'{args.folder}: no NAME-gt.flo with NAME-img0 and NAME-img1')
    methods = {}
    if args.weights:
        model = flownet.FlowNet(args.model).to(args.device).eval()
        model.load_state_dict(pictures.load_weights(args.weights))
        methods[args.model] = model
    methods.update(others())
    if args.warp:
        for name, frames in sequences(args.folder, args.warp, (432, 240)).items():
            print(name, ', '.join(f'{k} {warped(m, frames, args.coarse):.2f} dB' for k, m in methods.items()), flush=True)
        return
    print(f'{"":16}' + ''.join(f'{k:>9}' for k in ('epe', '1px', '3px', '5px', 'Fl')))
    for name, method in methods.items():
        for group, rows in evaluate(method, found, args.device, args.coarse).items():
            for i, r in enumerate(rows if args.each else []):
                print(f'  {i:12}  ' + ''.join(f'{v:9.3f}' for v in r.values()))
            print(f'{name:16}' + ''.join(f'{np.mean([r[k] for r in rows]):9.3f}' for k in rows[0]) + f'  {group} ({len(rows)})')


if __name__ == '__main__':
    main()
