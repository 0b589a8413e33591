// Asking for a job, of whatever kind: once, however often the answer is lost, and in words when the server says no.

import { Refusal, newTicket, startTask } from "./api.js";
import { refusalWords } from "./words.js";

const LASTING = 600_000; // milliseconds: who asks again later than that wants another job

const unanswered = new Map(); // request → { ticket, since }
let onAccepted = () => {};
let onTrouble = () => {};

/** Be told of each job that was accepted, and of errors that concern the whole page. */
export const startAsking = (handlers) => ({ onAccepted, onTrouble } = handlers);

/** Ask for a job; `tell(words)` says why not, or "". Returns whether it was accepted. */
export async function askFor(task, body, tell) {
  tell("");
  try {
    onAccepted(await send(task, body));
    return true;
  } catch (error) {
    if (!(error instanceof Refusal) || error.status === 401) onTrouble(error);
    const isLost = !(error instanceof Refusal);
    tell(isLost ? "The server does not answer. Ask again in a moment: it is not drawn twice." : refusalWords(error));
    return false;
  }
}

async function send(task, body) {
  const request = JSON.stringify([task, body]);
  const earlier = unanswered.get(request);
  const isRecent = earlier && Date.now() - earlier.since < LASTING;
  const { ticket } = isRecent ? earlier : unanswered.set(request, { ticket: newTicket(), since: Date.now() }).get(request);
  try {
    const job = await startTask(task, body, ticket);
    unanswered.delete(request);
    return job;
  } catch (error) {
    if (error instanceof Refusal) unanswered.delete(request);
    throw error;
  }
}
