"""Laws of scaling, fitted to measured speed-ups by least squares.

p is a number of slots, S(p) = T(1) / T(p) the speed-up, and the scaled speed-up of weak scaling p T(1) / T(p).
Each fit takes a list of (p, S) and gives its parameters, none below 0; None where the points say nothing.
"""


def karp_flatt(p, s):
    """The serial fraction that one point shows by itself (Karp and Flatt, 1990); p > 1."""
    return (1 / s - 1 / p) / (1 - 1 / p)


def amdahl(points):
    """S = 1 / (f + (1 - f) / p): 1/S - 1/p = f (1 - 1/p)."""
    f = through_origin([(1 - 1 / p, 1 / s - 1 / p) for p, s in points if p > 1])
    return None if f is None else {"serial_fraction": min(f, 1.0)}


def amdahl_at(fit, p):
    return 1 / (fit["serial_fraction"] + (1 - fit["serial_fraction"]) / p)


def gustafson(points):
    """S = p - a (p - 1), for weak scaling."""
    a = through_origin([(p - 1, p - s) for p, s in points if p > 1])
    return None if a is None else {"serial_fraction": min(a, 1.0)}


def gustafson_at(fit, p):
    return p - fit["serial_fraction"] * (p - 1)


def universal(points):
    """S = p / (1 + sigma (p - 1) + kappa p (p - 1)) (Gunther, 1993): contention and coherence."""
    rows = [(p - 1, p * (p - 1), p / s - 1) for p, s in points if p > 1]
    if len({row[0] for row in rows}) < 2:
        return None
    aa, ab, bb = (sum(r[i] * r[j] for r in rows) for i, j in ((0, 0), (0, 1), (1, 1)))
    ay, by = (sum(r[i] * r[2] for r in rows) for i in (0, 1))
    determinant = aa * bb - ab * ab
    sigma, kappa = (ay * bb - by * ab) / determinant, (by * aa - ay * ab) / determinant
    if kappa < 0:
        sigma, kappa = max(ay / aa, 0.0), 0.0
    elif sigma < 0:
        sigma, kappa = 0.0, max(by / bb, 0.0)
    return {"sigma": sigma, "kappa": kappa}


def universal_at(fit, p):
    return p / (1 + fit["sigma"] * (p - 1) + fit["kappa"] * p * (p - 1))


def through_origin(rows):
    """The slope of y = slope x, not below 0."""
    xx = sum(x * x for x, _ in rows)
    return max(sum(x * y for x, y in rows) / xx, 0.0) if xx else None


def median(values):
    values = sorted(values)
    middle = len(values) // 2
    return values[middle] if len(values) % 2 else (values[middle - 1] + values[middle]) / 2


def quartiles(values):
    """The lower and the upper one, by linear interpolation."""
    values = sorted(values)

    def at(part):
        place = part * (len(values) - 1)
        low = int(place)
        high = min(low + 1, len(values) - 1)
        return values[low] + (values[high] - values[low]) * (place - low)
    return at(0.25), at(0.75)
