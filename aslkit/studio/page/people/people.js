// The part People: who signs, and what may be done with their images.

import { ApiClient } from "../api_client.js";
import { choosePerson, currentPerson } from "../current_person.js";
import { formatCount, plural } from "../format.js";
import { html, nothing, render, repeat } from "../lit.js";
import { state } from "../store.js";
import { showError, toast } from "../toast.js";

const client = new ApiClient();

const licenceTitle = (licence) => state.settings.licences.find((choice) => choice.licence === licence)?.title ?? licence ?? "Not asked yet";

function completeLetters(person) {
  return Object.values(person.letters).filter((count) => count >= state.settings.goal).length;
}

function personCard(person, edit) {
  const letters = Object.keys(person.letters).filter((letter) => letter !== "none").length;
  const isPrivate = person.licence === "private" || person.licence === null;
  const current = person.name === currentPerson();
  const start = () => {
    choosePerson(person.name);
    location.hash = "record";
  };
  return html`<li class=${current ? "card person current" : "card person"}>
    <h2>${person.name}${current ? html` <small>signs here</small>` : nothing}</h2>
    <p class="facts">
      <span class=${isPrivate ? "badge private" : "badge"}>${licenceTitle(person.licence)}</span>
      <span>${person.hand ? `${person.hand} hand` : "hand not known yet"}</span>
    </p>
    <p class="secondary">${person.frames ? html`${plural(person.frames, "frame")} of ${plural(letters, "letter")}${completeLetters(person) ? `, ${formatCount(completeLetters(person))} complete` : ""}` : "Nothing recorded yet"}</p>
    ${person.consent ? html`<p class="consent">“${person.consent}”</p>` : nothing}
    <div class="row">
      ${person.synthetic ? nothing : html`<button type="button" class="primary" @click=${start}>Record<span class="visually-hidden"> ${person.name}</span></button>`}
      <button type="button" @click=${() => edit(person)}>Edit<span class="visually-hidden"> ${person.name}</span></button>
    </div>
  </li>`;
}

function licenceChoice(choice, selected) {
  return html`<label class="choice"><input type="radio" name="licence" value=${choice.licence} .checked=${choice.licence === selected}>
    <span><b>${choice.title}</b>${choice.permits}</span></label>`;
}

function formTemplate(person, { onSave, onCancel }) {
  const licence = person?.licence ?? "private";
  // A licence that was stated in the terminal, which the choices do not contain.
  const other = state.settings.licences.every((choice) => choice.licence !== licence);
  const choices = other ? [{ licence, title: licence, permits: "As stated before." }, ...state.settings.licences] : state.settings.licences;
  return html`<form method="dialog" @submit=${onSave}>
    <h2 id="person-title">${person ? `Edit ${person.name}` : "Who signs?"}</h2>
    ${person ? nothing : html`<label class="field"><b>Name or nickname</b>
      <input name="name" required maxlength="64" autocomplete="off" autofocus></label>`}
    <fieldset><legend>Usual hand</legend>
      <div class="row">${handChoices(person).map(
        ([value, title]) => html`<label class="choice inline"><input type="radio" name="hand" value=${value} .checked=${(person?.hand ?? "") === value}><span>${title}</span></label>`,
      )}</div></fieldset>
    <fieldset><legend>Who may use the images?</legend>
      <p class="secondary">${state.settings.licence_note}</p>
      <div class="choices-list">${choices.map((choice) => licenceChoice(choice, licence))}</div></fieldset>
    <label class="field"><b>Consent in the person's own words <small>(optional)</small></b>
      <textarea name="consent" rows="2" maxlength="500" placeholder="For example: Our class may use them until summer.">${ownWords(person)}</textarea></label>
    <p class="form-error" role="alert"></p>
    <div class="choices"><button type="submit">${person ? "Save" : "Add and record"}</button><button type="button" @click=${onCancel}>Cancel</button></div>
  </form>`;
}

// A hand that is known is not forgotten; it can only be corrected.
const handChoices = (person) => [["right", "Right"], ["left", "Left"], ...(person?.hand ? [] : [["", "Find out while recording"]])];

// Sentences that the server derives from a licence are not the person's words.
const ownWords = (person) => (/^(Only for me\.|May be shared under \S+\.)$/.test(person?.consent ?? "") ? "" : (person?.consent ?? ""));

export const people = {
  name: "people",
  title: "People",
  status: () => (state.people.length ? formatCount(state.people.length) : ""),

  open(root) {
    function showForm(person) {
      // A new element each time: the browser keeps what was typed in an earlier form.
      const old = root.querySelector("dialog");
      const dialog = old.cloneNode();
      old.replaceWith(dialog);
      const onSave = async (event) => {
        event.preventDefault();
        const values = new FormData(event.target);
        const name = person?.name ?? values.get("name").trim();
        const body = { name, hand: values.get("hand") || null, licence: values.get("licence"), consent: values.get("consent").trim() || null, new: !person };
        try {
          const saved = await client.request("PUT", "/api/people", body);
          dialog.close();
          if (person) return toast(`Saved ${saved.name}.`);
          choosePerson(saved.name);
          location.hash = "record";
        } catch (error) {
          if (error.status === 422) dialog.querySelector(".form-error").textContent = error.message;
          else showError(error);
        }
      };
      render(formTemplate(person, { onSave, onCancel: () => dialog.close() }), dialog);
      dialog.showModal();
    }

    function update() {
      const shown = state.people;
      render(
        html`<div class="page">
          <div class="heading"><h1>People</h1><button type="button" class="primary" id="add-person" @click=${() => showForm(null)}>Add a person</button></div>
          ${shown.length
            ? html`<p class="secondary">${state.guidance.honesty || "The accuracy that counts is the one on people whom the model has never seen, so record several."}</p>`
            : html`<div class="card empty"><h2>Welcome</h2>
                <p>Record your own hand, let aslkit learn it, and spell with it: everything on this computer, nothing is sent anywhere.</p>
                <ol><li>Add the person who signs.</li><li>Record a few letters, a minute each.</li><li>Press Train, and try it.</li></ol>
                <p>Or <a href="#try">try the model that aslkit ships</a> first.</p></div>`}
          <ul class="cards">${repeat(shown, (person) => person.name, (person) => personCard(person, showForm))}</ul>
        </div>
        <dialog id="person-dialog" aria-labelledby="person-title"></dialog>`,
        root,
      );
    }
    update();
    return { update: (names) => ["people", "guidance"].some((name) => names.has(name)) && update(), close() {} };
  },
};
