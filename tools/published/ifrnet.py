# SPDX-License-Identifier: LGPL-2.1-or-later
import importlib
import sys
import types

import torch

from .common import fill, stub


class IFRNet:
    """ltkong218/IFRNet b117bcafcf074b2de756b882f8a6ca02c3169bfe"""
    unit = 32
    multiple = 16
    padding = 'replicate'
    centred = True
    scales = (1,)
    any_t = True

    def __init__(self, name, checkout):
        sys.path.insert(0, checkout)
        stub('imageio', imread=None, imwrite=None)
        stub('PIL', Image=None, ImageFile=types.SimpleNamespace())
        self.model = importlib.import_module('models.' + {'ifrnet-s': 'IFRNet_S', 'ifrnet': 'IFRNet', 'ifrnet-l': 'IFRNet_L'}[name]).Model()
        self.shapes = fill(self.model)

    def __call__(self, x0, x1, t, scale):
        return self.model.inference(x0, x1, torch.full((1, 1, 1, 1), t))


NETWORKS = {'ifrnet-s': IFRNet, 'ifrnet': IFRNet, 'ifrnet-l': IFRNet}
