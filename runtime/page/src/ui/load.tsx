// What is asked of the gateway and drawn when it has come.
import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useCallback, useEffect, useRef } from 'preact/hooks';
import { ask } from '../server/http';
import { wordsOf } from './act';

export interface Loaded<T> {
  readonly value: T | null;
  readonly wrong: string | null;
  /** Asks again. */
  readonly again: () => Promise<void>;
}

/** Asks for a path's JSON, again each `period` milliseconds while the page is looked at. */
export function useLoaded<T>(path: string, period = 0): Loaded<T> {
  const state = useSignal<{ value: T | null; wrong: string | null }>({ value: null, wrong: null });
  const turns = useRef(0);
  const again = useCallback(async () => {
    const turn = ++turns.current;
    // An answer that a later question has overtaken is of before.
    const put = (value: T | null, wrong: string | null) => turn === turns.current && (state.value = { value, wrong });
    try {
      put(await ask<T>('GET', path), null);
    } catch (error) {
      // What was there stays: an old list is better than none.
      put(state.peek().value, wordsOf(error));
    }
  }, [path]);
  useEffect(() => {
    void again();
    if (!period) return undefined;
    const timer = window.setInterval(() => {
      if (!document.hidden) void again();
    }, period);
    return () => window.clearInterval(timer);
  }, [again, period]);
  return { ...state.value, again };
}

interface WaitProps {
  readonly of: Loaded<unknown>;
  readonly children: ComponentChildren;
}

/** Its children once something has come; else that it is awaited, or why it does not come. */
export function Wait({ of, children }: WaitProps) {
  return (
    <>
      {of.wrong && <p class="wrong" role="alert">{of.wrong}</p>}
      {of.value === null ? !of.wrong && <p class="hint">…</p> : children}
    </>
  );
}
