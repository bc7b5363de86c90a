// SPDX-License-Identifier: Apache-2.0
// The card beside a node that was chosen: all that is known of it, each value as text that can be copied.
import { ago, count, el, quantile, say, span } from './words.js';

const MAX_HOPS = 8;

export class Inspector {
  key = null;
  #card = null;
  #rows = new Map(); // name -> <dd>

  constructor(network, root) {
    this.network = network;
    this.root = root;
  }

  open(node, item, close) {
    this.close();
    this.key = node.key;
    const title = { mix: `Mix, layer ${node.layer}`, provider: 'Provider', client: 'Client' }[node.role];
    const head = el('h4', {}, title);
    const shut = el('button', { type: 'button', class: 'quiet', click: close, 'aria-label': 'Close' }, '✕');
    this.#list = el('dl');
    this.#hops = el('table', { class: 'hops' });
    this.#card = el('div', { class: 'inspector', role: 'group', 'aria-label': title }, head, shut, this.#list, this.#hops);
    item.append(this.#card); // so that Tab goes from the node into its card
    this.refresh();
    this.#fit(item);
  }
  #list = null;
  #hops = null;

  close() {
    this.#card?.remove();
    this.#card = null;
    this.key = null;
    this.#rows.clear();
  }

  /** Beside the node where there is room, and within the stage. */
  #fit(item) {
    const stage = this.root.getBoundingClientRect();
    const node = item.firstElementChild.getBoundingClientRect();
    const card = this.#card.getBoundingClientRect();
    const right = node.right - stage.left + 10;
    const left = node.left - stage.left - card.width - 10;
    let x = right + card.width <= stage.width - 8 ? right : left;
    let y = node.top - stage.top;
    if (x < 8) {
      // Neither side has room: below the node, on a narrow screen.
      x = Math.max(8, (stage.width - card.width) / 2);
      y = node.bottom - stage.top + 8;
      if (y + card.height > stage.height - 8) y = Math.max(8, node.top - stage.top - card.height - 8);
    } else {
      y = Math.max(8, Math.min(y, stage.height - card.height - 8));
    }
    this.#card.style.left = `${x}px`;
    this.#card.style.top = `${y}px`;
  }

  refresh() {
    if (this.key === null) return;
    const node = this.network.nodes.get(this.key);
    const client = this.network.clients.get(this.key);
    if (node) this.#node(node);
    else if (client) this.#client(client);
  }

  #set(name, value, copy) {
    let row = this.#rows.get(name);
    if (!row) {
      row = el('dd', { class: copy ? 'copy' : undefined });
      this.#rows.set(name, row);
      this.#list.append(el('dt', {}, name), row);
    }
    say(row, value);
  }

  #node(node) {
    const now = this.network.now();
    this.#set(node.role === 'provider' ? 'for mixes' : 'address', node.address, true);
    if (node.role === 'provider') this.#set('for clients', node.clientAddress, true);
    this.#set('key', node.key, true);
    this.#set('version', node.version);
    if (node.location) this.#set('location', node.location);
    this.#set('last heard', ago(now - node.seen));
    if (node.role === 'provider') {
      this.#set('accounts', count(node.accounts));
      this.#set('sent to it', `${count(this.network.sent_to(node))} in the last minute, say the mixes`);
      return;
    }
    const tally = this.network.tallies.get(node.key);
    this.#set('last minute', `${count(tally?.received.sum(now) ?? 0)} received, ${count(tally?.sent.sum(now) ?? 0)} passed on`);
    this.#nextHops(node, now);
  }

  #nextHops(node, now) {
    const hops = [...this.network.links.values()]
      .filter((link) => link.from === node.key)
      .map((link) => [link.to, link.minute.sum(now)])
      .sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]));
    const rows = hops.slice(0, MAX_HOPS).map(([to, sent]) => el('tr', {}, el('td', {}, to), el('td', { class: 'number' }, count(sent))));
    if (hops.length > MAX_HOPS) rows.push(el('tr', {}, el('td', {}, `and ${hops.length - MAX_HOPS} more`), el('td')));
    const head = el('caption', {}, hops.length > 0 ? 'passed on to' : 'nothing passed on in the last minute');
    this.#hops.replaceChildren(head, el('tbody', {}, ...rows));
  }

  #client(client) {
    const now = this.network.now();
    this.#set('address', client.key, true);
    this.#set('loops', `${count(client.sent.sum(now))} sent, ${count(client.home.sum(now))} home, ${count(client.lost.sum(now))} lost`);
    this.#set('on their way', client.out === undefined ? 'not reported' : count(client.out));
    const trips = client.trips.map((trip) => trip.ns).sort((a, b) => a - b);
    this.#set(
      'round trip',
      trips.length === 0 ? 'none yet' : `median ${span(quantile(trips, 50))}, 95 % within ${span(quantile(trips, 95))}`,
    );
    this.#set('last report', ago(now - client.heard));
    say(this.#hops, '');
  }
}
