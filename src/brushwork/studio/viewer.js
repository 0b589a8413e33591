// The large view: one picture, its words, and the way to its neighbours. Arrow keys turn, Esc closes.

import { closeBench, showBench, startBench } from "./bench.js";
import { isBrushing, placeBrush, stopBrush } from "./brush.js";
import { byId, confirmOn, copy } from "./dom.js";
import { isCutOut } from "./job.js";
import { usePrompt } from "./prompt.js";

const viewer = byId("viewer");
const stage = byId("viewer-stage");
const image = byId("viewer-image");
const SWIPE = 48; // pixels

let pictures = []; // as in job.js
let at = 0;

export function openViewer(all, index) {
  pictures = all;
  if (!viewer.open) viewer.showModal();
  viewer.focus(); // not a button: Enter should do nothing yet
  show(index);
}

export const closeViewer = () => viewer.close();

function show(index) {
  if (index < 0 || index >= pictures.length) return;
  at = index;
  const { job, link, whole, prompt, title, place, file } = pictures[at];
  stopBrush();
  image.src = link;
  image.alt = title;
  image.classList.toggle("is-cut-out", isCutOut(job));
  byId("viewer-words").textContent = title;
  byId("viewer-place").textContent = place;
  byId("viewer-save").href = whole;
  byId("viewer-save").download = file;
  byId("viewer-copy").hidden = byId("viewer-reuse").hidden = !prompt;
  byId("viewer-previous").disabled = at === 0;
  byId("viewer-next").disabled = at === pictures.length - 1;
  showBench(pictures[at]);
  for (const near of [at - 1, at + 1]) if (pictures[near]) new Image().src = pictures[near].link;
}

/** Make the picture as large as fits; what lies behind or on it then has the picture's own box. */
function fit() {
  const { naturalWidth: width, naturalHeight: height } = image;
  if (!viewer.open || !width) return;
  const { paddingLeft, paddingRight, paddingTop, paddingBottom } = getComputedStyle(stage);
  const across = stage.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight);
  const down = stage.clientHeight - parseFloat(paddingTop) - parseFloat(paddingBottom);
  const scale = Math.min(across / width, down / height);
  image.style.width = `${width * scale}px`;
  image.style.height = `${height * scale}px`;
  placeBrush();
}

image.addEventListener("load", fit);
new ResizeObserver(fit).observe(stage);

const STEPS = { ArrowLeft: -1, ArrowRight: 1 };

// On the document: when a focused button is switched off at either end, the focus leaves the dialog.
document.addEventListener("keydown", (event) => {
  const step = viewer.open && STEPS[event.key];
  if (!step || event.altKey || event.ctrlKey || event.metaKey) return;
  if (isBrushing() || event.target.closest?.("textarea")) return; // the keys have another meaning there
  event.preventDefault();
  show(at + step);
});
viewer.addEventListener("click", ({ target }) => {
  if (isBrushing()) return;
  if (target === viewer || target === stage) viewer.close();
});
viewer.addEventListener("cancel", (event) => {
  if (!isBrushing()) return;
  event.preventDefault(); // Esc puts the pencil down first
  stopBrush();
});
viewer.addEventListener("close", () => {
  stopBrush();
  closeBench();
  image.removeAttribute("src");
});
byId("viewer-previous").addEventListener("click", () => show(at - 1));
byId("viewer-next").addEventListener("click", () => show(at + 1));
byId("viewer-close").addEventListener("click", closeViewer);
byId("viewer-copy").addEventListener("click", async ({ target }) => {
  confirmOn(target, (await copy(pictures[at].prompt)) ? "Copied" : "Could not copy");
});
byId("viewer-reuse").addEventListener("click", () => {
  viewer.close();
  usePrompt(pictures[at].prompt);
});

let touchedAt = null;
stage.addEventListener("touchstart", ({ touches }) => {
  touchedAt = touches.length === 1 && !isBrushing() ? touches[0].clientX : null; // two fingers enlarge, they do not turn
}, { passive: true });
stage.addEventListener("touchend", ({ changedTouches }) => {
  if (touchedAt === null) return;
  const moved = changedTouches[0].clientX - touchedAt;
  touchedAt = null;
  if (Math.abs(moved) > SWIPE) show(at - Math.sign(moved));
});

startBench(closeViewer);
