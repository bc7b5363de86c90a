// SPDX-License-Identifier: Apache-2.0
// Dots for packets. Every dot stands for packets that somebody reported, on the link that he reported them for, and
// every reported packet is in a dot (or in what is left over for the next one): nothing is drawn that was not
// reported. When inside its three seconds a packet went is not reported, so a report's dots are spread evenly over
// the three seconds after it; how long one flies says nothing.
//
// One dot is one packet until there would be more than MAX_ALIVE in the air; then it is 2, 5, 10, .. of them.
import { WINDOW_MS } from './minute.js';

const FLIGHT_MS = 1100;
const RAIL_MS = 2600;
const MAX_ALIVE = 700;
const SCALES = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000];

export class Flow {
  #due = []; // {start, name, packets}, any order
  #carry = new Map(); // path's name -> packets that make no whole dot yet
  #rate = 0; // packets a window, lately
  #running = false;
  flying = []; // {start, name, length, packets}
  scale = 1;
  moving = true;
  figures = { frames: 0, reported: 0, shown: 0, skipped: 0, flights: 0, dotFrames: 0 };

  /** `path(name)` is the way of that name, or undefined when one of its ends is not there. */
  constructor(path, paint) {
    this.path = path;
    this.paint = paint;
    document.addEventListener('visibilitychange', () => this.#wake());
  }

  set motion(on) {
    this.moving = on;
    if (!on) {
      for (const dot of this.#due) this.figures.skipped += dot.packets;
      this.#due = [];
      this.flying = [];
    }
    this.#wake();
  }

  /** What was reported `agoMs` ago for one way. */
  add(name, packets, agoMs) {
    if (packets === 0) return;
    this.figures.reported += packets;
    this.#rate += packets;
    const all = (this.#carry.get(name) ?? 0) + packets;
    const dots = Math.floor(all / this.scale);
    const left = all - dots * this.scale;
    if (left > 0) this.#carry.set(name, left);
    else this.#carry.delete(name);
    if (!this.moving || document.hidden) {
      this.figures.skipped += dots * this.scale;
      return;
    }
    const begin = performance.now() - Math.min(agoMs, WINDOW_MS);
    for (let i = 0; i < dots; i++) {
      // Evenly, but not in step.
      const start = begin + ((i + Math.random()) * WINDOW_MS) / dots;
      this.#due.push({ start, name, packets: this.scale });
    }
    this.#wake();
  }

  /** Every three seconds: how many packets a dot is from now on. */
  settle() {
    const alive = (this.#rate * FLIGHT_MS) / WINDOW_MS;
    this.#rate = 0;
    const wanted = SCALES.find((scale) => alive / scale <= MAX_ALIVE) ?? SCALES.at(-1);
    // Down only when there is room to spare: a scale that flickers cannot be read.
    if (wanted > this.scale || alive / wanted < MAX_ALIVE / 2) this.scale = wanted;
  }

  /** Reported = shown + skipped + waiting + carried, always. */
  account() {
    const sum = (packets) => packets.reduce((all, one) => all + one, 0);
    return {
      ...this.figures,
      waiting: sum(this.#due.map((dot) => dot.packets)),
      carried: sum([...this.#carry.values()]),
      flying: this.flying.length,
      scale: this.scale,
    };
  }

  /** Forgets ways that are gone. */
  forget(exists) {
    for (const [name, packets] of this.#carry)
      if (!exists(name)) {
        this.figures.skipped += packets;
        this.#carry.delete(name);
      }
  }

  #wake() {
    if (this.#running || document.hidden) return;
    this.#running = true;
    requestAnimationFrame((now) => this.#frame(now));
  }

  #frame(now) {
    this.#depart(now);
    this.flying = this.flying.filter((dot) => {
      if (now - dot.start < dot.length && this.path(dot.name)) return true;
      this.figures.flights++;
      this.paint.arrived(dot.name, now);
      return false;
    });
    this.figures.frames++;
    this.figures.dotFrames += this.flying.length;
    const more = this.paint.dots(this.flying, now);
    this.#running = false;
    if (more || this.flying.length > 0 || this.#due.length > 0) this.#wake();
  }

  #depart(now) {
    const later = [];
    for (const dot of this.#due) {
      if (dot.start > now) {
        later.push(dot);
        continue;
      }
      const way = this.path(dot.name);
      const length = way?.rail ? RAIL_MS : FLIGHT_MS;
      // One whose time is over (the page was hidden, or opened just now) is not made up for.
      if (!way || now - dot.start >= length) {
        this.figures.skipped += dot.packets;
        continue;
      }
      this.figures.shown += dot.packets;
      this.flying.push({ ...dot, length });
    }
    this.#due = later;
  }
}
