// The requests of the recording page, one method per route.

import { ApiClient } from "./api_client.js";

export { RequestRefused, ServerUnreachable } from "./api_client.js";

export class Server {
  #client = new ApiClient();

  /** Become the active page. Returns the state. */
  async join() {
    const state = await this.#client.request("POST", "/join", {});
    this.#client.page = state.page;
    return state;
  }

  state() {
    return this.#client.request("GET", "/state");
  }

  setCamera(label, settings) {
    return this.#client.request("POST", "/camera", { label, settings });
  }

  /** Send a JPEG. Returns the decision about it. */
  sendFrame(jpeg, { keep, revision, burst, takenS }) {
    const query = new URLSearchParams({ keep: keep ? "1" : "0", revision, burst, taken_s: takenS.toFixed(4) });
    return this.#client.request("POST", `/frames?${query}`, jpeg);
  }

  selectLetter(letter) {
    return this.#client.request("POST", "/letter", { letter });
  }

  selectAdjacentLetter(step) {
    return this.#client.request("POST", "/letter", { step });
  }

  undo() {
    return this.#client.request("POST", "/undo", {});
  }

  answerQuestion(confirmed) {
    return this.#client.request("POST", "/answer", { confirmed });
  }

  chooseLicence(licence) {
    return this.#client.request("POST", "/licence", { licence });
  }

  remove(file) {
    return this.#client.request("DELETE", framePath(file));
  }

  finish() {
    return this.#client.request("POST", "/finish", {});
  }
}

export function framePath(file) {
  return `/frames/${file.split("/").map(encodeURIComponent).join("/")}`;
}
