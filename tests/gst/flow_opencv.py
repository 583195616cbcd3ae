#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The flow files of vfiflow as OpenCV reads them: .flo exactly, the PNG of KITTI to its 1/64 of a pixel.

Exits with 77 (skipped) without OpenCV.
"""
import os
import subprocess
import sys
import tempfile

try:
    import cv2
    import numpy as np
except ImportError as e:
    print(f'1..0 # SKIP {e}')
    sys.exit(77)

W, H = 160, 96
PIPELINE = ('videotestsrc pattern=smpte num-buffers=3 horizontal-speed=2 ! '
            f'video/x-raw,format=I420,width={W},height={H},framerate=30/1 ! vfiflow backend=cpu threads=1 ')


def run(folder, properties):
    env = dict(os.environ, GST_PLUGIN_PATH=os.path.dirname(os.environ['VFI_PLUGIN']), GST_REGISTRY=os.path.join(folder, 'registry'))
    subprocess.run(f'gst-launch-1.0 -q {PIPELINE} {properties} ! fakesink', shell=True, check=True, env=env)


def main():
    print('1..2')
    with tempfile.TemporaryDirectory() as folder:
        run(folder, f'flow-location={folder}/%02d.flo')
        run(folder, f'flow-location={folder}/%02d.png')
        for i in range(2):
            path = os.path.join(folder, f'{i:02d}.flo')
            with open(path, 'rb') as f:
                bytes_ = f.read()
            own = np.frombuffer(bytes_, '<f4', offset=12).reshape(H, W, 2)
            assert np.abs(own).max() > .5, 'nothing moves'
            read = cv2.readOpticalFlow(path)
            assert read.shape == (H, W, 2) and (read == own).all()
            png = cv2.imread(os.path.join(folder, f'{i:02d}.png'), cv2.IMREAD_UNCHANGED)
            assert png.dtype == np.uint16 and png.shape == (H, W, 3)  # OpenCV's order: blue, green, red
            assert (png[..., 0] == 1).all()
            assert np.abs((png[..., 2:0:-1].astype(np.float64) - 2 ** 15) / 64 - own).max() < 1 / 128 + 1e-4  # and what fp32 rounds
            print(f'ok {i + 1} - frame {i}')
        assert not os.path.exists(os.path.join(folder, '02.flo'))  # the last frame has no next one


main()
