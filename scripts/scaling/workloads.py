"""What is measured: `NAME:SIZE`, or for files `NAME:PATH`."""

import pathlib


class Problem(Exception):
    """A sentence for the person."""


def number(text):
    """1000, 1e6 or 2.5e6: a whole number."""
    try:
        value = float(text)
        if value != int(value) or value < 1:
            raise ValueError
        return int(text) if text.isdigit() else int(value)
    except (ValueError, OverflowError):
        raise Problem(f"'{text}': the size of a workload is a whole number from 1 on, such as 1000 or 1e6") from None


class Workload:
    def __init__(self, text):
        self.text = text
        self.name, _, self.argument = text.partition(":")
        if self.name not in KINDS or not self.argument:
            raise Problem(f"workload '{text}': expected one of " +
                          ", ".join(f"{name}:{kind[0]}" for name, kind in KINDS.items()))
        self.is_file = KINDS[self.name][0] == "PATH"
        if self.is_file and not pathlib.Path(self.argument).is_file():
            raise Problem(f"workload '{text}': there is no such file")
        self.size = None if self.is_file else number(self.argument)

    def arguments(self, scale, seed):
        """Of `sheaf`, with the work of `scale` times the size. A file is read that many times."""
        return [str(a) for a in KINDS[self.name][1](self, scale, seed)]


    def what(self):
        return KINDS[self.name][2].format(self.argument)


def files(workload, scale):
    return [str(pathlib.Path(workload.argument).resolve())] * scale


KINDS = {
    "sum": ("N", lambda w, scale, seed: ("sum", f"random:{w.size * scale}:{seed}"),
            "the sum of {} random 64-bit integers"),
    "product": ("N", lambda w, scale, seed: ("product", f"random:{w.size * scale}:{seed}", "--every", 1000),
                "products of 1,000 each of {} random 64-bit integers"),
    "range-sum": ("N", lambda w, scale, seed: ("sum", f"1..{w.size * scale}", "--every", 10),
                  "sums of 10 each of the integers 1 to {}"),
    "range-product": ("N", lambda w, scale, seed: ("product", f"1..{w.size * scale}", "--every", 1000),
                      "products of 1,000 each of the integers 1 to {}"),
    "reference": ("PATH", lambda w, scale, seed: ("sum", *files(w, scale), "--data", "reference", "--total"),
                  "the sum of the file {}, read where the work is"),
    "value": ("PATH", lambda w, scale, seed: ("sum", *files(w, scale), "--data", "value", "--total"),
              "the sum of the file {}, sent to the workers"),
    "tasks": ("N", lambda w, scale, seed: ("sum", f"random:{w.size * scale}:{seed}", "--task-elements", 1),
              "{} tasks of one element each"),
}
