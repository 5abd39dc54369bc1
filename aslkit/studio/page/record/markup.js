// The elements of the part Record. They are filled by View.

import { stageTemplate } from "../camera_stage.js";
import { formatCount, plural } from "../format.js";
import { html, nothing } from "../lit.js";

export const recordTemplate = (person, people, switchTo) => html`
  <h1 class="visually-hidden">Record</h1>
  <section class="stage" aria-label="Camera">
    ${stageTemplate(html`
      <p id="rec" aria-hidden="true" hidden><i></i>Recording</p>
      <p id="preview" hidden></p>
      <p id="hint" hidden></p>
      <p id="countdown" aria-hidden="true" hidden></p>`)}
    <p id="verdict" data-state="wait"><i aria-hidden="true"></i><span id="verdict-text">Starting…</span></p>
  </section>

  <section class="side" aria-label="Letter and recording">
    <div class="who">
      <label>Signing <select id="signer" @change=${(event) => switchTo(event.target.value)}>
        ${people.map((name) => html`<option value=${name} ?selected=${name === person}>${name}</option>`)}</select></label>
      <button id="finish" type="button">Finish</button>
    </div>
    <div class="letter">
      <img id="letter-image" alt="" width="320" height="320">
      <div class="letter-text">
        <h2 id="letter-title"><span id="letter-verb">Sign</span> <b id="letter"></b></h2>
        <p id="count"><b id="count-now"></b> of <span id="count-goal"></span></p>
        <p id="movement" hidden></p>
        <progress id="bar" aria-labelledby="count" max="1" value="0"></progress>
        <div class="steps">
          <button id="previous" type="button" aria-keyshortcuts="p"><span>Previous</span> <kbd>P</kbd></button>
          <button id="next" type="button" aria-keyshortcuts="n"><span>Next</span> <kbd>N</kbd></button>
        </div>
      </div>
    </div>
    <div class="controls">
      <button id="record" type="button" aria-pressed="false" aria-describedby="record-help"><i aria-hidden="true"></i><span id="record-text">Hold to record</span> <kbd>Space</kbd></button>
      <button id="burst" type="button" aria-keyshortcuts="b"><span id="burst-text">Burst</span> <kbd>B</kbd></button>
      <button id="undo" type="button" aria-keyshortcuts="u">Undo <kbd>U</kbd></button>
      <p id="record-help" class="visually-hidden">Hold the space bar anywhere on the page to record. On this button, Enter starts and stops recording.</p>
    </div>
    <section class="recent" aria-labelledby="recent-title">
      <h2 id="recent-title">Recent frames</h2> <a id="all-frames" href="#review">All frames of this letter</a>
      <ul id="recent"></ul>
      <p id="recent-none">Recorded frames appear here.</p>
    </section>
  </section>

  <nav class="alphabet" aria-label="Letters">
    <ul id="letters"></ul>
  </nav>

  <dialog id="question" aria-labelledby="question-title" aria-describedby="question-text">
    <h2 id="question-title"></h2>
    <p id="question-text"></p>
    <div class="choices">
      <button id="question-yes" type="button"></button>
      <button id="question-no" type="button"></button>
    </div>
  </dialog>

  <dialog id="licence" aria-labelledby="licence-title" aria-describedby="licence-note">
    <h2 id="licence-title"></h2>
    <p id="licence-note"></p>
    <ul id="licence-choices"></ul>
  </dialog>`;

function rejectedRows({ rejected, rejected_clips: clips, undone, dropped }) {
  const rows = Object.entries(rejected).map(([reason, count]) =>
    // Most rejected frames are of this kind, and nothing is wrong with them.
    reason === "Too similar to a stored frame" ? ["Not stored, because there were similar ones already (harmless)", count] : [`Rejected: ${reason.toLowerCase()}`, count],
  );
  for (const [reason, count] of Object.entries(clips)) rows.push([`Clips rejected: ${reason.toLowerCase()}`, count]);
  if (undone) rows.push(["Undone or deleted", undone]);
  if (dropped) rows.push(["Dropped because the disk was too slow", dropped]);
  return rows;
}

/** What was recorded, and where to go from here. */
export function finishedTemplate(summary, { start, choose }) {
  const letters = [
    ...Object.entries(summary.stored).map(([letter, number]) => [letter, formatCount(number)]),
    ...Object.entries(summary.clips).map(([letter, number]) => [letter === "none" ? "No letter" : letter, plural(number, "clip")]),
  ];
  const count = (numbers) => Object.values(numbers).reduce((sum, each) => sum + each, 0);
  const [frames, clips] = [count(summary.stored), count(summary.clips)];
  const total = clips ? `${frames ? `${plural(frames, "frame")} and ` : ""}${plural(clips, "clip")}` : plural(frames, "frame");
  const rows = rejectedRows(summary);
  return html`<div class="page narrow">
    <h1 tabindex="-1" id="summary-title">${total} of ${summary.signer} stored</h1>
    ${summary.failure ? html`<p class="problem">${summary.failure}</p>` : nothing}
    <ul id="summary-letters">${letters.map(([letter, number]) => html`<li><b>${letter}</b> ${number}</li>`)}</ul>
    ${rows.length ? html`<dl class="table">${rows.map(([label, count]) => html`<dt>${label}</dt><dd>${formatCount(count)}</dd>`)}</dl>` : nothing}
    <div class="row">
      <a class="button primary" href="#train">Train with them</a>
      <button type="button" @click=${() => start(summary.signer)}>Record more</button>
      <button type="button" @click=${choose}>Record another person</button>
      <a class="button" href="#review?signer=${encodeURIComponent(summary.signer)}">Look at the frames</a>
    </div>
  </div>`;
}
