/** Script of the page at `/`: polls `/healthz` for the process, follows each stream over its WebSocket. */
export const HEALTH_PAGE_SCRIPT = `
'use strict';
const token = new URLSearchParams(location.search).get('access_token');
const KEEP = 40, POLL_MS = 5000, HISTORY = 150;
const TYPES = 'stream.state,event.observed,explanation.created,prediction.created,prediction.updated,prediction.resolved,scorecard.updated';
const streams = new Map();
const byId = (id) => document.getElementById(id);
const TONE = { ok: 'good', live: 'good', hit: 'good', ended: 'muted', connecting: 'muted', miss: 'warn', void: 'muted',
  degraded: 'warn', reconnecting: 'warn', failed: 'bad', unreachable: 'bad' };

function pill(element, text) { element.textContent = text; element.className = 'pill ' + (TONE[text] || 'muted'); }
function make(name, text, className) {
  const element = document.createElement(name);
  if (text !== undefined) element.textContent = text;
  if (className) element.className = className;
  return element;
}
function clockOf(seconds) {
  const whole = Math.floor(seconds), pad = (n) => String(n).padStart(2, '0');
  const tail = (seconds - whole).toFixed(1).slice(1);
  return (whole >= 3600 ? Math.floor(whole / 3600) + ':' : '') + pad(Math.floor(whole / 60) % 60) + ':' + pad(whole % 60) + tail;
}
function number(value, digits) { return value === null || value === undefined ? '–' : value.toFixed(digits); }
async function get(path) {
  const reply = await fetch(path, token ? { headers: { authorization: 'Bearer ' + token } } : {});
  if (!reply.ok) throw new Error(path + ' answered ' + reply.status);
  return reply.json();
}
function addTo(list, item) {
  if (list.firstChild && list.firstChild.className === 'muted') list.textContent = '';
  list.prepend(item);
  while (list.children.length > KEEP) list.lastChild.remove();
}

class StreamView {
  constructor(status) {
    this.id = status.id; this.delay = 500; this.events = new Map(); this.predictions = new Map();
    const last = status.lastSequence === null ? 0 : Number(status.lastSequence);
    this.next = Math.max(1, Number(status.firstSequence || 1), last - HISTORY);
    this.root = byId('stream').content.firstElementChild.cloneNode(true);
    byId('streams').append(this.root);
    this.part('id').textContent = this.id;
    this.connect();
  }
  part(name) { return this.root.querySelector('[data-is="' + name + '"]'); }
  show(status) {
    pill(this.part('state'), status.state);
    const facts = [status.source, status.reason];
    if (status.format) facts.push(status.format.width + '×' + status.format.height + ' ' + status.format.codec);
    if (status.processedFps !== undefined) facts.push(status.processedFps.toFixed(1) + ' frames/s');
    const drops = Object.entries(status.drops || {}).filter(([, count]) => count > 0);
    if (drops.length) facts.push('dropped: ' + drops.map(([why, count]) => count + ' ' + why).join(', '));
    this.part('about').textContent = facts.filter(Boolean).join(' · ');
  }
  connect() {
    const query = new URLSearchParams({ from: this.next, types: TYPES });
    if (token) query.set('access_token', token);
    const base = location.origin.replace(/^http/, 'ws');
    const socket = new WebSocket(base + '/v1/streams/' + encodeURIComponent(this.id) + '/events?' + query);
    socket.onopen = () => { this.delay = 500; };
    socket.onmessage = ({ data }) => this.take(JSON.parse(data));
    socket.onclose = () => { if (streams.get(this.id) === this) this.retry = setTimeout(() => this.connect(), this.delay); this.delay = Math.min(this.delay * 2, 10000); };
    this.socket = socket;
  }
  take(message) {
    if (message.sequence) this.next = Number(message.sequence) + 1;
    const kind = message.type.replace(/^presage\\.|\\.v1$/g, ''), data = message.data;
    if (kind === 'stream.state') pill(this.part('state'), data.state);
    else if (kind === 'event.observed') this.event(data.event);
    else if (kind === 'explanation.created') this.explanation(data.explanation);
    else if (kind === 'scorecard.updated') this.scorecard(data);
    else if (data.prediction) this.prediction(data.prediction);
  }
  event(event) {
    const item = make('li');
    const who = event.participants.map((one) => one.label + ' ' + one.id.replace(/^o/, '#')).join(', ');
    item.append(make('time', clockOf(event.t)), make('strong', event.type.replace(/_/g, ' ')), ' ' + who + (event.zone ? ', ' + event.zone : ''));
    addTo(this.part('events'), item);
    this.remember(this.events, event.id, item);
  }
  explanation(explanation) {
    const item = this.events.get(explanation.of) || this.part('events').firstChild;
    const sure = Math.round(explanation.confidence * 100) + '% sure';
    if (item) item.append(make('span', explanation.text + ' (' + sure + (explanation.verified.ok ? '' : ', not verified') + ')', 'why'));
  }
  prediction(prediction) {
    const known = this.predictions.get(prediction.id), item = known || make('li');
    item.textContent = '';
    const meter = make('meter'); meter.min = 0; meter.max = 1; meter.value = prediction.probability;
    const what = prediction.event.type.replace(/_/g, ' ') + ' ' + prediction.event.participants.map((id) => id.replace(/^o/, '#')).join(', ');
    const when = clockOf(prediction.window.from) + '–' + clockOf(prediction.window.to);
    item.append(meter, make('span', Math.round(prediction.probability * 100) + '% ', 'number'), make('strong', what), ' ' + when + ' ');
    if (prediction.outcome) { const mark = make('span'); pill(mark, prediction.outcome); item.append(mark); }
    if (prediction.justification.text) item.append(make('span', prediction.justification.text, 'why'));
    if (!known) { addTo(this.part('predictions'), item); this.remember(this.predictions, prediction.id, item); }
  }
  remember(map, id, item) {
    map.set(id, item);
    if (map.size > KEEP) map.delete(map.keys().next().value);
  }
  scorecard(card) {
    const table = make('table');
    for (const [name, text] of [['Resolved', String(card.n)], ['Brier score', number(card.brier, 4)], ['Skill over base rate', number(card.skill, 3)],
      ['Calibration error', number(card.ece, 4)], ['Average precision', number(card.ap, 3)], ['Median lead time, s', number(card.medianLeadTime, 2)]]) {
      const row = make('tr'); row.append(make('th', name), make('td', text)); table.append(row);
    }
    this.part('scorecard').replaceChildren(table, reliability(card.reliability));
  }
  close() { clearTimeout(this.retry); this.socket.close(); this.root.remove(); }
}

function reliability(points) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  const add = (name, attributes, text) => {
    const node = document.createElementNS(svg.namespaceURI, name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    if (text) node.textContent = text;
    svg.append(node);
  };
  svg.setAttribute('viewBox', '-2 -2 104 116');
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', 'Reliability: observed frequency over predicted probability');
  add('rect', { class: 'axis', x: 0, y: 0, width: 100, height: 100 });
  add('line', { class: 'ideal', x1: 0, y1: 100, x2: 100, y2: 0 });
  const at = points.map(({ p, observed }) => [p * 100, 100 - observed * 100]);
  add('polyline', { class: 'curve', points: at.map((xy) => xy.join(',')).join(' ') });
  at.forEach(([cx, cy]) => add('circle', { cx, cy, r: 2 }));
  add('text', { x: 0, y: 110 }, 'predicted → · observed ↑');
  return svg;
}

async function refresh() {
  try {
    const [health, list] = await Promise.all([get('/healthz'), get('/v1/streams')]);
    pill(byId('status'), health.status);
    const model = health.perception ? health.perception.model + ' on ' + health.perception.device : '';
    const clients = health.clients ? health.clients.connected + ' clients' : '';
    byId('facts').textContent = ['version ' + health.version, 'up ' + clockOf(health.uptimeS || 0).replace(/\\..$/, ''), model, clients].filter(Boolean).join(' · ');
    const present = new Set(list.streams.map(({ id }) => id));
    for (const [id, view] of streams) if (!present.has(id)) { streams.delete(id); view.close(); }
    for (const status of list.streams) {
      if (!streams.has(status.id)) streams.set(status.id, new StreamView(status));
      streams.get(status.id).show(status);
    }
    byId('empty').hidden = present.size > 0;
  } catch (error) { pill(byId('status'), 'unreachable'); byId('facts').textContent = error.message; }
  setTimeout(refresh, POLL_MS);
}
refresh();
`;
