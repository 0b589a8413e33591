// Where follow-ups come from: the jobs before them say what they show, and may be too old to hang on the wall.

import { getJob } from "./api.js";
import { forgetJobs, originOf, parentOf, remember } from "./job.js";

const DEEPEST = 16; // follow-ups of follow-ups

let asked = new Map(); // job id → a promise of the job, or of null

export function forgetOrigins() {
  asked = new Map();
  forgetJobs();
}

/** Learn of all jobs before this one. Returns whether there are any; it may have to be shown anew then. */
export async function learnOrigins(job) {
  const table = asked;
  const hasOrigin = Boolean(originOf(job));
  for (let depth = 0; originOf(job) && depth < DEEPEST; depth += 1) {
    const id = originOf(job).job_id;
    if (!parentOf(job)) {
      if (!table.has(id)) table.set(id, getJob(id).catch(() => null)); // gone: it is not asked for again
      const parent = await table.get(id);
      if (!parent || table !== asked) break; // another key meanwhile
      if (!parentOf(job)) remember(parent);
    }
    job = parentOf(job);
  }
  return hasOrigin;
}
