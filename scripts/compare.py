# SPDX-License-Identifier: ISC
"""Two builds of tund compared by scripts/bench.py, row by row, in pairs.

What a machine gives changes from minute to minute by more than what is looked for. So both builds
are measured in turn, each on hosts of its own that lie side by side: old, new, then new, old, and
so on. Every pair makes a ratio of what was measured within the same seconds, and a row is judged by
the median of those.
"""
import math
import statistics

from measure import Failed

OLD = "old-"                 # before the name of a scene: the same with the other build's programs
SCENES = ("pair2", "tund2", "wg2", "tund3", "many3", "flows3", "tcp3")
LESS_IS_BETTER = ("s/GB", "ms", "MB", "ns")
LEAST, MOST = 0.97, 1.03     # of the old build's, where more is better, and where less is
CONFIDENCE = 0.95


def is_ours(side):
    """What is no baseline of another row, and of a build under comparison."""
    kind, name, *rest = side.task
    if kind == "micro":
        return "alone" not in side.field
    return name in SCENES and "again" not in rest


def rows_compared(rows):
    """(row, side) of each ratio."""
    return [(row, side) for row in rows for side in row.sides if is_ours(side)]


def scenes_compared(tasks):
    names = dict.fromkeys(t[1] for t in tasks if t[0] != "micro")
    return [prefix + name for name in names for prefix in (OLD, "")]


def old_task(task):
    return task if task[0] == "micro" else (task[0], OLD + task[1]) + task[2:]


### Measuring

class Pairs:
    """What pairs of measurements brought: `values`, {task: [(old's figures, new's)]}, and `failed`,
    {task: why}."""

    def __init__(self, old, new, say):
        self.old, self.new, self.say = old, new, say
        self.values, self.failed = {}, {}

    def measure(self, task, old_first, label):
        """One pair. What fails has a second chance, and makes the row fail when that is lost."""
        for chance in (1, 2):
            try:
                pair = self.attempt(task, old_first)
            except Failed as why:
                self.say("%s %s: %s" % (label, " ".join(map(str, task)), why))
                if chance == 2:
                    self.failed[task] = str(why)
                continue
            self.values.setdefault(task, []).append(pair)
            self.say("%s %s: %s" % (label, " ".join(map(str, task)), ", ".join(
                "%s %.4g / %.4g" % (name, pair[1][name], pair[0][name])
                for name in pair[1] if name in pair[0])))
            return

    def attempt(self, task, old_first):
        sides = [(self.old, old_task(task)), (self.new, task)]
        if task[0] == "flows":
            self.new.flows_open([self.new.scene(t[1]) for _, t in sides])
            sides = [(bench, ("tcp", t[1])) for bench, t in sides]
        figures = {}
        for bench, side in sides if old_first else sides[::-1]:
            figures[bench] = bench.measure(side)
        return figures[self.old], figures[self.new]


def run(old, new, tasks, repeat, say):
    """Peak memory is that of all that was: it is read once, at the end."""
    pairs = Pairs(old, new, say)
    once = [t for t in tasks if t[0] == "memory"]
    for i in range(repeat):
        for task in tasks if i % 2 == 0 else tasks[::-1]:
            if task not in once and task not in pairs.failed:
                pairs.measure(task, i % 2 == 0, "%d/%d" % (i + 1, repeat))
    for task in once:
        pairs.measure(task, True, "end")
    return pairs


### Judging

def median_interval(values):
    """The interval of the median: the lowest and the highest of the ordered values between which it
    lies with at least CONFIDENCE, by the sign test, whatever the distribution, and that
    probability. Of fewer than six values it is all of them, and less certain than that."""
    ordered, n = sorted(values), len(values)
    outside, k = 0.5 ** n, 1
    while k < (n + 1) // 2 and 2 * (outside + math.comb(n, k) * 0.5 ** n) <= 1 - CONFIDENCE:
        outside += math.comb(n, k) * 0.5 ** n
        k += 1
    return ordered[k - 1], ordered[n - k], 1 - 2 * outside


def report_of(row, side, pairs):
    task, field = side.task, side.field
    less = row.unit in LESS_IS_BETTER
    report = {"row": row.name, "what": row.what, "unit": row.unit, "side": side.name,
              "limit": MOST if less else LEAST, "passed": False}
    if task in pairs.failed or task not in pairs.values:
        return dict(report, missing=pairs.failed.get(task, "not measured"))
    old, new = zip(*((a[field], b[field]) for a, b in pairs.values[task]))
    if min(old) <= 0:
        return dict(report, missing="the old build's figure is 0")
    ratios = [b / a for a, b in zip(old, new)]
    low, high, confidence = median_interval(ratios)
    median = statistics.median(ratios)
    met = median <= MOST if less else median >= LEAST
    reaches = low <= MOST if less else high >= LEAST
    return dict(report, old=statistics.median(old), new=statistics.median(new), ratios=ratios,
                median=median, low=low, high=high, confidence=confidence, median_met=met,
                interval_met=reaches, passed=met or reaches)


def verdict(report):
    """What is wanted is the median itself; an interval that reaches the limit says only that the
    row may well be there."""
    if not report["passed"]:
        return "MISSED"
    return "PASS" if report["median_met"] else "PASS, by its interval only"


def print_table(reports, figure):
    print("new / old: the median of the ratios of pairs, and the interval in which it lies by the "
          "sign test\n")
    print("%-52s %9s %9s %8s %17s %6s" % ("", "old", "new", "ratio", "interval", "of"))
    last = None
    for report in reports:
        if report["row"] != last:
            print("%(what)s [%(row)s], %(unit)s" % report)
        last = report["row"]
        name = "    %-48s" % report["side"]
        if "missing" in report:
            print(name, "MISSED:", report["missing"])
            continue
        print(name, "%9s %9s" % (figure(report["old"]), figure(report["new"])),
              "%8.3f  %7.3f - %5.3f" % (report["median"], report["low"], report["high"]),
              "%6s" % ("%.1f %%" % (100 * report["confidence"])),
              "  %s %g  %s" % ("<=" if report["limit"] > 1 else ">=", report["limit"],
                              verdict(report)))
    missed = [r for r in reports if not r["passed"]]
    print("\n%d of %d passed" % (len(reports) - len(missed), len(reports)))
