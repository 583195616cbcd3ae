# SPDX-License-Identifier: LGPL-2.1-or-later
import importlib
import sys
import types

import torch

from .common import fill, golden, stub


class SepConv:
    """sniklaus/sepconv-slomo 3d94cda8d971c28d43225c8383592703f968b27f, sniklaus/revisiting-sepconv 8b237c8dfa2fb0ebe541c5bbb6582db80727d538"""
    multiple = {'sepconv': 128, 'sepconv-plus': 2}
    padding = 'replicate'
    blue_first = True
    scales = (1,)
    any_t = False

    def __init__(self, name, checkout):
        self.unit = {'sepconv': 32, 'sepconv-plus': 22}[name]  # the second halves odd sizes
        apply = types.SimpleNamespace(apply=golden.adaptive)  # its operator is for GPUs
        stub('sepconv', sepconv_func=apply)
        stub('PIL')
        stub('PIL.Image')
        sys.path.insert(0, checkout)
        sys.argv = sys.argv[:1]
        torch.hub.load_state_dict_from_url = lambda **what: {}
        load, torch.nn.Module.load_state_dict = torch.nn.Module.load_state_dict, lambda self, state: None
        self.model = importlib.import_module('run').Network()
        torch.nn.Module.load_state_dict = load
        rename = (lambda k: k.replace('net', 'module')) if name == 'sepconv' else (lambda k: k)
        self.shapes = fill(self.model, rename=rename)

    def __call__(self, x0, x1, t, scale):
        return self.model(x0, x1)


NETWORKS = {'sepconv': SepConv, 'sepconv-plus': SepConv}
