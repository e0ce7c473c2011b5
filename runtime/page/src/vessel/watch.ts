// The stream of the page, and what its parts want of it while they are looked at.
import { open, type Subscription } from '../server/stream';
import { take } from './values';

/** What is asked each time the stream opens. */
const standing = new Set<Subscription>();
let stream: ReturnType<typeof open> | null = null;

/** Opens the stream of our own vessel. */
export function start(): void {
  stream = open('subscribe=self&sendMeta=all', standing, { delta: take });
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
