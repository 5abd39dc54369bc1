"""The letters that a run can recognise, which an exam may ask for."""

from pathlib import Path

from aslkit.formats.run_metrics import read_training_letters
from aslkit.vision.preprocess import CONTRACT_FILE, PreprocessConfig


def known_letters(run: Path) -> tuple[str, ...]:
    """Return the letters that a run was trained on, and the drawn ones that it recognises, sorted; none if unknown.

    Raises:
        AslkitError: the run is damaged.
    """
    trained, contract = read_training_letters(run), run / "model" / CONTRACT_FILE
    motion = PreprocessConfig.load(contract).motion if contract.is_file() else None
    return tuple(sorted({*trained, *(motion.letters if motion else ())})) if trained else ()
