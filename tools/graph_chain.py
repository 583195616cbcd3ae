#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What takes the time of a CUDA graph: its longest chain of kernels, each of which waits for the one before, and how much of the graph runs at the same time.

    mkdir GRAPHS
    VFI_GRAPH_DOT=GRAPHS CUDA_INJECTION64_PATH=BUILD/tests/cuda/libvfi-trace.so VFI_TRACE=TRACE \\
        BUILD/tests/cuda/cuda-bench vfi-base models/weights/vfi-nano.safetensors 1920 1080 20
    tools/graph_chain.py TRACE GRAPHS/0.dot

Of the last time that the graph ran, in microseconds: when a kernel of the chain began, what it took there, and what it takes at least (the shortest time of all that it ran).
A chain is as long as what its kernels take at least, and GAP between two of them."""
import re
import sys

GAP = 1.


def read_graph(text):
    """A graph as CUDA prints it: nodes, and who waits for whom as pairs (earlier, later)."""
    nodes = {int(n) for n in re.findall(r'^"graph_\d+_node_(\d+)"\s*\[', text, re.M)}
    return nodes, [(int(a), int(b)) for a, b in re.findall(r'"graph_\d+_node_(\d+)" -> "graph_\d+_node_(\d+)"', text)]


def read_runs(lines, nodes):
    """The runs of graphs that have these nodes: of each a table from node to (begin, end, name), microseconds."""
    graphs = {}
    for line in lines:
        begin, end, node, name = line.rstrip('\n').split(' ', 3)
        if int(node):
            graphs.setdefault(int(node) >> 32, []).append((int(begin), int(end), int(node) & 0xffffffff, name))
    runs = []
    for kernels in graphs.values():
        run = {}
        for begin, end, node, name in sorted(kernels):
            if node in run:  # it begins again
                runs.append(run)
                run = {}
            run[node] = begin / 1e3, end / 1e3, name
        runs.append(run)
    most = max(map(len, runs), default=0)  # fewer: the trace begins or ends there
    return sorted((run for run in runs if run.keys() <= nodes and len(run) == most), key=lambda run: min(run.values()))


def chain(least, edges):
    """The longest one: its nodes, and how long it is."""
    before, way, last = {}, {}, {}
    for a, b in edges:
        if a in least and b in least:
            before.setdefault(b, []).append(a)

    def length(node):
        if node not in way:
            last[node] = max(before.get(node, []), key=length, default=None)
            way[node] = least[node] + (length(last[node]) + GAP if last[node] is not None else 0)
        return way[node]
    node = max(least, key=length)
    total, nodes = length(node), []
    while node is not None:
        nodes.append(node)
        node = last[node]
    return nodes[::-1], total


def main():
    if len(sys.argv) != 3 or sys.argv[1].startswith('-'):
        sys.exit(__doc__)
    with open(sys.argv[2]) as f:
        nodes, edges = read_graph(f.read())
    with open(sys.argv[1]) as f:
        runs = read_runs(f, nodes)
    if not runs:
        sys.exit(f'{sys.argv[1]} has no kernels of the graph {sys.argv[2]}: was it traced in the same run, as a graph?')
    run = runs[-1]
    least = {node: min(r[node][1] - r[node][0] for r in runs if node in r) for node in run}
    start = min(begin for begin, _, _ in run.values())
    nodes, total = chain(least, edges)
    print(f'{len(run)} kernels, one after the other {sum(least.values()):.0f} us at least; as a graph {max(end for _, end, _ in run.values()) - start:.0f}; '
          f'longest chain {total:.0f}, of {len(nodes)}:')
    for node in nodes:
        begin, end, name = run[node]
        print(f'{begin - start:9.1f} {end - begin:7.1f} {least[node]:7.1f}  {name[:80]}')


if __name__ == '__main__':
    sys.setrecursionlimit(100000)
    main()
