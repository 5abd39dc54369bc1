// Speaking to aslkit: one function for each thing that can be asked, one error for each way in which it can fail.

const PATIENCE_MS = 15000;

/** The server does not answer at all. */
export class Gone extends Error {}

/** The server answers, and says no: `status` as in HTTP, `why` where it tells. */
export class Refused extends Error {
  constructor(status, words, why) {
    super(words);
    this.status = status;
    this.why = why;
  }
}

export class Server {
  #page = "";

  /** Become the page that records. Returns the state. */
  async join() {
    const state = await this.#ask("POST", "/join", {});
    this.#page = state.page;
    return state;
  }

  state() {
    return this.#ask("GET", "/state");
  }

  camera(label, settings) {
    return this.#ask("POST", "/camera", { label, settings });
  }

  /** Send one JPEG, and return what became of it. */
  frame(jpeg, { keep, turn, burst, takenS }) {
    const query = new URLSearchParams({ keep: keep ? "1" : "0", turn, burst, taken_s: takenS.toFixed(4) });
    return this.#ask("POST", `/frames?${query}`, jpeg);
  }

  choose(letter) {
    return this.#ask("POST", "/letter", { letter });
  }

  step(by) {
    return this.#ask("POST", "/letter", { step: by });
  }

  undo() {
    return this.#ask("POST", "/undo", {});
  }

  answer(isSo) {
    return this.#ask("POST", "/answer", { is_so: isSo });
  }

  remove(file) {
    return this.#ask("DELETE", framePath(file));
  }

  finish() {
    return this.#ask("POST", "/finish", {});
  }

  async #ask(method, path, content) {
    const isPicture = content instanceof Blob;
    const headers = { "X-Page": this.#page };
    if (content !== undefined) headers["Content-Type"] = isPicture ? content.type : "application/json";
    const body = content === undefined || isPicture ? content : JSON.stringify(content);
    let response, values;
    try {
      response = await fetch(path, { method, headers, body, signal: AbortSignal.timeout(PATIENCE_MS) });
      values = await response.json();
    } catch (error) {
      throw new Gone(String(error));
    }
    if (!response.ok) throw new Refused(response.status, values.error, values.why);
    return values;
  }
}

export function framePath(file) {
  return `/frames/${file.split("/").map(encodeURIComponent).join("/")}`;
}
