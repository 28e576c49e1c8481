"""report.md: one page with the figures and the pictures."""


def row(cells):
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def figures(series):
    lines = [row(("slots", "runs", "seconds (median)", "quartiles", "speed-up", "efficiency", "serial fraction (Karp–Flatt)")),
             row(["---"] * 7)]
    for p in series.points:
        serial = "–" if p["karp_flatt"] is None else f"{p['karp_flatt']:.4f}"
        lines.append(row((p["workers"], p["runs"], f"{p['seconds']:.4f}", f"{p['low']:.4f} – {p['high']:.4f}",
                          f"{p['speed_up']:.2f}", f"{p['efficiency']:.2f}", serial)))
    return lines


def laws(series):
    names = {"serial_fraction": "serial fraction", "sigma": "σ (contention)", "kappa": "κ (coherence)"}
    return ["- " + {"Amdahl": "Amdahl's law", "Gustafson": "Gustafson's law", "universal": "the universal scalability law"}[law]
            + ": " + ", ".join(f"{names[key]} = {value:.4f}" for key, value in fit.items())
            for law, fit, _ in series.laws()] or ["- too few numbers of slots to fit a law to"]


def crowded(about, all_series):
    """So that nobody reads oversubscription as poor scaling."""
    most = max((series.points[-1]["workers"] for series in all_series), default=0)
    cores = about["cores"]
    if cores and most > cores:
        return [f"**This machine has {cores} cores: with more than {cores} slots the processes take turns, and what looks "
                "like poor scaling there is that.**", ""]
    return []


def write(folder, results, all_series, pictures, what):
    about, settings = results["circumstances"], results["settings"]
    failed = [run for run in results["runs"] if run["problem"]]
    lines = ["# Scaling of Sheaf", "",
             f"{about['sheaf']} (commit {about['git_commit'][:12] or 'unknown'}"
             f"{', with changes' if about['git_changes'] else ''}), {about['place']}, on {about['host']}: "
             f"{about['cpu']}, {about['cores'] or 'unknown number of'} cores, Linux {about['kernel']}. "
             f"{settings['repeat']} runs of each kind in random order (seed {settings['seed']}) after a warm-up; every answer was "
             "compared with that of one process.", ""]
    lines += crowded(about, all_series)
    for series in all_series:
        lines += [f"## {series.workload}, {series.mode} scaling", "",
                  f"{what[series.workload].capitalize()}" + (", times the number of slots." if series.mode == "weak" else "."), "",
                  *figures(series), "", *laws(series), ""]
        lines += [f"![{name.removesuffix('.png')}](plots/{name})" for name in pictures[series.name]] + [""]
    if failed:
        lines += ["## Runs that failed", "", *(f"- {r['workload']}, {r['mode']}, {r['workers']} slots: {r['problem']}" for r in failed), ""]
    (folder / "report.md").write_text("\n".join(lines))
