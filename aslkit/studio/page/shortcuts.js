// Single-key shortcuts. They can be turned off, because speech input and shaking hands press keys by mistake
// (WCAG 2.1.4).

import { html, render } from "./lit.js";

const STORAGE_KEY = "aslkit-shortcuts";
let enabled = localStorage.getItem(STORAGE_KEY) !== "off";
let current = []; // shortcuts of the part that is shown

function updateBody() {
  document.body.classList.toggle("shortcuts-off", !enabled);
}

export const shortcutsEnabled = () => enabled;

const isForControl = (event) => event.ctrlKey || event.metaKey || event.altKey || Boolean(event.target.closest?.("input, select, textarea"));

/** Return whether a key event is typed text, or belongs to a dialog or a control. */
export const isTyping = (event) => isForControl(event) || Boolean(event.target.closest?.("dialog"));

/** Call the function of the shortcut whose key was pressed; see useShortcuts. Not if the key belongs to a control. */
export function runShortcut(event, shortcuts) {
  if (!enabled || isForControl(event)) return;
  const key = event.key.toLowerCase();
  const shortcut = shortcuts.find((each) => each.key === key && each.run);
  // On a focused button, space and Enter press the button.
  if (!shortcut || ([" ", "enter"].includes(key) && event.target.closest("button, a"))) return;
  event.preventDefault();
  if (!event.repeat || shortcut.repeats) shortcut.run(event);
}

/**
 * Let keys call functions while a part is shown. Returns a function that stops this.
 *
 * @param shortcuts list of `{ key, label, run, repeats }`; `key` as in KeyboardEvent.key, lower case.
 */
export function useShortcuts(shortcuts) {
  current = shortcuts;
  const listen = (event) => isTyping(event) || runShortcut(event, shortcuts);
  document.addEventListener("keydown", listen);
  return () => {
    document.removeEventListener("keydown", listen);
    current = [];
  };
}

const NAMES = { " ": "Space", backspace: "⌫", enter: "Enter" };
const keyName = (key) => NAMES[key] ?? (key.length === 1 ? key.toUpperCase() : key);

/** Show the shortcuts of the part, and a switch that turns them off. */
export function showShortcuts() {
  const dialog = document.getElementById("shortcuts-dialog");
  const change = (event) => {
    enabled = event.target.checked;
    localStorage.setItem(STORAGE_KEY, enabled ? "on" : "off");
    updateBody();
  };
  render(
    html`<h2 id="shortcuts-title">Keyboard shortcuts</h2>
      <label class="switch"><input type="checkbox" .checked=${enabled} @change=${change}> Use single keys as shortcuts</label>
      <p>Turn this off if keys are pressed by mistake, or if you control the computer by voice.</p>
      <dl class="keys-list">${current.map(({ key, label }) => html`<dt><kbd>${keyName(key)}</kbd></dt><dd>${label}</dd>`)}</dl>
      ${current.length ? "" : html`<p>This part has no shortcuts.</p>`}
      <div class="choices"><button type="button" @click=${() => dialog.close()}>Close</button></div>`,
    dialog,
  );
  dialog.showModal();
}

updateBody();
// Touch screens show no hints about keys until a key of a keyboard is pressed.
addEventListener("keydown", (event) => isTyping(event) || document.body.classList.add("has-keyboard"));
