// Pictures of one's own: chosen, dropped or pasted, kept by the server, and laid in a tray under the prompt.

import { Refusal, Unreachable, uploadPicture } from "./api.js";
import { askFor } from "./asking.js";
import { announce, byId, make, say } from "./dom.js";
import { pictureOfUpload } from "./job.js";
import { refuse, usePicture } from "./prompt.js";
import { openViewer } from "./viewer.js";
import { refusalWords } from "./words.js";

const MOST_AT_ONCE = 8;
const MOST_IN_A_BLEND = 5;
const RATIOS = ["2:3", "1:1", "3:2"]; // that a blend can have

const tray = byId("tray");
const chooser = byId("upload-file");
let pictures = []; // in the tray, as in job.js
let onTrouble = () => {};

export function startUploads(onPageTrouble) {
  onTrouble = onPageTrouble;
  byId("upload").addEventListener("click", () => chooser.click());
  chooser.addEventListener("change", () => {
    takeIn(chooser.files);
    chooser.value = "";
  });
  byId("blend").addEventListener("click", blend);
  document.addEventListener("dragover", onDrag);
  document.addEventListener("dragleave", ({ relatedTarget }) => relatedTarget || markDrop(false));
  document.addEventListener("drop", onDrop);
  document.addEventListener("paste", ({ clipboardData }) => isReady() && takeIn(clipboardData?.files ?? []));
}

export function clearUploads() {
  pictures = [];
  tray.replaceChildren();
  refresh();
}

const isReady = () => !byId("studio").hidden && !document.querySelector("dialog[open]");
const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
const markDrop = (isOver) => byId("composer").classList.toggle("is-target", isOver);

function onDrag(event) {
  if (!hasFiles(event)) return;
  event.preventDefault(); // or the browser would leave the page and show the file
  event.dataTransfer.dropEffect = isReady() ? "copy" : "none";
  markDrop(isReady());
}

function onDrop(event) {
  if (!hasFiles(event)) return;
  event.preventDefault();
  markDrop(false);
  if (isReady()) takeIn(event.dataTransfer.files);
}

async function takeIn(files) {
  const chosen = Array.from(files).slice(0, MOST_AT_ONCE);
  if (!chosen.length) return;
  refuse("");
  for (const file of chosen) {
    say(byId("upload-state"), `Uploading ${file.name} …`);
    try {
      lay(pictureOfUpload(await uploadPicture(file), file.name));
      announce(`${file.name} is in the tray`);
    } catch (error) {
      if (error instanceof Unreachable || error.status === 401) onTrouble(error);
      refuse(`${file.name}: ${error instanceof Refusal ? refusalWords(error) : "could not be sent."}`);
      break;
    }
  }
  say(byId("upload-state"), "");
}

/** Put a picture into the tray: open it, begin the prompt with it, or take it out again. */
function lay(picture) {
  const image = make("img", { src: picture.link, alt: "", decoding: "async" });
  const opener = make("button", { type: "button", className: "thumb", title: "What can be made of it" }, image);
  const use = make("button", { type: "button", textContent: "Use in prompt" });
  const remove = make("button", { type: "button", textContent: "Remove" });
  opener.setAttribute("aria-label", `Open ${picture.title}`);
  use.setAttribute("aria-label", `Use ${picture.title} in the prompt`);
  remove.setAttribute("aria-label", `Take ${picture.title} out of the tray`);
  const item = make("li", {}, opener, use, remove);
  opener.addEventListener("click", () => openViewer(pictures, pictures.indexOf(picture)));
  use.addEventListener("click", () => usePicture(picture.url));
  remove.addEventListener("click", () => {
    pictures = pictures.filter((other) => other !== picture);
    item.remove();
    refresh();
    byId("upload").focus();
  });
  pictures = [...pictures, picture];
  tray.append(item);
  refresh();
}

function refresh() {
  byId("tray-box").hidden = pictures.length === 0;
  byId("blend").hidden = pictures.length < 2 || pictures.length > MOST_IN_A_BLEND;
}

/** Blend what is in the tray, in the chosen shape where a blend can have it. */
function blend() {
  const { value } = byId("composer").elements.ar;
  const ratio = RATIOS.includes(value) ? value : "1:1";
  return askFor("blend", { imgUrls: pictures.map(({ url }) => url), aspect_ratio: ratio }, refuse);
}
