// What can be made of a picture: the follow-up tasks as buttons, which of them a picture offers, and the request that
// each makes. Knows no page. The table is written as JSON, so that the tests can hold it against the server's tasks.

import { BASE_PRICE, estimate } from "./flags.js";
import { parentOf, promptOf } from "./job.js";

/** `by`: what names the picture, a job and its number, or the field for its URL. `words`: whether a new prompt may or
 *  must be given. `points`: before what the source's prompt multiplies. `drafts`: only where the prompt has --draft.
 *  `always`: of every picture, though the job does not list it. */
export const TOOLS = [
  {"group": "Vary", "label": "Subtle", "task": "variation", "body": {"type": 0}, "by": "job", "words": "may", "points": 120},
  {"group": "Vary", "label": "Strong", "task": "variation", "body": {"type": 1}, "by": "job", "words": "may", "points": 120},
  {"group": "Upscale", "label": "Subtle", "task": "upscale", "body": {"type": 0}, "by": "job", "points": 120},
  {"group": "Upscale", "label": "Creative", "task": "upscale", "body": {"type": 1}, "by": "job", "points": 160},
  {"group": "Remix", "label": "Subtle", "task": "remix", "body": {"mode": 1}, "by": "job", "words": "must", "points": 120},
  {"group": "Remix", "label": "Strong", "task": "remix", "body": {"mode": 0}, "by": "job", "words": "must", "points": 120},
  {"group": "Pan", "label": "Left", "task": "pan", "body": {"direction": 3, "scale": 1.5}, "by": "job", "words": "may", "points": 80},
  {"group": "Pan", "label": "Up", "task": "pan", "body": {"direction": 2, "scale": 1.5}, "by": "job", "words": "may", "points": 80},
  {"group": "Pan", "label": "Down", "task": "pan", "body": {"direction": 0, "scale": 1.5}, "by": "job", "words": "may", "points": 80},
  {"group": "Pan", "label": "Right", "task": "pan", "body": {"direction": 1, "scale": 1.5}, "by": "job", "words": "may", "points": 80},
  {"group": "Zoom out", "label": "1.5×", "task": "outpaint", "body": {"scale": 1.5}, "by": "job", "words": "may", "points": 80},
  {"group": "Zoom out", "label": "2×", "task": "outpaint", "body": {"scale": 2}, "by": "job", "words": "may", "points": 80},
  {"group": "Repaint", "label": "Outline a part", "task": "inpaint", "body": {}, "by": "job", "words": "may", "points": 120},
  {"group": "Finish", "label": "Enhance the draft", "task": "enhance", "body": {}, "by": "job", "points": 80, "drafts": true},
  {"group": "Animate", "label": "480p", "task": "video-diffusion", "body": {"prompt": "--bs 1", "videoType": 0}, "by": "job", "points": 120, "always": true},
  {"group": "Animate", "label": "720p", "task": "video-diffusion", "body": {"prompt": "--bs 1", "videoType": 1}, "by": "job", "points": 384, "always": true},
  {"group": "Enlarge", "label": "4K", "task": "enhance-upscale", "body": {"target_resolution": "4K"}, "by": "image_url", "points": 160},
  {"group": "Enlarge", "label": "8K", "task": "enhance-upscale", "body": {"target_resolution": "8K"}, "by": "image_url", "points": 300},
  {"group": "Enlarge", "label": "12K", "task": "enhance-upscale", "body": {"target_resolution": "12K"}, "by": "image_url", "points": 540},
  {"group": "More", "label": "Remove background", "task": "remove-background", "body": {}, "by": "imgUrl", "points": 80},
  {"group": "More", "label": "Retexture", "task": "retexture", "body": {}, "by": "imgUrl", "words": "must", "points": 120},
  {"group": "More", "label": "Describe", "task": "describe", "body": {}, "by": "imgUrl", "points": 20}
];

const INHERITING = ["diffusion", "variation", "remix", "reroll"]; // what follows a draft by these is a draft

/** The tools for a picture of a job, or for one of the client's own: what the server would accept, as far as it said. */
export function toolsFor({ job, number }) {
  if (!job) return TOOLS.filter(({ by }) => by !== "job");
  const actions = job.output.available_actions ?? {};
  return TOOLS.filter(({ task, by, drafts, always }) => {
    if (by !== "job" || always) return true;
    return drafts ? isDraft(job) : (actions[task] ?? []).includes(number);
  });
}

function isDraft(job) {
  if (!INHERITING.includes(job.task_type)) return false;
  if (/\s--draft(\s|$)/i.test(promptOf(job))) return true;
  return Boolean(parentOf(job)) && isDraft(parentOf(job));
}

/** The body of the request. `areas` are polygons; empty words are left out, and the source's hold. */
export function bodyOf(tool, { job, number, url }, { words = "", areas = [] } = {}) {
  const source = tool.by === "job" ? { jobId: job.job_id, imageNo: number } : { [tool.by]: url };
  return {
    ...source,
    ...tool.body,
    ...(areas.length && { mask: { areas } }),
    ...(tool.words && words && { remixPrompt: words }),
  };
}

/** Points, as far as the studio can tell: what the words multiply, and a draft makes nothing cheaper. */
export function pointsFor(tool, { job }, words = "") {
  const inherited = tool.by === "job" ? promptOf(job) : "";
  const prompt = tool.words && words ? `${words} ${inherited}` : inherited;
  return tool.points * Math.max(1, estimate(prompt.replace(/--(draft|oref \S+|sv 6)/gi, "")) / BASE_PRICE);
}

/** "Upscale · Subtle": what a job was asked for, where there is a button for it. */
export function toolWords(job) {
  const task = job.task_type.replaceAll("_", "-");
  const isSame = ([name, value]) => job.input?.[name] === value;
  const tool = TOOLS.find((one) => one.task === task && Object.entries(one.body).every(isSame));
  return tool && tool.group !== "More" ? `${tool.group} · ${tool.label}` : "";
}
