// The parts of lit-html that the page uses (vendor/lit-html, BSD-3-Clause).

export { html, nothing, render } from "./vendor/lit-html/lit-html.js";
export { repeat } from "./vendor/lit-html/directives/repeat.js";
