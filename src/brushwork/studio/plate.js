// A plate: one job on the wall. Its four pictures, how far they are, and the label under them. Asks the server nothing.

import { pictureAddress } from "./api.js";
import { byId, make, say } from "./dom.js";
import { shapeOf, wordsAndFlags } from "./flags.js";
import { factWords, faultWords, noteLines, stateWords } from "./words.js";

const PICTURES = 4;

export const isOpen = (job) => job.status !== "completed" && job.status !== "failed";
export const promptOf = (job) => job.input?.text ?? job.input?.prompt ?? "";

/** Hang a job. `onAct(act, plate, button)`, `onOpen(plate, index)` and `onMissing(plate)` are told what people do. */
export function makePlate(job, { onAct, onOpen, onMissing }) {
  const element = byId("plate").content.firstElementChild.cloneNode(true);
  const part = (name) => element.querySelector(`.${name}`);
  const cells = [];
  const plate = { element, job, previews: [] };

  const prompt = promptOf(job);
  const { words, flags } = wordsAndFlags(prompt);
  say(part("words"), words || job.task_type.replaceAll("_", " "));
  say(part("params"), flags);
  part("pictures").style.setProperty("--shape", shapeOf(prompt));
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
    image.addEventListener("load", () => cell.element.classList.remove("is-missing"));
    const cell = { element: make("div", { className: "cell" }, opener, save), image, opener, save };
    cells.push(cell);
    part("pictures").append(cell.element);
  }

  function showPictures() {
    const links = (plate.job.output?.image_urls ?? []).map(pictureAddress);
    const count = links.length || (plate.job.status === "failed" ? 0 : PICTURES);
    part("pictures").hidden = count === 0;
    part("pictures").classList.toggle("is-single", count === 1);
    while (cells.length > count) cells.pop().element.remove();
    while (cells.length < count) hang(cells.length);
    links.forEach((link, index) => showPicture(cells[index], link, index));
  }

  function showPicture({ element, image, opener, save }, link, index) {
    if (image.getAttribute("src") === link) return;
    image.src = link;
    image.alt = `Picture ${index + 1} of: ${words}`;
    element.classList.remove("is-preview");
    opener.disabled = false;
    opener.setAttribute("aria-label", `Enlarge picture ${index + 1} of: ${words}`);
    save.href = link;
    save.download = fileName(plate.job, index);
    save.hidden = false;
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
    bar.setAttribute("aria-label", `Progress of: ${words}`);
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
    showPictures();
    say(part("fault"), faultWords(latest));
    const lines = noteLines(latest).map(([kind, text]) => make("li", { className: kind }, text));
    part("notes").replaceChildren(...lines);
    part("notes").hidden = !lines.length;
    say(part("facts"), open ? "" : factWords(latest));
    for (const button of element.querySelectorAll("[data-act]")) button.hidden = !OFFERED[button.dataset.act](latest);
  };

  plate.update(job);
  return plate;
}

const OFFERED = {
  reuse: (job) => Boolean(promptOf(job)) && !isOpen(job),
  seed: (job) => Boolean(promptOf(job)) && job.status === "completed",
  copy: (job) => Boolean(promptOf(job)),
  cancel: isOpen,
};

/** "a-red-fox-1234-2.png" */
export function fileName(job, index) {
  const words = wordsAndFlags(promptOf(job)).words.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  const stem = words.slice(0, 6).join("-").slice(0, 60) || "brushwork";
  return `${stem}-${job.output.seed}-${index + 1}.png`;
}
