// Keyboard, mouse and touch input of the part Record.

import { isTyping, shortcutsEnabled, useShortcuts } from "../shortcuts.js";
import { $ } from "./view.js";

/**
 * Connect keys, buttons and touch to their actions. Returns a function that stops this.
 *
 * @param actions `canRecord()`, `canAct()`, `undo()`, `step(by)`, `finish()`.
 */
export function listen(recording, actions) {
  const act = (action) => () => actions.canAct() && action();
  const burst = () => actions.canRecord() && recording.burst();
  const stopShortcuts = useShortcuts([
    { key: " ", label: "Hold to record" }, // see below: holding is no press
    { key: "b", label: "Record for a few seconds", run: act(burst) },
    { key: "u", label: "Undo the last frames", run: act(actions.undo) },
    { key: "n", label: "Next letter", run: act(() => actions.step(1)) },
    { key: "p", label: "Previous letter", run: act(() => actions.step(-1)) },
  ]);
  const ends = new AbortController();
  const options = { signal: ends.signal };
  document.addEventListener("keydown", (event) => {
    if (isTyping(event) || !actions.canAct()) return;
    const onRecord = event.target === $("record");
    const holds = event.key === " " && (onRecord || (shortcutsEnabled() && !event.target.closest("button, a")));
    if (!holds && !(event.key === "Enter" && onRecord)) return;
    event.preventDefault();
    if (event.repeat || !actions.canRecord()) return;
    if (holds) recording.hold();
    else recording.toggle();
  }, options);
  document.addEventListener("keyup", (event) => {
    if (event.key !== " ") return;
    // Browsers would send a click at the end of the space bar, which toggles recording.
    if (event.target === $("record")) event.preventDefault();
    recording.release();
  }, options);
  const record = $("record");
  record.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !actions.canRecord()) return;
    // Without it, a release outside the button would be missed, and recording would go on.
    record.setPointerCapture(event.pointerId);
    recording.hold();
  });
  for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) record.addEventListener(end, () => recording.release());
  // A long press on a touch screen would open a menu instead of recording.
  record.addEventListener("contextmenu", (event) => event.preventDefault());
  record.addEventListener("click", (event) => {
    // Screen readers send clicks without pointer events. They cannot hold the button, so a click toggles recording.
    if (event.detail === 0 && event.pointerType !== "touch" && actions.canRecord()) recording.toggle();
  });
  $("burst").addEventListener("click", burst);
  $("undo").addEventListener("click", actions.undo);
  $("next").addEventListener("click", () => actions.step(1));
  $("previous").addEventListener("click", () => actions.step(-1));
  $("finish").addEventListener("click", actions.finish);
  // Remove the focus after a mouse click, so that the space bar records instead of pressing the button again.
  const blur = (event) => event.detail > 0 && event.target.closest("#part button:not(#record)")?.blur();
  document.addEventListener("click", blur, options);
  document.addEventListener("visibilitychange", () => document.hidden && recording.stop(), options);
  // Another window now receives the release of the key.
  window.addEventListener("blur", () => recording.release(), options);
  return () => {
    stopShortcuts();
    ends.abort();
  };
}
