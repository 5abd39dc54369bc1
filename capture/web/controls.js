// Keyboard, mouse and touch input.

import { $ } from "./view.js";

/**
 * Connect keys, buttons and touch to their actions.
 *
 * @param actions `canRecord()`, `canAct()`, `undo()`, `step(by)`, `finish()`, `useCamera(id)`.
 */
export function listen(recording, actions) {
  const burst = () => actions.canRecord() && recording.burst();
  const keys = { b: burst, u: actions.undo, n: () => actions.step(1), p: () => actions.step(-1), q: actions.finish };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !actions.canAct()) return;
    if (event.target.closest("input, select, textarea")) return;
    const key = event.key.toLowerCase();
    const onRecord = event.target === $("record");
    let act = null;
    if (key === " " && (onRecord || !event.target.closest("button, a"))) act = () => actions.canRecord() && recording.hold();
    else if (key === "enter" && onRecord) act = () => actions.canRecord() && recording.toggle();
    else act = Object.hasOwn(keys, key) ? keys[key] : null;
    if (!act) return;
    event.preventDefault();
    if (!event.repeat) act();
  });
  document.addEventListener("keyup", (event) => {
    if (event.key !== " ") return;
    // Browsers would send a click at the end of the space bar, which toggles recording.
    if (event.target === $("record")) event.preventDefault();
    recording.release();
  });
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
  $("cameras").addEventListener("change", () => actions.useCamera($("cameras").value));
  $("video").addEventListener("resize", () => {
    $("picture").style.setProperty("--ratio", String($("video").videoWidth / $("video").videoHeight));
  });
  // Remove the focus after a mouse click, so that the space bar records instead of pressing the button again.
  document.addEventListener("click", (event) => event.detail > 0 && event.target.closest("button:not(#record)")?.blur());
  document.addEventListener("visibilitychange", () => document.hidden && recording.stop());
  // Another window now receives the release of the key.
  window.addEventListener("blur", () => recording.release());
}
