"""Faults put into split, groups, preprocessing and schema, one by one: do the tests notice?

    uv run --with cosmic-ray benchmarks/robustness/mutants.py [--each 40] [MODULE …]

Of all changes that cosmic-ray knows (an operator, a comparison, a constant, a branch), so many of each module are drawn
by chance; tests of it run in a process that is forked when libraries are loaded. The module's file is changed while it
runs, and put back: use a clone. What no test notices is printed, to be read: some changes change nothing.
"""

import argparse
import difflib
import os
import random
import signal
import sys
import time
from pathlib import Path

sys.dont_write_bytecode = True
os.environ["PYTHONDONTWRITEBYTECODE"] = "1"

TESTS = {
    "datasets/split.py": ["tests/datasets/test_split.py"],
    "curate/measure/near_duplicates.py": ["tests/curate/measure/test_near_duplicates.py"],
    "aslkit/vision/preprocess.py": ["tests/vision/test_preprocess.py", "tests/train/data/test_features.py",
                             "tests/train/evaluation/test_rejection.py", "tests/live/test_recogniser.py"],
    "aslkit/vision/crop.py": ["tests/vision/test_crop.py", "tests/vision/test_preprocess.py"],
    "datasets/schema.py": ["tests/datasets/test_schema.py", "tests/datasets/test_parquet_store.py"],
}  # fmt: skip
PATIENCE_S = 120
"""A change that makes a loop endless is noticed by that."""


def mutants(path: Path) -> list[tuple[str, str]]:
    """All changes to a file: where it is said what was changed, and the file changed."""
    from cosmic_ray.ast import get_ast
    from cosmic_ray.mutating import mutate_code
    from cosmic_ray.plugins import get_operator, operator_names

    code, found = path.read_text(), []
    for name in operator_names():
        operator = get_operator(name)
        if operator.arguments():
            continue  # needs to be told which name to take for which
        made = operator()
        places = [place for node in _nodes(get_ast(code)) for place in made.mutation_positions(node)]
        for occurrence in range(len(places)):
            changed = mutate_code(code, made, occurrence)
            if changed is not None and changed != code and not _of_a_type(code, changed):
                found.append((f"{name} {occurrence}", changed))
    return found


def _nodes(tree: object) -> list[object]:
    found, waiting = [], [tree]
    while waiting:
        node = waiting.pop(0)
        found.append(node)
        waiting = [*getattr(node, "children", []), *waiting]
    return found


def _of_a_type(code: str, changed: str) -> bool:
    """Whether only an annotation was changed: `int | None` is no arithmetic."""
    lines = [line for line in difflib.ndiff(code.splitlines(), changed.splitlines()) if line[:2] == "+ "]
    return all("->" in line or line.strip().startswith(("def ", "class ", "@", "from ", "import ")) for line in lines)


def noticed(path: Path, changed: str, tests: list[str]) -> bool:
    """Whether tests fail with the changed file."""
    whole = path.read_text()
    path.write_text(changed)
    try:
        child = os.fork()
        if child == 0:
            signal.alarm(PATIENCE_S)
            out = os.open(os.devnull, os.O_WRONLY)
            os.dup2(out, 1)
            os.dup2(out, 2)
            import pytest

            known = ["-W", "ignore::pytest.PytestAssertRewriteWarning"]  # plugins' libraries are loaded already
            os._exit(int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *known, *tests])) != 0)
        return os.waitpid(child, 0)[1] != 0
    finally:
        path.write_text(whole)


def main() -> None:
    """Draw changes, try them, and print what no test noticed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("modules", nargs="*", default=list(TESTS), metavar="MODULE")
    parser.add_argument("--each", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    import albumentations  # noqa: F401 - loaded once, before the forks
    import cv2  # noqa: F401
    import pandas  # noqa: F401
    import pyarrow.parquet  # noqa: F401
    import scipy.optimize  # noqa: F401
    import sklearn  # noqa: F401

    for name in asked.modules:
        path, begun = Path(name), time.perf_counter()
        if noticed(path, path.read_text(), TESTS[name]):
            sys.exit(f"The tests of {name} fail as it is.")
        if not noticed(path, "raise ImportError\n", TESTS[name]):
            sys.exit(f"The tests of {name} read another one, perhaps an installed one: set PYTHONPATH.")
        found = mutants(path)
        drawn = random.Random(asked.seed).sample(found, min(asked.each, len(found)))
        alive = 0
        for what, changed in drawn:
            if not noticed(path, changed, TESTS[name]):
                alive += 1
                lines = difflib.ndiff(path.read_text().splitlines(), changed.splitlines())
                print("\n".join([f"  {what}", *(f"    {line}" for line in lines if line[0] in "+-")]), flush=True)
        seconds = time.perf_counter() - begun
        share = 1 - alive / len(drawn)
        print(
            f"{name}: {share:.0%} of {len(drawn)} noticed, of {len(found)} that there are, in {seconds:.0f} s",
            flush=True,
        )


if __name__ == "__main__":
    main()
