"""From runs to points: for each workload and mode the times by number of workers, and what the laws say of them."""

from scaling import fits


class Series:
    """One workload in one mode. points: a dict for each number of workers."""

    def __init__(self, workload, mode, runs):
        self.workload, self.mode = workload, mode
        self.name = f"{workload}-{mode}".replace(":", "-").replace("/", "_").strip("_")
        by_workers = {}
        for run in runs:
            by_workers.setdefault(run["workers"], []).append(run)
        self.points = [self.point(workers, by_workers[workers]) for workers in sorted(by_workers)]
        self.relate()

    def point(self, workers, runs):
        times = [run["seconds"] for run in runs]
        low, high = fits.quartiles(times)
        phases = {name: fits.median([run[name] for run in runs]) for name in ("open", "count", "fold", "print")}
        return {"workers": workers, "runs": len(runs), "seconds": fits.median(times), "low": low, "high": high, **phases}

    def relate(self):
        """Against the fewest workers, which are taken to scale ideally up to there."""
        first = self.points[0]
        for point in self.points:
            p = point["workers"]
            # Weak: p times the work.
            work = p / first["workers"] if self.mode == "weak" else 1
            for name, seconds in (("speed_up", point["seconds"]), ("speed_up_high", point["low"]),
                                  ("speed_up_low", point["high"])):
                point[name] = first["workers"] * work * first["seconds"] / seconds
            for name in ("", "_high", "_low"):
                point[f"efficiency{name}"] = point[f"speed_up{name}"] / p
            point["karp_flatt"] = fits.karp_flatt(p, point["speed_up"]) if p > 1 else None

    def pairs(self):
        return [(point["workers"], point["speed_up"]) for point in self.points]

    def laws(self):
        """(name, parameters, the curve) of each law that fits this mode and has points enough."""
        pairs = self.pairs()
        if self.mode == "weak":
            found = [("Gustafson", fits.gustafson(pairs), fits.gustafson_at)]
        else:
            found = [("Amdahl", fits.amdahl(pairs), fits.amdahl_at), ("universal", fits.universal(pairs), fits.universal_at)]
        return [law for law in found if law[1]]


def series_of(results):
    runs = [run for run in results["runs"] if not run["is_warm_up"] and not run["problem"]]
    names = sorted({(run["workload"], run["mode"]) for run in runs})
    return [Series(workload, mode, [run for run in runs if (run["workload"], run["mode"]) == (workload, mode)])
            for workload, mode in names]
