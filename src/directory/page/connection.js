// SPDX-License-Identifier: Apache-2.0
// The connection to /ws/live: opened again whenever it ends, sooner at first, every five seconds at most.

const PAUSES_MS = [250, 500, 1000, 2000, 3000, 5000];
/** A handshake takes milliseconds; one that is not answered by now will not be. */
const OPENING_MS = 8000;

export class Connection {
  #url;
  #handlers;
  #socket = null;
  #timer = 0;
  #failures = 0;

  /** `handlers`: text(string), state('connecting' | 'live' | 'lost', milliseconds until the next try). */
  constructor(url, handlers) {
    this.#url = url;
    this.#handlers = handlers;
    addEventListener('online', () => this.retry());
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) this.retry();
    });
    this.#open();
  }

  /** Now, if there is no connection. */
  retry() {
    if (this.#socket === null) this.#open();
  }

  #open() {
    clearTimeout(this.#timer);
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    // A handshake that nobody answers would last for minutes.
    const opening = setTimeout(() => socket.close(), OPENING_MS);
    if (this.#failures === 0) this.#handlers.state('connecting', 0);
    socket.addEventListener('message', (event) => {
      if (socket !== this.#socket) return;
      if (this.#failures > 0 || !this.live) {
        this.#failures = 0;
        this.live = true;
        this.#handlers.state('live', 0);
      }
      this.#handlers.text(event.data);
    });
    socket.addEventListener('open', () => clearTimeout(opening));
    socket.addEventListener('close', () => {
      clearTimeout(opening);
      if (socket !== this.#socket) return;
      this.#socket = null;
      this.live = false;
      const pause = PAUSES_MS[Math.min(this.#failures++, PAUSES_MS.length - 1)];
      this.#handlers.state('lost', pause);
      this.#timer = setTimeout(() => this.#open(), pause);
    });
  }
}
