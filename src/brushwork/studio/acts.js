// What people do with a plate: its buttons, by their name on the page.

import * as api from "./api.js";
import { askFor } from "./asking.js";
import { announce, confirmOn, copy, say } from "./dom.js";
import { FILM_REQUESTS } from "./films.js";
import { originOf, parentOf, promptOf } from "./job.js";
import { usePrompt } from "./prompt.js";
import { refusalWords } from "./words.js";

/** `hang(job)` hangs a job that is not on the wall yet; `hasEnded()` is told when one was cancelled. */
export const makeActs = ({ hang, hasEnded }) => ({
  reuse: (plate) => usePrompt(promptOf(plate.job)),
  seed: (plate) => usePrompt(promptOf(plate.job), { seed: plate.job.output.seed }),
  copy: async (plate, button) => confirmOn(button, (await copy(promptOf(plate.job))) ? "Copied" : "Could not copy"),
  choose: (_, button) => usePrompt(button.textContent),
  origin: (plate) => showOrigin(plate, hang),
  reroll: (plate, button) => once(button, async () => {
    const isAccepted = await askFor("reroll", { jobId: plate.job.job_id }, (words) => complain(plate, words));
    if (isAccepted) window.scrollTo({ top: 0 });
  }),
  extend: (plate, button) => followFilm("extend", plate, button),
  upscale: (plate, button) => followFilm("upscale", plate, button),
  cancel: (plate, button) => once(button, async () => {
    try {
      plate.update(await api.cancelJob(plate.job.job_id));
      announce("Cancelled");
      hasEnded();
    } catch (error) {
      complain(plate, refusalWords(error));
    }
  }),
});

const followFilm = (name, plate, button) => once(button, async () => {
  const [task, body] = FILM_REQUESTS[name](plate.job, Number(button.dataset.number));
  if (await askFor(task, body, (words) => complain(plate, words))) window.scrollTo({ top: 0 });
});

async function once(button, act) {
  button.disabled = true;
  await act();
  button.disabled = false;
}

const complain = (plate, words) => say(plate.element.querySelector(".fault"), words);

/** Go to the job that this one came from; one that is further down than the wall reaches is hung there. */
async function showOrigin(plate, hang) {
  try {
    const parent = parentOf(plate.job) ?? (await api.getJob(originOf(plate.job).job_id));
    const { element } = hang(parent);
    element.scrollIntoView({ block: "center" });
    element.querySelector(".opener")?.focus({ preventScroll: true });
  } catch (error) {
    complain(plate, error.status === 404 ? "The job it came from is gone." : refusalWords(error));
  }
}
