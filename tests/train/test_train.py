#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The training code: conventions of the network, exactness of its pieces, and a run that stops and goes on.

Needs PyTorch; exits with 77 (skipped) without it. Takes seconds.
"""
import csv
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

try:
    import numpy as np
    import safetensors.torch
    import torch
except ImportError as e:
    print(f'skipped: {e}')
    sys.exit(77)

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'tools', 'train'))
import data
import evaluate
import losses
import net
import resident
import synth
import train
import tune

torch.set_num_threads(1)


def randomized(name='vfi-nano', seed=0):
    """A network whose heads are not zero."""
    torch.manual_seed(seed)
    model = net.Net(name).eval()
    for l in range(3):
        if model.c.dec[l]:
            torch.nn.init.normal_(getattr(model, f'dec{l}').head.weight, std=.05)
    return model


def texture(h, w, seed=0, cell=4):
    """Smooth random luma (1,1,h,w) in 0..1."""
    z = torch.rand(1, 1, h // cell, w // cell, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.interpolate(z, size=(h, w), mode='bicubic').clamp(0, 1)


class Pieces(unittest.TestCase):
    def test_pack_order(self):
        y = torch.arange(16.).view(1, 1, 4, 4)
        x = net.pack(y, torch.zeros(1, 2, 2, 2))
        self.assertEqual(x[0, :4, 0, 0].tolist(), [0, 1, 4, 5])
        self.assertEqual(tuple(x.shape), (1, 6, 2, 2))

    def test_warp_by_whole_pixels(self):
        x = torch.rand(1, 2, 8, 10)
        v = torch.zeros(1, 2, 8, 10)
        v[:, 0], v[:, 1] = 2, -1  # x, then y
        out = net.warp(x, v, 1)
        torch.testing.assert_close(out[:, :, 1:, :-2], x[:, :, :-1, 2:], atol=1e-6, rtol=0)
        torch.testing.assert_close(net.warp(x, v, 0), x, atol=1e-6, rtol=0)

    def test_cubic_warps_weigh_pixels(self):
        def cubic(f):
            return ((-.5 * f + 1) * f - .5) * f, (1.5 * f - 2.5) * f * f + 1, ((-1.5 * f + 2) * f + .5) * f, (.5 * f - .5) * f * f

        def sharp(f):  # tap q: even in what is left and right of the middle, 1/2 - f, plus odd
            h, g = f * (1 - f), f - .5
            pairs = (.5 + .425 * h, g + g * h), (-.6 * h, -.7 * g * h), (.175 * h, .22 * g * h)
            return [e - o for e, o in pairs[::-1]] + [e + o for e, o in pairs]
        for warp, weights in (net.warp_cubic, cubic), (net.warp_sharp, sharp):
            self.check_weights(warp, weights)

    def test_sharp_warp(self):
        """Whole pixels as they are, ramps exactly, and near a sinc in Kaiser's window of six pixels."""
        x = torch.rand(2, 3, 8, 9)
        v = torch.tensor([2., -1.]).view(1, 2, 1, 1).expand(2, 2, 8, 9)
        torch.testing.assert_close(net.warp_sharp(x, v, 1)[:, :, 1:, :-2], x[:, :, :-1, 2:], atol=1e-6, rtol=0)
        ramp = torch.arange(16.).view(1, 1, 1, 16).expand(1, 1, 12, 16)
        torch.testing.assert_close(net.warp_sharp(ramp, torch.full((1, 2, 12, 16), .3), 1)[..., 3:-3], ramp[..., 3:-3] + .3, atol=1e-5, rtol=0)
        place = torch.arange(16.)
        for f in (.1, .25, .5, .7):
            want = torch.sinc(place - 8 - f) * torch.special.i0(3 * (1 - ((place - 8 - f) / 3) ** 2).clamp(min=0).sqrt()) * ((place - 8 - f).abs() < 3)
            got = net.warp_sharp(torch.eye(16).view(1, 16, 1, 16), torch.tensor([f, 0.]).view(1, 2, 1, 1).expand(1, 2, 1, 16), 1)[0, :, 0, 8]
            self.assertLess(float((got - want / want.sum()).abs().max()), .01)

    def check_weights(self, warp, weights):
        g = torch.Generator().manual_seed(3)
        x, v = torch.rand(1, 1, 7, 9, generator=g).double(), (torch.rand(1, 2, 7, 9, generator=g) * 6 - 3).double()
        got = warp(x, v, 1)
        for i in range(7):
            for j in range(9):
                py, px = (min(max(float(p), 0), n - 1) for p, n in ((i + v[0, 1, i, j], 7), (j + v[0, 0, i, j], 9)))
                iy, ix = int(py), int(px)
                first = 1 - len(weights(0)) // 2
                want = sum(wy * wx * float(x[0, 0, min(max(iy + a, 0), 6), min(max(ix + b, 0), 8)])
                           for a, wy in enumerate(weights(py - iy), first) for b, wx in enumerate(weights(px - ix), first))
                self.assertAlmostEqual(float(got[0, 0, i, j]), want, places=5)

    def test_correlation_of_moved_picture(self):
        """Motion 2d from the first frame to the second peaks in channel d."""
        f = torch.randn(1, 16, 12, 12)
        f0, f1 = torch.roll(f, (1, 2), (2, 3)), torch.roll(f, (-1, -2), (2, 3))  # f moved by (-4, -2) pixels
        k = net.correlation(f0, f1, 3)[0, :, 4:8, 4:8].mean((1, 2))
        self.assertEqual(int(k.argmax()), (-1 + 3) * 7 + (-2 + 3))

    def test_fast_correlation_is_the_definition(self):
        for r, h, w in ((1, 6, 4), (3, 5, 8)):
            f0, f1 = (torch.randn(2, 5, h, w, dtype=torch.float64, requires_grad=True) for _ in range(2))
            with torch.no_grad():
                want = net.correlation(f0, f1, r)
            torch.testing.assert_close(net.correlation(f0, f1, r).detach(), want, atol=1e-12, rtol=0)
            self.assertTrue(torch.autograd.gradcheck(lambda a, b: net.correlation(a, b, r), (f0, f1)))

    def test_shear(self):
        k = torch.rand(1, 49, 8, 8)
        t = torch.full((1, 1, 1, 1), .5)
        self.assertIs(net.shear(k, 3, t), k)
        out = net.shear(k, 3, t * 0)  # from the first frame: channel d sampled at x + d
        d = 3 * 7 + 5  # dy = 0, dx = 2
        torch.testing.assert_close(out[:, d, :, :-2], k[:, d, :, 2:], atol=1e-5, rtol=0)
        self.assertEqual(float(out[:, d, :, -2:].abs().max()), 0)

    def test_velocity_signs(self):
        """A picture that moves by v per interval is restored at t with v0 = v1 = v."""
        big = texture(48, 64)
        at = lambda dx, dy: big[:, :, 8 + dy:40 + dy, 8 + dx:56 + dx]  # noqa: E731
        v = torch.tensor([4., -2.])  # right and up: the crop window goes the other way
        state = torch.zeros(1, 5, 16, 24)
        state[:, 0:4] = torch.cat((v, v)).view(1, 4, 1, 1) / 2  # half-size grid
        out = net.synthesize(at(0, 0), at(-4, 2), state, torch.full((1, 1, 1, 1), .5))
        torch.testing.assert_close(out[..., 4:-4, 4:-4], at(-2, 1)[..., 4:-4, 4:-4], atol=1e-5, rtol=0)


    def test_lucas_kanade(self):
        """Steps of the closed form find a motion of a pixel and more, seen from any time, and nothing where nothing is to be seen."""
        big = texture(64, 64, 4)
        x, y = torch.meshgrid(torch.arange(48.), torch.arange(48.), indexing='xy')
        look = lambda s: torch.nn.functional.grid_sample(  # the picture at time s, moving by (1.2, -.8)  # noqa: E731
            big, torch.stack(((x + 8 - 1.2 * s) / 31.5 - 1, (y + 8 + .8 * s) / 31.5 - 1), 2)[None], 'bilinear', 'border', True)
        for t in (.5, .25):
            t, state = torch.full((1, 1, 1, 1), t), None
            for _ in range(6):
                state = net.lucas_kanade(look(0), look(1), state, t)[:, :5]
            found = state[0, :4, 8:-8, 8:-8].mean((1, 2))
            self.assertLess(float((found - torch.tensor((1.2, -.8, 1.2, -.8))).abs().max()), .1)
        flat = net.lucas_kanade(torch.full((1, 1, 8, 8), .3), torch.full((1, 1, 8, 8), .3), None, t)
        self.assertEqual(float(flat.abs().max()), 0)

    def test_second_opinion_finds_from_nothing(self):
        """A picture that moves by (14, -6) pixels, with nothing to start from; and one of an odd size by (1, 0)."""
        big = texture(192, 256, 5)
        y0, y1 = ([net.mean_pool(big[:, :, 16 + y:176 + y, 16 + x:240 + x], 2 ** k) for k in range(5)] for x, y in ((0, 0), (-14, 6)))
        found = net.second_opinion(y0, y1)
        self.assertEqual(tuple(found.shape), (1, 2, 160, 224))
        wrong = (found - torch.tensor((14., -6.)).view(1, 2, 1, 1)).norm(dim=1)[:, 16:-16, 16:-16]
        self.assertLess(float(wrong.median()), .05)
        self.assertLess(float((wrong > .5).float().mean()), .02)
        found = net.dense_search(big[:, :, 20:37, 20:43], big[:, :, 20:37, 19:42], None, first=3, far=2, rounds=1, steps=3)
        self.assertEqual(tuple(found.shape), (1, 2, 17, 23))
        self.assertLess(float((found - torch.tensor((1., 0.)).view(1, 2, 1, 1))[..., 4:-4, 4:-4].abs().mean()), .1)

    def test_still_letters_before_what_moves(self):
        """A bright grid that stands still before a texture that moves is still, and the texture beyond it is not; nor is a plain area, where nothing says so; nor what moves along its own edges,
        if a flow explains it."""
        big = texture(64, 112, 6)
        y0, y1 = (big[:, :, 8 + y:56 + y, 8 + x:104 + x].clone() for x, y in ((0, 0), (-4, 2)))
        for y in (y0, y1):
            at = torch.arange(36) % 12
            y[:, :, :, :36] = torch.where(at < 5, 1., torch.where(at < 9, 0., y[:, :, :, :36]))  # a stroke, its outline, what moves
            y[:, :, :, 78:] = .5
        moves = torch.tensor((4., -2.)).view(1, 2, 1, 1).expand(1, 2, 48, 96)
        out = net.still(y0, y1, moves)
        self.assertGreater(float(out[..., 4:28].mean()), .6)
        self.assertLess(float(out[..., 44:72].mean()), .05)
        self.assertEqual(float(out[..., 84:].max()), 0)
        self.assertGreater(float(net.still(y0, y0, moves)[..., 4:72].mean()), .7)
        self.assertLess(float(net.still(y0, y0, 0 * moves).max()), .05)  # no better than the flow
        bars = y0[:, :, :1].expand(1, 1, 48, 96)  # which way they move, nothing says
        self.assertLess(float(net.still(bars, bars, moves * torch.tensor((0., 1.)).view(1, 2, 1, 1)).max()), .01)

    def test_exposure_of_a_fade(self):
        """Darker by a third and moved is darker by a third; moved is not; and the network does not move what fades and stands still."""
        big = texture(200, 280, 6, 20)
        y0, y1, far = (net.mean_pool(big[:, :, 8:168, 8 + x:232 + x], 8) for x in (0, 2, 30))
        gain, bias = net.exposure(y0, y1 * 2 / 3 + .1).flatten().tolist()
        self.assertAlmostEqual(gain, 1.5, delta=.05)
        self.assertAlmostEqual(bias, -.15, delta=.02)
        self.assertEqual(net.exposure(y0, far).flatten().tolist(), [1, 0])
        x = torch.cat((torch.nn.functional.pixel_unshuffle(big[:, :, :192, :256], 2), torch.zeros(1, 2, 96, 128)), 1)
        faded = torch.cat((x[:, :4] * .7, x[:, 4:]), 1)
        with torch.no_grad():
            state = net.Net()(x, faded, torch.full((1, 1, 1, 1), .5))[-1]
        self.assertLess(float(state[:, :4].abs().max()), .2)

    def test_weigh_trusts_the_right_one(self):
        """Of two opinions the left half of the first is right and the right half of the second; where they are near each other they become one."""
        big = texture(64, 112, 6)
        y0, y1 = (big[:, :, 8 + y:56 + y, 8 + x:104 + x] for x, y in ((0, 0), (-4, 2)))  # moves by (4, -2)
        right = torch.tensor((4., -2., 4., -2.)).view(1, 4, 1, 1)
        half = (torch.arange(96) < 48).float().view(1, 1, 1, -1)
        state = torch.cat((right + 2 * (1 - half) * torch.ones(1, 4, 48, 1), torch.full((1, 1, 48, 96), .7)), 1).requires_grad_()
        flow = (right[:, :2] * (1 - half)).expand(1, 2, 48, 96)
        none = torch.zeros(1, 1, 48, 96)
        for t in (.5, .2):
            out = net.weigh(y0, y1, state, flow, torch.full((1, 1, 1, 1), t), none)
            torch.testing.assert_close(out[:, :5], state)
            self.assertLess(float(out[:, 5, :, :36].max()), .2)
            self.assertGreater(float(out[:, 5, :, 60:].min()), .5)
            torch.testing.assert_close(out[:, 6:, :, 60:], right[:, :2].expand(1, 2, 48, 36))
            out = net.weigh(y0, y1, state, state[:, :2].detach() - .25, torch.full((1, 1, 1, 1), t), none)
            out = torch.cat((out[..., :36], out[..., 60:]), 3)  # between them it takes a flow from the other half
            first = torch.cat((state[..., :36], state[..., 60:]), 3)
            self.assertEqual(float(out[:, 5].abs().max()), 0)
            self.assertTrue(bool(((out[:, :4] <= first[:, :4]) & (out[:, :4] >= first[:, :4] - .25)).all()))
            slope, = torch.autograd.grad(out[:, :4].sum(), state)
            slope = torch.cat((slope[..., :36], slope[..., 60:]), 3)
            torch.testing.assert_close(slope[:, :4], 1 - (first - out[:, :5])[:, :4] / .25, atol=1e-4, rtol=0)

    def test_matching_is_least_at_the_truth(self):
        cost = torch.zeros(1, 49, 4, 4)
        cost[:, 3 * 7 + 5] = 1  # dy = 0, dx = 2
        at = lambda dx: float(losses.matching(cost, torch.tensor((dx, 0.)).view(1, 2, 1, 1).expand(1, 2, 4, 4), torch.ones(1, 1, 4, 4)))  # noqa: E731
        self.assertLess(at(2.), at(1.5))
        self.assertLess(at(1.5), at(1.))
        self.assertEqual(at(9.), 0)

    def test_teacher_speaks_the_same_velocities(self):
        try:
            import cv2  # noqa: F401
        except ImportError:
            self.skipTest('no cv2')
        big = (texture(96, 128, 2) * 255).byte()[0, 0].numpy()
        y = np.stack([big[16:80, 16 - d:112 - d] for d in (-2, 0, 6)])  # moves right, 8 pixels per interval, seen at 1/4
        v = data.Teacher()(y, .25)
        self.assertEqual(v.shape, (4, 64, 96))
        self.assertLess(np.abs(v[:, 16:-16, 16:-16].mean((1, 2)) - (8, 0, 8, 0)).max(), .25)


class Network(unittest.TestCase):
    def test_ends_and_flat(self):
        model = randomized()
        a, b = texture(32, 64, 1), texture(32, 64, 2)
        uv = torch.zeros(1, 2, 16, 32)
        with torch.no_grad():
            for t, want in ((1e-6, a), (1 - 1e-6, b)):
                t = torch.full((1, 1, 1, 1), t)
                out = net.synthesize(a, b, model(net.pack(a, uv), net.pack(b, uv), t)[-1], t)
                torch.testing.assert_close(out, want, atol=1e-4, rtol=0)
            flat, t = torch.full_like(a, .3), torch.full((1, 1, 1, 1), .3)
            out = net.synthesize(flat, flat, model(net.pack(flat, uv), net.pack(flat, uv), t)[-1], t)
            torch.testing.assert_close(out, flat, atol=1e-6, rtol=0)

    def test_odd_sizes(self):
        model = randomized()
        with torch.no_grad():
            out = evaluate.interpolate(model, torch.rand(1, 3, 35, 51), torch.rand(1, 3, 35, 51))
        self.assertEqual(tuple(out.shape), (1, 3, 35, 51))

    def test_learns_a_motion(self):
        """A few dozen steps on one moving picture find its motion: the network by itself, as the second opinion knows it from the start."""
        torch.manual_seed(0)
        big, uv = texture(64, 96, 3), torch.zeros(1, 3, 2, 32, 32)
        y = torch.cat([big[:, :, :, 8 + d:72 + d] for d in (-6, 0, 6)], 1)
        t = torch.full((1, 1, 1, 1), .5)
        model = net.Net('vfi-nano')
        optim = torch.optim.AdamW(model.parameters(), 2e-3)
        for i in range(60):
            states = model(net.pack(y[:, 0:1], uv[:, 0]), net.pack(y[:, 2:3], uv[:, 2]), t, [])
            loss, _ = losses.total(states, y, uv, t, .1)
            mse = (net.synthesize(y[:, 0:1], y[:, 2:3], states[-2], t) - y[:, 1:2]).square().mean()
            first = float(mse) if i == 0 else first
            optim.zero_grad()
            loss.backward()
            optim.step()
        self.assertLess(float(mse), .25 * first)


class Synthetic(unittest.TestCase):
    def test_middle_is_between(self):
        """Undoing the known motion of a single layer makes the three frames agree."""
        rng = np.random.default_rng(3)
        y = (texture(64, 64, 5, 16)[0, 0] * 219 + 16).byte().numpy()
        uv = np.full((2, 32, 32), 128, np.uint8)
        ys, uvs = synth.moving_layers(rng, [(y, uv)], .25)
        self.assertEqual((ys.shape, uvs.shape), ((3, 64, 64), (3, 2, 32, 32)))
        self.assertTrue((uvs == 128).all())
        rng = np.random.default_rng(3)
        b, d = synth._motion(rng, .3)
        theta = [synth._place(b, d, s, 0) for s in (-.25, .75)]
        full = lambda m: np.vstack((m, [0, 0, 1]))  # noqa: E731
        back = np.linalg.inv(full(theta[0])) @ full(theta[1])  # where a point of the last frame was in the first
        grid = torch.nn.functional.affine_grid(torch.tensor(back[None, :2], dtype=torch.float32), (1, 1, 64, 64), False)
        sample = lambda p: torch.nn.functional.grid_sample(p, grid, 'bilinear', 'zeros', False)[0, 0]  # noqa: E731
        seen, inside = sample(torch.tensor(ys[:1, None]).float()), sample(torch.ones(1, 1, 64, 64)) > .999
        self.assertGreater(int(inside.sum()), 500)
        self.assertLess(float((seen - torch.tensor(ys[2]).float())[inside].abs().mean()), 1)
        self.assertGreater(np.abs(ys[0].astype(int) - ys[2]).mean(), 8)

    def test_overlay_stands_still(self):
        rng = np.random.default_rng(1)
        y, uv = rng.integers(16, 235, (3, 64, 64), np.uint8), rng.integers(16, 240, (3, 2, 32, 32), np.uint8)
        oy, ouv = synth.overlay(rng, y, uv, (y[0], uv[0]))
        changed = (oy != y).any(0)
        self.assertTrue(changed.any() and not changed.all())
        self.assertTrue((oy[0] == oy[2])[changed].all())


@unittest.skipUnless(shutil.which('ffmpeg'), 'no ffmpeg')
class Program(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.dir)
        os.mkdir(os.path.join(self.dir, 'clips'))
        for i in range(2):
            subprocess.run(['ffmpeg', '-v', 'error', '-f', 'lavfi', '-i', f'testsrc2=s={112 + 16 * i}x97:r=10:d=1.2',
                            '-pix_fmt', 'yuv444p', '-c:v', 'ffv1', os.path.join(self.dir, 'clips', f'c{i}.mkv')], check=True)

    def path(self, *parts):
        return os.path.join(self.dir, *parts)

    def args(self, *more):
        return ['--footage', self.path('clips'), '--cache', self.path('cache'), '--out', self.path('out'), '--crop', '64', '--batch', '2',
                '--workers', '0', '--device', 'cpu', '--amp', 'off', '--warmup', '1', *more]

    def test_train_resume_evaluate(self):
        train.main(self.args('--steps', '2'))
        first = torch.load(self.path('out', 'last.ckpt'))
        self.assertEqual(first['step'], 2)
        train.main(self.args('--steps', '4', '--resume', self.path('out', 'last.ckpt')))
        ckpt = torch.load(self.path('out', 'last.ckpt'))
        self.assertEqual(ckpt['step'], 4)
        self.assertGreater(ckpt['elapsed'], first['elapsed'])
        weights = safetensors.torch.load_file(self.path('out', 'vfi-nano.safetensors'))
        self.assertEqual(set(weights), set(net.Net('vfi-nano').state_dict()))
        self.assertFalse(torch.equal(ckpt['ema']['enc.down0.weight'], first['ema']['enc.down0.weight']))
        with open(self.path('out', 'log.csv')) as f:
            self.assertEqual([r['step'] for r in csv.DictReader(f)], ['2', '4'])

    def test_cache(self):
        index = data.build_cache(self.path('clips'), self.path('cache'))
        self.assertEqual([(e['width'], e['height'], e['frames']) for e in index], [(112, 96, 12), (128, 96, 12)])
        stamp = os.path.getmtime(self.path('cache', 'c0.yuv'))
        data.build_cache(self.path('clips'), self.path('cache'))
        self.assertEqual(os.path.getmtime(self.path('cache', 'c0.yuv')), stamp)
        sampler = data.Sampler([data.Clip(e, self.path('cache')) for e in index], 64, 3)
        for seed in range(8):
            y, uv, t, v = sampler.batch(np.random.default_rng(seed))
            self.assertEqual((tuple(y.shape), tuple(uv.shape)), ((3, 3, 64, 64), (3, 3, 2, 32, 32)))
            self.assertTrue(bool(((t > 0) & (t < 1)).all()))
            self.assertEqual(v.numel(), 0)

    def test_resident_samples_are_turned_crops(self):
        index = data.build_cache(self.path('clips'), self.path('cache'))
        clips = [data.Clip(e, self.path('cache')) for e in index]
        r = resident.Resident(clips, 32, 4, torch.device('cpu'), 5, overlay=0)
        clip, ways = clips[1], set()
        for sign0 in (-1., 1.):
            for sign1 in (-1., 1.):
                for swap in (0, 1):
                    turn = torch.zeros(1, 2, 2)
                    turn[0, 0, swap], turn[0, 1, 1 - swap] = sign0, sign1
                    base = torch.tensor([[r.start[clip.name] + k * clip.w * clip.h * 3 // 2 for k in (2, 5, 8)]])
                    got = r.planes(base, torch.tensor([clip.w]), torch.tensor([10]), torch.tensor([6]), turn, 32, 1)[0].numpy()
                    plain = np.stack([clip.crop(k, 10, 6, 32, 32)[0] for k in (2, 5, 8)])
                    all_ways = {(q, m): np.rot90(plain, q, (1, 2))[:, :, ::m] for q in range(4) for m in (1, -1)}
                    found = [k for k, v in all_ways.items() if np.array_equal(v, got)]
                    self.assertEqual(len(found), 1)
                    ways.add(found[0])
        self.assertEqual(len(ways), 8)
        half = r.planes(base, torch.tensor([clip.w]), torch.tensor([10]), torch.tensor([6]), torch.eye(2)[None], 16, 2)[0].numpy()
        self.assertTrue(np.array_equal(half, data._halve(plain)))
        for _ in range(4):
            y, uv, t, _ = r.batch()
            self.assertEqual((tuple(y.shape), tuple(uv.shape)), ((4, 3, 32, 32), (4, 3, 2, 16, 16)))

    def test_resident_run(self):
        train.main(self.args('--steps', '2', '--resident'))
        self.assertEqual(torch.load(self.path('out', 'last.ckpt'))['step'], 2)

    def test_opencv_decodes_when_ffmpeg_is_absent(self):
        try:
            import cv2  # noqa: F401
        except ImportError:
            self.skipTest('no OpenCV')
        index = data.build_cache(self.path('clips'), self.path('cache'))
        w, h = data._probe_and_decode_with_opencv(self.path('clips', 'c0.mkv'), self.path('again.yuv'))
        self.assertEqual((w, h), (112, 96))
        a, b = (np.fromfile(p, np.uint8).reshape(12, -1)[:, :w * h].astype(int) for p in (self.path('again.yuv'), self.path('cache', 'c0.yuv')))
        self.assertLess(np.abs(a - b).mean(), 3)
        self.assertEqual(len(index), 2)

    def test_tune(self):
        torch.manual_seed(1)
        start = self.path('start.safetensors')
        safetensors.torch.save_file(randomized().state_dict(), start)
        out = self.path('tuned.safetensors')
        tune.main(['--footage', self.path('clips', 'c0.mkv'), '--weights', start, '--minutes', '.02', '--out', out, '--crop', '64', '--batch', '1',
                   '--workers', '0', '--device', 'cpu', '--amp', 'off', '--warmup', '1'])
        self.assertEqual(set(safetensors.torch.load_file(out)), set(net.Net('vfi-nano').state_dict()))
        self.assertRaises(SystemExit, tune.main, ['--footage', self.path('none.mp4')])


class Cycle(unittest.TestCase):
    def test_right_motion_costs_less(self):
        """A picture in even motion comes back from frames made with the right velocities, and less well from still ones."""
        big = texture(80, 96, 3)
        y = torch.cat([big[:, :, 8:72, 4 + 4 * k:68 + 4 * k] for k in range(3)], 1)
        uv, t = torch.zeros(1, 3, 2, 32, 32), torch.full((1, 1, 1, 1), .5)

        def moving(v):
            state = torch.zeros(1, 5, 32, 32)
            state[:, [0, 2]] = v
            return lambda x0, x1, t: [state]
        right, still = (losses.cycle(moving(v), y, uv, t, 1)[1] for v in (-2., 0.))
        self.assertLess(float(right), .2 * float(still))
        near = losses.cycle(moving(-2.), y, uv, t, 1, anchor=moving(-2.))[0]
        self.assertAlmostEqual(float(near), float(losses.cycle(moving(-2.), y, uv, t, 1)[0]), delta=.02)
        self.assertGreater(float(losses.cycle(moving(-2.), y, uv, t, 1, anchor=moving(2.))[0]), float(near) + .02)


if __name__ == '__main__':
    unittest.main()
