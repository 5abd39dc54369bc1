// Who signs in this tab. It is kept across a reload, and no other tab or visitor inherits it.

import { state } from "./store.js";

// The address of a studio can be that of another workspace before, where other people recorded.
const storageKey = () => `aslkit-person ${state.settings.workspace}`;

/** Return the name of the person who signs in this tab; "" if nobody was chosen. */
export function currentPerson() {
  return sessionStorage.getItem(storageKey()) ?? state.settings.signer ?? "";
}

export function choosePerson(name) {
  sessionStorage.setItem(storageKey(), name);
}
