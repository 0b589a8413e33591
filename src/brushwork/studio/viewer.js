// The large view: one picture, its words, and the way to its neighbours. Arrow keys turn, Esc closes.

import { byId, confirmOn, copy } from "./dom.js";
import { fileName, promptOf } from "./plate.js";
import { usePrompt } from "./prompt.js";

const viewer = byId("viewer");
const image = byId("viewer-image");
const SWIPE = 48; // pixels

let pictures = []; // { job, number, link }
let at = 0;

export function openViewer(all, index) {
  pictures = all;
  if (!viewer.open) viewer.showModal();
  show(index);
}

export const closeViewer = () => viewer.close();

function show(index) {
  if (index < 0 || index >= pictures.length) return;
  at = index;
  const { job, number, link } = pictures[at];
  const count = job.output.image_urls.length;
  image.src = link;
  image.alt = `Picture ${number + 1} of: ${promptOf(job)}`;
  byId("viewer-words").textContent = promptOf(job);
  byId("viewer-place").textContent = `${number + 1} of ${count} · seed ${job.output.seed}`;
  byId("viewer-save").href = link;
  byId("viewer-save").download = fileName(job, number);
  byId("viewer-previous").disabled = at === 0;
  byId("viewer-next").disabled = at === pictures.length - 1;
  for (const near of [at - 1, at + 1]) if (pictures[near]) new Image().src = pictures[near].link;
}

const STEPS = { ArrowLeft: -1, ArrowRight: 1 };

// On the document: when a focused button is switched off at either end, the focus leaves the dialog.
document.addEventListener("keydown", (event) => {
  const step = viewer.open && STEPS[event.key];
  if (!step || event.altKey || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  show(at + step);
});
viewer.addEventListener("click", ({ target }) => {
  if (target === viewer || target.classList.contains("stage")) viewer.close();
});
viewer.addEventListener("close", () => image.removeAttribute("src"));
byId("viewer-previous").addEventListener("click", () => show(at - 1));
byId("viewer-next").addEventListener("click", () => show(at + 1));
byId("viewer-close").addEventListener("click", () => viewer.close());
byId("viewer-copy").addEventListener("click", async ({ target }) => {
  confirmOn(target, (await copy(promptOf(pictures[at].job))) ? "Copied" : "Could not copy");
});
byId("viewer-reuse").addEventListener("click", () => {
  viewer.close();
  usePrompt(promptOf(pictures[at].job));
});

let touchedAt = null;
viewer.addEventListener("touchstart", ({ touches }) => {
  touchedAt = touches.length === 1 ? touches[0].clientX : null; // two fingers enlarge, they do not turn
}, { passive: true });
viewer.addEventListener("touchend", ({ changedTouches }) => {
  if (touchedAt === null) return;
  const moved = changedTouches[0].clientX - touchedAt;
  touchedAt = null;
  if (Math.abs(moved) > SWIPE) show(at - Math.sign(moved));
});
