// A plate: one job on the wall. Its pictures, how far they are, and the label under them. Asks the server nothing.

import { byId, make, say } from "./dom.js";
import { shapeOf, wordsAndFlags } from "./flags.js";
import { showFilms } from "./films.js";
import {
  choicesOf, isOpen, originOf, pictureCount, picturesOf, promptOf, sourcesOf, titleOf,
} from "./job.js";
import { factWords, faultWords, noteLines, originWords, points, stateWords } from "./words.js";

/** Hang a job. `onAct(act, plate, button)`, `onOpen(plate, index)` and `onMissing(plate)` are told what people do. */
export function makePlate(job, { onAct, onOpen, onMissing }) {
  const element = byId("plate").content.firstElementChild.cloneNode(true);
  const part = (name) => element.querySelector(`.${name}`);
  const cells = [];
  const plate = { element, job, previews: [] };

  element.dataset.task = job.task_type;
  element.addEventListener("click", ({ target }) => {
    if (target.dataset.act) onAct(target.dataset.act, plate, target);
  });

  function hang(index) {
    const image = make("img", { alt: "", decoding: "async", loading: "lazy" });
    const opener = make("button", { type: "button", className: "opener", disabled: true }, image);
    const save = make("a", { className: "save", textContent: "↓", title: "Download", hidden: true });
    save.setAttribute("aria-label", `Download picture ${index + 1}`);
    opener.addEventListener("click", () => onOpen(plate, index));
    image.addEventListener("error", () => {
      if (!image.getAttribute("src")) return;
      cell.element.classList.add("is-missing");
      onMissing(plate);
    });
    image.addEventListener("load", () => {
      cell.element.classList.remove("is-missing");
      if (index === 0 && !isOpen(plate.job)) shape(image.naturalWidth / image.naturalHeight);
    });
    const cell = { element: make("div", { className: "cell" }, opener, save), image, opener, save };
    cells.push(cell);
    part("pictures").append(cell.element);
  }

  const shape = (ratio) => part("pictures").style.setProperty("--shape", ratio);

  function showPictures() {
    const pictures = picturesOf(plate.job);
    const count = pictures.length || (isOpen(plate.job) ? pictureCount(plate.job) : 0);
    part("pictures").hidden = count === 0 && !isOpen(plate.job);
    part("pictures").classList.toggle("is-single", count === 1);
    part("pictures").classList.toggle("is-text", count === 0);
    while (cells.length > count) cells.pop().element.remove();
    while (cells.length < count) hang(cells.length);
    pictures.forEach((picture, index) => showPicture(cells[index], picture, index));
  }

  function showPicture({ element, image, opener, save }, { link, whole, title, file }, index) {
    if (image.getAttribute("src") === link) return;
    image.src = link;
    image.alt = `Picture ${index + 1} of: ${title}`;
    element.classList.remove("is-preview");
    opener.disabled = false;
    opener.setAttribute("aria-label", `Enlarge picture ${index + 1} of: ${title}`);
    save.href = whole;
    save.download = file;
    save.hidden = false;
  }

  function showWords() {
    const title = titleOf(plate.job);
    if (part("words").textContent !== title) shape(shapeOf(promptOf(plate.job))); // a guess, until a picture is there
    say(part("words"), title);
    say(part("params"), wordsAndFlags(promptOf(plate.job)).flags);
    say(part("origin"), originWords(plate.job));
    part("origin").disabled = !originOf(plate.job);
    const choices = choicesOf(plate.job).map((prompt) => make("li", {}, choiceOf(prompt)));
    part("choices").replaceChildren(...choices);
    part("choices").hidden = !choices.length;
    showSources();
  }

  function showSources() {
    const links = sourcesOf(plate.job);
    const images = Array.from(part("sources").children);
    if (String(images.map((image) => image.getAttribute("src"))) === String(links)) return;
    part("sources").replaceChildren(...links.map((link) => {
      const image = make("img", { src: link, alt: "What it was made from", decoding: "async", loading: "lazy" });
      image.addEventListener("error", () => (image.hidden = true));
      return image;
    }));
    part("sources").hidden = !links.length;
  }

  /** An early view of one picture, while it is drawn. */
  plate.preview = (index, address) => {
    const cell = cells[index];
    if (!cell || !isOpen(plate.job)) return;
    cell.image.src = address;
    cell.element.classList.add("is-preview");
  };

  plate.progress = (percent) => {
    plate.job.progress = percent;
    const bar = part("going").firstElementChild;
    if (plate.job.status === "pending") bar.removeAttribute("value"); // not begun: a bar would be a guess
    else bar.value = percent;
    bar.setAttribute("aria-label", `Progress of: ${titleOf(plate.job)}`);
    const state = stateWords(plate.job);
    say(part("state"), plate.job.status === "processing" ? `${state}, ${percent} %` : state);
  };

  /** Show what the server says of the job now. */
  plate.update = (latest) => {
    plate.job = latest;
    const open = isOpen(latest);
    const cancelled = latest.error?.code === 499;
    element.dataset.status = cancelled ? "cancelled" : latest.status;
    part("going").hidden = !open;
    plate.progress(latest.progress ?? 0);
    showWords();
    showPictures();
    showFilms(part("films"), latest);
    say(part("fault"), faultWords(latest));
    const lines = noteLines(latest).map(([kind, text]) => make("li", { className: kind }, text));
    part("notes").replaceChildren(...lines);
    part("notes").hidden = !lines.length;
    say(part("facts"), open ? "" : factWords(latest));
    for (const button of part("acts").children) button.hidden = !OFFERED[button.dataset.act](latest);
    const price = latest.meta?.usage?.frozen;
    if (price) element.querySelector("[data-act=reroll]").title = points(price);
  };

  plate.update(job);
  return plate;
}

function choiceOf(prompt) {
  const button = make("button", { type: "button", textContent: prompt, title: "Put it into the prompt" });
  button.dataset.act = "choose";
  return button;
}

const OFFERED = {
  reuse: (job) => Boolean(promptOf(job)) && !isOpen(job),
  seed: (job) => Boolean(job.input?.text) && job.status === "completed",
  reroll: (job) => job.output?.available_actions?.reroll === true,
  copy: (job) => Boolean(promptOf(job)),
};
