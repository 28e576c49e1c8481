"""The pictures, by gnuplot: each as SVG and as PNG."""

import pathlib
import re
import shutil
import subprocess

from scaling.workloads import Problem

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
SIZES = {"svg": "svg size 800,520 dynamic enhanced font 'sans,14' background '#ffffff'",
         "png": "pngcairo size 1200,780 enhanced font 'sans,15' background '#ffffff'"}
SECONDS = re.compile(r"\d+\.\d+")
BARS_MAX = 20000  # of a Gantt chart: more are no more than a colour


def check():
    if not shutil.which("gnuplot"):
        raise Problem("there is no gnuplot here to draw with (Debian: apt install gnuplot-nox)")


def draw(folder, name, title, body, labels, more=""):
    """body: what follows `plot`."""
    for ending, terminal in SIZES.items():
        script = (f"set terminal {terminal}\nset output {quoted(folder / f'{name}.{ending}')}\n"
                  f"set title {quoted(title)} noenhanced\nset xlabel {quoted(labels[0])}\nset ylabel {quoted(labels[1])}\n"
                  f"set grid lc rgb '#dddddd' lt 1\nset border 3\nset tics nomirror\n{more}\nplot {body}\n")
        done = subprocess.run(["gnuplot"], input=script, capture_output=True, text=True, check=False)
        if done.returncode or not (folder / f"{name}.{ending}").exists():
            raise Problem(f"gnuplot could not draw {name}.{ending}: {done.stderr.strip()[-300:]}")
    return f"{name}.png"


def quoted(text):
    return "'" + str(text).replace("'", "''") + "'"


def table(folder, name, rows):
    """A data file beside the picture, so that others can draw it again."""
    path = folder / f"{name}.dat"
    path.write_text("".join(" ".join("nan" if value is None else f"{value:.9g}" if isinstance(value, float) else str(value)
                                     for value in row) + "\n" for row in rows))
    return quoted(path)


def with_bars(data, columns, title, colour):
    return (f"{data} using {columns} with yerrorbars lw 2 pt 7 ps 1.2 lc rgb '{colour}' title {quoted(title)}, "
            f"{data} using 1:{columns.split(':')[1]} with lines lw 2 lc rgb '{colour}' notitle")


def curve(fit, at, points, ending):
    """The law between the first and the last point, as a formula would be another implementation."""
    first, last = points[0]["workers"], points[-1]["workers"]
    steps = [first + (last - first) * i / 100 for i in range(101)]
    return [(p, ending(at(fit, p), p)) for p in steps]


def law_text(name, fit):
    return f"{name}: " + ", ".join(f"{key.replace('_', ' ')} {value:.4f}" for key, value in fit.items())


def speed_up(folder, series, where, is_efficiency):
    name = f"{series.name}-{'efficiency' if is_efficiency else 'speed-up'}"
    kind = "efficiency" if is_efficiency else "speed_up"
    data = table(folder, name, [(p["workers"], p[kind], p[f"{kind}_low"], p[f"{kind}_high"]) for p in series.points])
    last = series.points[-1]["workers"]
    body = [with_bars(data, "1:2:3:4", "measured (median, quartiles)", COLOURS[0]),
            f"{'1' if is_efficiency else 'x'} with lines dt 2 lw 2 lc rgb '#888888' title 'ideal'"]
    for i, (law, fit, at) in enumerate(series.laws()):
        rows = curve(fit, at, series.points, (lambda s, p: s / p) if is_efficiency else (lambda s, p: s))
        body.append(f"{table(folder, f'{name}-{law}', rows)} with lines lw 2 lc rgb '{COLOURS[i + 1]}' "
                    f"title {quoted(law_text(law, fit))}")
    scaled = "scaled speed-up" if series.mode == "weak" else "speed-up"
    what = "efficiency" if is_efficiency else scaled
    more = (f"set xrange [0:{last * 1.05}]\nset yrange [0:{'1.3' if is_efficiency else '*'}]\n"
            f"set key {'bottom left' if is_efficiency else 'top left'} reverse Left\n"
            f"set xtics ({', '.join(str(p['workers']) for p in series.points)})")
    unit = "efficiency (1 is ideal)" if is_efficiency else f"{scaled} (times)"
    return draw(folder, name, f"{what.capitalize()} of {series.workload}, {series.mode} scaling, {where}", ", ".join(body),
                ("slots (processes)", unit), more)


def karp_flatt(folder, series, where):
    points = [p for p in series.points if p["karp_flatt"] is not None]
    if not points:
        return None
    name = f"{series.name}-karp-flatt"
    data = table(folder, name, [(p["workers"], p["karp_flatt"]) for p in points])
    more = f"set xtics ({', '.join(str(p['workers']) for p in points)})\nset xrange [0:{points[-1]['workers'] * 1.05}]\nset key off"
    return draw(folder, name, f"Serial fraction (Karp and Flatt) of {series.workload}, {series.mode}, {where}",
                f"{data} with linespoints lw 2 pt 7 ps 1.2 lc rgb '{COLOURS[0]}', 0 with lines lc rgb '#888888'",
                ("slots (processes)", "serial fraction (0 is ideal)"), more)


def phases(folder, series, where):
    names = ("open", "count", "fold", "print")
    name = f"{series.name}-phases"
    data = table(folder, name, [(p["workers"], *(p[phase] for phase in names)) for p in series.points])
    body = ", ".join(f"{data} using {i + 2}:xtic(1) title '{phase}' lc rgb '{COLOURS[i]}'" for i, phase in enumerate(names))
    more = ("set style data histograms\nset style histogram clustered gap 1\nset style fill solid 0.9 noborder\n"
            "set key top right\nset yrange [0:*]")
    return draw(folder, name, f"Time per phase of {series.workload}, {series.mode} scaling, {where}", body,
                ("slots (processes)", "seconds (median)"), more)


def read_traces(folder):
    """(slot name, kind, begin, end) of each answer of a pool process. What came over ssh may have other words in it."""
    bars = []
    for path in sorted(folder.glob("*.trace")):
        for line in path.read_text(errors="replace").splitlines():
            words = line.split()
            if len(words) == 8 and words[0] == "trace" and all(map(SECONDS.fullmatch, words[5:7])):
                bars.append((f"{words[1]}/{words[2]}/{words[3]}", words[4], float(words[5]), float(words[6])))
    return bars


def gantt(folder, name, title, trace_folder):
    bars = read_traces(trace_folder)
    if not bars:
        return None
    start = min(bar[2] for bar in bars)
    first = {}
    for slot, _, begin, _ in bars:
        first[slot] = min(begin, first.get(slot, begin))
    rows = {slot: i for i, slot in enumerate(sorted(first))}
    kinds = sorted({bar[1] for bar in bars})
    bars = bars[::len(bars) // BARS_MAX + 1]
    body = []
    for i, kind in enumerate(kinds):
        data = table(folder, f"{name}-{kind}",
                     [((b + e) / 2 - start, rows[slot], b - start, e - start, rows[slot] - 0.4, rows[slot] + 0.4)
                      for slot, k, b, e in bars if k == kind])
        body.append(f"{data} using 1:2:3:4:5:6 with boxxyerror fs solid 0.75 border lc rgb '{COLOURS[i]}' lc rgb '{COLOURS[i]}' "
                    f"title '{kind}'")
    labels = ", ".join(f"{quoted(f'slot {i}')} {i}" for i in rows.values())
    more = f"set yrange [-0.6:{len(rows) - 0.4}]\nset ytics ({labels})\nset xrange [0:*]\nset key outside top right\n"
    return draw(folder, name, title, ", ".join(body), ("seconds since the first task began", ""), more)


def all_of(folder, series, where, traces):
    """The pictures of one series, in the order in which they are shown."""
    last = series.points[-1]["workers"]
    found = [speed_up(folder, series, where, False), speed_up(folder, series, where, True), karp_flatt(folder, series, where),
             phases(folder, series, where),
             gantt(folder, f"{series.name}-gantt", f"Tasks per slot of {series.workload}, {series.mode}, {last} slots, {where}",
                   traces / f"{series.workload}-{series.mode}-{last}-0".replace("/", "_"))]
    return [picture for picture in found if picture]
