#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Turns a published checkpoint into a safetensors file for the network that it belongs to.

    tools/convert.py CHECKPOINT OUT.safetensors [--model NAME] [--vfi PROGRAM]

CHECKPOINT is what PyTorch saves (both formats, however nested), a safetensors file, or for RIFE the .param file of ncnn beside its .bin. The network is recognised by the names and shapes of the
weights, which `vfi models --weights` lists; prefixes like "state_dict." and "module." fall away, everything else keeps its name. Tensors that the
network does not ask for are left out. Needs nothing but Python.

A checkpoint is a pickle, and a pickle is a program. This one is read without running any of it: of what it names, only tensors, their storages and
plain containers are made; everything else becomes an empty stand-in.
"""
import argparse
import array
import collections
import itertools
import json
import math
import os
import pickle
import re
import shutil
import subprocess
import sys
import zipfile

STORAGES = {'FloatStorage': 'F32', 'HalfStorage': 'F16', 'BFloat16Storage': 'BF16', 'DoubleStorage': 'F64', 'LongStorage': 'I64',
            'IntStorage': 'I32', 'ShortStorage': 'I16', 'CharStorage': 'I8', 'ByteStorage': 'U8', 'BoolStorage': 'BOOL'}
DTYPES = {'float32': 'F32', 'float16': 'F16', 'bfloat16': 'BF16', 'float64': 'F64', 'int64': 'I64', 'int32': 'I32', 'int16': 'I16',
          'int8': 'I8', 'uint8': 'U8', 'bool': 'BOOL'}
SIZE = {'F32': 4, 'F16': 2, 'BF16': 2, 'F64': 8, 'I64': 8, 'I32': 4, 'I16': 2, 'I8': 1, 'U8': 1, 'BOOL': 1}
CODE = {'F64': 'd', 'I64': 'q', 'I32': 'i', 'I16': 'h', 'I8': 'b', 'U8': 'B', 'BOOL': 'B'}  # of module array
MAGIC = 0x1950a86a20f9469cfc6c  # the first pickle of PyTorch's older format


class Bad(Exception):
    """The file is not what it should be."""


# ---- pickles without running them -----------------------------------------------------------------

class Storage:
    def __init__(self, dtype, numel):
        self.dtype, self.numel, self.data = dtype, numel, None


class Tensor:
    def __init__(self, storage, offset, shape, stride, dtype=None):
        if not isinstance(storage, Storage) or not all(isinstance(n, int) and n >= 0 for n in (offset, *shape, *stride)):
            raise Bad('a tensor of the checkpoint is damaged')
        self.storage, self.offset, self.shape, self.stride = storage, offset, tuple(shape), tuple(stride)
        self.dtype = dtype or storage.dtype

    def read(self):
        """Its type and bytes, without gaps, as fp32 if the type is no float of 32 bits or less."""
        size, n = SIZE[self.dtype], math.prod(self.shape)
        dense = tuple(math.prod(self.shape[i + 1:]) for i in range(len(self.shape)))
        last = self.offset + sum((k - 1) * s for k, s in zip(self.shape, self.stride))
        if len(self.shape) != len(self.stride) or n and (last + 1) * size > len(self.storage.data):
            raise Bad('a tensor of the checkpoint reaches beyond its storage')
        data = memoryview(self.storage.data)[self.offset * size:]
        if n and any(k > 1 and s != d for k, s, d in zip(self.shape, self.stride, dense)):
            steps = [range(0, k * s, s) if s else [0] * k for k, s in zip(self.shape, self.stride)]
            data = b''.join(data[i * size:(i + 1) * size] for i in map(sum, itertools.product(*steps)))
        data = bytes(data[:n * size])
        if self.dtype not in CODE:
            return self.dtype, data
        return 'F32', array.array('f', array.array(CODE[self.dtype], data)).tobytes()


class StandIn:
    """Whatever a checkpoint holds beside tensors. Takes everything, does nothing; of a module, its state is looked through for tensors."""
    state = None

    def __init__(self, *args, **kwargs):
        pass

    def __setstate__(self, state):
        self.state = state

    def __setitem__(self, key, value):
        pass

    def append(self, item):
        pass

    extend = add = update = append


class Dict(dict):
    def __init__(self, *args):
        super().__init__(*args[:1] if args and isinstance(args[0], (dict, list, tuple)) else ())

    def __setstate__(self, state):
        pass


class DType(str):
    pass


def rebuild_tensor(storage, offset, shape, stride, *rest):
    return Tensor(storage, offset, shape, stride)


def rebuild_tensor_v3(storage, offset, shape, stride, requires_grad, hooks, dtype, *rest):
    return Tensor(storage, offset, shape, stride, dtype if isinstance(dtype, DType) else None)


def rebuild_parameter(data, *rest):
    return data


KNOWN = {
    ('collections', 'OrderedDict'): Dict,
    ('collections', 'defaultdict'): lambda *args: Dict(),
    ('torch._utils', '_rebuild_tensor'): rebuild_tensor,
    ('torch._utils', '_rebuild_tensor_v2'): rebuild_tensor,
    ('torch._utils', '_rebuild_tensor_v3'): rebuild_tensor_v3,
    ('torch._utils', '_rebuild_parameter'): rebuild_parameter,
    ('torch._utils', '_rebuild_parameter_with_state'): rebuild_parameter,
}


class Unpickler(pickle.Unpickler):
    def __init__(self, file, storages):
        super().__init__(file, encoding='utf-8', errors='replace')
        self.storages = storages

    def find_class(self, module, name):
        if (module, name) in KNOWN:
            return KNOWN[module, name]
        if module in ('torch', 'torch.storage') and name in STORAGES:
            return DType(STORAGES[name])
        if module == 'torch' and name in DTYPES:
            return DType(DTYPES[name])
        return type('StandIn', (StandIn,), {})

    def persistent_load(self, pid):
        if not isinstance(pid, tuple) or len(pid) < 5 or pid[0] != 'storage' or not isinstance(pid[4], int) or pid[4] < 0:
            raise Bad('the checkpoint refers to something that is not a storage')
        dtype = pid[1] if isinstance(pid[1], DType) else DType('U8')  # an untyped storage counts bytes
        if len(pid) > 5 and pid[5] is not None:
            raise Bad('storages that are views of others are not supported: save the checkpoint again with a newer PyTorch')
        return self.storages.setdefault(str(pid[2]), Storage(dtype, pid[4]))


def storage_bytes(storage, data):
    need = storage.numel * SIZE[storage.dtype]
    if len(data) < need:
        raise Bad(f'the checkpoint is cut off: a storage of {need} bytes has {len(data)}')
    return data[:need]


def read_zip(path):
    storages = {}
    with zipfile.ZipFile(path) as z:
        pickles = [n for n in z.namelist() if n.endswith('/data.pkl') or n == 'data.pkl']
        if len(pickles) != 1:
            raise Bad('not a checkpoint of PyTorch: the archive has no data.pkl' + ('' if not pickles else ' of its own'))
        root = pickles[0][:-len('data.pkl')]
        if root + 'byteorder' in z.namelist() and z.read(root + 'byteorder') != b'little':
            raise Bad('the checkpoint is big-endian')
        with z.open(pickles[0]) as f:
            top = Unpickler(f, storages).load()
        for key, s in storages.items():
            name = root + 'data/' + key
            if name not in z.namelist():
                raise Bad(f'the checkpoint lacks {name}')
            s.data = storage_bytes(s, z.read(name))
    return top


def read_legacy(path):
    storages = {}
    with open(path, 'rb') as f:
        if Unpickler(f, storages).load() != MAGIC:
            raise Bad('not a checkpoint of PyTorch')
        Unpickler(f, storages).load()  # protocol version
        Unpickler(f, storages).load()  # sizes of that machine's types
        top = Unpickler(f, storages).load()
        keys = Unpickler(f, storages).load()
        for key in keys if isinstance(keys, list) else []:
            s = storages.get(str(key))
            numel = int.from_bytes(f.read(8), 'little', signed=True)
            if s is None or numel != s.numel:
                raise Bad('the checkpoint is damaged: its storages do not fit')
            s.data = storage_bytes(s, f.read(numel * SIZE[s.dtype]))
    if any(s.data is None for s in storages.values()):
        raise Bad('the checkpoint is cut off')
    return top


def flatten(x, prefix='', depth=0):
    """(name, tensor) of everything in nested containers, and of modules that were saved whole."""
    if depth > 32:
        return
    if isinstance(x, Tensor):
        yield prefix, x
    elif isinstance(x, dict):
        for k, v in x.items():
            yield from flatten(v, f'{prefix}.{k}' if prefix else str(k), depth + 1)
    elif isinstance(x, (list, tuple)):
        for i, v in enumerate(x):
            yield from flatten(v, f'{prefix}.{i}' if prefix else str(i), depth + 1)
    elif isinstance(x, StandIn) and isinstance(x.state, dict):
        for part in ('_parameters', '_buffers', '_modules'):
            yield from flatten(x.state.get(part), prefix, depth + 1)


# ---- safetensors ----------------------------------------------------------------------------------

def read_safetensors(path):
    with open(path, 'rb') as f:
        size = int.from_bytes(f.read(8), 'little')
        header = json.loads(f.read(min(size, 1 << 24)))
        data = f.read()
    tensors = {}
    for name, t in header.items():
        if name != '__metadata__':
            begin, end = t['data_offsets']
            s = Storage(t['dtype'], (end - begin) // SIZE[t['dtype']])
            s.data = storage_bytes(s, data[begin:end])
            tensors[name] = Tensor(s, 0, t['shape'], [math.prod(t['shape'][i + 1:]) for i in range(len(t['shape']))])
    return tensors


def write_safetensors(path, tensors, metadata):
    header, at = {'__metadata__': metadata}, 0
    for name, (shape, dtype, data) in tensors.items():
        header[name] = {'dtype': dtype, 'shape': list(shape), 'data_offsets': [at, at + len(data)]}
        at += len(data)
    text = json.dumps(header, separators=(',', ':')).encode()
    text += b' ' * (-len(text) % 8)
    with open(path + '.part', 'wb') as f:
        f.write(len(text).to_bytes(8, 'little') + text)
        for _, _, data in tensors.values():
            f.write(data)
    os.replace(path + '.part', path)


# ---- ncnn -----------------------------------------------------------------------------------------

NCNN_MAGIC = b'7767517'
NCNN_F16 = 0x01306B47


def read_ncnn(path):
    """Convolutions in the order of the .param file, [(transposed, shape, weight, bias)]; the .bin file has no names."""
    layers, seen = [], set()
    with open(path, encoding='utf-8') as f:
        lines = f.read().split('\n')[2:]
    with open(os.path.splitext(path)[0] + '.bin', 'rb') as f:
        data, at = f.read(), 0
    for kind, words in ((w[0], w) for w in map(str.split, lines) if len(w) > 4):
        p = dict(w.split('=', 1) for w in words[4:] if re.fullmatch(r'\d+=\d+', w))
        if kind in ('InnerProduct', 'PReLU', 'MemoryData', 'BatchNorm', 'Scale', 'ConvolutionDepthWise', 'DeconvolutionDepthWise'):
            raise Bad(f'layers of kind {kind} are not supported')
        if kind not in ('Convolution', 'Deconvolution'):
            continue
        out, k, n = (int(p.get(i, 0)) for i in '016')
        if out * k * k == 0 or n % (out * k * k):
            raise Bad(f'the convolution {words[1]} is damaged')
        flag = int.from_bytes(data[at:at + 4], 'little')
        if flag not in (0, NCNN_F16):
            raise Bad(f'weights of {words[1]} are quantised, or the files do not belong together')
        dtype = 'F16' if flag else 'F32'
        weight = Storage(dtype, n)
        weight.data = storage_bytes(weight, data[at + 4:at + 4 + n * SIZE[dtype]])
        at += 4 + (n * SIZE[dtype] + 3) // 4 * 4
        bias = Storage('F32', out if p.get('5') == '1' else 0)
        bias.data = storage_bytes(bias, data[at:at + 4 * bias.numel])
        at += 4 * bias.numel
        if weight.data in seen:  # a layer that runs for either frame is there twice
            continue
        seen.add(weight.data)
        layers.append((kind == 'Deconvolution', (out, n // (out * k * k), k, k), weight, bias))
    if at != len(data):
        raise Bad('the .bin file does not belong to it')
    return layers


def natural(name):
    """The order in which RIFE runs its layers: the encoder, then block by block."""
    return not name.startswith('encode'), [int(w) if w.isdigit() else w for w in re.split(r'(\d+)', name)]


def named(layers, weights):
    """The layers under a network's names; None if they are not its layers. Gains have been multiplied into the convolutions, so they are 1."""
    names = sorted((n for n in weights if n.endswith('.weight')), key=natural)
    tensors = {}
    if len(names) != len(layers):
        return None
    for name, (transposed, (a, b, k, _), weight, bias) in zip(names, layers):
        tensors[name] = Tensor(weight, 0, (b, a, k, k), (k * k, b * k * k, k, 1)) if transposed else \
            Tensor(weight, 0, (a, b, k, k), (b * k * k, k * k, k, 1))
        tensors[name[:-6] + 'bias'] = Tensor(bias, 0, (bias.numel,), (1,))
    for name, shape in weights.items():
        if name.endswith('.beta'):
            s = Storage('F32', math.prod(shape))
            s.data = array.array('f', [1] * s.numel).tobytes()
            tensors[name] = Tensor(s, 0, shape, [1] * len(shape))
    return tensors if all(n in tensors and tensors[n].shape == s for n, s in weights.items()) else None


def read(path):
    with open(path, 'rb') as f:
        start = f.read(9)
    if start[:4] == b'PK\x03\x04':
        return dict(flatten(read_zip(path)))
    if start[8:9] == b'{':
        return read_safetensors(path)
    if start[:1] == b'\x80':
        return dict(flatten(read_legacy(path)))
    if not start:
        raise Bad('the file is empty')
    if start.lstrip()[:1] == b'<':
        raise Bad('this is a web page, not a checkpoint: the download did not work')
    if os.path.exists(os.path.splitext(path)[0] + '.param'):
        raise Bad('of a pair of ncnn give the .param file; the .bin beside it is read with it')
    raise Bad('no checkpoint: neither what PyTorch saves nor a safetensors file nor a .param file of ncnn')


# ---- which network --------------------------------------------------------------------------------

def known_networks(program):
    """{network: {weight: shape}} of this build."""
    if not program:
        raise Bad('the program vfi is not in PATH: give it with --vfi')
    try:
        lines = subprocess.run([program, 'models', '--weights'], check=True, capture_output=True, text=True).stdout.splitlines()
    except (OSError, subprocess.CalledProcessError) as e:
        raise Bad(f'{program} does not say which networks there are: {e.strerror if isinstance(e, OSError) else "is it the program vfi?"}') from e
    networks = collections.defaultdict(dict)
    for line in lines:
        network, weight, *shape = line.split()
        networks[network][weight] = tuple(map(int, shape))
    return networks


class Match:
    """How the tensors fit a network."""

    def __init__(self, network, weights, tensors):
        prefixes = collections.Counter()
        for name in tensors:
            at = 0
            while at >= 0:
                if name[at:] in weights:
                    prefixes[name[:at]] += 1
                at = name.find('.', at) + 1 or -1
        self.network, self.weights = network, weights
        self.prefix = max(prefixes, key=lambda p: (prefixes[p], -len(p)), default='')
        mine = {n: tensors[self.prefix + n] for n in weights if self.prefix + n in tensors}
        self.missing = [n for n in weights if n not in mine]
        self.misshapen = [(n, t.shape) for n, t in mine.items() if t.shape != weights[n]]
        self.extra = [n for n in tensors if not (n.startswith(self.prefix) and n[len(self.prefix):] in weights)]
        self.fitting = {n: t for n, t in mine.items() if t.shape == weights[n]}
        self.whole = not self.missing and not self.misshapen

    def rank(self):
        return self.whole, len(self.fitting) / len(self.weights), -len(self.extra)


def words(names, most=8):
    return ', '.join(names[:most]) + (f' and {len(names) - most} more' if len(names) > most else '')


def convert(args):
    with open(args.checkpoint, 'rb') as f:
        layers = read_ncnn(args.checkpoint) if f.read(7) == NCNN_MAGIC else None
    tensors = read(args.checkpoint) if layers is None else {}
    if not tensors and not layers:
        raise Bad('there are no tensors in it')
    networks = {n: w for n, w in known_networks(args.vfi).items() if w}
    if args.model and args.model not in networks:
        raise Bad(f'there is no network {args.model}; there are: {", ".join(networks)}')
    matches = [Match(n, w, t) for n, w in networks.items() for t in [named(layers, w) if layers else tensors] if t]
    mine = [m for m in matches if args.model in (None, m.network)]
    if not mine:
        raise Bad(f'its {len(layers)} convolutions are of no network here' if not args.model else f'its {len(layers)} convolutions are not those of {args.model}')
    match = max(mine, key=Match.rank)
    if not match.whole and args.model:
        other = max(matches, key=Match.rank)
        if other.whole:
            raise Bad(f'these are the weights of {other.network}, not of {args.model}')
    if not match.fitting:
        raise Bad(f'these are not the weights of {args.model or "a network here: there are " + ", ".join(networks)}\n' +
                  f'  they are {words([n or "a tensor without a name" for n in tensors])}')
    if not match.whole:
        what = f'{len(match.fitting)} of {len(match.weights)} weights of {match.network}'
        lines = [f'these weights are of no network here; the nearest is {match.network}: {what} are there' if not args.model else
                 f'these are not the weights of {match.network}: only {what} are there']
        lines += [f'  missing: {words(match.missing)}'] if match.missing else []
        lines += [f'  {n} is {"x".join(map(str, s))}, not {"x".join(map(str, match.weights[n]))}' for n, s in match.misshapen[:8]]
        lines += [f'  not asked for: {words(match.extra)}'] if match.extra else []
        raise Bad('\n'.join(lines))
    out = {name: (match.fitting[name].shape, *match.fitting[name].read()) for name in sorted(match.weights)}
    write_safetensors(args.out, out, {'network': match.network, 'checkpoint': os.path.basename(args.checkpoint)})
    total = sum(math.prod(shape) for shape, _, _ in out.values())
    print(f'{args.out}: {match.network}, {len(out)} tensors, {total / 1e6:.3f} million weights' +
          (f'; "{match.prefix}" taken off their names' if match.prefix else ''))
    if match.extra:
        print(f'left out, not asked for: {words(match.extra)}')


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('checkpoint')
    parser.add_argument('out')
    parser.add_argument('--model', help='the network that it must be')
    parser.add_argument('--vfi', default=shutil.which('vfi'), help='the program vfi, which knows the networks (default: the one in PATH)')
    args = parser.parse_args()
    try:
        convert(args)
    except Bad as e:
        sys.exit(f'{args.checkpoint}: {e}')
    except OSError as e:
        sys.exit(f'{e.filename or args.checkpoint}: {e.strerror or e}')
    except (pickle.UnpicklingError, zipfile.BadZipFile, EOFError, ValueError, KeyError, TypeError, IndexError, AttributeError, OverflowError,
            MemoryError, RecursionError) as e:
        sys.exit(f'{args.checkpoint}: the file is cut off or damaged, or no checkpoint ({type(e).__name__}: {e})')


if __name__ == '__main__':
    main()
