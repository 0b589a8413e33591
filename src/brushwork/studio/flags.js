// The few --flags the studio knows: writing them beside a prompt, finding those that were typed, guessing the price.
// The server's parser decides; this only spares people the typing. Knows no page.

export const BASE_PRICE = 80;

/** Control → how it is written and what says so when it was typed. */
const FLAGS = {
  ar: { usual: "1:1", write: (v) => `--ar ${v}`, typed: "ar|aspect" },
  version: {
    usual: "7",
    write: (v) => (v.startsWith("niji") ? `--${v}` : `--v ${v}`),
    typed: "v|version|niji|v\\d\\S*|niji\\d",
  },
  speed: { usual: "fast", write: (v) => `--${v}`, typed: "fast|turbo|draft" },
  stylize: { usual: "100", write: (v) => `--stylize ${v}`, typed: "s|stylize" },
  chaos: { usual: "0", write: (v) => `--chaos ${v}`, typed: "c|chaos" },
  seed: { usual: "", write: (v) => `--seed ${v}`, typed: "seed" },
  raw: { usual: false, write: () => "--raw", typed: "raw|style" },
  tile: { usual: false, write: () => "--tile", typed: "tile" },
  no: { usual: "", write: (v) => `--no ${v}`, typed: "no" },
};

/** What a version does not know; the controls for it are switched off. */
const LACKS = {
  6: ["draft", "no"],
  6.1: ["draft"],
  7: [],
  8: ["draft", "turbo"],
  8.1: ["draft", "turbo", "no"],
  "niji 6": ["draft", "no"],
};

export const USUAL = Object.fromEntries(Object.entries(FLAGS).map(([name, flag]) => [name, flag.usual]));

export const lacks = (version) => LACKS[version] ?? [];

/** Flags that are typed into the text win over the controls. Quoted text is never read as flags. */
const isTyped = (text, name) =>
  new RegExp(`(^|\\s)--(${FLAGS[name].typed})(?=\\s|$)`, "i").test(text.replace(/"[^"]*"/g, " "));

/** The flags to add for these controls: only what differs from the usual, is known to the version and was not typed. */
export function flagsFor(settings, text) {
  const missing = lacks(settings.version);
  return Object.entries(FLAGS)
    .filter(([name, flag]) => settings[name] !== flag.usual && !isTyped(text, name))
    .filter(([name]) => !missing.includes(name) && !missing.includes(settings[name]))
    .map(([name, flag]) => flag.write(settings[name]))
    .join(" ");
}

/** Points for a whole prompt, as far as the studio can tell: the server has the last word. */
export function estimate(prompt) {
  const text = ` ${prompt.replace(/"[^"]*"/g, " ")} `.toLowerCase();
  const has = (flag) => new RegExp(`\\s--${flag}\\s`).test(text);
  if (has("v ?8\\.1")) return BASE_PRICE;
  const factors = [
    [has("draft"), 0.5],
    [has("turbo"), 2],
    [has("oref \\S+"), 2],
    [has("hd") && has("v ?8"), 4],
    [has("(q|quality) 4") && has("v ?8"), 4],
    [has("sv 6") && has("v ?8"), 4],
  ];
  return factors.reduce((price, [applies, factor]) => (applies ? price * factor : price), BASE_PRICE);
}

/** Split a prompt of ours into words and controls; a flag we do not know stays with the words. */
export function splitPrompt(prompt) {
  const settings = { ...USUAL };
  if (prompt.includes('"')) return { text: prompt, settings };
  const take = (pattern, name, value) => {
    text = text.replace(new RegExp(`\\s--${pattern}(?=\\s|$)`, "i"), (_, found) => {
      settings[name] = value ?? found;
      return "";
    });
  };
  let text = prompt;
  take("(?:ar|aspect) (\\d+:\\d+)", "ar");
  take("v ?(8\\.1|8|7|6\\.1|6)", "version");
  take("(niji 6)", "version");
  take("(draft|fast|turbo)", "speed");
  take("(?:s|stylize) (\\d+)", "stylize");
  take("(?:c|chaos) (\\d+)", "chaos");
  take("seed (\\d+)", "seed");
  take("raw", "raw", true);
  take("tile", "tile", true);
  take("no ((?:(?!\\s--).)+?)(?=\\s--|\\s*$)", "no");
  return { text: text.trim(), settings };
}

/** Words and flags of a prompt, apart, for showing. */
export function wordsAndFlags(prompt) {
  const [, words, flags] = /^(.*?)(?:\s+(--[a-z].*))?$/is.exec(prompt.trim()) ?? [];
  return prompt.includes('"') ? { words: prompt, flags: "" } : { words: words ?? prompt, flags: flags ?? "" };
}

/** Width / height that a prompt asks for. */
export function shapeOf(prompt) {
  const [, width, height] = /--(?:ar|aspect)\s+(\d+):(\d+)/i.exec(prompt) ?? [];
  return Number(width) > 0 && Number(height) > 0 ? Math.min(Math.max(width / height, 1 / 14), 14) : 1;
}
