// The studio, from the key to the wall. A client of /api like any other.

import * as api from "./api.js";
import { askFor, startAsking } from "./asking.js";
import { byId, say, sleep } from "./dom.js";
import { clearWall, hangFirst, hangOlder, refreshWall, startWall } from "./jobs.js";
import { canBeKey, forgetKey, keepKey, readKey, takeKeyFromAddress } from "./key.js";
import { refuse, startPrompt, usePrompt } from "./prompt.js";
import { clearUploads, startUploads } from "./upload.js";
import { closeViewer } from "./viewer.js";
import { points, refusalWords } from "./words.js";

const LOOK_AROUND = 20_000; // milliseconds between looks at what other clients asked for
const RETRIES = [2, 4, 8, 15]; // seconds

let isStarted = false;
let isRetrying = false;

// ── the key ──

function showGate(problem = "") {
  isStarted = false;
  clearWall();
  clearUploads();
  closeViewer();
  byId("studio").hidden = byId("balance").hidden = byId("forget").hidden = true;
  byId("gate").hidden = false;
  say(byId("key-problem"), problem);
  byId("key").focus();
}

async function enter() {
  byId("gate").hidden = true;
  byId("studio").hidden = byId("forget").hidden = false;
  refuse("");
  byId("prompt").focus();
  try {
    await showBalance();
    if (!readKey()) return; // forgotten meanwhile
    await startWall(() => showBalance().catch(onTrouble));
    isStarted = true;
  } catch (error) {
    onTrouble(error);
  }
}

function leave(problem) {
  forgetKey();
  byId("key").value = "";
  showGate(problem);
}

async function showBalance() {
  const { data } = await api.getBalance();
  const left = data.available_points + data.available_credits;
  say(byId("balance"), points(left));
  byId("balance").classList.toggle("is-low", left < 80 || data.low_balance_alert);
}

function onTrouble(error) {
  if (error instanceof api.Unreachable) return retry();
  if (error.status === 401) return leave(`This key was not accepted. ${refusalWords(error)}`);
  return refuse(refusalWords(error));
}

// ── when nobody answers ──

async function retry() {
  if (isRetrying) return;
  isRetrying = true;
  for (let count = 0; ; count += 1) {
    const seconds = RETRIES[Math.min(count, RETRIES.length - 1)];
    say(byId("offline"), `The server does not answer. Trying again every ${seconds} s.`);
    await sleep(seconds * 1000);
    if (!readKey()) break;
    try {
      await showBalance();
      break;
    } catch (error) {
      if (!(error instanceof api.Unreachable)) break; // it answers again, if only to refuse
    }
  }
  isRetrying = false;
  say(byId("offline"), "");
  if (!readKey()) return;
  if (isStarted) lookAround();
  else enter();
}

async function lookAround() {
  if (!isStarted || document.hidden) return;
  await refreshWall().catch(onTrouble);
}

// ── asking ──

const draw = (prompt) => askFor("diffusion", { text: prompt }, refuse);

function onAccepted(job) {
  hangFirst(job);
  showBalance().catch(onTrouble);
}

// ── beginning ──

byId("gate").addEventListener("submit", (event) => {
  event.preventDefault();
  const key = byId("key").value.trim();
  if (!canBeKey(key)) return say(byId("key-problem"), "This cannot be a key: it has spaces or letters that no key has.");
  keepKey(key, { forGood: byId("keep").checked });
  say(byId("key-problem"), "");
  byId("key").value = "";
  enter();
});
byId("forget").addEventListener("click", () => leave(""));
byId("older").addEventListener("click", ({ target }) => {
  target.disabled = true;
  hangOlder().catch(onTrouble).finally(() => (target.disabled = false));
});
byId("empty").addEventListener("click", ({ target }) => {
  if (target.matches("button")) usePrompt(target.textContent);
});
document.addEventListener("visibilitychange", lookAround);
setInterval(lookAround, LOOK_AROUND);
api.onLost(retry);

function begin() {
  const given = takeKeyFromAddress();
  if (canBeKey(given)) keepKey(given, { forGood: true });
  if (readKey()) enter();
  else showGate();
}

startAsking({ onAccepted, onTrouble });
startUploads(onTrouble);
startPrompt(draw, (prompt) => askFor("shorten", { prompt }, refuse));
addEventListener("hashchange", () => location.hash.startsWith("#key=") && begin());
begin();
