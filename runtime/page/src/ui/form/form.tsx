// A form that a JSON schema describes. What was typed stays in it whatever the gateway says.
import { useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import { wordsOf } from '../act';
import { Field } from './fields';
import { filled, pretty, type Schema } from './schema';

interface FormProps {
  readonly schema: Schema;
  /** What is stored now. */
  readonly value: unknown;
  /** Stores; what it throws is said below the form. */
  readonly save: (value: unknown) => Promise<unknown>;
  readonly label: string;
}

export function SchemaForm({ schema, value, save, label }: FormProps) {
  const start = useRef(filled(schema, value)).current;
  const current = useRef(start);
  const wrong = useSignal('');
  const done = useSignal('');
  const isBusy = useSignal(false);
  const isChanged = useSignal(pretty(start) !== pretty(value));
  const submit = async (event: Event) => {
    event.preventDefault();
    [wrong.value, done.value, isBusy.value] = ['', '', true];
    try {
      await save(current.current);
      done.value = 'Saved.';
      isChanged.value = false;
    } catch (error) {
      wrong.value = wordsOf(error);
    }
    isBusy.value = false;
  };
  const put = (now: unknown) => {
    current.current = now;
    [isChanged.value, done.value] = [true, ''];
  };
  return (
    <form class="fields" aria-label={label} onSubmit={submit}>
      <Field schema={schema} value={start} put={put} name={label} isRequired depth={0} />
      {wrong.value && <p class="wrong" role="alert">{wrong.value}</p>}
      <p class="actions">
        <button class="main" disabled={isBusy.value} aria-busy={isBusy.value}>Save</button>
        <span role="status" class="hint">{done.value || (isChanged.value ? 'Not saved yet.' : '')}</span>
      </p>
    </form>
  );
}
