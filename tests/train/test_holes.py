#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The training of networks that fill holes: smooth and straight fills, masks, flows that are turned, and runs that stop and go on.

Needs PyTorch; exits with 77 (skipped) without it. Takes about half a minute.
"""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

try:
    import numpy as np
    import torch
    from PIL import Image  # noqa: F401
    from safetensors.torch import load_file
except ImportError as e:
    print(f'skipped: {e}')
    sys.exit(77)

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'tools', 'train'))
import completenet
import completetrain
import fillnet
import filltrain
import gated
import masks
import synth

torch.set_num_threads(1)


def plane(h, w):
    """A slope in either direction (1,2,h,w)."""
    y, x = torch.meshgrid(torch.arange(float(h)), torch.arange(float(w)), indexing='ij')
    return torch.stack((x * .01 + y * .02, .5 - x * .02))[None]


def box(h, w, y0, y1, x0, x1):
    mask = torch.zeros(1, 1, h, w)
    mask[..., y0:y1, x0:x1] = 1
    return mask


class Pieces(unittest.TestCase):
    def test_harmonic_fill_of_a_slope_is_the_slope(self):
        x, mask = plane(64, 64), box(64, 64, 20, 40, 12, 50)
        u = gated.harmonic(x * (1 - mask) + 9 * mask, mask)
        torch.testing.assert_close(u, x, atol=.005, rtol=0)
        self.assertTrue(torch.equal(u * (1 - mask), x * (1 - mask)))

    def test_harmonic_fill_is_its_neighbours_mean(self):
        torch.manual_seed(0)
        mask = box(32, 48, 8, 20, 30, 48)  # to the border
        u = gated.harmonic(torch.rand(1, 3, 32, 48), mask, 200)
        p = torch.nn.functional.pad(u, (1, 1, 1, 1), 'replicate')
        mean = (p[..., :-2, 1:-1] + p[..., 2:, 1:-1] + p[..., 1:-1, :-2] + p[..., 1:-1, 2:]) / 4
        self.assertLess(float(((u - mean) * mask).abs().max()), 1e-4)

    def test_bridges_go_straight(self):
        x, mask = plane(16, 24), box(16, 24, 4, 9, 6, 20)
        b = gated.bridge(x * (1 - mask), 1 - mask)
        for part in b[:, :4].split(2, 1):
            torch.testing.assert_close(part, x, atol=1e-6, rtol=0)
        apart = b[:, 4:] * mask
        self.assertAlmostEqual(float(apart[0, 0, 5, 10]), (.01 + .02) / 2 * 15, 5)
        self.assertAlmostEqual(float(apart[0, 1, 5, 10]), .02 / 2 * 6, 5)

    def test_bridges_at_the_border(self):
        """A hole that has one end takes it; one without any takes the other direction; nothing known gives 0."""
        x, mask = plane(8, 8) + 1, box(8, 8, 2, 6, 0, 8)
        mask[..., 0, 5:] = 1
        r, c, apart = gated.bridge(x * (1 - mask), 1 - mask).split((2, 2, 2), 1)
        torch.testing.assert_close(r[..., 2:6, :5], c[..., 2:6, :5])
        torch.testing.assert_close(r[..., 0, 5:], x[..., 0, 4:5].expand(1, 2, 3))
        self.assertTrue(bool((apart[0, 0, 2:6] == 1).all()) and float(apart[0, 1, 3, 0]) < 1)
        self.assertEqual(float(gated.bridge(x, torch.zeros(1, 1, 8, 8))[:, :4].abs().max()), 0)

    def test_gate(self):
        x = torch.tensor([1., -1., 2., -2., 100., -100.]).view(1, 6, 1, 1)
        torch.testing.assert_close(gated.gate(x, 2).flatten(), torch.tensor([1., 0., 2., 0.]), atol=1e-6, rtol=0)

    def test_masks(self):
        rng = np.random.default_rng(0)
        holes = [masks.hole(rng, 64) for _ in range(60)]
        for m in holes:
            self.assertEqual(set(np.unique(m)), {0, 1})
            self.assertTrue(.05 <= m.mean() <= .3)
        at_border = sum(bool(m[0].any() or m[-1].any() or m[:, 0].any() or m[:, -1].any()) for m in holes)
        self.assertTrue(5 < at_border < 55)

    def test_flow_turns_with_its_grid(self):
        """Turning about the middle stays turning about the middle; zoom stays zoom; a mirror turns the other way."""
        p = synth._pixels(1, 16, 'cpu')[0]
        turn = torch.stack((-p[1], p[0]))
        for k in range(4):
            torch.testing.assert_close(completetrain.turned(turn, k, False), turn)
            torch.testing.assert_close(completetrain.turned(turn, k, True), -turn)
            torch.testing.assert_close(completetrain.turned(p, k, True), p)
        torch.testing.assert_close(completetrain.turned(torch.ones(2, 4, 4) * torch.tensor([3., 0.]).view(2, 1, 1), 1, False)[:, 0, 0],
                                   torch.tensor([0., -3.]))

    def test_normalised_flow_comes_back(self):
        flow, mask = plane(16, 16) * 100, box(16, 16, 4, 12, 4, 12)
        x, mean, unit = completenet.normalised(flow, mask)
        torch.testing.assert_close(x * unit + mean, flow)
        known = (1 - mask).expand(1, 2, 16, 16) > 0
        self.assertLess(float(x[known].view(2, -1).mean(1).abs().max()), 1e-4)

    def test_networks_start_from_what_is_given(self):
        x = torch.rand(1, 4, 32, 40)
        with torch.no_grad():
            m = fillnet.FillNet()
            m.coarse.bias[:2] = -100
            torch.testing.assert_close(m(x)[1], x[:, :3])
            self.assertEqual(float(completenet.CompleteNet()(torch.rand(1, 3, 32, 32)).abs().max()), 0)

    def test_loss_is_least_at_the_truth(self):
        rgb = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
        mask = box(32, 32, 8, 24, 8, 24).expand(2, 1, 32, 32)
        small = torch.nn.functional.avg_pool2d(rgb, 4)
        least = float(filltrain.losses(small, rgb, rgb, mask))
        for d in (.1, -.1):
            self.assertGreater(float(filltrain.losses(small, rgb + d * mask, rgb, mask)), least)
            self.assertGreater(float(filltrain.losses(small + d, rgb, rgb, mask)), least)
        torch.testing.assert_close(float(filltrain.losses(small, rgb + (1 - mask), rgb, mask)), least)  # outside nothing counts


class Program(unittest.TestCase):
    @unittest.skipUnless(shutil.which('ffmpeg'), 'needs ffmpeg')
    def test_train_and_resume(self):
        here = os.path.dirname(os.path.abspath(fillnet.__file__))
        with tempfile.TemporaryDirectory() as tmp:
            os.makedirs(f'{tmp}/clips')
            for i in range(2):
                subprocess.run(['ffmpeg', '-v', 'error', '-f', 'lavfi', '-i', f'testsrc2=size=160x128:rate=10:duration=2,rotate={i + 1}*t/9',
                                '-pix_fmt', 'yuv420p', f'{tmp}/clips/c{i}.mkv'], check=True)

            def train(program, *more):
                return subprocess.run([sys.executable, f'{here}/{program}.py', '--footage', f'{tmp}/clips', '--cache', f'{tmp}/cache', '--out',
                                       f'{tmp}/{program}', '--batch', '1', '--workers', '0', '--device', 'cpu', *more], check=True, capture_output=True, text=True).stdout

            self.assertIn('from step 0', train('filltrain', '--steps', '2', '--crop', '64', '--pictures'))
            self.assertIn('hole', train('filltrain', '--steps', '3', '--crop', '64', '--resume', f'{tmp}/filltrain/last.ckpt'))
            self.assertTrue(os.path.exists(f'{tmp}/filltrain/held-out.png'))
            self.assertEqual(load_file(f'{tmp}/filltrain/{fillnet.NAME}.safetensors').keys(), fillnet.FillNet().state_dict().keys())
            try:
                import cv2  # noqa: F401
            except ImportError:
                return  # its flow is what completion learns from
            self.assertIn('from step 0', train('completetrain', '--steps', '2', '--every', '3'))
            self.assertIn('from step 2', train('completetrain', '--steps', '3', '--every', '3', '--resume', f'{tmp}/completetrain/last.ckpt'))
            self.assertEqual(load_file(f'{tmp}/completetrain/{completenet.NAME}.safetensors').keys(), completenet.CompleteNet().state_dict().keys())


if __name__ == '__main__':
    unittest.main()
