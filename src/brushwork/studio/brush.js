// Outlining parts of the large picture, to have them painted anew: with a pointer, or with the arrow keys and Space.

import { byId, say } from "./dom.js";
import { addPoint, isArea, polygonOf } from "./outline.js";

const canvas = byId("brush");
const bar = byId("brush-bar");
const image = byId("viewer-image");
const pen = canvas.getContext("2d");
const STEP = 0.01, LEAP = 0.05; // shares of the picture
const MOST = 64;
const HINT = "Draw round what shall be painted anew.";

let outlines = []; // closed
let current = null; // being drawn: [[x, y], …]
let cursor = null; // of the arrow keys
let onPaint = null;

export const isBrushing = () => onPaint !== null;

/** Let people draw; `paint(areas, button)` is told the polygons when they are done. */
export function startBrush(paint) {
  onPaint = paint;
  outlines = [];
  current = cursor = null;
  canvas.hidden = bar.hidden = false;
  placeBrush();
  tellHow();
  canvas.focus({ preventScroll: true });
}

export function stopBrush() {
  onPaint = null;
  canvas.hidden = bar.hidden = true;
}

/** Lay the canvas exactly over the picture. */
export function placeBrush() {
  if (!isBrushing()) return;
  const { offsetLeft, offsetTop, offsetWidth, offsetHeight } = image;
  Object.assign(canvas.style, {
    left: `${offsetLeft}px`, top: `${offsetTop}px`, width: `${offsetWidth}px`, height: `${offsetHeight}px`,
  });
  canvas.width = offsetWidth * devicePixelRatio;
  canvas.height = offsetHeight * devicePixelRatio;
  paint();
}

function tellHow() {
  const count = outlines.length;
  say(byId("brush-hint"), count ? `${count} ${count === 1 ? "part" : "parts"} outlined. All that is inside is painted anew; words for it go into the new prompt.` : HINT);
  byId("brush-paint").disabled = byId("brush-undo").disabled = count === 0;
}

function close() {
  if (current && isArea(current) && outlines.length < MOST) outlines.push(current);
  current = null;
  tellHow();
  paint();
}

// ── drawing what was outlined ──

function trace(outline) {
  pen.beginPath();
  for (const [x, y] of outline) pen.lineTo(x * canvas.width, y * canvas.height);
}

function paint() {
  pen.clearRect(0, 0, canvas.width, canvas.height);
  pen.lineJoin = "round";
  for (const outline of outlines) {
    trace(outline);
    pen.closePath();
    pen.fillStyle = "rgba(147, 167, 255, .45)";
    pen.fill("nonzero");
    stroke();
  }
  if (current) {
    trace(cursor ? [...current, cursor] : current);
    stroke();
  }
  if (cursor) cross();
}

/** Dark under light, to be seen on every picture. */
function stroke() {
  for (const [style, width] of [["#000a", 4], ["#fff", 2]]) {
    pen.strokeStyle = style;
    pen.lineWidth = width * devicePixelRatio;
    pen.stroke();
  }
}

function cross() {
  const [x, y] = [cursor[0] * canvas.width, cursor[1] * canvas.height];
  const arm = 9 * devicePixelRatio;
  pen.beginPath();
  pen.moveTo(x - arm, y);
  pen.lineTo(x + arm, y);
  pen.moveTo(x, y - arm);
  pen.lineTo(x, y + arm);
  stroke();
}

// ── the pointer ──

function pointOf({ clientX, clientY }) {
  const { left, top, width, height } = canvas.getBoundingClientRect();
  return [(clientX - left) / width, (clientY - top) / height];
}

canvas.addEventListener("pointerdown", (event) => {
  if (event.button !== 0 || !event.isPrimary) return;
  canvas.setPointerCapture(event.pointerId);
  cursor = null;
  current = [];
  addPoint(current, pointOf(event));
});
canvas.addEventListener("pointermove", (event) => {
  if (!current || cursor || !event.isPrimary) return;
  for (const each of event.getCoalescedEvents?.() ?? []) addPoint(current, pointOf(each));
  addPoint(current, pointOf(event));
  paint();
});
canvas.addEventListener("pointerup", () => current && !cursor && close());
canvas.addEventListener("pointercancel", () => {
  current = null;
  paint();
});

// ── the keys ──

const WAYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

canvas.addEventListener("keydown", (event) => {
  const way = WAYS[event.key];
  if (!way && event.key !== " " && event.key !== "Enter") return;
  event.preventDefault();
  cursor ??= [0.5, 0.5];
  const step = event.shiftKey ? LEAP : STEP;
  if (way) cursor = cursor.map((value, axis) => Math.min(Math.max(value + way[axis] * step, 0), 1));
  else if (event.key === " ") addPoint((current ??= []), cursor);
  else if (current) return close();
  paint();
});

// ── the buttons ──

byId("brush-undo").addEventListener("click", () => {
  outlines.pop();
  tellHow();
  paint();
});
byId("brush-stop").addEventListener("click", stopBrush);
byId("brush-paint").addEventListener("click", ({ target }) => {
  const size = { width: image.naturalWidth, height: image.naturalHeight };
  onPaint(outlines.map((outline) => polygonOf(outline, size)), target);
});
