// SPDX-License-Identifier: Apache-2.0
// A count over the last minute: whatever was added is forgotten sixty seconds after its time.

export const MINUTE_MS = 60_000;
export const WINDOW_MS = 3_000; // between two reports of one node

export class Minute {
  #rows = []; // [time in ms, how many], in the order they came

  add(atMs, amount) {
    if (amount > 0) this.#rows.push([atMs, amount]);
  }

  sum(nowMs) {
    this.#forget(nowMs);
    let total = 0;
    for (const row of this.#rows) total += row[1];
    return total;
  }

  /** The last minute in `many` equal parts, oldest first. Parts lie on a fixed grid of time: a bar keeps its
   *  height while it moves. The part that runs is not shown. */
  bars(nowMs, many = MINUTE_MS / WINDOW_MS) {
    this.#forget(nowMs);
    const width = MINUTE_MS / many;
    const last = Math.floor(nowMs / width) - 1;
    const out = new Array(many).fill(0);
    for (const [at, amount] of this.#rows) {
      const place = many - 1 - (last - Math.floor(at / width));
      if (place >= 0 && place < many) out[place] += amount;
    }
    return out;
  }

  #forget(nowMs) {
    let old = 0;
    while (old < this.#rows.length && this.#rows[old][0] <= nowMs - MINUTE_MS) old++;
    if (old > 0) this.#rows.splice(0, old);
  }
}
