// Buttons that do something on the gateway, and what came of it.
import { signal, useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { Refused } from '../server/http';

/** The last thing that was done or refused, shown at the foot of the page. */
const notice = signal<{ text: string; isWrong: boolean } | null>(null);
let timer = 0;
const NOTICE_MS = 6000;

/** Says something for some seconds; what went wrong stays until it is closed. */
export function say(text: string, isWrong = false): void {
  window.clearTimeout(timer);
  notice.value = { text, isWrong };
  if (!isWrong) timer = window.setTimeout(() => (notice.value = null), NOTICE_MS);
}

/** What an error is to a person. */
export function wordsOf(error: unknown): string {
  return error instanceof Refused || error instanceof Error ? error.message : String(error);
}

/** Does something and says how it ended; tells whether it was done. */
export async function attempt(what: () => Promise<unknown>, done?: string): Promise<boolean> {
  try {
    await what();
    if (done) say(done);
    return true;
  } catch (error) {
    say(wordsOf(error), true);
    return false;
  }
}

export function Notice() {
  const now = notice.value;
  return (
    <div class="notices" role="status" aria-live="polite">
      {now && (
        <p class={now.isWrong ? 'notice wrong' : 'notice'}>
          <span>{now.text}</span>
          <button type="button" class="plain" aria-label="Close" onClick={() => (notice.value = null)}>×</button>
        </p>
      )}
    </div>
  );
}

interface ActProps {
  /** What a press does; the button waits until it has ended. */
  readonly does: () => Promise<unknown>;
  readonly done?: string;
  readonly kind?: 'main' | 'danger' | 'plain';
  /** Asked before. */
  readonly sure?: string;
  readonly disabled?: boolean;
  readonly label?: string;
  readonly children: ComponentChildren;
}

/** A button that waits for what it does, and says what went wrong. */
export function Act({ does, done, kind, sure, disabled, label, children }: ActProps) {
  const isBusy = useSignal(false);
  const press = async () => {
    if (sure && !window.confirm(sure)) return;
    isBusy.value = true;
    await attempt(does, done);
    isBusy.value = false;
  };
  return (
    <button type="button" class={kind} disabled={disabled || isBusy.value} aria-busy={isBusy.value} aria-label={label} onClick={press}>
      {children}
    </button>
  );
}
