// The API key: given in the form or behind the # of a link, kept in this browser until it is forgotten.

const NAME = "brushwork.key";
const stores = () => [sessionStorage, localStorage];

let memory = ""; // where the browser allows no storage, the key lasts as long as the page

export function readKey() {
  try {
    for (const store of stores()) if (store.getItem(NAME)) return store.getItem(NAME);
  } catch { /* no storage here */ }
  return memory;
}

export function keepKey(key, { forGood }) {
  forgetKey();
  memory = key;
  try {
    (forGood ? localStorage : sessionStorage).setItem(NAME, key);
  } catch { /* no storage here */ }
}

/** Whether it can be sent at all: a header takes no spaces and no letters beyond ASCII. */
export const canBeKey = (text) => /^[\x21-\x7e]{1,256}$/.test(text);

export function forgetKey() {
  memory = "";
  try {
    for (const store of stores()) store.removeItem(NAME);
  } catch { /* no storage here */ }
}

/** Take `#key=…` out of the address bar, and so out of the history, and return the key. */
export function takeKeyFromAddress() {
  const key = new URLSearchParams(location.hash.slice(1)).get("key");
  if (key === null) return "";
  history.replaceState(null, "", location.pathname + location.search);
  return key.trim();
}
