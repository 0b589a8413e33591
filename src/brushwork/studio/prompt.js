// The prompt bar: the words, the controls beside them, and what both come to.

import { byId, say } from "./dom.js";
import { USUAL, estimate, flagsFor, lacks, splitPrompt } from "./flags.js";
import { points } from "./words.js";

const form = byId("composer");
const field = byId("prompt");
const controls = form.elements;
const TALLEST = 0.4; // of the window

let lastPrompt = "";

/** Get the bar going; `onDraw(prompt)` and `onShorten(prompt)` are asked to, and return whether it was accepted. */
export function startPrompt(onDraw, onShorten) {
  let isSending = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const prompt = fullPrompt();
    if (!prompt || isSending) return field.focus();
    isSending = true;
    form.setAttribute("aria-busy", "true");
    try {
      if (!(await onDraw(prompt))) return;
      lastPrompt = field.value;
      field.value = "";
    } finally {
      isSending = false;
      form.removeAttribute("aria-busy");
      refresh();
      field.focus();
    }
  });
  form.addEventListener("input", refresh);
  field.addEventListener("input", () => refuse("")); // what was refused is being changed
  field.addEventListener("keydown", onKey);
  byId("more-controls").addEventListener("click", () => showDetails(byId("details").hidden));
  byId("reset").addEventListener("click", () => setControls(USUAL));
  document.addEventListener("keydown", (event) => {
    const isTyping = event.target.closest("input, textarea, select, dialog");
    if (event.key !== "/" || isTyping || event.ctrlKey || event.metaKey || event.altKey || form.closest("[hidden]")) return;
    event.preventDefault();
    field.focus();
  });
  byId("shorten").addEventListener("click", () => field.value.trim() && onShorten(fullPrompt()));
  window.addEventListener("resize", fitHeight);
  refresh();
}

/** Put a prompt into the bar, its flags into the controls; `seed` replaces the one it has. */
export function usePrompt(prompt, { seed = "" } = {}) {
  const { text, settings } = splitPrompt(prompt);
  controls.ar.value = settings.ar;
  const isOffered = controls.ar.value === settings.ar;
  field.value = isOffered ? text : `${text} --ar ${settings.ar}`;
  setControls({ ...settings, ar: isOffered ? settings.ar : USUAL.ar, ...(seed && { seed }) });
  refuse("");
  window.scrollTo({ top: 0 });
  field.focus();
}

/** Begin the prompt with a picture, to be drawn like it; once is enough. */
export function usePicture(url) {
  if (!field.value.includes(url)) field.value = `${url} ${field.value}`;
  refuse("");
  refresh();
  window.scrollTo({ top: 0 });
  field.focus();
}

/** Say under the bar why a prompt was refused. */
export const refuse = (text) => {
  say(byId("refusal"), text);
  field.setAttribute("aria-invalid", String(Boolean(text)));
};

function onKey(event) {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    form.requestSubmit();
  } else if (event.key === "ArrowUp" && !field.value && lastPrompt) {
    event.preventDefault();
    field.value = lastPrompt;
    refresh();
  }
}

function settingsNow() {
  const settings = {};
  for (const [name, usual] of Object.entries(USUAL)) {
    settings[name] = typeof usual === "boolean" ? controls[name].checked : controls[name].value.trim();
  }
  settings.seed = settings.seed.replace(/\D/g, "");
  return settings;
}

function setControls(settings) {
  for (const [name, value] of Object.entries(settings)) {
    if (typeof value === "boolean") controls[name].checked = value;
    else controls[name].value = value;
  }
  if (["stylize", "chaos", "seed", "no", "raw", "tile"].some((name) => settings[name] !== USUAL[name])) showDetails(true);
  refresh();
}

const fullPrompt = () => {
  const text = field.value.trim();
  return text && `${text} ${flagsFor(settingsNow(), text)}`.trim();
};

function refresh() {
  const settings = settingsNow();
  const missing = lacks(settings.version);
  for (const input of controls.speed) input.disabled = missing.includes(input.value);
  controls.no.disabled = missing.includes("no");
  for (const name of ["stylize", "chaos"]) controls[name].nextElementSibling.value = controls[name].value;
  say(byId("flags"), flagsFor(settings, field.value));
  say(byId("price"), `about ${points(estimate(fullPrompt() || `x ${flagsFor(settings, "")}`))}`);
  byId("reset").hidden = Object.entries(USUAL).every(([name, usual]) => settings[name] === usual);
  byId("shorten").hidden = !field.value.trim();
  fitHeight();
}

function fitHeight() {
  field.style.height = "";
  if (field.scrollHeight) field.style.height = `${Math.min(field.scrollHeight, innerHeight * TALLEST)}px`;
}

function showDetails(isShown) {
  byId("details").hidden = !isShown;
  byId("more-controls").setAttribute("aria-expanded", String(isShown));
}
