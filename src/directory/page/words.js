// SPDX-License-Identifier: Apache-2.0
// How things are written, and the one way in which this page makes elements. A text is always
// appended as text: nothing here, and nothing elsewhere on the page, parses markup.

/** el('td', {class: 'number'}, 'text', child, ..): attributes are set, functions listened with. */
export function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (typeof value === 'function') made.addEventListener(name, value);
    else made.setAttribute(name, value === true ? '' : String(value));
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

const SVG = 'http://www.w3.org/2000/svg';
export function svg(tag, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  made.append(...children);
  return made;
}

/** Sets a text when it differs, so that a selection or a screen reader is not disturbed. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
export const count = (n) => whole.format(n);
export const many = (n, one, more = one + 's') => `${count(n)} ${n === 1 ? one : more}`;

export const shortKey = (key) => (key.length > 10 ? `${key.slice(0, 6)}…${key.slice(-3)}` : key);

/** Nanoseconds as people say them. */
export function span(ns) {
  if (ns < 1e6) return `${Math.round(ns / 1e3)} µs`;
  if (ns < 1e9) return `${Math.round(ns / 1e6)} ms`;
  return `${(ns / 1e9).toFixed(ns < 1e10 ? 2 : 1)} s`;
}

/** Milliseconds ago. */
export function ago(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 1) return 'now';
  if (seconds < 90) return `${seconds} s ago`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min ago` : `${Math.round(minutes / 60)} h ago`;
}

const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
export const timeOf = (ms) => clock.format(new Date(ms));

/** Of sorted numbers: the smallest that `percent` of them do not exceed. */
export function quantile(sorted, percent) {
  return sorted[Math.max(1, Math.ceil((sorted.length * percent) / 100)) - 1];
}

/** What addresses have in common at their beginning is left out of a small label. */
export function portOf(address) {
  const colon = address.lastIndexOf(':');
  return colon < 0 ? address : address.slice(colon);
}
