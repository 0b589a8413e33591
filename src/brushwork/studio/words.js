// How the studio says things: sentences from what the server answers. Knows no page.

import { originOf, titleOf } from "./job.js";
import { toolWords } from "./tools.js";

const number = new Intl.NumberFormat("en");
const time = { hour: "numeric", minute: "2-digit" };
const day = { month: "short", day: "numeric" };

export const points = (count) => `${number.format(count)} ${count === 1 ? "point" : "points"}`;

const ENGINES = {
  diorama: "Drawn by Diorama, a procedural painter",
  noop: "Left blank by the no-op engine, which draws nothing",
};

/** What happened when the server said no; its own sentence is the heart of it. */
export function refusalWords(error) {
  const message = /[.!?]$/.test(error.message) ? error.message : `${error.message}.`;
  if (error.status === 402) return `Not enough points. ${message}`;
  if (error.status === 429) return `Too much at once. ${message}${error.retryAfter ? ` Try again in ${error.retryAfter} s.` : ""}`;
  if (error.status >= 500) return `The server failed. ${message}`;
  return message;
}

export function stateWords(job) {
  if (job.status === "pending" && Number.isInteger(job.detail?.queue_position)) {
    const ahead = job.detail.queue_position;
    return ahead === 0 ? "Next in the queue" : `Waiting, ${number.format(ahead)} ahead`;
  }
  const message = { pending: "Waiting in the queue", staged: "Getting ready", processing: "Drawing" }[job.status];
  return message ?? job.message ?? job.status;
}

/** Which task it was, and of which picture; nothing for a prompt that was drawn. */
export function originWords(job) {
  if (job.task_type === "diffusion") return "";
  const task = toolWords(job) || capital(job.task_type.replaceAll("_", " "));
  const number = originOf(job)?.image_no;
  if (Number.isInteger(number)) return `${task}, from picture ${number + 1}`;
  return task === titleOf(job) ? "" : task;
}

const capital = (text) => text[0].toUpperCase() + text.slice(1);

export function faultWords(job) {
  if (job.status !== "failed") return "";
  return job.error?.message || "The job failed. Nothing was charged.";
}

/** What was repaired, honoured and not understood: one line each, in the server's own terms. */
export function noteLines(job) {
  const detail = job.detail ?? {};
  const lines = [];
  const missed = groupDegraded(detail.degraded ?? []);
  if (missed.word) lines.push(["missed", `Not understood: ${missed.word.join(", ")}`]);
  if (missed.negative) lines.push(["missed", `Could not be left out: ${missed.negative.join(", ")}`]);
  if (missed.parameter) lines.push(["missed", `Without effect: ${missed.parameter.map((name) => `--${name}`).join(" ")}`]);
  if (missed.other) lines.push(["missed", `Not done: ${missed.other.join(", ")}`]);
  const applied = Object.entries(detail.applied ?? {});
  if (applied.length) lines.push(["applied", `Applied: ${applied.map((item) => appliedWords(item, job.task_type)).join(", ")}`]);
  for (const warning of detail.warnings ?? []) lines.push(["warning", warning.message ?? String(warning)]);
  return lines;
}

/** Parameters of a prompt as they are written; a field of the request, or the task itself, in plain words. */
function appliedWords([name, how], task) {
  const words = name === task || name.includes("_") ? name.replaceAll("_", " ") : `--${name}`;
  return how === "native" ? words : `${words} (${how})`;
}

function groupDegraded(items) {
  const groups = {};
  for (const item of items) {
    if (item.startsWith("engine:")) continue; // said in the facts
    const [, kind, text] = /^(word|negative|parameter):(.*)$/s.exec(item) ?? [null, "other", item];
    (groups[kind] ??= []).push(text);
  }
  return groups;
}

/** Who drew it, when, how long it took and what it cost. */
export function factWords(job) {
  const facts = [];
  if (job.status === "completed") {
    const engine = job.detail?.engine;
    if (engine && job.output.image_urls) facts.push(ENGINES[engine] ?? `Drawn by ${[engine, job.detail.model].filter(Boolean).join(", ")}`);
    const seconds = (Date.parse(job.meta.ended_at) - Date.parse(job.meta.started_at)) / 1000;
    if (seconds >= 0 && seconds < 1e6) facts.push(seconds < 1 ? "under a second" : `${number.format(seconds)} s`);
    facts.push(points(job.meta.usage.consume));
    if (job.output.seed) facts.push(`seed ${job.output.seed}`);
  }
  facts.push(momentWords(new Date(job.meta.created_at), new Date()));
  return facts.join(" · ");
}

function momentWords(moment, now) {
  const isToday = moment.toDateString() === now.toDateString();
  const isThisYear = moment.getFullYear() === now.getFullYear();
  return moment.toLocaleString(undefined, isToday ? time : isThisYear ? { ...day, ...time } : { ...day, year: "numeric" });
}
