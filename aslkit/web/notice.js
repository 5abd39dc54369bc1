// What hinders a page, over its picture: of several things the first in ORDER is shown, with what can be done about it.

const ORDER = ["over", "elsewhere", "server", "disk", "camera"];

export class Notice {
  #troubles = new Map();

  /** Note what hinders, or with null, that `kind` hinders no more. Returns what is shown now, if anything is. */
  set(kind, trouble) {
    if (trouble) this.#troubles.set(kind, trouble);
    else this.#troubles.delete(kind);
    const first = ORDER.map((each) => this.#troubles.get(each)).find(Boolean);
    const at = (part) => document.getElementById(part ? `notice-${part}` : "notice");
    at("").hidden = !first;
    at("title").textContent = first?.title ?? "";
    at("text").textContent = first?.text ?? "";
    at("button").hidden = !first?.button;
    at("button").textContent = first?.button ?? "";
    at("button").onclick = first?.action ?? null;
    return first;
  }
}
