#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tools/convert.py: both formats of checkpoints, nested and prefixed, whole modules; what is damaged or of no network; and that nothing in a
checkpoint is run. Checkpoints are written here as PyTorch writes them, without PyTorch.

    test_convert.py CONVERT VFI
"""
import array
import collections
import io
import json
import os
import pickle
import subprocess
import sys
import tempfile
import types
import zipfile

CONVERT, VFI = sys.argv[1:3]
MODEL = 'vfi-nano'


def module(name, **what):
    sys.modules[name] = types.ModuleType(name)
    for key, value in what.items():
        value.__module__, value.__qualname__ = name, key
        setattr(sys.modules[name], key, value)


class Net:
    def __init__(self, tensors):
        self._parameters, self._buffers = {}, {}
        self._modules = collections.defaultdict(lambda: None)
        self._modules = {'inner': Net.leaf(tensors)}

    @staticmethod
    def leaf(tensors):
        net = Net.__new__(Net)
        net._parameters, net._buffers, net._modules = tensors, {}, {}
        return net


module('torch', FloatStorage=type('FloatStorage', (), {}), DoubleStorage=type('DoubleStorage', (), {}))
module('torch._utils', _rebuild_tensor_v2=lambda *args: None)
module('authors', Net=Net)


class Values:
    def __init__(self, numbers, code='f'):
        self.data, self.code = array.array(code, numbers), code


class Tensor:
    def __init__(self, values, shape, stride=None, offset=0):
        self.values, self.shape, self.offset = values, tuple(shape), offset
        self.stride = stride or tuple(prod(shape[i + 1:]) for i in range(len(shape)))

    def __reduce__(self):
        return sys.modules['torch._utils']._rebuild_tensor_v2, (self.values, self.offset, self.shape, self.stride, False, collections.OrderedDict())


class Pickler(pickle.Pickler):
    def __init__(self, file):
        super().__init__(file, 2)
        self.storages = []

    def persistent_id(self, x):
        if not isinstance(x, Values):
            return None
        if x not in self.storages:
            self.storages.append(x)
        kind = sys.modules['torch'].FloatStorage if x.code == 'f' else sys.modules['torch'].DoubleStorage
        return 'storage', kind, str(self.storages.index(x)), 'cpu', len(x.data)


def prod(numbers):
    n = 1
    for i in numbers:
        n *= i
    return n


def as_zip(x):
    pickled, out = io.BytesIO(), io.BytesIO()
    p = Pickler(pickled)
    p.dump(x)
    with zipfile.ZipFile(out, 'w') as z:
        z.writestr('archive/data.pkl', pickled.getvalue())
        for i, s in enumerate(p.storages):
            z.writestr(f'archive/data/{i}', s.data.tobytes())
    return out.getvalue()


def as_legacy(x):
    out = io.BytesIO()
    for head in 0x1950a86a20f9469cfc6c, 1001, {'little_endian': True}:
        pickle.dump(head, out, 2)
    p = Pickler(out)
    p.dump(x)
    pickle.dump([str(i) for i in range(len(p.storages))], out, 2)
    for s in p.storages:
        out.write(len(s.data).to_bytes(8, 'little') + s.data.tobytes())
    return out.getvalue()


class Bomb:
    """Leaves a file behind if it is run."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f'touch {self.path}',)


def run(folder, data, *options):
    path, out = os.path.join(folder, 'in.pth'), os.path.join(folder, 'out.safetensors')
    if os.path.exists(out):
        os.unlink(out)
    with open(path, 'wb') as f:
        f.write(data)
    result = subprocess.run([sys.executable, CONVERT, path, out, '--vfi', VFI, *options], capture_output=True, text=True)
    return result.returncode, result.stdout + result.stderr, out


def tensors_of(path):
    with open(path, 'rb') as f:
        header = json.loads(f.read(int.from_bytes(f.read(8), 'little')))
        data = f.read()
    return {k: (tuple(v['shape']), data[slice(*v['data_offsets'])]) for k, v in header.items() if k != '__metadata__'}


def ncnn(folder, network, shapes, encoder=()):
    """RIFE as ncnn has it: layers without names, transposed convolutions the other way round, gains folded; a layer twice."""
    want, lines, data = {}, ['7767517', '0 0'], b''
    order = [*encoder] + [n for block in range(4) for n in [f'block{block}.conv0.{i}.0' for i in range(2)] + [f'block{block}.convblock.{i}.conv' for i in range(8)] +
             [f'block{block}.lastconv.0']]
    shapes = dict(shapes)

    def transposed(name):
        return 'lastconv' in name or name == order[len(encoder) - 1] and bool(encoder)
    for i, name in enumerate(order):
        a, b, k, _ = shapes[name + '.weight']
        flat = array.array('f', [(i + j) % 509 - 200 for j in range(a * b * k * k)])
        bias = array.array('f', [j % 31 for j in range(*shapes[name + '.bias'])])
        stored = flat
        if transposed(name):
            stored = array.array('f', [flat[(c * b + o) * k * k + j] for o in range(b) for c in range(a) for j in range(k * k)])
        want[name + '.weight'], want[name + '.bias'] = flat.tobytes(), bias.tobytes()
        lines.append(f'{"Dec" if transposed(name) else "C"}onvolution l{i} 1 1 {i} {i + 1} 0={len(bias)} 1={k} 5=1 6={len(flat)}')
        lines.append(f'ReLU r{i} 1 1 {i + 1} {i + 1} 0=2.000000e-01')
        data += bytes(4) + stored.tobytes() + bias.tobytes()
    lines.append(lines[2])
    data += data[:4 + 4 * prod(shapes[order[0] + '.weight']) + 4 * shapes[order[0] + '.bias'][0]]
    for name, shape in shapes.items():
        if name.endswith('.beta'):
            want[name] = array.array('f', [1] * prod(shape)).tobytes()
    param, out = os.path.join(folder, 'flownet.param'), os.path.join(folder, 'rife.safetensors')
    for cut in 0, 1:
        with open(param, 'w', encoding='utf-8') as f:
            f.write('\n'.join(lines))
        with open(os.path.join(folder, 'flownet.bin'), 'wb') as f:
            f.write(data[:len(data) - cut])
        result = subprocess.run([sys.executable, CONVERT, param, out, '--vfi', VFI], capture_output=True, text=True)
        assert result.returncode == cut, result.stderr
        other = subprocess.run([sys.executable, CONVERT, os.path.join(folder, 'flownet.bin'), out, '--vfi', VFI], capture_output=True, text=True)
        assert other.returncode == 1 and 'give the .param file' in other.stderr, other.stderr
        if not cut:
            assert {k: v for k, (_, v) in tensors_of(out).items()} == want
            assert network + ',' in result.stdout, result.stdout


def check(folder):
    listed = [line.split() for line in subprocess.run([VFI, 'models', '--weights'], capture_output=True, text=True, check=True).stdout.splitlines()]
    shapes = {name: tuple(map(int, shape)) for model, name, *shape in listed if model == MODEL}
    state = {name: Tensor(Values([i % 251 + .25 for i in range(prod(shape))]), shape) for name, shape in shapes.items()}
    want = {name: (t.shape, t.values.data.tobytes()) for name, t in state.items()}
    nested = {'epoch': 7, 'state_dict': collections.OrderedDict(('module.' + k, v) for k, v in state.items()), 'args': types.SimpleNamespace(lr=1)}

    for name, data in [('flat zip', as_zip(state)), ('flat legacy', as_legacy(state)), ('nested zip', as_zip(nested)),
                       ('nested legacy', as_legacy(nested)), ('module', as_zip(Net(state)))]:
        status, said, out = run(folder, data)
        assert status == 0, f'{name}: {said}'
        assert MODEL in said, said
        assert tensors_of(out) == want, name

    # A converted file is one that converts to itself, and that the network takes.
    status, said, out = run(folder, open(out, 'rb').read())
    assert status == 0 and tensors_of(out) == want, said

    # Doubles become floats; what lies otherwise in its storage is put in order.
    first = min(n for n, s in shapes.items() if len(s) == 4 and s[0] > 1 and s[1] > 1)
    a, b, h, w = shapes[first]
    turned = array.array('d', [0] * prod(shapes[first]))
    flat = state[first].values.data
    for i in range(a):
        for j in range(b * h * w):
            turned[j * a + i] = flat[i * b * h * w + j]
    status, said, out = run(folder, as_zip({**state, first: Tensor(Values([9, *turned], 'd'), (a, b, h, w), (1, h * w * a, w * a, a), 1)}))
    assert status == 0 and tensors_of(out) == want, said

    # What is not needed is left out and named; what is missing or misshapen is named, and nothing is written.
    status, said, out = run(folder, as_zip({**state, 'teacher.weight': Tensor(Values([1]), (1,))}))
    assert status == 0 and 'teacher.weight' in said and tensors_of(out) == want, said
    status, said, out = run(folder, as_zip({k: v for k, v in state.items() if k != first}))
    assert status == 1 and first in said and MODEL in said and not os.path.exists(out), said
    status, said, out = run(folder, as_zip({**state, first: Tensor(Values([1]), (1,))}))
    assert status == 1 and f'{first} is 1, not' in said and not os.path.exists(out), said
    status, said, out = run(folder, as_zip(state), '--model', 'vfi-flow-nano')
    assert status == 1 and f'the weights of {MODEL}, not of vfi-flow-nano' in said, said
    status, said, out = run(folder, as_zip({'0.weight': state[first], 'fc': state[first]}))
    assert status == 1 and 'not the weights of a network here' in said and 'rife-4.6' in said and '0.weight, fc' in said, said
    status, said, out = run(folder, as_zip(state), '--model', 'nothing')
    assert status == 1 and 'there is no network nothing' in said, said

    for network, encoder in (('rife-4.6', ()), ('rife-4.12.lite', ('encode.0', 'encode.2', 'encode.4', 'encode.6')), ('rife-4.15.lite', [f'encode.cnn{i}' for i in range(4)])):
        ncnn(folder, network, [(name, tuple(map(int, shape))) for model, name, *shape in listed if model == network], encoder)

    # Nothing is run.
    for pack in as_zip, as_legacy:
        mark = os.path.join(folder, 'run')
        status, said, out = run(folder, pack({'bomb': Bomb(mark), 'state_dict': state}))
        assert status == 0 and tensors_of(out) == want, said
        assert not os.path.exists(mark), 'the checkpoint was run'

    # Damage is one line.
    whole, legacy = as_zip(state), as_legacy(state)
    beyond = as_zip({**state, first: Tensor(Values([1]), shapes[first])})
    for data, why in ((b'', 'empty'), (b'<!DOCTYPE html>', 'a web page'), (b'text', 'no checkpoint'), (b'PK\x03\x04', 'cut off'), (legacy[:30], 'cut off')):
        status, said, out = run(folder, data)
        assert status == 1 and why in said and said.count('\n') == 1 and not os.path.exists(out), said
    for data in whole[:len(whole) // 2], legacy[:len(legacy) - 9], legacy[:400], beyond:
        status, said, out = run(folder, data)
        assert status == 1 and said.count('\n') == 1 and 'Traceback' not in said and not os.path.exists(out), said


if __name__ == '__main__':
    print('1..1')
    with tempfile.TemporaryDirectory() as folder:
        check(folder)
    print('ok 1 /tools/convert')
