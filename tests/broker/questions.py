"""What examples/historian/queries.sql must answer, worked out here row by row from the tables' rows: each function has
the name of a query, takes Tables and Asked, and gives the rows that the query must print."""

import re
from collections import defaultdict
from datetime import datetime, timedelta, timezone
from decimal import Decimal

GOOD, UNCERTAIN = 192, 64
ANY = object()  # what depends on the moment of asking


def moment(text):
    return datetime.fromisoformat(re.sub(r"([+-]\d\d)$", r"\1:00", text)).astimezone(timezone.utc)


def interval(text):
    """As PostgreSQL prints it: `1 day 02:03:04.5`."""
    days, clock = re.fullmatch(r"(?:(-?\d+) days? ?)?(?:(\d+:\d\d:\d\d(?:\.\d+)?))?", text).groups()
    hours, minutes, seconds = (clock or "0:0:0").split(":")
    return timedelta(days=int(days or 0), hours=int(hours), minutes=int(minutes),
                     microseconds=round(Decimal(seconds) * 1_000_000))


class Asked:
    """The variables of queries.sql; `now` is before the first question."""

    def __init__(self, now, since=timedelta(days=1), bucket="hour", gap=timedelta(minutes=15), hi=240.0):
        self.now, self.since, self.bucket, self.gap, self.hi = now, since, bucket, gap, hi

    def recent(self, rows, time="at"):
        return [row for row in rows if row[time] > self.now - self.since]

    def truncated(self, time):
        kept = {"hour": {"minute": 0, "second": 0}, "minute": {"second": 0}, "second": {}}[self.bucket]
        return time.replace(microsecond=0, **kept)


def grouped(rows, *keys):
    """{key: its rows}, the rows by time and then by record."""
    groups = defaultdict(list)
    for row in sorted(rows, key=lambda row: (row["at"], row["id"])):
        groups[tuple(row[key] for key in keys)].append(row)
    return dict(sorted(groups.items()))


def stood(rows, gap):
    """[(row, how long it stood)], without the last one, which stands still."""
    return [(row, min(after["at"] - row["at"], gap)) for row, after in zip(rows, rows[1:])]


def seconds(duration):
    return duration / timedelta(seconds=1)


def islands(rows, inside):
    """Runs of rows that are inside, each with the row that ended it, or None."""
    run = []
    for row in rows:
        if inside(row):
            run.append(row)
        elif run:
            yield run, row
            run = []
    if run:
        yield run, None


class Rounded:
    """A number of which so many decimals are printed; either way is right for a half."""

    def __init__(self, value, digits):
        self.value, self.digits = value, digits

    def __repr__(self):
        return f"{self.value} to {self.digits} decimals"

    def is_printed(self, field):
        return abs(float(field) - self.value) <= 0.5 * 10 ** -self.digits * (1 + 1e-6)


def mean(values, digits):
    return Rounded(sum(values) / len(values), digits)


def last_value(tables, asked):
    for (tag,), rows in grouped(asked.recent(tables.samples), "tag").items():
        last = rows[-1]
        yield tag, last["at"], last["value"], last["text"], last["quality"], ANY


def summary(tables, asked):
    rows = [{**row, "from": asked.truncated(row["at"])} for row in asked.recent(tables.samples)
            if row["value"] is not None]
    for (tag, begins), group in grouped(rows, "tag", "from").items():
        values = [row["value"] for row in group]
        yield tag, begins, len(values), min(values), mean(values, 3), max(values)


def weighted_mean(tables, asked):
    rows = [row for row in asked.recent(tables.samples) if row["value"] is not None]
    for (tag,), group in grouped(rows, "tag").items():
        held = stood(group, asked.gap)
        total = sum(seconds(time) for _, time in held)
        if held:
            weighed = sum(row["value"] * seconds(time) for row, time in held)
            yield tag, Rounded(weighed / total, 3) if total else None


def zones(tables, asked):
    return grouped(asked.recent(tables.ovens), "line", "oven", "zone")


def out_of_limits(tables, asked):
    found = []
    for key, rows in zones(tables, asked).items():
        above = lambda row: row["celsius"] > asked.hi
        times = len(list(islands(rows, above)))
        if times:
            long = sum((time for row, time in stood(rows, asked.gap) if above(row)), timedelta())
            found.append((*key, long, times, max(row["celsius"] for row in rows)))
    return sorted(found, key=lambda row: (-row[3], *row[:3]))


def excursions(tables, asked):
    found = []
    for key, rows in zones(tables, asked).items():
        for run, _ in islands(rows, lambda row: row["celsius"] > asked.hi):
            found.append((*key, run[0]["at"], run[-1]["at"], len(run), max(row["celsius"] for row in run)))
    return sorted(found, key=lambda row: (row[3], *row[:3]))


def gaps(tables, asked):
    for (tag,), rows in grouped(asked.recent(tables.samples), "tag").items():
        for row, after in zip(rows, rows[1:]):
            if after["at"] - row["at"] > asked.gap:
                yield tag, row["at"], after["at"], after["at"] - row["at"]
        if asked.now - rows[-1]["at"] > asked.gap:
            yield tag, rows[-1]["at"], None, ANY


def downtime(tables, asked):
    found = []
    for key, rows in grouped(asked.recent(tables.mixing), "line", "mixer").items():
        for run, after in islands(rows, lambda row: not row["running"]):
            end = after and after["at"]
            found.append((*key, run[0]["at"], end, end - run[0]["at"] if end else ANY))
    return sorted(found, key=lambda row: (row[2], *row[:2]))


def availability(tables, asked):
    for key, rows in grouped(asked.recent(tables.mixing), "line", "mixer").items():
        held = stood(rows, asked.gap)
        if held:
            total = sum(seconds(time) for _, time in held)
            ran = sum(seconds(time) for row, time in held if row["running"])
            yield *key, Rounded(100 * ran / total, 1) if total else None


def quality(tables, asked):
    counts = defaultdict(list)
    for row in asked.recent(tables.samples):
        counts[row["tag"]].append(row["quality"])
    for row in asked.recent(tables.ovens):
        counts[f"{row['line']} oven {row['oven']} zone {row['zone']}"].append(row["quality"])
    found = [(what, len(marks), marks.count(GOOD), marks.count(UNCERTAIN)) for what, marks in counts.items()]
    return sorted(found, key=lambda row: (-row[3], row[0]))


def violations(tables, asked):
    found = []
    for key, rows in grouped(asked.recent(tables.messages), "policy", "code", "enforced").items():
        found.append((*key, len(rows), max(row["at"] for row in rows), max(row["message"] for row in rows)))
    return sorted(found, key=lambda row: (-row[3], *row[:3]))


def alarm_list(tables, asked):
    found = []
    for (topic, code), rows in grouped(asked.recent(tables.messages), "topic", "code").items():
        found.append((rows[-1]["at"], topic, code, len(rows), rows[-1]["message"]))
    return sorted(found, key=lambda row: (-row[0].timestamp(), row[1], row[2]))[:50]


def originals(tables, asked):
    rows = [row for row in asked.recent(tables.messages) if row["enforced"] == "true"]
    rows.sort(key=lambda row: (row["at"], row["id"]), reverse=True)
    return [(row["at"], row["topic"], row["code"], row["pointer"], row["original"]) for row in rows[:20]]


def recipes(tables, asked):
    torque = {row["id"]: row["value"] for row in asked.recent(tables.samples) if row["tag"].endswith("/torque_nm")}
    by_recipe = defaultdict(list)
    for row in asked.recent(tables.mixing):
        by_recipe[row["recipe"]].append(torque[row["id"]])
    for recipe, values in sorted(by_recipe.items()):
        yield recipe, len(values), mean(values, 2), max(values)


def before(rows, at, gap):
    """The last of the rows, which are in order, that is no older than the gap."""
    known = [row for row in rows if at - gap < row["at"] <= at]
    return known[-1] if known else None


def pack_history(tables, asked):
    ovens = grouped([row for row in tables.ovens if row["zone"] == 4], "line")
    coolers = grouped(tables.samples, "tag")
    packs = sorted(asked.recent(tables.packs), key=lambda row: (row["at"], row["id"]), reverse=True)
    for pack in packs[:100]:
        oven = before(ovens.get((pack["line"],), []), pack["at"], asked.gap)
        cooler = before(coolers.get((f"factory/{pack['line']}/cooler/1/temperature",), []), pack["at"], asked.gap)
        yield (pack["at"], pack["line"], pack["lot"], pack["grams"], oven and oven["celsius"],
               cooler and cooler["value"])


def delivered(_, __):
    return [(sink, ANY, ANY, ANY) for sink in ("mixing", "ovens", "packs", "quality", "samples")]
