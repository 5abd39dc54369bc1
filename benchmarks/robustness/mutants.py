"""Mutation testing of split, near-duplicates, preprocessing and schema: which mutants do the tests miss?

    uv run --with cosmic-ray benchmarks/robustness/mutants.py [--each 40] [MODULE …]

Of all mutants that cosmic-ray generates (operators, comparisons, constants, branches), a random sample is tested for
each module, in a process forked after the libraries are loaded. The file of the module is changed meanwhile and
restored afterwards: use a clone. Surviving mutants are printed for review; some are equivalent to the original.
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
TIMEOUT_S = 120
"""Seconds after which a mutant with an endless loop counts as detected."""


def mutants(path: Path) -> list[tuple[str, str]]:
    """Return all mutants of a file: a description, and the changed source."""
    from cosmic_ray.ast import get_ast
    from cosmic_ray.mutating import mutate_code
    from cosmic_ray.plugins import get_operator, operator_names

    code, found = path.read_text(), []
    for name in operator_names():
        operator = get_operator(name)
        if operator.arguments():
            continue  # needs configuration
        made = operator()
        places = [place for node in _nodes(get_ast(code)) for place in made.mutation_positions(node)]
        for occurrence in range(len(places)):
            changed = mutate_code(code, made, occurrence)
            if changed is not None and changed != code and not _is_annotation(code, changed):
                found.append((f"{name} {occurrence}", changed))
    return found


def _nodes(tree: object) -> list[object]:
    found, waiting = [], [tree]
    while waiting:
        node = waiting.pop(0)
        found.append(node)
        waiting = [*getattr(node, "children", []), *waiting]
    return found


def _is_annotation(code: str, changed: str) -> bool:
    """Return whether only an annotation or import was changed, such as `int | None`."""
    lines = [line for line in difflib.ndiff(code.splitlines(), changed.splitlines()) if line[:2] == "+ "]
    return all("->" in line or line.strip().startswith(("def ", "class ", "@", "from ", "import ")) for line in lines)


def is_detected(path: Path, changed: str, tests: list[str]) -> bool:
    """Return whether the tests fail with the changed file."""
    whole = path.read_text()
    path.write_text(changed)
    try:
        child = os.fork()
        if child == 0:
            signal.alarm(TIMEOUT_S)
            out = os.open(os.devnull, os.O_WRONLY)
            os.dup2(out, 1)
            os.dup2(out, 2)
            import pytest

            known = ["-W", "ignore::pytest.PytestAssertRewriteWarning"]  # plugin libraries are already imported
            os._exit(int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *known, *tests])) != 0)
        return os.waitpid(child, 0)[1] != 0
    finally:
        path.write_text(whole)


def main() -> None:
    """Test a sample of mutants, and print the surviving ones."""
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
        path, start = Path(name), time.perf_counter()
        if is_detected(path, path.read_text(), TESTS[name]):
            sys.exit(f"The tests of {name} fail without changes.")
        if not is_detected(path, "raise ImportError\n", TESTS[name]):
            sys.exit(f"The tests of {name} import another copy, perhaps an installed one. Set PYTHONPATH.")
        found = mutants(path)
        drawn = random.Random(asked.seed).sample(found, min(asked.each, len(found)))
        alive = 0
        for what, changed in drawn:
            if not is_detected(path, changed, TESTS[name]):
                alive += 1
                lines = difflib.ndiff(path.read_text().splitlines(), changed.splitlines())
                print("\n".join([f"  {what}", *(f"    {line}" for line in lines if line[0] in "+-")]), flush=True)
        seconds = time.perf_counter() - start
        share = 1 - alive / len(drawn)
        print(
            f"{name}: {share:.0%} of {len(drawn)} mutants detected ({len(found)} in total), {seconds:.0f} s",
            flush=True,
        )


if __name__ == "__main__":
    main()
