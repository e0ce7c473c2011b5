// A text that is shown to be copied.
import { useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';

export function Copy({ text, label }: { readonly text: string; readonly label: string }) {
  const box = useRef<HTMLTextAreaElement>(null);
  const done = useSignal('');
  const copy = async () => {
    box.current?.select();
    try {
      await navigator.clipboard.writeText(text);
      done.value = 'Copied.';
    } catch {
      // Without TLS a browser has no clipboard for pages: what is chosen is copied by hand.
      done.value = 'It is marked: copy it with your browser.';
    }
  };
  return (
    <div class="copy">
      <textarea ref={box} class="code" readOnly rows={3} aria-label={label} value={text} />
      <p class="actions"><button type="button" class="main" onClick={copy}>Copy</button><span role="status">{done.value}</span></p>
    </div>
  );
}
