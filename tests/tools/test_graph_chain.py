# SPDX-License-Identifier: LGPL-2.1-or-later
"""tools/graph_chain.py on a small graph: 0 -> 1 -> 3, 0 -> 2 -> 3, of which 2 takes longer, and runs twice."""
import os
import subprocess
import sys
import tempfile

DOT = ''.join(f'"graph_1_node_{i}"[style="bold" label="{i}\nk{i}\n"];\n' for i in range(4)) + ''.join(
    f'"graph_1_node_{a}" -> "graph_1_node_{b}";\n' for a, b in ((0, 1), (0, 2), (1, 3), (2, 3)))
RUNS = [(0, 10, 0), (20, 25, 1), (20, 50, 2), (60, 70, 3), (100, 112, 0), (120, 126, 1), (120, 160, 2), (170, 180, 3)]
TRACE = ''.join(f'{1000 * a} {1000 * b} {(5 << 32) + n} void k{n} (int)\n' for a, b, n in RUNS) + '5 6 0 plain\n'


def main():
    script, ok = sys.argv[1], True
    print('TAP version 13\n1..2')
    with tempfile.TemporaryDirectory() as folder:
        dot, trace = (os.path.join(folder, name) for name in ('0.dot', 'trace'))
        for path, text in ((dot, DOT), (trace, TRACE)):
            with open(path, 'w') as f:
                f.write(text)
        got = subprocess.run([sys.executable, script, trace, dot], capture_output=True, text=True)
        want = ['4 kernels, one after the other 55 us at least; as a graph 80; longest chain 52, of 3:',
                '0.0 12.0 10.0 void k0 (int)', '20.0 40.0 30.0 void k2 (int)', '70.0 10.0 10.0 void k3 (int)']
        good = [' '.join(line.split()) for line in got.stdout.splitlines()] == want
        print(('ok' if good else 'not ok') + ' 1 chain')
        ok = ok and good
        with open(trace, 'w') as f:
            f.write('5 6 0 plain\n')
        none = subprocess.run([sys.executable, script, trace, dot], capture_output=True, text=True)
        good = none.returncode != 0 and 'no kernels of the graph' in none.stderr
        print(('ok' if good else 'not ok') + ' 2 none')
        ok = ok and good
    if not ok:
        print('\n'.join('# ' + line for line in (got.stdout + got.stderr + none.stderr).splitlines()))
    sys.exit(not ok)


main()
