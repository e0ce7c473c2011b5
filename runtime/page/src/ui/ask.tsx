// Small inputs that several parts have: a line with a label, a choice, a file.
import type { ComponentChildren } from 'preact';
import { useRef } from 'preact/hooks';
import { attempt } from './act';

interface LineProps {
  readonly label: string;
  readonly children: ComponentChildren;
  readonly hint?: string;
}

/** A label above one input. */
export function Line({ label, children, hint }: LineProps) {
  return (
    <div class="field">
      <label><span class="title">{label}</span>{children}</label>
      {hint && <p class="hint">{hint}</p>}
    </div>
  );
}

interface PickProps {
  readonly label: string;
  readonly value: string;
  readonly options: readonly (readonly [value: string, title: string])[];
  readonly pick: (value: string) => void;
  /** For rows of tables, whose heading says it to those who see. */
  readonly isBare?: boolean;
}

export function Pick({ label, value, options, pick, isBare }: PickProps) {
  const select = (
    <select aria-label={isBare ? label : undefined} value={value} onChange={(event) => pick(event.currentTarget.value)}>
      {options.map(([one, title]) => <option key={one} value={one} selected={one === value}>{title}</option>)}
    </select>
  );
  return isBare ? select : <Line label={label}>{select}</Line>;
}

interface FileButtonProps {
  readonly label: string;
  readonly accept: string;
  readonly take: (file: File) => Promise<unknown>;
}

/** Takes a file; the same one can be chosen again. */
export function FileButton({ label, accept, take }: FileButtonProps) {
  const input = useRef<HTMLInputElement>(null);
  const chosen = async (node: HTMLInputElement) => {
    const file = node.files?.[0];
    if (!file) return;
    node.disabled = true;
    await attempt(() => take(file));
    node.disabled = false;
    node.value = '';
  };
  return <Line label={label}><input ref={input} type="file" accept={accept} onChange={(event) => chosen(event.currentTarget)} /></Line>;
}

/** A form that sends its inputs by name, keeps what was typed where it is refused, and is empty when it was done. */
export function Ask({ label, action, children, does }: {
  readonly label: string;
  readonly action: string;
  readonly children: ComponentChildren;
  readonly does: (given: Readonly<Record<string, string>>) => Promise<unknown>;
}) {
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const given = Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, String(value)]));
    const button = form.querySelector<HTMLButtonElement>('button.main');
    if (button) button.disabled = true;
    if (await attempt(() => does(given))) form.reset();
    if (button) button.disabled = false;
  };
  return (
    <form class="ask" aria-label={label} onSubmit={submit}>
      {children}
      <button class="main">{action}</button>
    </form>
  );
}
