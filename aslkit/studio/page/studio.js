// The frame of the page: it shows one part at a time, and what each part still needs.

import { html, nothing, render } from "./lit.js";
import { people } from "./people/people.js";
import { showPhone } from "./phone.js";
import { record } from "./record/record.js";
import { review } from "./review/review.js";
import { share } from "./share/share.js";
import { showShortcuts } from "./shortcuts.js";
import { connect, state, subscribe } from "./store.js";
import { clearToast } from "./toast.js";
import { train } from "./train/train.js";
import { tryPart } from "./try/try.js";

// A part has `name`, `title`, `status()` for a few words in the navigation (or ""), and `open(root)`, which shows it in
// an element and returns `{ update(names), close() }`: called after changes of the shared state, and when it is left.
const PARTS = [people, record, review, train, tryPart, share];

let shown = null; // the part that is shown
let view = null; // what its `open` returned
let connected = true;
let problem = ""; // why there is no connection, if the server said so

const partOfAddress = () => PARTS.find((part) => part.name === location.hash.slice(1).split("?")[0]);

function navigation() {
  const needs = state.guidance?.needs ?? {};
  return html`<ul>${PARTS.map((part) => {
    const status = part.status();
    return html`<li><a href="#${part.name}" aria-current=${part === shown ? "page" : nothing} class=${needs[part.name] ? "waiting" : ""}>
      <b>${part.title}</b>${status ? html` <span>${status}</span>` : nothing}</a></li>`;
  })}</ul>`;
}

function headerEnd() {
  return html`
    ${connected ? nothing : html`<p class="offline" role="alert">${problem || "Reconnecting…"}</p>`}
    <button type="button" class="quiet" id="phone" aria-label="Phone: open this page on a phone" @click=${() => showPhone()}><svg aria-hidden="true" viewBox="0 0 24 24"><rect x="7" y="2.5" width="10" height="19" rx="2.5"/><path d="M11 18.5h2"/></svg><b>Phone</b></button>
    <button type="button" class="quiet keyboard-only" aria-label="Keys: keyboard shortcuts" @click=${showShortcuts}><svg aria-hidden="true" viewBox="0 0 24 24"><rect x="2.5" y="6" width="19" height="12" rx="2.5"/><path d="M6.5 10h.1M10 10h.1M14 10h.1M17.5 10h.1M8 14h8"/></svg><b>Keys</b></button>`;
}

function showFrame() {
  render(navigation(), document.getElementById("parts"));
  render(headerEnd(), document.getElementById("header-end"));
}

function openPart(part) {
  view?.close();
  shown = part;
  const old = document.getElementById("part");
  // A new element: nothing of the part before, such as its listeners or focus, may remain.
  const root = Object.assign(document.createElement("main"), { id: "part", tabIndex: -1, className: part.name });
  root.ariaLabel = part.title;
  old.replaceWith(root);
  clearToast();
  document.title = `${part.title} – aslkit studio`;
  showFrame();
  view = part.open(root);
}

function followAddress() {
  const part = partOfAddress() ?? PARTS[0];
  if (part === shown) return;
  const first = !shown;
  openPart(part);
  // Keys then act on the new part, and screen readers say its name.
  if (!first && !document.activeElement.closest("#part")) document.getElementById("part").focus({ preventScroll: true });
  document.querySelector("nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
}

document.querySelector("[data-skip]").addEventListener("click", (event) => {
  event.preventDefault(); // the address names the part
  document.getElementById("part").focus();
});

// Once the cookie is set, remove the token from the address bar, where others could read it.
history.replaceState(null, "", `/${location.hash}`);
for (;;) {
  try {
    await connect((isConnected, message = "") => {
      connected = isConnected;
      problem = message;
      showFrame();
    });
    break;
  } catch (error) {
    document.getElementById("part").textContent = error.status ? error.message : "The server does not respond. Trying again…";
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}
if (!partOfAddress() && state.settings.part) history.replaceState(null, "", `/#${state.settings.part}`);
subscribe((names) => {
  showFrame();
  view?.update(names);
});
addEventListener("hashchange", followAddress);
followAddress();
