// SPDX-License-Identifier: Apache-2.0
// The picture's nodes: one column for clients, one for each layer, one for providers (rows on a narrow screen), as
// buttons that a keyboard reaches. Lines and dots are painted behind them (flow.js, paint.js), at the places that
// anchors() gives.
import { Inspector } from './inspector.js';
import { count, el, many, portOf, say, shortKey, svg } from './words.js';

const MAX_SHOWN = 48; // of one column; the table has them all
const MAX_CLIENTS_SHOWN = 8;
const DENSITIES = [
  [4, 'roomy'],
  [9, 'middle'],
  [24, 'dense'],
  [Infinity, 'tiny'],
];
const LEAVING_MS = 500;

export class Stage {
  #items = new Map(); // key -> {item, button, .., node or client}
  #columns = new Map(); // 'clients', 'layer 1', .., 'providers' -> {section, list, head, note}
  #current = null; // the key that Tab reaches
  #touched = false; // whether somebody has moved it
  changed = () => {}; // places have changed
  chosen = () => {}; // another node is looked at

  constructor(network, root) {
    this.network = network;
    this.root = root;
    this.columns = root.querySelector('#columns');
    this.inspector = new Inspector(network, root);
    this.columns.addEventListener('keydown', (event) => this.#key(event));
    this.columns.addEventListener('click', (event) => {
      const button = event.target.closest('button.node');
      if (button) this.choose(button.dataset.key === this.selected ? null : button.dataset.key);
    });
    for (const [kind, set] of [['pointerover', true], ['pointerout', false], ['focusin', true], ['focusout', false]])
      this.columns.addEventListener(kind, (event) => {
        const button = event.target.closest('button.node');
        if (!button) return;
        if (kind === 'focusin') this.#touched = true;
        this.#point(set ? button.dataset.key : null);
      });
    new ResizeObserver(() => this.changed()).observe(root);
  }

  get selected() {
    return this.inspector.key;
  }
  /** The node whose links stand out. */
  get pointed() {
    return this.#pointed ?? this.inspector.key;
  }
  #pointed = null;

  get vertical() {
    return getComputedStyle(this.columns).flexDirection === 'column';
  }

  // ---- Who is shown ---------------------------------------------------------------------------------------

  /** Brings columns and nodes to what the network knows. */
  arrange() {
    const layers = this.network.layers();
    const wanted = [['clients', 'Clients', this.#clients()]];
    for (let layer = 1; layer <= layers; layer++)
      wanted.push([`layer ${layer}`, `Layer ${layer}`, this.network.of('mix', layer)]);
    const providers = this.network.of('provider');
    wanted.push(['providers', providers.length > 1 ? 'Providers' : 'Provider', providers]);

    this.root.dataset.layers = layers;
    const names = new Set(wanted.map(([name]) => name));
    for (const [name, column] of this.#columns)
      if (!names.has(name)) {
        column.section.remove();
        this.#columns.delete(name);
      }
    const present = new Set();
    for (const [name, title, who] of wanted) {
      const column = this.#column(name);
      say(column.title, title);
      column.section.dataset.density = DENSITIES.find(([most]) => who.length <= most)[1];
      const limit = name === 'clients' ? MAX_CLIENTS_SHOWN : MAX_SHOWN;
      who.slice(0, limit).forEach((one, place) => {
        present.add(one.key);
        this.#place(column, one, place);
      });
      this.#note(column, name, who, limit);
      this.columns.append(column.section);
      if (name === 'clients') this.columns.append(this.inlet);
    }
    for (const [key, shown] of this.#items) if (!present.has(key)) this.#leave(key, shown);
    if (!this.#touched || !this.#items.has(this.#current)) this.#makeCurrent(this.#first());
    this.#hide(present.size === 0);
    this.refresh();
    this.changed();
  }

  inlet = el('div', { class: 'inlet', 'aria-hidden': 'true' });

  #clients() {
    const all = [...this.network.clients.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
    return all.map((client) => ({ role: 'client', key: client.key, address: client.key }));
  }

  #hide(empty) {
    this.root.querySelector('#empty').hidden = !empty || this.network.hello === null;
    this.root.parentElement.classList.toggle('vacant', empty);
    this.columns.hidden = empty;
  }

  #column(name) {
    let column = this.#columns.get(name);
    if (column) return column;
    const title = el('span');
    const lamp = el('span', { class: 'swatch', 'aria-hidden': 'true' });
    const list = el('ul');
    const note = el('p', { class: 'note-line' });
    const section = el('section', { class: 'column', 'data-column': name }, el('h3', {}, lamp, title), list, note);
    column = { section, title, list, note };
    this.#columns.set(name, column);
    return column;
  }

  #note(column, name, who, limit) {
    const parts = [];
    if (who.length > limit) parts.push(`and ${count(who.length - limit)} more, in the table`);
    if (name === 'clients') {
      const accounts = this.network.of('provider').reduce((all, one) => all + one.accounts, 0);
      if (who.length === 0 && this.network.hello)
        parts.push(this.network.hello.loops ? 'none reports its loops' : 'loops are told on the directory’s machine only');
      parts.push(many(accounts, 'account'));
    } else if (who.length === 0) {
      parts.push(name === 'providers' ? 'no provider' : 'no mix: nothing gets through');
    }
    say(column.note, parts.join(' · '));
    column.section.classList.toggle('hollow', who.length === 0);
  }

  #place(column, node, place) {
    let shown = this.#items.get(node.key);
    if (!shown) {
      shown = this.#make(node);
      this.#items.set(node.key, shown);
    }
    shown.node = node;
    const at = column.list.children[place];
    if (at !== shown.item) column.list.insertBefore(shown.item, at ?? null);
    const colon = node.role === 'client' ? -1 : node.address.lastIndexOf(':');
    say(shown.host, colon < 0 ? '' : node.address.slice(0, colon));
    say(shown.port, colon < 0 ? shortKey(node.address) : portOf(node.address));
  }

  #make(node) {
    const host = el('span', { class: 'host' });
    const port = el('span', { class: 'port' });
    const counts = el('span', { class: 'counts' });
    const path = svg('path');
    const bars = svg('svg', { class: 'spark', viewBox: '0 0 60 14', preserveAspectRatio: 'none', 'aria-hidden': 'true' }, path);
    const button = el(
      'button',
      { type: 'button', class: 'node', 'data-key': node.key, 'data-role': node.role, tabindex: -1, 'aria-expanded': 'false' },
      el('span', { class: 'name' }, host, port),
      counts,
      bars,
    );
    return { item: el('li', { class: 'arriving' }, button), button, host, port, counts, path };
  }

  #leave(key, shown) {
    this.#items.delete(key);
    if (this.selected === key) this.choose(null);
    const hadFocus = document.activeElement === shown.button;
    // It fades where it is, and nobody can reach it any more.
    shown.item.classList.add('leaving');
    shown.button.disabled = true;
    setTimeout(() => {
      shown.item.remove();
      this.changed();
    }, LEAVING_MS);
    if (hadFocus) this.#focus(this.#first());
  }

  // ---- What is written on them ----------------------------------------------------------------------------

  /** The counts of the last minute, on every node. */
  refresh() {
    const now = this.network.now();
    for (const shown of this.#items.values()) {
      const { text, aloud, bars } = this.#counts(shown.node, now);
      say(shown.counts, text);
      shown.path.setAttribute('d', sparkline(bars));
      if (document.activeElement !== shown.button || !shown.button.hasAttribute('aria-label'))
        shown.button.setAttribute('aria-label', aloud);
    }
    this.inspector.refresh();
  }

  #counts(node, now) {
    if (node.role === 'client') {
      const client = this.network.clients.get(node.key);
      const [home, lost] = [client?.home.sum(now) ?? 0, client?.lost.sum(now) ?? 0];
      const text = lost > 0 ? `${count(home)} home ${count(lost)} lost` : `${count(home)} home`;
      return { text, aloud: `client ${node.key.slice(0, 8)}: loops of the last minute, ${text}`, bars: client?.home.bars(now) ?? [] };
    }
    if (node.role === 'provider') {
      const got = this.network.sent_to(node);
      return { text: `${count(got)} in`, aloud: `provider ${node.address}: ${count(got)} packets sent to it in the last minute`, bars: this.network.bars_to(node) };
    }
    const tally = this.network.tallies.get(node.key);
    const [got, sent] = [tally?.received.sum(now) ?? 0, tally?.sent.sum(now) ?? 0];
    return {
      text: `${count(got)} in ${count(sent)} out`,
      aloud: `mix ${node.address}, layer ${node.layer}: ${count(got)} received and ${count(sent)} passed on in the last minute`,
      bars: tally?.sent.bars(now) ?? [],
    };
  }

  // ---- Where they are -------------------------------------------------------------------------------------

  /** Of every node that is shown, and of 'inlet' and the columns: {x, y, w, h} within the stage. */
  anchors() {
    const origin = this.root.getBoundingClientRect();
    const place = (element) => {
      const box = element.getBoundingClientRect();
      return { x: box.left - origin.left, y: box.top - origin.top, w: box.width, h: box.height };
    };
    const out = new Map();
    for (const [key, shown] of this.#items) out.set(key, place(shown.button));
    for (const [name, column] of this.#columns) {
      out.set(name, place(column.section));
      out.set(`${name} nodes`, place(column.list));
    }
    out.set('inlet', place(this.inlet));
    return out;
  }

  // ---- Keyboard and choice --------------------------------------------------------------------------------

  choose(key) {
    const before = this.#items.get(this.selected);
    before?.button.setAttribute('aria-expanded', 'false');
    const shown = key === null ? undefined : this.#items.get(key);
    if (shown) {
      shown.button.setAttribute('aria-expanded', 'true');
      this.#makeCurrent(key);
      this.inspector.open(shown.node, shown.item, () => this.#close());
    } else {
      this.inspector.close();
    }
    this.chosen();
  }

  #close() {
    const key = this.selected;
    this.choose(null);
    this.#focus(key);
  }

  #point(key) {
    this.#pointed = key;
    this.chosen();
  }

  #first() {
    return this.columns.querySelector('.node:not(:disabled)')?.dataset.key ?? null;
  }

  #makeCurrent(key) {
    this.#items.get(this.#current)?.button.setAttribute('tabindex', -1);
    this.#current = key;
    this.#items.get(key)?.button.setAttribute('tabindex', 0);
  }

  #focus(key) {
    if (!this.#items.has(key)) return;
    this.#makeCurrent(key);
    this.#items.get(key).button.focus();
  }

  #key(event) {
    if (event.key === 'Escape' && this.selected !== null) {
      this.#close();
      event.preventDefault();
      return;
    }
    const button = event.target.closest('button.node');
    const step = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] }[event.key];
    if (!button || !step) return;
    event.preventDefault();
    // Along a layer one stays in it; across, the next layer's nearest comes.
    const along = this.vertical ? step[1] === 0 : step[0] === 0;
    const column = button.closest('.column');
    const within = [...this.#items].filter(([, shown]) => !along || column.contains(shown.button));
    const next = nearest(button, within, step);
    if (next) this.#focus(next);
  }
}

/** The key of the node closest to `button` in the direction of `step`, by what is seen on the screen. */
function nearest(button, items, [dx, dy]) {
  const middle = (element) => {
    const box = element.getBoundingClientRect();
    return [box.left + box.width / 2, box.top + box.height / 2];
  };
  const [x, y] = middle(button);
  let best = null;
  let least = Infinity;
  for (const [key, shown] of items) {
    const [ox, oy] = middle(shown.button);
    const along = (ox - x) * dx + (oy - y) * dy;
    const aside = Math.abs((ox - x) * dy) + Math.abs((oy - y) * dx);
    // Straight on before sideways, and never back.
    if (shown.button !== button && along > 4 && along + 3 * aside < least) {
      least = along + 3 * aside;
      best = key;
    }
  }
  return best;
}

/** Bars as one path in a box of 60 by 14. */
function sparkline(bars) {
  const most = Math.max(1, ...bars);
  const width = 60 / (bars.length || 1);
  return bars
    .map((bar, i) => (bar > 0 ? `M${(i * width).toFixed(1)} 14v${(-Math.max(1, (14 * bar) / most)).toFixed(1)}h${(width - 0.8).toFixed(1)}V14z` : ''))
    .join('');
}
