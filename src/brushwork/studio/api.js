// The client of /api: one function a question. Knows no page. Every question fails with a Refusal (the server said no)
// or as Unreachable (nobody answered).

import { readKey } from "./key.js";

export class Refusal extends Error {
  constructor(status, message, retryAfter) {
    super(message);
    Object.assign(this, { status, retryAfter });
  }
}

export class Unreachable extends Error {}

export const getBalance = () => ask("account/balance");
export const getJob = (id) => ask(`v1/job/${encodeURIComponent(id)}`);
export const cancelJob = (id) => ask(`v1/job/${encodeURIComponent(id)}/cancel`, { method: "POST" });
export const listJobs = (cursor = "", limit = 12) =>
  ask(`v1/jobs?limit=${limit}${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);

/** Ask for a job. The same `ticket` twice is the same job: a lost answer can be asked for again. */
export const startTask = (task, body, ticket) =>
  ask(`v1/${task}`, { method: "POST", body: JSON.stringify(body), headers: { "idempotency-key": ticket } });

/** Keep a picture of the client's own; the answer has its URL. */
export const uploadPicture = (file) =>
  ask("v1/files", { method: "POST", body: file, headers: { "content-type": file.type || "application/octet-stream" } });

export function newTicket() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return "studio-" + Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Follow a job: `onEvent(kind, data, id)` for each event after `lastId`. Returns when the server ends the stream. */
export async function followJob(id, { lastId = "", onEvent, signal }) {
  const headers = lastId ? { "last-event-id": lastId } : {};
  const answer = await send(`v1/job/${encodeURIComponent(id)}/events`, { headers, signal });
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const blocks = (rest + value.replaceAll("\r", "")).split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) readEvent(block, onEvent);
  }
}

function readEvent(block, onEvent) {
  const event = { event: "message", data: "", id: "" };
  for (const line of block.split("\n")) {
    const [, field, value] = /^(event|data|id): ?(.*)$/.exec(line) ?? [];
    if (field) event[field] = field === "data" && event.data ? `${event.data}\n${value}` : value;
  }
  if (event.data) onEvent(event.event, JSON.parse(event.data), event.id);
}

/** Links are absolute and may name another host than the one we came by (localhost, 127.0.0.1); the page may show only
 *  its own host's pictures, and that serves them as well. */
export function pictureAddress(link) {
  const url = new URL(link, location.href);
  return url.pathname.startsWith("/files/") ? location.origin + url.pathname + url.search : url.href;
}

async function ask(path, options) {
  try {
    const answer = await send(path, options);
    return await answer.json();
  } catch (error) {
    if (error instanceof Refusal) throw error;
    whenLost();
    throw new Unreachable("The server does not answer.");
  }
}

async function send(path, { headers = {}, ...options } = {}) {
  const type = options.body && { "content-type": "application/json" };
  const all = { "x-api-key": readKey(), ...type, ...headers };
  const answer = await fetch(`/api/${path}`, { ...options, headers: all, cache: "no-store" });
  if (!answer.ok) throw await refusalOf(answer);
  return answer;
}

async function refusalOf(answer) {
  const body = await answer.json().catch(() => ({}));
  const message = body.message || `The server answered ${answer.status} ${answer.statusText}`.trim();
  const retryAfter = Number(answer.headers.get("retry-after")) || 0;
  if (answer.status >= 502 && answer.status <= 504) return new Unreachable(message);
  return new Refusal(answer.status, message, retryAfter);
}

let whenLost = () => {};

/** Be told when a question found nobody. Not when a stream broke: a question follows soon. */
export const onLost = (callback) => (whenLost = callback);
