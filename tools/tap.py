# SPDX-License-Identifier: LGPL-2.1-or-later
"""tap.py testlog.json FOLDER: one line for each subtest of Meson's log, "ok FOLDER/TEST: SUBTEST" or "not ok ...", with its SKIP.

A test that ends badly without saying which subtest failed (a crash, a time-out, fewer subtests than planned) is one more "not ok"."""
import json
import re
import sys


def report(test, folder):
    name = '%s/%s' % (folder, re.sub('^.* ', '', test['name']))
    found = re.findall(r'^(ok|not ok)\b *\d* *-? *(.*)$', test.get('stdout', ''), re.M)
    for status, what in found:
        expected = status == 'not ok' and re.search(r'# TODO\b', what, re.I)
        print('%s %s: %s' % ('ok' if expected else status, name, what))
    bad = test['result'] not in ('OK', 'SKIP', 'EXPECTEDFAIL')
    if bad and not any(status == 'not ok' for status, _ in found):
        print('not ok %s: %s' % (name, test['result'].lower()))
    elif not found:
        print('ok %s%s' % (name, ' # SKIP' if test['result'] == 'SKIP' else ''))


with open(sys.argv[1]) as log:
    for line in log:
        report(json.loads(line), sys.argv[2])
