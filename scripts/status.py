# SPDX-License-Identifier: ISC
"""Prints values of "tund status --json", which it reads from standard input.

usage: status.py PATH...    as in: status.py role peers.0.transport 'peers[name=dc1/a].up'

One line for each PATH; an empty one for what is not there. Exits with 1 if the input is no JSON.
"""
import json
import re
import sys


def step(value, name):
    found = re.fullmatch(r"(\w*)\[(\w+)=([^\]]*)\]", name)
    if found:
        items = value.get(found[1], [])
        return next((i for i in items if str(i.get(found[2])).startswith(found[3])), None)
    if isinstance(value, list):
        return value[int(name)] if int(name) < len(value) else None
    return value.get(name) if isinstance(value, dict) else None


def steps(path):
    return re.findall(r"(?:\[[^\]]*\]|[^.\[])+", path)


def main(paths):
    try:
        root = json.load(sys.stdin)
    except ValueError as error:
        sys.exit("no JSON: %s" % error)
    for path in paths:
        value = root
        for name in steps(path):
            value = None if value is None else step(value, name)
        print("" if value is None else value if isinstance(value, str) else json.dumps(value))


main(sys.argv[1:])
