# SPDX-License-Identifier: LGPL-2.1-or-later
import contextlib
import importlib.util
import os
import types

import torch
import torch.nn.functional as F

from .common import fill, old_grid_sample, stub


class Dvf:
    """lxx1991/pytorch-voxel-flow f7eec89000b3de1a95548c6fa55271a13c09570e"""
    unit = 48
    multiple = 8
    padding = 'replicate'
    blue_first = True
    scales = (1,)
    any_t = False

    def __init__(self, name, checkout):
        stub('core')
        stub('core.ops')
        stub('core.ops.sync_bn', convert_bn=lambda *args: None, SyncBatchNorm2d=torch.nn.BatchNorm2d)
        torch.cuda.device = lambda index: contextlib.nullcontext()
        torch.Tensor.cuda = lambda self: self
        torch.nn.functional.upsample = F.interpolate
        torch.nn.functional.tanh = torch.tanh
        old_grid_sample()
        spec = importlib.util.spec_from_file_location('voxel_flow', os.path.join(checkout, 'core', 'models', 'voxel_flow.py'))
        code = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(code)
        self.model = code.VoxelFlow(types.SimpleNamespace(syn_type='inter', bn_param={'momentum': .9997}, bn_training=False, bn_parallel=False))
        self.shapes = fill(self.model)

    def __call__(self, x0, x1, t, scale):
        y = self.model(torch.cat((x0, x1), 1) * 2 - 1)
        return y / 2 + .5


NETWORKS = {'dvf': Dvf}
