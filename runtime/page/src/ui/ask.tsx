// Small inputs that several parts have: a line with a label, a choice, a file.
import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { wordsOf } from './act';

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
  const wrong = useSignal('');
  const chosen = async (node: HTMLInputElement) => {
    const file = node.files?.[0];
    if (!file) return;
    [node.disabled, wrong.value] = [true, ''];
    try {
      await take(file);
    } catch (error) {
      wrong.value = `${file.name}: ${wordsOf(error)}`;
    }
    node.disabled = false;
    node.value = '';
  };
  return (
    <>
      <Line label={label}><input type="file" accept={accept} onChange={(event) => chosen(event.currentTarget)} /></Line>
      {wrong.value && <p class="wrong" role="alert">{wrong.value}</p>}
    </>
  );
}

/** A form that sends its inputs by name, keeps what was typed where it is refused, and is empty when it was done. */
export function Ask({ label, action, children, does }: {
  readonly label: string;
  readonly action: string;
  readonly children: ComponentChildren;
  readonly does: (given: Readonly<Record<string, string>>) => Promise<unknown>;
}) {
  const wrong = useSignal('');
  const isBusy = useSignal(false);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const given = Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, String(value)]));
    [isBusy.value, wrong.value] = [true, ''];
    try {
      await does(given);
      form.reset();
    } catch (error) {
      wrong.value = wordsOf(error);
    }
    isBusy.value = false;
  };
  return (
    <form class="ask" aria-label={label} onSubmit={submit}>
      {children}
      <button class="main" disabled={isBusy.value} aria-busy={isBusy.value}>{action}</button>
      {wrong.value && <p class="wrong" role="alert">{wrong.value}</p>}
    </form>
  );
}
