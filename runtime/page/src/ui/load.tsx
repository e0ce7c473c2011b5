// What is asked of the gateway and drawn when it has come.
import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useCallback, useEffect } from 'preact/hooks';
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
  const again = useCallback(async () => {
    try {
      state.value = { value: await ask<T>('GET', path), wrong: null };
    } catch (error) {
      // What was there stays: an old list is better than none.
      state.value = { value: state.peek().value, wrong: wordsOf(error) };
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
