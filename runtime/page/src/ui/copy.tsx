// Buttons that copy a text; also where the browser gives no clipboard, as on a page that came without TLS.
import { say } from './act';

export async function copy(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    if (!copyOldWay(text)) {
      say('The browser does not let the page copy', true);
      return;
    }
  }
  say('Copied');
}

function copyOldWay(text: string): boolean {
  const area = document.createElement('textarea');
  area.value = text;
  area.readOnly = true;
  // Inside a dialog that is open, since nothing else can have the focus then.
  (document.querySelector('dialog[open]') ?? document.body).append(area);
  const before = document.activeElement;
  area.select();
  const isDone = document.execCommand('copy');
  area.remove();
  if (before instanceof HTMLElement) before.focus();
  return isDone;
}

interface CopyProps {
  readonly text: () => string;
  readonly children: string;
}

export function Copy({ text, children }: CopyProps) {
  return <button type="button" onClick={() => void copy(text())}>{children}</button>;
}
