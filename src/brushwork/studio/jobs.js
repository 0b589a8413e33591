// The wall: which jobs hang there, in which order, and how the page learns what becomes of them.
// An open job is watched by its stream of events, or asked for now and then where no stream is to be had.

import { makeActs } from "./acts.js";
import * as api from "./api.js";
import { announce, byId, sleep } from "./dom.js";
import { isOpen, picturesOf, remember, titleOf } from "./job.js";
import { forgetOrigins, learnOrigins } from "./origins.js";
import { makePlate } from "./plate.js";
import { openViewer } from "./viewer.js";

const STREAMS = 2; // browsers allow six connections a host, in all tabs together
const RARELY = 6; // times longer between questions while nobody looks
const SOON = 700, LATER = 2500; // milliseconds

const wall = byId("wall");
const plates = new Map(); // job id → plate
const streams = new Set(); // AbortControllers
let cursor = "";
let generation = 0; // of the wall: a watcher of an older one stops
let whenEnded = () => {};

/** Begin a wall for the key in use. `onEnded` is told whenever a job has ended. */
export async function startWall(onEnded) {
  clearWall();
  whenEnded = onEnded;
  await hangPage("");
}

export function clearWall() {
  generation += 1;
  for (const stream of streams) stream.abort();
  plates.clear();
  forgetOrigins();
  heights.disconnect();
  wall.replaceChildren();
  cursor = "";
  byId("older").hidden = byId("empty").hidden = true;
}

/** Hang a job of ours, or one that another client asked for meanwhile. */
export function hang(job) {
  const known = plates.get(job.job_id);
  if (known) return known;
  remember(job);
  const plate = makePlate(job, { onAct: (act, plate, button) => ACTS[act](plate, button), onOpen: enlarge, onMissing: renewOnce });
  plates.set(job.job_id, plate);
  const isOlder = (other) => (other.job.meta.created_at < job.meta.created_at);
  const next = inOrder().find((other) => other !== plate && isOlder(other));
  wall.insertBefore(plate.element, next?.element ?? null);
  heights.observe(plate.element);
  byId("empty").hidden = true;
  if (isOpen(job)) watch(plate, generation);
  learnOrigin(plate, generation);
  return plate;
}

async function learnOrigin(plate, born) {
  const isKnown = await learnOrigins(plate.job);
  if (isKnown && generation === born) plate.update(plate.job);
}

/** A job that was accepted this moment: always first, whatever the clocks say. */
export function hangFirst(job) {
  wall.prepend(hang(job).element);
}

/** The newest page again: jobs that other clients asked for. */
export async function refreshWall() {
  const asked = generation;
  const page = await api.listJobs();
  if (asked !== generation) return;
  if (!plates.size) cursor = page.next_cursor ?? "";
  hangAll(page.data);
}

export const hangOlder = () => hangPage(cursor);

async function hangPage(from) {
  const asked = generation;
  const page = await api.listJobs(from);
  if (asked !== generation) return;
  cursor = page.next_cursor ?? "";
  hangAll(page.data);
}

function hangAll(jobs) {
  jobs.forEach(remember); // all before any hangs: a job may come from one further down
  jobs.forEach(hang);
  showEnds();
}

function showEnds() {
  byId("older").hidden = !cursor;
  byId("empty").hidden = plates.size > 0;
}

const inOrder = () => {
  const byElement = new Map(Array.from(plates.values(), (plate) => [plate.element, plate]));
  return Array.from(wall.children, (element) => byElement.get(element)).filter(Boolean);
};

const ROW = 8; // pixels, as in plates.css
/** Plates of different heights hang close together: each spans as many thin rows as it is high. */
const heights = new ResizeObserver((changes) => {
  for (const { target, borderBoxSize } of changes) {
    target.style.gridRowEnd = `span ${Math.ceil(borderBoxSize[0].blockSize / ROW)}`;
  }
});

// ── what becomes of an open job ──

async function watch(plate, born) {
  const isWatched = () => generation === born && isOpen(plate.job);
  while (isWatched()) {
    const isRunning = plate.job.status !== "pending";
    if (isRunning && !document.hidden && streams.size < STREAMS) await stream(plate);
    else await sleep(pause(plate.job));
    if (isWatched()) await look(plate, isWatched);
  }
}

function pause(job) {
  const usual = job.status === "pending" && job.detail?.queue_position > 0 ? LATER : SOON;
  return document.hidden ? usual * RARELY : usual;
}

async function stream(plate) {
  const controller = new AbortController();
  streams.add(controller);
  const onEvent = (kind, data, id) => {
    plate.lastEvent = id;
    if (kind === "preview") showPreview(plate, data);
    else if (kind === "progress") plate.progress(data.progress);
    else if (kind === "status" && isOpen(data) && data.status !== plate.job.status) {
      plate.update({ ...plate.job, status: data.status });
    }
  };
  try {
    await api.followJob(plate.job.job_id, { lastId: plate.lastEvent, onEvent, signal: controller.signal });
  } catch {
    await sleep(SOON); // the next look at the job says what is wrong, if anything still is
  } finally {
    streams.delete(controller);
  }
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) for (const stream of streams) stream.abort();
});

function showPreview(plate, { index = 0, image = "" }) {
  if (/^data:image\/(jpeg|png|webp);base64,/.test(image)) plate.preview(index, image);
}

async function look(plate, isWatched = () => true) {
  try {
    const job = await api.getJob(plate.job.job_id);
    if (!isWatched()) return;
    remember(job);
    plate.update(job);
    if (isOpen(job)) return;
    const outcome = job.status === "completed" ? "Drawn" : job.error?.message ?? "Failed";
    announce(`${outcome}: ${titleOf(job)}`);
    whenEnded();
  } catch (error) {
    if (error.status === 404) leave(plate);
    else if (error.status === 401) whenEnded(); // the balance finds out, and asks for a key
    else await sleep(LATER);
  }
}

function leave(plate) {
  plates.delete(plate.job.job_id);
  heights.unobserve(plate.element);
  plate.element.remove();
  plate.job.status = "failed"; // nothing to watch any more
  showEnds();
}

/** A link to a picture has expired, or the picture is gone: fresh links, once a minute at most. */
async function renewOnce(plate) {
  if (Date.now() - (plate.renewed ?? 0) < 60_000) return;
  plate.renewed = Date.now();
  const job = await api.getJob(plate.job.job_id).catch(() => null);
  if (!job) return;
  remember(job);
  plate.update(job);
}

// ── what people do with a plate ──

const ACTS = makeActs({ hang, hasEnded: () => whenEnded() });

function enlarge(plate, index) {
  const pictures = inOrder().flatMap(({ job }) => picturesOf(job));
  const at = pictures.findIndex(({ job, number }) => job === plate.job && number === index);
  openViewer(pictures, Math.max(at, 0));
}
