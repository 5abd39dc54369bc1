// The requests of the part Record, one method per route.

import { ApiClient } from "../api_client.js";

const PATH = "/api/recording";

export class Server {
  #client = new ApiClient("record");

  /** Start recording a person, or continue after a reload. Returns the state. */
  async join(signer, letter, takeOver) {
    const state = await this.#client.request("POST", PATH, { signer, letter, take_over: takeOver });
    this.#client.setPage(state.page);
    return state;
  }

  state() {
    return this.#client.request("GET", PATH);
  }

  setCamera(label, settings) {
    return this.#client.request("POST", `${PATH}/camera`, { label, settings });
  }

  /** Send a JPEG. Returns the decision about it. */
  sendFrame(jpeg, { keep, revision, burst, takenS }) {
    const query = new URLSearchParams({ keep, revision, burst, taken_s: takenS.toFixed(4) });
    return this.#client.request("POST", `${PATH}/frames?${query}`, jpeg);
  }

  /** Send a JPEG of a clip. */
  sendClipFrame(jpeg, { clip, letter, revision, takenS }) {
    const query = new URLSearchParams({ clip, letter, revision, taken_s: takenS.toFixed(4) });
    return this.#client.request("POST", `${PATH}/clips/frames?${query}`, jpeg);
  }

  /** Let a clip be judged. Returns the decision and the state. */
  finishClip(clip) {
    return this.#client.request("POST", `${PATH}/clips`, { clip });
  }

  selectLetter(letter) {
    return this.#client.request("POST", `${PATH}/letter`, { letter });
  }

  selectAdjacentLetter(step) {
    return this.#client.request("POST", `${PATH}/letter`, { step });
  }

  undo() {
    return this.#client.request("POST", `${PATH}/undo`);
  }

  putBack() {
    return this.#client.request("POST", `${PATH}/put-back`);
  }

  answerQuestion(confirmed) {
    return this.#client.request("POST", `${PATH}/answer`, { confirmed });
  }

  chooseLicence(licence) {
    return this.#client.request("POST", `${PATH}/licence`, { licence });
  }

  remove(file) {
    return this.#client.request("DELETE", framePath(file));
  }

  finish() {
    return this.#client.request("DELETE", PATH);
  }
}

export function framePath(file) {
  return `${PATH}/frames/${file.split("/").map(encodeURIComponent).join("/")}`;
}
