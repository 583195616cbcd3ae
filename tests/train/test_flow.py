#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The training of flow networks: exactness of what is drawn, its losses, and a run that stops and goes on.

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
    from PIL import Image
except ImportError as e:
    print(f'skipped: {e}')
    sys.exit(77)

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'tools', 'train'))
import flowevaluate
import flowloss
import flownet
import net
import synth

torch.set_num_threads(1)


def waves(c, seed):
    """A smooth picture, 0 to 255 (1,c,c)."""
    g = torch.Generator().manual_seed(seed)
    z = torch.rand(1, 1, c // 16, c // 16, generator=g)
    return torch.nn.functional.interpolate(z, size=(c, c), mode='bicubic', align_corners=False)[0].mul(255)


def drawn(seed=0, n=3, c=96, draw=synth.flow_pairs):
    y = torch.stack([torch.cat([waves(c, 10 * i + k) for k in range(3)]) for i in range(n)])
    return draw(torch.Generator().manual_seed(seed), y, torch.full((n, 3, 2, c // 2, c // 2), 128.))


class Pieces(unittest.TestCase):
    def test_flow_is_exact_where_it_is_seen(self):
        for draw, off in ((synth.flow_pairs, .05), (synth.thing_pairs, .1)):
            with self.subTest(draw.__name__):
                y, uv, flow, seen = drawn(draw=draw)
                self.assertEqual((tuple(y.shape), tuple(uv.shape), tuple(flow.shape), tuple(seen.shape)),
                                 ((3, 2, 96, 96), (3, 2, 2, 48, 48), (3, 2, 96, 96), (3, 1, 96, 96)))
                self.assertGreater(float(flow.abs().mean()), 1)
                wrong = (net.warp(y[:, 1:], flow, 1) - y[:, :1]).abs()
                still = float((y[:, 1:] - y[:, :1]).abs().mean())
                self.assertLess(float((wrong * seen).sum() / seen.sum()), off * still)
                hidden = 1 - seen
                self.assertGreater(float((wrong * hidden).sum() / hidden.sum()), .3 * still)

    def test_things_are_thin_and_many(self):
        """They have edges all over, and flows of their own."""
        _, _, flow, _ = drawn(n=2, c=160, draw=synth.thing_pairs)
        jump = ((flow[..., 1:] - flow[..., :-1]).norm(dim=1) > .5).float().mean((1, 2))
        self.assertTrue(bool((jump > .01).all()), jump)

    def test_drawing_follows_its_seed(self):
        for draw in (synth.flow_pairs, synth.thing_pairs):
            for a, b in zip(drawn(3, draw=draw), drawn(3, draw=draw)):
                self.assertTrue(torch.equal(a, b))
            self.assertFalse(torch.equal(drawn(3, draw=draw)[2], drawn(4, draw=draw)[2]))

    def test_one_sided_correlation(self):
        """What moves by (dx, dy) peaks in its channel; the fast one is the definition, and its slope is right."""
        f = torch.randn(1, 16, 12, 12)
        k = flownet.correlation(f, torch.roll(f, (1, -2), (2, 3)), 3)[0, :, 4:8, 4:8].mean((1, 2))
        self.assertEqual(int(k.argmax()), (1 + 3) * 7 + (-2 + 3))
        for r, h, w in ((1, 6, 4), (3, 5, 8)):
            f0, f1 = (torch.randn(2, 5, h, w, dtype=torch.float64, requires_grad=True) for _ in range(2))
            with torch.no_grad():
                want = flownet.correlation(f0, f1, r)
            torch.testing.assert_close(flownet.correlation(f0, f1, r).detach(), want, atol=1e-12, rtol=0)
            self.assertTrue(torch.autograd.gradcheck(lambda a, b: flownet.correlation(a, b, r), (f0, f1)))

    def test_median_takes_what_looks_alike(self):
        """A square that moves, before a background that does not: what is wrong here and there, and round its outline, is put right; what is not, stays."""
        inside = torch.zeros(1, 1, 96, 96)
        inside[..., 30:66, 30:66] = 1
        truth = torch.cat((torch.zeros(1, 2, 96, 96), inside * 8, -inside, inside - .5), 1)
        luma, chroma = .3 + .4 * inside, torch.full((1, 2, 96, 96), .5)
        wrong = truth.clone()
        blurred = torch.nn.functional.avg_pool2d(torch.nn.functional.pad(truth[:, 2:4], (4,) * 4), 9, 1)
        wrong[:, 2:4] = blurred + 6 * torch.randn(blurred.shape, generator=torch.Generator().manual_seed(0)) * (torch.rand(1, 1, 96, 96, generator=torch.Generator().manual_seed(1)) < .2)
        apart = wrong[:, 2:4] - truth[:, 2:4]
        got = flownet.weighted_median(wrong, apart, luma, chroma)
        self.assertLess(float((got - truth).abs().mean()), .02 * float((wrong - truth).abs().mean()))
        torch.testing.assert_close(flownet.weighted_median(truth, apart * 0, luma, chroma), truth, atol=1e-6, rtol=0)

    def test_losses_are_least_at_the_truth(self):
        y, _, flow, seen = drawn()
        def states(v, sure):
            return [torch.cat((torch.zeros_like(p), p / s, sure * (torch.nn.functional.avg_pool2d(seen, s) * 2 - 1)), 1)
                    for s in (8, 4, 2) for p in (torch.nn.functional.avg_pool2d(v, s),)]
        right = flowloss.supervised(states(flow, 8), [], flow, seen)
        self.assertLess(float(flowloss.end_point_error(states(flow, 8)[-1], flow)), 1e-5)
        for other in (flow + 1, flow * .8, -flow):
            self.assertGreater(float(flowloss.supervised(states(other, 8), [], flow, seen)), float(right))
        self.assertGreater(float(flowloss.supervised(states(flow, -8), [], flow, seen)), float(right))

    def test_unsupervised_prefers_the_truth(self):
        big = waves(128, 5)[None] / 255
        y = torch.cat((big[..., 16:-16, 16:-16], big[..., 14:-18, 20:-12]), 1)  # moves by (-4, 2)
        def loss(u, v):
            states = []
            for s in (8, 4, 2):
                f = torch.tensor([u, v]).view(1, 2, 1, 1) / s
                one = torch.cat((torch.zeros(1, 2, 1, 1), f, torch.zeros(1, 1, 1, 1)), 1).expand(-1, -1, 96 // s, 96 // s)
                states.append(torch.cat((one, -one)))
            return float(flowloss.unsupervised(states, y))
        self.assertLess(loss(-4., 2.), min(loss(0., 0.), loss(4., -2.), loss(-2., 2.)))

    def test_census_sees_no_brightness(self):
        y = waves(64, 1)[None] / 255
        torch.testing.assert_close(flowloss.census(y), flowloss.census(y + .3), atol=1e-5, rtol=0)

    def test_consistent(self):
        there = torch.tensor([3., 0.]).view(1, 2, 1, 1).expand(1, 2, 8, 8)
        self.assertTrue(bool(flowloss.consistent(there, -there).all()))
        self.assertFalse(bool(flowloss.consistent(there, there).any()))

    def test_both_directions_at_once(self):
        torch.manual_seed(0)
        m = flownet.FlowNet().eval()
        for l in range(3):
            if m.c.dec[l]:
                torch.nn.init.normal_(getattr(m, f'dec{l}').head.weight, std=.02)
        x0, x1 = torch.rand(2, 1, 6, 32, 48)
        with torch.no_grad():
            both, there, back = m(x0, x1, both=True)[-1], m(x0, x1)[-1], m(x1, x0)[-1]
        torch.testing.assert_close(both, torch.cat((there, back)), atol=1e-4, rtol=1e-4)


    def test_each_decoder_answers_for_itself(self):
        """What a decoder is told is of its own state, not of what a search makes of it."""
        torch.manual_seed(0)
        m = flownet.FlowNet()
        for l in range(3):
            if m.c.dec[l]:
                torch.nn.init.normal_(getattr(m, f'dec{l}').head.weight, std=.02)
        x0, x1, own = *torch.rand(2, 1, 6, 64, 96), []
        states = m(x0, x1, None, own)
        self.assertEqual([s.shape for s in own], [s.shape for s in states])
        flow = slice(4 * 2, 4 * 4)  # what the head says of it, for each of four pixels
        own[1][:, 2:4].sum().backward(retain_graph=True)
        self.assertGreater(float(m.dec1.head.weight.grad[flow].abs().max()), 0)
        self.assertEqual(float(m.dec2.head.weight.grad[flow].abs().max()), 0)
        own[0][:, 2:4].sum().backward()
        self.assertGreater(float(m.dec2.head.weight.grad[flow].abs().max()), 0)

    def test_correction(self):
        """It begins as the first network, which stays as it is; coarser levels answer for themselves."""
        torch.manual_seed(0)
        m = flownet.FlowNet('vfi-flow-base')
        x0, x1, own = *torch.rand(2, 1, 6, 64, 96), []
        states = m(x0, x1, None, own)
        first = flownet.FlowNet()
        first.load_state_dict({k: v for k, v in m.state_dict().items() if not k.startswith('refine.')})
        torch.testing.assert_close(states[-1], first(x0, x1)[-1], atol=1e-4, rtol=1e-4)
        self.assertEqual([s.shape[2] for s in states], [16, 32, 64])
        own[0][:, 2:4].sum().backward()
        learns = {k for k, p in m.named_parameters() if p.grad is not None and p.grad.abs().max() > 0}
        self.assertEqual({k.rsplit('.', 1)[0] for k in learns}, {'refine.dec2.head'})


class Program(unittest.TestCase):
    def test_score(self):
        truth = np.zeros((4, 5, 2), np.float32)
        truth[..., 0] = 100
        flow = truth.copy()
        flow[0, :, 1] = 4  # within 5 %
        flow[1, 0, 1] = 6
        truth[3, 4] = 1e10  # not known
        s = flowevaluate.score(flow, truth)
        self.assertAlmostEqual(s['epe'], 26 / 19, 5)
        self.assertAlmostEqual(s['3px'], 6 / 19)
        self.assertAlmostEqual(s['5px'], 1 / 19)
        self.assertAlmostEqual(s['fl'], 1 / 19)

    @unittest.skipUnless(shutil.which('ffmpeg'), 'needs ffmpeg')
    def test_train_resume_evaluate(self):
        here = os.path.join(os.path.dirname(os.path.abspath(flownet.__file__)))
        with tempfile.TemporaryDirectory() as tmp:
            clips, val, out = (os.path.join(tmp, d) for d in ('clips', 'val', 'out'))
            os.makedirs(clips)
            os.makedirs(val)
            for i in range(2):
                subprocess.run(['ffmpeg', '-v', 'error', '-f', 'lavfi', '-i', f'testsrc2=size=160x128:rate=10:duration=2,rotate={i + 1}*t',
                                '-pix_fmt', 'yuv420p', f'{clips}/c{i}.mkv'], check=True)
            for i in range(2):
                Image.fromarray((np.random.default_rng(0).random((64, 64, 3)) * 255).astype(np.uint8)).save(f'{val}/a-img{i}.png')
            with open(f'{val}/a-gt.flo', 'wb') as f:
                f.write(b'PIEH' + np.array((64, 64), '<i4').tobytes() + np.zeros((64, 64, 2), '<f4').tobytes())

            def train(*more):
                return subprocess.run([sys.executable, f'{here}/flowtrain.py', '--footage', clips, '--cache', f'{tmp}/cache', '--out', out,
                                       '--batch', '1', '--real', '1', '--real-from', '.5', '--crop', '64', '--workers', '0', '--device', 'cpu',
                                       '--val', val, *more], check=True, capture_output=True, text=True).stdout
            self.assertIn('from step 0', train('--steps', '3'))
            self.assertIn('from step 3', train('--steps', '5', '--resume', f'{out}/last.ckpt'))
            self.assertIn('1 of 32', train('--steps', '1', '--things', '1', '--init', self.one_weight(tmp)))
            self.assertIn('32 of 78', train('--steps', '1', '--model', 'vfi-flow-base', '--init', f'{out}/vfi-flow-nano.safetensors'))
            table = subprocess.run([sys.executable, f'{here}/flowevaluate.py', '--weights', f'{out}/vfi-flow-nano.safetensors', val],
                                   check=True, capture_output=True, text=True).stdout
            for name in 'vfi-flow-nano', 'no flow':
                self.assertIn(name, table)

    @staticmethod
    def one_weight(folder):
        from safetensors.torch import save_file
        path = os.path.join(folder, 'one.safetensors')
        save_file({'enc.down0.bias': torch.ones(24), 'enc.down0.weight': torch.ones(3, 3)}, path)  # the second does not fit
        return path


if __name__ == '__main__':
    unittest.main()
