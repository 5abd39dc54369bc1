// What a model that was adapted to the frames recorded so far reads in the current frame.

import { percent } from "../format.js";
import { $ } from "./view.js";

const HOLD_MS = 400; // minimum time that a reading is shown, to avoid flickering

export class Preview {
  #shownMs = 0;

  /** Show a preview `{ letter, probability }`; null if there is no model yet, or no hand. */
  show(preview, expected) {
    const element = $("preview");
    if (!element || (performance.now() - this.#shownMs < HOLD_MS && !element.hidden)) return;
    this.#shownMs = performance.now();
    element.hidden = !preview;
    if (!preview) return;
    element.textContent = `Preview reads ${preview.letter} (${percent(preview.probability)})`;
    element.dataset.right = String(preview.letter === expected);
  }
}
