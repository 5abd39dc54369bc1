// The part Train: one button, progress, and what the result means.

import { ApiClient } from "../api_client.js";
import { formatCount, inWords, percent, plural } from "../format.js";
import { isRunning, jobTemplate } from "../job.js";
import { html, nothing, render } from "../lit.js";
import { state } from "../store.js";
import { showError } from "../toast.js";

const client = new ApiClient();
const MAX_TURNS = 5; // as in training.py

/** The accuracy that counts in large type, and what it means. */
function resultTemplate(run, title) {
  return html`<section class="card result" aria-labelledby="result-title">
    <h2 id="result-title">${title}</h2>
    <p class="figure"><b>${percent(run.accuracy)}</b> <span>accuracy on ${run.tested_on}</span></p>
    ${run.unseen ? nothing : html`<p class="problem">This says nothing about other people. ${run.signers.length < 2 ? "Record a second person to learn more." : run.warning}</p>
      <p class="secondary">${run.explanation}</p>`}
    ${run.unseen && run.warning ? html`<p class="problem">${run.warning}</p>` : nothing}
    <dl class="table">
      ${run.correct_at_threshold == null ? nothing : html`<dt>Right letter in live spelling, which rejects uncertain frames</dt><dd>${percent(run.correct_at_threshold)}</dd>`}
      ${run.random_split == null ? nothing : html`<dt>On a random split (optimistic: the same people are in both parts)</dt><dd>${percent(run.random_split)}</dd>`}
      ${run.hardest ? html`<dt>Hardest letters</dt><dd>${run.hardest}</dd>` : nothing}
      <dt>Measured on</dt><dd>${plural(run.tested_frames, "frame")}</dd>
      <dt>Trained on</dt><dd>${plural(run.frames, "frame")} of ${run.signers.length > 4 ? plural(run.signers.length, "person", "people") : inWords(run.signers)}, ${plural(run.letters.length, "letter")}</dd>
    </dl>
    <div class="row"><a class="button primary" href="#try">Try it</a><a class="button" href=${run.report} target="_blank" rel="noopener">Full report</a><a class="button" href="#share">Share it</a></div>
  </section>`;
}

function runRow(run) {
  return html`<tr><th scope="row"><a href=${run.report} target="_blank" rel="noopener">${run.run}</a></th><td class="number">${percent(run.accuracy)}</td><td>${run.tested_on}</td></tr>`;
}

function formTemplate(start) {
  const recorded = state.people.filter((person) => person.frames && !person.synthetic);
  const blocked = state.guidance.needs.train;
  return html`<form class="card" @submit=${start}>
    <h2>Train with everything recorded</h2>
    <table class="people-table"><thead><tr><th scope="col">Person</th><th scope="col" class="number">Frames</th><th scope="col" class="number">Letters</th></tr></thead>
      <tbody>${recorded.map((person) => html`<tr><th scope="row">${person.name}</th><td class="number">${formatCount(person.frames)}</td><td class="number">${Object.keys(person.letters).filter((letter) => letter !== "none").length}</td></tr>`)}</tbody></table>
    ${state.review.decided ? html`<p class="secondary">Decisions about ${plural(state.review.decided, "frame")} in Review are applied.</p>` : nothing}
    ${state.guidance.honesty ? html`<p class="secondary" id="honesty">${state.guidance.honesty}</p>` : nothing}
    ${recorded.length > 1 ? html`<label class="field"><b>Test on</b>
      <select name="hold_out"><option value="">${recorded.length > MAX_TURNS ? "Chosen automatically" : "Each person in turn"}</option>${recorded.map((person) => html`<option value=${person.name}>${person.name}</option>`)}</select></label>` : nothing}
    <label class="switch"><input type="checkbox" name="compare"> Compare with a random split and with training from scratch (takes about three times as long)</label>
    ${blocked ? html`<p class="problem" id="train-needs">${blocked}</p>` : nothing}
    <div class="row"><button type="submit" class="primary large-button" ?disabled=${Boolean(blocked) || isRunning()}>Train</button></div>
  </form>`;
}

export const train = {
  name: "train",
  title: "Train",
  status: () => (isRunning() && state.job.kind === "train" ? `${Math.floor(100 * ((state.job.progress?.done ?? 0) / (state.job.progress?.total ?? 1)))} %` : ""),

  open(root) {
    async function start(event) {
      event.preventDefault();
      const values = new FormData(event.target);
      try {
        await client.request("POST", "/api/training", { compare: values.has("compare"), hold_out: values.get("hold_out") || null });
      } catch (error) {
        showError(error);
      }
    }

    function update() {
      const training = isRunning() && state.job.kind === "train";
      const [newest, ...others] = state.runs;
      const finished = newest && state.job?.run === newest.run;
      render(
        html`<div class="page"><h1>Train</h1>
          <div class="columns">
            <div>${jobTemplate(["train"])}${training ? nothing : formTemplate(start)}</div>
            <div>${newest ? resultTemplate(newest, finished ? "Result" : `Newest model: ${newest.run}`) : html`<p class="card empty">The accuracy on people whom the model has not seen appears here.</p>`}
              ${others.length ? html`<section class="card"><h2>Earlier models</h2><div class="scroll-x"><table><thead><tr><th scope="col">Model</th><th scope="col" class="number">Accuracy</th><th scope="col">Tested on</th></tr></thead><tbody>${others.map(runRow)}</tbody></table></div></section>` : nothing}</div>
          </div></div>`,
        root,
      );
    }
    update();
    return { update, close() {} };
  },
};
