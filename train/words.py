"""A run's figures in words: the terminal and the report say the same."""

from typing import Any, Final

_TESTED: Final = {
    "signer": "people it never saw",
    "session": "another sitting of the same person",
    "block": "a later moment of the same recording",
}


def headline(metrics: dict[str, Any]) -> dict[str, str]:
    """The few sentences that a run comes down to.

    Returns:
        tested: what the headline figure was measured on.
        gap: what the difference to the random split means.
        warning: what the figure cannot tell; empty where it is on real people.
    """
    unseen, flattering = metrics["unseen"], metrics["random_split"]
    tested = _TESTED[unseen["by"]]
    if metrics["synthetic"]:
        tested = f"{tested} (synthetic)"
    if unseen["by"] == "signer":
        tested += f": {', '.join(unseen['held_out'])}"
    tested += _letters(metrics)
    return {"tested": tested, "gap": _gap(metrics, flattering["accuracy"]), "warning": _warning(metrics)}


def _letters(metrics: dict[str, Any]) -> str:
    """Which part of the letters the figure is about, where it is not all of them."""
    tested, trained = len(metrics["unseen"]["per_letter"]), len(metrics["trained_on"]["letters"])
    return f", {tested} of {trained} letters" if tested < trained else ""


def _gap(metrics: dict[str, Any], flattering: float | None) -> str:
    unseen = metrics["unseen"]["accuracy"]
    if unseen is None or flattering is None:
        return "Nothing could be held out, so nothing is known about how well it works."
    if few := _letters(metrics):
        return f"The two cannot be compared: what could be held out shows{few.removeprefix(',')} only."
    points = round(100 * (flattering - unseen))
    if points < 1:
        return "The random split flatters by less than a point here."
    if points == 1:
        return "About 1 point of the random-split figure was memory, not skill."
    return f"About {points} points of the random-split figure were memory, not skill."


def _warning(metrics: dict[str, Any]) -> str:
    unseen = metrics["unseen"]
    if metrics["synthetic"]:
        return (
            "These signers are synthetic: the figure shows that the tools work, not how well real hands are recognised."
        )
    if unseen["by"] != "signer":
        return (
            "There is only one signer, so the figure says little about other people. "
            "Record one more: aslkit capture --letter A --signer NAME"
        )
    untrained = [letter for letter, each in unseen["per_letter"].items() if each["accuracy"] == 0]
    if untrained:
        return f"Never right on: {' '.join(untrained)}. See the confusion matrix for what was said instead."
    return ""
