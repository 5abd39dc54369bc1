// Keys, buttons and fingers.

import { $ } from "./view.js";

/**
 * Let the signer's keys, buttons and fingers do what they are for.
 *
 * @param does `canRecord()`, `canAct()`, `undo()`, `step(by)`, `finish()`, `useCamera(id)`.
 */
export function listen(recording, does) {
  const burst = () => does.canRecord() && recording.burst();
  const keys = { b: burst, u: does.undo, n: () => does.step(1), p: () => does.step(-1), q: does.finish };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !does.canAct()) return;
    if (event.target.closest("input, select, textarea")) return;
    const key = event.key.toLowerCase();
    const onRecord = event.target === $("record");
    let act = null;
    if (key === " " && (onRecord || !event.target.closest("button, a"))) act = () => does.canRecord() && recording.hold();
    else if (key === "enter" && onRecord) act = () => does.canRecord() && recording.toggle();
    else act = Object.hasOwn(keys, key) ? keys[key] : null;
    if (!act) return;
    event.preventDefault();
    if (!event.repeat) act();
  });
  document.addEventListener("keyup", (event) => {
    if (event.key !== " ") return;
    if (event.target === $("record")) event.preventDefault();
    recording.release();
  });
  const record = $("record");
  record.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !does.canRecord()) return;
    record.setPointerCapture(event.pointerId);
    recording.hold();
  });
  for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) record.addEventListener(end, () => recording.release());
  record.addEventListener("contextmenu", (event) => event.preventDefault());
  record.addEventListener("click", (event) => {
    // A screen reader clicks without a pointer: it cannot hold, so that starts and stops.
    if (event.detail === 0 && event.pointerType !== "touch" && does.canRecord()) recording.toggle();
  });
  $("burst").addEventListener("click", burst);
  $("undo").addEventListener("click", does.undo);
  $("next").addEventListener("click", () => does.step(1));
  $("previous").addEventListener("click", () => does.step(-1));
  $("finish").addEventListener("click", does.finish);
  $("cameras").addEventListener("change", () => does.useCamera($("cameras").value));
  $("video").addEventListener("resize", () => {
    $("picture").style.setProperty("--ratio", String($("video").videoWidth / $("video").videoHeight));
  });
  // After a click with the mouse, the space bar shall record and not click again.
  document.addEventListener("click", (event) => event.detail > 0 && event.target.closest("button:not(#record)")?.blur());
  document.addEventListener("visibilitychange", () => document.hidden && recording.stop());
  window.addEventListener("blur", () => recording.release());
}
