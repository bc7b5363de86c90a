// SPDX-License-Identifier: Apache-2.0
// The four figures at the top, the loops of each client, and the list of what the directory hears.
import { count, el, many, portOf, quantile, say, shortKey, span, svg, timeOf } from './words.js';

const $ = (id) => document.getElementById(id);
const SHOWN_EVENTS = 80;

// ---- Figures ----------------------------------------------------------------------------------------------

export function tiles(network) {
  const now = network.now();
  const total = network.total.sum(now);
  say($('packets'), count(total));
  bars($('packets-bars'), network.total.bars(now));
  const entered = network.of('mix', 1).reduce((all, mix) => all + (network.tallies.get(mix.key)?.received.sum(now) ?? 0), 0);
  say($('packets-sub'), `${count(entered)} into layer 1`);

  const layers = [];
  for (let layer = 1; layer <= network.layers(); layer++) layers.push(network.of('mix', layer).length);
  const mixes = layers.reduce((all, one) => all + one, 0);
  const providers = network.of('provider');
  const others = network.of('coconode').length;
  say($('mixes'), count(mixes));
  say($('mixes-word'), mixes === 1 ? 'mix' : 'mixes');
  stack($('mixes-stack'), layers.map((share, layer) => [`h${layer + 1}`, share]));
  const words = [];
  if (layers.length > 0) words.push(`${layers.join(' · ')} by layer`);
  words.push(many(providers.length, 'provider'));
  if (others > 0) words.push(many(others, 'coconode'));
  say($('nodes-sub'), words.join(', '));
  loopFigures(network, now);
}

function loopFigures(network, now) {
  const clients = [...network.clients.values()];
  const sum = (what) => clients.reduce((all, client) => all + client[what].sum(now), 0);
  const [home, lost] = [sum('home'), sum('lost')];
  const out = clients.reduce((all, client) => all + (client.out ?? 0), 0);
  const judged = home + lost;
  say($('home'), judged === 0 ? '–' : `${((100 * home) / judged).toFixed(home === judged ? 0 : 1)} %`);
  stack($('home-stack'), [['good', home], ['bad', lost], ['rest', out]]);
  if (clients.length > 0) say($('home-sub'), `${count(home)} home, ${count(lost)} lost, ${count(out)} on their way`);
  else say($('home-sub'), network.hello?.loops === false ? 'shown on the directory’s own machine only' : 'no client reports its loops');
  const trips = clients.flatMap((client) => client.trips.map((trip) => trip.ns)).sort((a, b) => a - b);
  say($('trip'), trips.length === 0 ? '–' : span(quantile(trips, 50)));
  strip($('trip-strip'), trips);
  say($('trip-sub'), trips.length === 0 ? 'of loops that came home' : `95 % within ${span(quantile(trips, 95))}, longest ${span(trips.at(-1))}`);
}

function bars(box, heights) {
  const most = Math.max(1, ...heights);
  while (box.children.length < heights.length) box.append(el('i'));
  heights.forEach((height, i) => {
    box.children[i].style.height = `${Math.max(height > 0 ? 6 : 2, (100 * height) / most)}%`;
    box.children[i].classList.toggle('none', height === 0);
  });
}

function stack(box, shares) {
  while (box.children.length < shares.length) box.append(el('i'));
  while (box.children.length > shares.length) box.lastChild.remove();
  shares.forEach(([name, share], i) => {
    box.children[i].className = name;
    box.children[i].style.flexGrow = share;
    box.children[i].hidden = share === 0;
  });
}

/** One mark for each time, on a scale from 10 ms to 100 s. */
function strip(box, trips) {
  const step = Math.ceil(trips.length / 240); // more marks than pixels say nothing more
  const marks = trips.filter((_, i) => i % step === 0);
  const picture = svg('svg', { viewBox: '0 0 200 24', preserveAspectRatio: 'none' });
  const place = (ns) => 2 + 196 * Math.min(1, Math.max(0, Math.log10(ns / 1e7) / 4));
  for (const power of [0, 1, 2, 3, 4]) picture.append(svg('path', { class: 'tick', d: `M${2 + 49 * power} 20v4` }));
  for (const ns of marks) picture.append(svg('path', { class: 'mark', d: `M${place(ns).toFixed(1)} 4v14` }));
  box.replaceChildren(picture);
}

// ---- Loops by client --------------------------------------------------------------------------------------

export function loops(network) {
  const box = $('loops');
  const now = network.now();
  const clients = [...network.clients.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
  if (clients.length === 0) {
    const why =
      network.hello?.loops === false
        ? 'Clients report their loops to a directory on their own machine, and it shows them there only.'
        : 'No client reports its loops. One on this machine does when it runs: nym-client websocket --id NAME --directory URL';
    if (box.firstElementChild?.tagName !== 'P') box.replaceChildren(el('p', { class: 'quiet-note' }));
    say(box.firstElementChild, why);
    return;
  }
  const rows = clients.map((client) => {
    const trips = client.trips.map((trip) => trip.ns).sort((a, b) => a - b);
    const track = el('div', { class: 'strip small', 'aria-hidden': 'true' });
    strip(track, trips);
    const time = (percent) => (trips.length === 0 ? '–' : span(quantile(trips, percent)));
    const lost = client.lost.sum(now);
    return el(
      'tr',
      {},
      el('th', { scope: 'row', class: 'mono', title: client.key }, shortKey(client.key)),
      el('td', { class: 'number' }, client.out === undefined ? '–' : count(client.out)),
      el('td', { class: 'number' }, count(client.home.sum(now))),
      el('td', { class: lost > 0 ? 'number bad' : 'number' }, count(lost)),
      el('td', { class: 'number' }, time(50)),
      el('td', { class: 'number' }, time(95)),
      el('td', { class: 'wide' }, track),
    );
  });
  const titles = ['client', 'out now', 'home', 'lost', 'median', '95 %'];
  const head = titles.map((title, i) => el('th', { scope: 'col', class: i > 0 ? 'number' : undefined }, title));
  head.push(el('th', { scope: 'col', class: 'wide' }, el('span', { class: 'scale' }, el('i', {}, '10 ms'), el('i', {}, '1 s'), el('i', {}, '100 s'))));
  box.replaceChildren(
    el('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-labelledby': 'loops-title' }, el('table', {}, el('thead', {}, el('tr', {}, ...head)), el('tbody', {}, ...rows))),
  );
}

// ---- The feed ---------------------------------------------------------------------------------------------

const KINDS = {
  presence: ['presence', 'POST'],
  counts: ['counts', 'POST'],
  loops: ['loops', 'POST'],
  refused: ['refused', 'POST'],
  gone: ['gone', ''],
  page: ['directory', ''],
};
const FILTERS = [
  ['all', 'All', () => true],
  ['presence', 'Presence', (kind) => ['presence', 'gone', 'page'].includes(kind)],
  ['counts', 'Counts', (kind) => ['counts', 'loops'].includes(kind)],
  ['refused', 'Refused', (kind) => kind === 'refused'],
];

export class Feed {
  #filter = 'all';
  #waiting = false;

  constructor(network) {
    this.network = network;
    this.list = $('feed');
    for (const [name, title] of FILTERS) {
      const pressed = String(name === this.#filter);
      $('filter').append(el('button', { type: 'button', 'aria-pressed': pressed, 'data-filter': name, click: () => this.#choose(name) }, title));
    }
  }

  /** Something has happened; the list follows at the next frame, once. */
  changed() {
    if (this.#waiting || document.hidden) return;
    this.#waiting = true;
    requestAnimationFrame(() => {
      this.#waiting = false;
      this.show();
    });
  }

  show() {
    const fits = FILTERS.find(([name]) => name === this.#filter)[2];
    const wanted = this.network.events.filter((event) => fits(event.kind)).slice(0, SHOWN_EVENTS);
    // A reader who has scrolled down keeps what he reads.
    const held = this.list.scrollTop > 4 ? this.list.scrollHeight - this.list.scrollTop : 0;
    const have = new Set([...this.list.children].map((row) => row.event));
    const keep = new Set(wanted);
    for (const row of [...this.list.children]) if (!keep.has(row.event)) row.remove();
    wanted
      .filter((event) => !have.has(event))
      .reverse()
      .forEach((event) => this.list.prepend(row(event)));
    if (wanted.length === 0) this.list.replaceChildren(el('li', { class: 'quiet-note' }, 'nothing yet'));
    if (held) this.list.scrollTop = this.list.scrollHeight - held;
  }

  #choose(name) {
    this.#filter = name;
    for (const button of $('filter').children) button.setAttribute('aria-pressed', String(button.dataset.filter === name));
    this.list.replaceChildren();
    this.show();
  }
}

function row(event) {
  const who = event.node
    ? `${event.node.role === 'mix' ? `mix ${event.node.layer}` : event.node.role} ${event.node.address.startsWith('127.0.0.1:') ? portOf(event.node.address) : event.node.address}`
    : event.key
      ? shortKey(event.key)
      : '';
  const [badge, verb] = KINDS[event.kind];
  const made = el(
    'li',
    { 'data-kind': event.kind },
    el('time', {}, timeOf(event.at)),
    el('span', { class: 'badge', title: verb ? `${verb} ${badge}` : undefined }, badge),
    el('span', { class: 'said' }, who ? el('b', {}, who) : null, who ? ' ' : null, event.text),
  );
  made.event = event;
  return made;
}
