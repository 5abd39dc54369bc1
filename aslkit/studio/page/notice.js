// The notice over the camera image: shows the most important problem, and a button if the user can do something about it.

const ORDER = ["over", "elsewhere", "server", "disk", "camera"];

export class Notice {
  #problems = new Map();

  /** Forget the problems of a part that was left. */
  clear() {
    this.#problems.clear();
  }

  /** Set the problem of a kind, or clear it with null. Returns the problem that is now shown, if any. */
  set(kind, problem) {
    if (problem) this.#problems.set(kind, problem);
    else this.#problems.delete(kind);
    const first = ORDER.map((key) => this.#problems.get(key)).find(Boolean);
    const element = (part) => document.getElementById(part ? `notice-${part}` : "notice");
    if (!element("")) return first; // the part was left
    element("").hidden = !first;
    element("title").textContent = first?.title ?? "";
    element("text").textContent = first?.text ?? "";
    element("button").hidden = !first?.button;
    element("button").textContent = first?.button ?? "";
    element("button").onclick = first?.action ?? null;
    return first;
  }
}
