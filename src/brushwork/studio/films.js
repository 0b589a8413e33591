// The clips of a job: players with what may follow each. Asks the server nothing.

import { pictureAddress } from "./api.js";
import { make } from "./dom.js";
import { titleOf } from "./job.js";

/** What a clip may be followed by: its name in `video_actions`, and what the button says. */
const ACTIONS = [["extend", "4 s more"], ["upscale", "Twice as large"]];

/** The requests of the buttons, by their `data-act`. */
export const FILM_REQUESTS = {
  extend: (job, number) => ["extend-video", { jobId: job.job_id, videoNo: number, prompt: "--bs 1" }],
  upscale: (job, number) => ["video-upscale", { jobId: job.job_id, videoNo: number }],
};

/** Show the clips of a job in `place`; what is already there stays, so that a playing clip plays on. */
export function showFilms(place, job) {
  const links = (job.output?.video_urls ?? []).map(pictureAddress);
  place.hidden = !links.length;
  links.forEach((link, number) => {
    const shown = place.children[number]?.querySelector("video");
    if (shown?.getAttribute("src")?.split("?")[0] === link.split("?")[0]) return;
    const film = filmOf(job, link, number);
    if (shown) place.children[number].replaceWith(film);
    else place.append(film);
  });
  while (place.children.length > links.length) place.lastElementChild.remove();
}

function filmOf(job, link, number) {
  const poster = job.output.poster_urls?.[number];
  const video = make("video", { src: link, controls: true, loop: true, muted: true, playsInline: true, preload: "none" });
  if (poster) video.poster = pictureAddress(poster);
  video.setAttribute("aria-label", `Clip ${number + 1} of: ${titleOf(job)}`);
  const offered = ACTIONS.filter(([name]) => (job.output.video_actions?.[name] ?? []).includes(number));
  const buttons = offered.map(([name, words]) => {
    const button = make("button", { type: "button", textContent: words });
    button.dataset.act = name;
    button.dataset.number = number;
    return button;
  });
  return make("div", { className: "film" }, video, make("p", { className: "acts" }, ...buttons));
}
