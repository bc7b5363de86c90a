// SPDX-License-Identifier: Apache-2.0
// Everything the picture shows, as tables: for a screen reader, for copying, and for more nodes than a picture holds.
// Rows are kept and changed in place, so that reading and selecting are not disturbed.
import { ago, count, el, many, say } from './words.js';

const MAX_LINK_ROWS = 500;

class Table {
  #rows = new Map(); // name -> row

  /** `columns`: [title, class] each. */
  constructor(box, columns, empty) {
    this.columns = columns;
    this.empty = empty;
    this.body = el('tbody');
    const head = columns.map(([title, kind]) => el('th', { scope: 'col', class: kind }, title));
    this.table = el('table', {}, el('thead', {}, el('tr', {}, ...head)), this.body);
    box.append(this.table);
  }

  /** `rows`: [name, [text, ..]] in their order. */
  show(rows) {
    const wanted = new Set(rows.map(([name]) => name));
    for (const [name, row] of this.#rows)
      if (!wanted.has(name)) {
        row.remove();
        this.#rows.delete(name);
      }
    rows.forEach(([name, texts], place) => {
      let row = this.#rows.get(name);
      if (!row) {
        row = el('tr', {}, ...this.columns.map(([, kind], i) => el(i === 0 ? 'th' : 'td', { class: kind, scope: i === 0 ? 'row' : undefined })));
        this.#rows.set(name, row);
      }
      texts.forEach((text, i) => say(row.children[i], text));
      if (this.body.children[place] !== row) this.body.insertBefore(row, this.body.children[place] ?? null);
    });
    if (rows.length > 0) this.body.querySelector('.none')?.remove();
    else if (!this.body.querySelector('.none'))
      this.body.append(el('tr', { class: 'none' }, el('td', { colspan: this.columns.length }, this.empty)));
  }
}

export class Tables {
  constructor(network) {
    this.network = network;
    const by = (id) => document.getElementById(id);
    this.nodes = new Table(
      by('nodes'),
      [['who'], ['address', 'mono'], ['received', 'number'], ['passed on', 'number'], ['last heard', 'number'], ['version'], ['location'], ['key', 'mono']],
      'nobody is in',
    );
    this.links = new Table(by('links'), [['from', 'mono'], ['to', 'mono'], ['layers'], ['packets', 'number']], 'no packet was reported in the last minute');
    this.hint = by('links-hint');
    this.details = by('links-details');
    this.details.addEventListener('toggle', () => this.show());
  }

  show() {
    const now = this.network.now();
    this.nodes.show(this.#nodes(now));
    const links = [...this.network.links.values()].map((link) => [link, link.minute.sum(now)]).filter(([, packets]) => packets > 0);
    const beyond = this.network.linksLeftOut ? ' or more' : '';
    say(this.hint, `${many(links.length, 'link')}${beyond} carried packets in the last minute`);
    if (!this.details.open) return;
    links.sort((a, b) => b[1] - a[1] || (a[0].name < b[0].name ? -1 : 1));
    this.links.show(links.slice(0, MAX_LINK_ROWS).map(([link, packets]) => [link.name, this.#link(link, packets)]));
  }

  #nodes(now) {
    const rows = [];
    const row = (node, who, received, sent) =>
      rows.push([
        node.key,
        [who, node.role === 'provider' ? `${node.address}, clients ${node.clientAddress}` : node.address, received, sent, ago(now - node.seen), node.version, node.location || '–', node.key],
      ]);
    for (let layer = 1; layer <= this.network.layers(); layer++)
      for (const mix of this.network.of('mix', layer)) {
        const tally = this.network.tallies.get(mix.key);
        row(mix, `layer ${layer}`, count(tally?.received.sum(now) ?? 0), count(tally?.sent.sum(now) ?? 0));
      }
    for (const one of this.network.of('provider')) row(one, `provider, ${many(one.accounts, 'account')}`, count(this.network.sent_to(one)), '–');
    for (const one of this.network.of('coconode')) row(one, `coconode (${one.type})`, '–', '–');
    return rows;
  }

  #link(link, packets) {
    const from = this.network.nodes.get(link.from);
    const to = this.network.at(link.to);
    const of = (node) => (node === undefined ? 'not in' : node.role === 'mix' ? String(node.layer) : node.role);
    return [from?.address ?? link.from, link.to, `${of(from)} → ${of(to)}`, count(packets)];
  }
}
