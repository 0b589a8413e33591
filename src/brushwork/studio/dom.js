// Small tools for the page. All text that comes from people or from the server goes in as text, never as HTML.

/** The one element with this id. */
export const byId = (id) => document.getElementById(id);

/** A new element: make("a", { href, className }, "text", child). */
export function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

/** Put text into an element and hide it when there is none. Text that is already there is left alone. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
  element.hidden = !text;
}

let announced = 0;

/** Tell people who listen rather than look. */
export function announce(text) {
  const announcer = document.getElementById("announcer");
  clearTimeout(announced);
  announcer.textContent = "";
  announced = setTimeout(() => (announcer.textContent = text), 50);
}

export const sleep = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

/** Copy text; also where the clipboard API is not offered, as on plain http in a local network. */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const host = document.querySelector("dialog[open]") ?? document.body;
    const area = make("textarea", { value: text, className: "unseen" });
    const before = document.activeElement;
    host.append(area);
    area.select();
    const copied = document.execCommand("copy");
    area.remove();
    before?.focus();
    return copied;
  }
}

/** Say on the button itself that it worked, for a moment. */
export function confirmOn(button, text) {
  const usual = (button.dataset.usual ??= button.textContent);
  button.textContent = text;
  announce(text);
  setTimeout(() => (button.textContent = usual), 1500);
}
