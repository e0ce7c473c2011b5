// A log that follows: the last lines, new ones as they come, until somebody scrolls up to read.
import { useSignal } from '@preact/signals';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { send } from '../server/http';
import { wordsOf } from './act';

/** Time between two looks at a log that is asked for. */
const LOOK_MS = 2000;
/** Pixels above the end that still count as the end. */
const NEAR_END = 30;

export function LogLines({ label, text, wrong }: { readonly label: string; readonly text: string; readonly wrong?: string }) {
  const box = useRef<HTMLPreElement>(null);
  const follows = useRef(true);
  useLayoutEffect(() => {
    const node = box.current;
    if (node && follows.current) node.scrollTop = node.scrollHeight;
  }, [text]);
  const scrolled = ({ currentTarget: node }: { currentTarget: HTMLPreElement }) => {
    follows.current = node.scrollHeight - node.scrollTop - node.clientHeight < NEAR_END;
  };
  return (
    <>
      {wrong && <p class="wrong" role="alert">{wrong}</p>}
      {/* It can be scrolled by the keyboard. */}
      <pre ref={box} class="log" tabIndex={0} role="region" aria-label={label} onScroll={scrolled}>{text || 'Nothing yet.'}</pre>
    </>
  );
}

/** A log that is asked for again and again while it is looked at. */
export function Follow({ path, label }: { readonly path: string; readonly label: string }) {
  const text = useSignal('');
  const wrong = useSignal('');
  useEffect(() => {
    let isOver = false;
    let timer = 0;
    const look = async () => {
      if (!document.hidden) {
        try {
          const said = await (await send('GET', path)).text();
          if (!isOver) [text.value, wrong.value] = [said, ''];
        } catch (error) {
          wrong.value = wordsOf(error);
        }
      }
      // The next look begins when this one has ended: a slow link is not asked twice.
      if (!isOver) timer = window.setTimeout(look, LOOK_MS);
    };
    void look();
    return () => {
      isOver = true;
      window.clearTimeout(timer);
    };
  }, [path]);
  return <LogLines label={label} text={text.value} wrong={wrong.value} />;
}
