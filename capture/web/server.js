// What the recorder can ask of aslkit: one function for each thing.

import { Asking } from "./asking.js";

export { Gone, Refused } from "./asking.js";

export class Server {
  #asking = new Asking();

  /** Become the page that records. Returns the state. */
  async join() {
    const state = await this.#asking.ask("POST", "/join", {});
    this.#asking.page = state.page;
    return state;
  }

  state() {
    return this.#asking.ask("GET", "/state");
  }

  camera(label, settings) {
    return this.#asking.ask("POST", "/camera", { label, settings });
  }

  /** Send one JPEG, and return what became of it. */
  frame(jpeg, { keep, turn, burst, takenS }) {
    const query = new URLSearchParams({ keep: keep ? "1" : "0", turn, burst, taken_s: takenS.toFixed(4) });
    return this.#asking.ask("POST", `/frames?${query}`, jpeg);
  }

  choose(letter) {
    return this.#asking.ask("POST", "/letter", { letter });
  }

  step(by) {
    return this.#asking.ask("POST", "/letter", { step: by });
  }

  undo() {
    return this.#asking.ask("POST", "/undo", {});
  }

  answer(isSo) {
    return this.#asking.ask("POST", "/answer", { is_so: isSo });
  }

  remove(file) {
    return this.#asking.ask("DELETE", framePath(file));
  }

  finish() {
    return this.#asking.ask("POST", "/finish", {});
  }
}

export function framePath(file) {
  return `/frames/${file.split("/").map(encodeURIComponent).join("/")}`;
}
