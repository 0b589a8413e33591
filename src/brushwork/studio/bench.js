// The bench beside a large picture: a button for each thing that can be made of it, and the words for those that take
// some. What comes of it hangs on the wall.

import { askFor } from "./asking.js";
import { startBrush, stopBrush } from "./brush.js";
import { byId, confirmOn, make, say } from "./dom.js";
import { usePicture } from "./prompt.js";
import { bodyOf, pointsFor, toolsFor } from "./tools.js";

const field = byId("bench-words");
const groups = byId("bench-groups");

let picture = null;
let buttons = []; // { tool, button, price }

/** Get the bench going; `leave()` closes the large view. */
export function startBench(leave) {
  field.addEventListener("input", refresh);
  byId("bench-use").addEventListener("click", () => {
    const { url } = picture;
    leave();
    usePicture(url);
  });
}

/** Lay out the tools for a picture, as in job.js. */
export function showBench(shown) {
  picture = shown;
  tell("");
  const tools = toolsFor(picture);
  buttons = tools.map(makeButton);
  const must = namesOf(tools, "must"), may = namesOf(tools, "may");
  say(byId("bench-hint"), `${must.join(" and ")} ${must.length > 1 ? "need" : "needs"} one${may.length ? `; ${may.join(", ")} may have one.` : "."}`);
  const names = [...new Set(tools.map(({ group }) => group))];
  groups.replaceChildren(...names.map((name) => {
    const row = make("div", { className: "tools" });
    row.append(...buttons.filter(({ tool }) => tool.group === name).map(({ button }) => button));
    const group = make("div", { className: "group" }, make("h4", { textContent: name }), row);
    group.setAttribute("role", "group");
    group.setAttribute("aria-label", name);
    return group;
  }));
  refresh();
}

export function closeBench() {
  field.value = "";
  tell("");
}

const nameOf = ({ group, label }) => (group === "More" ? label : group);
const namesOf = (tools, words) => [...new Set(tools.filter((tool) => tool.words === words).map(nameOf))];

function makeButton(tool) {
  const price = make("small");
  const button = make("button", { type: "button" }, make("span", { textContent: tool.label }), price);
  button.addEventListener("click", () => onTool(tool, button));
  return { tool, button, price };
}

const wordsNow = () => field.value.trim();

/** Prices, which depend on the words. */
function refresh() {
  for (const { tool, button, price } of buttons) {
    const points = pointsFor(tool, picture, wordsNow());
    price.textContent = points;
    button.title = tool.words === "must" ? `${points} points; takes the new prompt` : `${points} points`;
  }
}

function onTool(tool, button) {
  if (tool.words === "must" && !wordsNow()) {
    tell(`${nameOf(tool)} needs a new prompt: write it here.`);
    return field.focus();
  }
  if (tool.task !== "inpaint") return use(tool, button.firstElementChild);
  tell("");
  startBrush((areas, done) => use(tool, done, areas));
}

/** Ask for what a tool makes; `label` says that it was accepted. */
async function use(tool, label, areas = []) {
  if (label.closest("[aria-busy]")) return;
  const shown = picture;
  groups.setAttribute("aria-busy", "true");
  const isAccepted = await askFor(tool.task, bodyOf(tool, shown, { words: wordsNow(), areas }), (words) => {
    if (picture === shown) tell(words);
  });
  groups.removeAttribute("aria-busy");
  if (!isAccepted) return;
  if (areas.length) stopBrush();
  else confirmOn(label, "Asked");
  say(byId("bench-status"), `${tool.group === "More" ? "" : `${tool.group}, `}${tool.label}: asked for. It hangs on the wall.`);
}

function tell(problem) {
  say(byId("bench-problem"), problem);
  say(byId("bench-status"), "");
  if (problem) byId("bench-problem").scrollIntoView({ block: "nearest" });
}
