"""`python -m tests.benchmarks [F3 ...]`: measure the figures named, or all."""

import sys
from importlib import import_module
from pathlib import Path

from tests.benchmarks.figures import machine


def main(wanted: list[str]) -> int:
    """Print figures as they come; return 1 when one was named that no benchmark has."""
    modules = [
        import_module(f"tests.benchmarks.{file.stem}") for file in sorted(Path(__file__).parent.glob("bench_*.py"))
    ]
    unknown = set(wanted).difference(*(module.FIGURES for module in modules))
    if unknown:
        print(f"no benchmark measures {', '.join(sorted(unknown))}", file=sys.stderr)
        return 1
    print(machine())
    for module in modules:
        if wanted and not set(wanted) & set(module.FIGURES):
            continue
        for figure in module.run():
            if not wanted or figure.id in wanted:
                print(figure, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
