// Buttons that do something on the gateway, and what came of it.
import { signal, useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
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

export function Notice() {
  const now = notice.value;
  const node = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    // Above a dialog, too; shown again, it is above one that opened since.
    if (now) node.current?.showPopover?.();
    return () => now && node.current?.hidePopover?.();
  }, [now]);
  return (
    <div ref={node} class="notices" role="status" aria-live="polite" popover="manual">
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
  const wrong = useSignal('');
  const press = async ({ currentTarget }: { currentTarget: HTMLElement }) => {
    if (sure && !window.confirm(sure)) return;
    const isInDialog = currentTarget.closest('dialog') !== null;
    [isBusy.value, wrong.value] = [true, ''];
    try {
      await does();
      if (done) say(done);
    } catch (error) {
      // What stands behind a dialog is not read to those who do not see.
      if (isInDialog) wrong.value = wordsOf(error);
      else say(wordsOf(error), true);
    }
    isBusy.value = false;
  };
  return (
    <>
      <button type="button" class={kind} disabled={disabled || isBusy.value} aria-busy={isBusy.value} aria-label={label} onClick={press}>
        {children}
      </button>
      {wrong.value && <span class="wrong" role="alert">{wrong.value}</span>}
    </>
  );
}
