// Waits for a gateway that starts anew.
import { ask } from '../server/http';
import { STATUS, type Status } from './status';

const LOOK_MS = 1000;
/** Longest wait: a chip that tries new firmware takes half a minute. */
const WAIT_MS = 90_000;

/** Waits until a gateway that ran for `before` milliseconds has begun again; tells whether it has. */
export async function isBack(before: number): Promise<boolean> {
  const end = Date.now() + WAIT_MS;
  while (Date.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    const status = await ask<Status>('GET', STATUS).catch(() => null);
    if (status && status.uptime_ms < before) return true;
  }
  return false;
}
