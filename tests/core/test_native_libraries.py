"""Messages of native libraries are suppressed while any thread asks for it, and only then."""

import os
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from aslkit.core.native_libraries import suppress_native_log


def test_overlapping_suppressions_restore_standard_error(capfd: pytest.CaptureFixture[str]) -> None:
    first_is_in, second_is_in, first_is_out = Barrier(2), Barrier(2), Barrier(2)

    def first() -> None:
        with suppress_native_log():
            first_is_in.wait(10)
            second_is_in.wait(10)
        os.write(2, b"hidden: the second thread still suppresses\n")
        first_is_out.wait(10)

    def second() -> None:
        first_is_in.wait(10)
        with suppress_native_log():
            second_is_in.wait(10)
            first_is_out.wait(10)
            os.write(2, b"hidden\n")

    with ThreadPoolExecutor(2) as pool:
        for each in [pool.submit(first), pool.submit(second)]:
            each.result()
    os.write(2, b"shown\n")
    assert capfd.readouterr().err == "shown\n"
