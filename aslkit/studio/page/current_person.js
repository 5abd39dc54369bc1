// Who signs in this tab. It is kept across a reload, and no other tab or visitor inherits it.

import { state } from "./store.js";

const STORAGE_KEY = "aslkit-person";

/** Return the name of the person who signs in this tab; "" if nobody was chosen. */
export function currentPerson() {
  return sessionStorage.getItem(STORAGE_KEY) ?? state.settings.signer ?? "";
}

export function choosePerson(name) {
  sessionStorage.setItem(STORAGE_KEY, name);
}
