import assert from 'node:assert/strict';
import test from 'node:test';

// What a browser has, as far as these modules ask for it. Timers are not started: nothing here waits.
const sent: unknown[] = [];
let socket: FakeSocket | undefined;
let pictures: (() => void)[] = [];
class FakeSocket {
  static OPEN = 1;
  readyState = 0;
  onopen?: () => void;
  onmessage?: (event: { data: string }) => void;
  onclose?: () => void;
  constructor(readonly url: string) {
    socket = this;
  }
  send(text: string) {
    sent.push(JSON.parse(text));
  }
  close() {
    this.readyState = 3;
  }
}
const page = { hidden: false, addEventListener: (_: string, hear: () => void) => (seen = hear) };
let seen: () => void = () => undefined;
let later: (() => void) | undefined;
const stubs = {
  location: { search: '', pathname: '/', hash: '', protocol: 'http:', host: 'boat:3000' },
  window: { setTimeout: (what: () => void) => ((later = what), 1), clearTimeout: () => (later = undefined) },
  document: page,
  WebSocket: FakeSocket,
  requestAnimationFrame: (draw: () => void) => pictures.push(draw),
  setInterval: () => 0,
};
Object.assign(globalThis, stubs);
const { leaf, meta, vessel, vessels, isOld, take } = await import('./values');
const { start, watch } = await import('./watch');
const { link, self } = await import('../server/stream');

const draw = () => {
  const due = pictures;
  pictures = [];
  due.forEach((one) => one());
};
const say = (context: string | undefined, values: Record<string, unknown>, timestamp = new Date().toISOString()) =>
  take({ ...(context && { context }), updates: [{ $source: 'x', timestamp, values: Object.entries(values).map(([path, value]) => ({ path, value })) }] });

test('paths have a limit, beyond which no list is drawn again', () => {
  const many = 'vessels.urn:many';
  const all = (from: number, count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`p${from + index}`, 1]));
  say(many, all(0, 4000));
  draw();
  const on = vessel(many);
  const size = on?.size.peek();
  say(many, all(4000, 10));
  draw();
  assert.equal(on?.leaves.size, 4000);
  assert.equal(on?.size.peek(), size);
  vessels.delete(many);
});

test('what is said is there with the next picture, not before', () => {
  say('vessels.self', { 'a.b': 1 });
  assert.equal(leaf('a.b').peek().value, undefined);
  draw();
  assert.equal(leaf('a.b').peek().value, 1);
});

test('a page that nobody sees takes it at once, and so does one that got too much', () => {
  page.hidden = true;
  say(undefined, { 'a.c': 2 });
  assert.equal(leaf('a.c').peek().value, 2);
  page.hidden = false;
  for (let count = 0; count < 500; count += 1) say(undefined, { 'a.d': count });
  assert.equal(leaf('a.d').peek().value, 499);
  draw();
});

test('a path counts from its first word on, and null is none', () => {
  const own = vessel('self');
  const before = own?.size.peek() ?? 0;
  void leaf('never.said').peek();
  say(undefined, { 'once.null': null });
  draw();
  assert.equal(own?.said.has('once.null'), false);
  say(undefined, { 'once.null': 3 });
  draw();
  assert.equal(own?.said.has('once.null'), true);
  assert.equal(own?.size.peek(), before + 2);
  assert.equal(own?.said.has('never.said'), false);
});

test('what the root says are paths of their own, and our whole name is ours', () => {
  self.value = 'vessels.urn:x';
  say('vessels.urn:x', { '': { name: 'Skiff', mmsi: '211' } });
  draw();
  assert.equal(leaf('name').peek().value, 'Skiff');
  assert.equal(leaf('mmsi').peek().value, '211');
});

test('meta is put together member by member', () => {
  for (const value of [{ units: 'm' }, { displayName: 'Keel' }]) take({ updates: [{ meta: [{ path: 'a.b', value }] }] });
  draw();
  assert.deepEqual(meta('a.b').peek(), { units: 'm', displayName: 'Keel' });
});

test('a value is old after ten seconds, or its own time', () => {
  say(undefined, { old: 1 }, new Date(Date.now() - 12_000).toISOString());
  draw();
  assert.equal(isOld(leaf('old').peek()), true);
  assert.equal(isOld(leaf('old').peek(), 60), false);
});

test('vessels have a limit, and who is heard of late stays out while the others speak', () => {
  for (let number = 0; number < 500; number += 1) say(`vessels.urn:mrn:imo:mmsi:${number}`, { a: 1 });
  draw();
  assert.equal(vessels.size, 400);
  assert.equal(vessel('vessels.urn:mrn:imo:mmsi:499'), undefined);
  assert.equal(leaf('a', 'vessels.urn:mrn:imo:mmsi:499').peek().value, undefined);
  for (const one of vessels.values()) if (one.context.endsWith(':7')) one.heard = -700_000;
  say('vessels.urn:mrn:imo:mmsi:499', { a: 1 });
  draw();
  assert.equal(vessel('vessels.urn:mrn:imo:mmsi:499')?.context, 'vessels.urn:mrn:imo:mmsi:499');
  assert.equal(vessel('vessels.urn:mrn:imo:mmsi:7'), undefined, 'the silent one has made room');
  assert.equal(vessels.size, 400);
});

test('what a part wants is asked when the stream opens, again when it opens anew, and no more when the part is left', () => {
  start();
  const wanted = { context: 'vessels.*', subscribe: [{ path: 'navigation.position', period: 2000 }] };
  const end = watch(wanted);
  assert.deepEqual(sent, [], 'nothing is sent before it is open');
  const open = () => {
    if (!socket) return;
    socket.readyState = 1;
    socket.onopen?.();
  };
  open();
  assert.equal(link.peek(), 'open');
  assert.match(socket?.url ?? '', /^ws:\/\/boat:3000\/signalk\/v1\/stream\?subscribe=self&sendMeta=all$/);
  assert.deepEqual(sent.splice(0), [wanted]);
  open();
  assert.deepEqual(sent.splice(0), [wanted]);
  end();
  assert.deepEqual(sent.splice(0), [{ context: 'vessels.*', unsubscribe: [{ path: 'navigation.position' }] }]);
  open();
  assert.deepEqual(sent, []);
});

test('a log of last summer is live from the second word of a path on, not from the second path', () => {
  const summer = (seconds: number) => new Date(Date.parse('2020-07-01T12:00:00Z') + seconds * 1000).toISOString();
  const told = (path: string, seconds: number) => {
    take({ updates: [{ $source: 'log', timestamp: summer(seconds), values: [{ path, value: seconds }] }] });
    draw();
  };
  link.value = 'lost';
  link.value = 'open';
  told('a', 0);
  told('b', 5);
  assert.equal(isOld(leaf('b').peek()), true);
  told('a', 6);
  assert.equal(isOld(leaf('a').peek()), false);
  assert.equal(isOld(leaf('b').peek()), false);
});

test('a page that nobody sees lets the stream go after a while, and opens it when it is seen', () => {
  const first = socket;
  const look = (hidden: boolean) => {
    page.hidden = hidden;
    seen();
  };
  look(true);
  assert.equal(first?.readyState, 1, 'not at once');
  look(false);
  const due = () => later;
  assert.equal(due(), undefined, 'who comes back in time has lost nothing');
  assert.equal(socket, first);
  look(true);
  due()?.();
  assert.equal(first?.readyState, 3);
  look(false);
  assert.notEqual(socket, first);
  assert.equal(link.peek(), 'opening');
});
