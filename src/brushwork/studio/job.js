// Questions about a job: what it shows, what it came from, its pictures. Knows no page, and asks the server nothing.

import { pictureAddress } from "./api.js";
import { wordsAndFlags } from "./flags.js";

/** How many pictures become of a task; four where it is not named. */
const PICTURES = { upscale: 1, enhance: 1, enhance_upscale: 1, remove_background: 1, describe: 0, shorten: 0 };
const HUGE = ["6K", "8K", "12K"]; // no browser should have to decode these: what they were made from is shown instead
const DEEPEST = 16; // jobs in a row that have no words of their own

const known = new Map(); // job id → the job, as it was seen last
const makers = new Map(); // path of a picture → { job_id, image_no }: links are signed anew each time, paths stay

export function remember(job) {
  known.set(job.job_id, job);
  for (const [number, url] of (job.output?.image_urls ?? []).entries()) {
    makers.set(pathOf(url), { job_id: job.job_id, image_no: number });
  }
}

export function forgetJobs() {
  known.clear();
  makers.clear();
}

const pathOf = (url) => /\/files\/[^?]*/.exec(url ?? "")?.[0];

export const isOpen = (job) => job.status !== "completed" && job.status !== "failed";
export const pictureCount = (job) => PICTURES[job.task_type] ?? (/video/.test(job.task_type) ? 1 : 4);
export const isCutOut = (job) => job?.task_type === "remove_background";
export const choicesOf = (job) => job.output?.prompts ?? [];
export const parentOf = (job) => known.get(originOf(job)?.job_id);

/** Which picture of which job this one came from, `{ job_id, image_no }`: as the server says, or as the link tells. */
export const originOf = (job) => job.detail?.parent ?? makers.get(pathOf(job.input?.imgUrl ?? job.input?.image_url));

/** What a job shows: its own words, or those of the job it came from. */
export function promptOf(job, depth = DEEPEST) {
  const own = job.input?.text ?? job.input?.prompt ?? job.input?.remixPrompt;
  if (own) return own;
  const parent = parentOf(job);
  return parent && depth ? promptOf(parent, depth - 1) : "";
}

/** Words to show for a job: a link to a picture says nothing to people. */
export const titleOf = (job) =>
  readable(wordsAndFlags(promptOf(job)).words) || sentence(job.task_type.replaceAll("_", " "));

export const readable = (words) => words.replace(/https?:\/\/\S+/g, "[picture]");

const sentence = (text) => text[0].toUpperCase() + text.slice(1);

/** The finished pictures, each with all that can be said of it and done with it: `link` shows it, `whole` is all of it. */
export function picturesOf(job) {
  const urls = job.output?.image_urls ?? [];
  const stand = HUGE.includes(job.input?.target_resolution) && sourcesOf(job)[0];
  return urls.map((url, number) => ({
    job, number, url,
    link: stand || pictureAddress(url),
    whole: pictureAddress(url),
    prompt: promptOf(job),
    title: titleOf(job),
    place: stand ? `${job.input.target_resolution}, shown smaller: download it` : placeOf(job, number),
    file: fileName(job, url, number),
  }));
}

function placeOf(job, number) {
  const count = job.output.image_urls.length;
  return [count > 1 && `${number + 1} of ${count}`, `seed ${job.output.seed}`].filter(Boolean).join(" · ");
}

/** A picture of the client's own, as `POST /v1/files` answered. */
export const pictureOfUpload = ({ url, width, height }, name) => ({
  url, number: 0, link: pictureAddress(url), whole: pictureAddress(url),
  prompt: "", title: name, place: `${width} × ${height}`, file: name,
});

/** "a-red-fox-1234-2.png" */
function fileName(job, url, number) {
  const words = titleOf(job).toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  const stem = words.slice(0, 6).join("-").slice(0, 60) || "brushwork";
  const [ending] = /\.\w+$/.exec(new URL(url, location.href).pathname) ?? [".png"];
  return `${stem}-${job.output.seed}-${number + 1}${ending}`;
}

/** Links to the pictures that a job was made from, where this server has them. */
export function sourcesOf(job) {
  const { imgUrl, image_url: imageUrl, imgUrls = [], text = "" } = job.input ?? {};
  const given = [imgUrl, imageUrl, ...imgUrls, ...(text.match(/https?:\/\/\S+/g) ?? [])];
  const fromParent = job.detail?.parent && parentOf(job)?.output?.image_urls?.[job.detail.parent.image_no];
  return [fromParent, ...given].filter(isOurs).map(pictureAddress);
}

const isOurs = (url) => /^https?:\/\/[^/]+\/files\//.test(url ?? "");
