// The stream of the page, and what its parts want of it while they are looked at.
import { link, open, type Subscription } from '../server/stream';
import { take } from './values';

/** What is asked each time the stream opens. */
const standing = new Set<Subscription>();
let stream: ReturnType<typeof open> | null = null;
let timer = 0;
/** Milliseconds after which a page that nobody sees lets go: a chip has two streams, and a phone one battery. */
const UNSEEN_MS = 120_000;

/** Opens the stream of our own vessel, for as long as somebody sees the page. */
export function start(): void {
  begin();
  document.addEventListener('visibilitychange', () => {
    window.clearTimeout(timer);
    if (document.hidden) timer = window.setTimeout(end, UNSEEN_MS);
    else if (!stream) begin();
  });
}

function begin(): void {
  link.value = 'opening';
  stream = open('subscribe=self&sendMeta=all', standing, { delta: take });
}

function end(): void {
  stream?.close();
  stream = null;
}

/** Wants more of the stream; gives what ends it. */
export function watch(wanted: Subscription): () => void {
  standing.add(wanted);
  stream?.send(wanted);
  return () => {
    standing.delete(wanted);
    stream?.send({ context: wanted.context, unsubscribe: wanted.subscribe.map(({ path }) => ({ path })) });
  };
}
