// The stream of deltas, opened again whenever it ends.
import { signal } from '@preact/signals';
import { token } from './session';

export interface Value {
  readonly path: string;
  readonly value: unknown;
}
export interface Meta {
  readonly path: string;
  readonly value: Readonly<Record<string, unknown>>;
}
export interface Update {
  readonly $source?: string;
  readonly timestamp?: string;
  readonly values?: readonly Value[];
  readonly meta?: readonly Meta[];
}
export interface Delta {
  readonly context?: string;
  readonly updates: readonly Update[];
}
/** An event of the gateway, `{"type":"SERVERSTATISTICS",…}`. */
export interface ServerEvent {
  readonly type: string;
  readonly data: unknown;
}

export type Link = 'opening' | 'open' | 'lost';
/** How the stream is. */
export const link = signal<Link>('opening');
/** Our own context, `vessels.urn:mrn:…`, once the gateway has said it. */
export const self = signal('');
/** The gateway's clock less ours, in milliseconds. */
export const clockOffset = signal(0);

const RETRY_MS = [500, 1000, 2000, 4000, 8000];

interface Readers {
  delta(delta: Delta): void;
  event?(event: ServerEvent): void;
  /** It is open: what was told before that is to be asked for. */
  opened?(): void;
}

/** What is asked of the stream each time it opens. */
export interface Subscription {
  readonly context: string;
  readonly subscribe: readonly { readonly path: string; readonly period?: number; readonly policy?: string }[];
}

/** Opens the stream and keeps it open; gives what ends it, and what sends a message while it is open. */
export function open(query: string, subscriptions: Iterable<Subscription>, readers: Readers) {
  let socket: WebSocket | null = null;
  let timer = 0;
  let tries = 0;
  let isOver = false;
  const connect = () => {
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
    const search = new URLSearchParams(query);
    if (token) search.set('token', token);
    socket = new WebSocket(`${scheme}://${location.host}/signalk/v1/stream?${search}`);
    socket.onopen = () => {
      tries = 0;
      link.value = 'open';
      for (const subscription of subscriptions) socket?.send(JSON.stringify(subscription));
      readers.opened?.();
    };
    socket.onmessage = ({ data }) => read(String(data), readers);
    socket.onclose = () => {
      if (isOver) return;
      link.value = 'lost';
      timer = window.setTimeout(connect, RETRY_MS[Math.min(tries, RETRY_MS.length - 1)]);
      tries += 1;
    };
  };
  connect();
  return {
    close() {
      isOver = true;
      window.clearTimeout(timer);
      socket?.close();
    },
    send(message: unknown) {
      if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
    },
  };
}

function read(text: string, readers: Readers) {
  const message = JSON.parse(text) as Record<string, unknown>;
  if (Array.isArray(message['updates'])) readers.delta(message as unknown as Delta);
  else if (typeof message['type'] === 'string') readers.event?.(message as unknown as ServerEvent);
  else if (typeof message['self'] === 'string') {
    self.value = message['self'];
    const then = Date.parse(String(message['timestamp']));
    if (Number.isFinite(then)) clockOffset.value = then - Date.now();
  }
}
