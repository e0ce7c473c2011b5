// The fields of a form that a JSON schema describes. Each keeps what was typed and tells what it means; none is drawn again
// because another has changed.
import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useId, useLayoutEffect, useRef } from 'preact/hooks';
import { complaint, filled, inputType, isMembers, type Members, optionsOf, partOf, pretty, type Schema, typed, typeOf, unnamed } from './schema';

export interface FieldProps {
  readonly schema: Schema;
  /** What it holds at first. */
  readonly value: unknown;
  /** Takes what it holds now; `undefined` for nothing. */
  readonly put: (value: unknown) => void;
  readonly name: string;
  readonly isRequired: boolean;
  readonly depth: number;
}

export function Field(props: FieldProps) {
  const part = useRef(partOf(props.schema, props.value, props.depth)).current;
  switch (part.kind) {
    case 'object':
      return <ObjectField {...props} />;
    case 'list':
      return <ListField {...props} />;
    case 'several':
      return <SeveralField {...props} />;
    case 'choice':
      return <ChoiceField {...props} />;
    case 'flag':
      return <FlagField {...props} />;
    case 'constant':
      return <Around of={props}><output>{String(props.schema.const)}</output></Around>;
    case 'json':
      return <JsonField {...props} why={part.why ?? ''} />;
    default:
      return <TextField {...props} />;
  }
}

/** The title of a part: its name where the schema has none. */
export function titleOf({ schema, name }: Pick<FieldProps, 'schema' | 'name'>): string {
  const said = isMembers(schema) ? schema.title : '';
  return typeof said === 'string' && said ? said : name;
}

/** Label and description around an input. */
function Around({ of, more, children }: { readonly of: FieldProps; readonly more?: string; readonly children: ComponentChildren }) {
  const description = isMembers(of.schema) ? of.schema.description : '';
  return (
    <div class="field">
      <label>
        <span class="title">{titleOf(of)}{of.isRequired && <span aria-hidden="true"> *</span>}</span>
        {children}
      </label>
      {description && <p class="hint">{description}</p>}
      {more && <p class="hint">{more}</p>}
    </div>
  );
}

/** Texts that may be longer than that have several lines. */
const LINE_MAX = 200;

function TextField(props: FieldProps) {
  const { schema, value, isRequired } = props;
  const isNumber = ['number', 'integer'].includes(typeOf(schema));
  const change = (input: HTMLInputElement | HTMLTextAreaElement) => {
    // What a browser cannot read as a number is an empty text to us, and wrong to it.
    if (input.validity.badInput) return;
    input.setCustomValidity(complaint(schema, input.value));
    props.put(typed(schema, input.value));
  };
  const text = value === null || value === undefined ? '' : String(value);
  // Which input it is does not change under somebody's hands.
  const first = useRef({ isLong: schema.format === 'textarea' || (schema.maxLength ?? 0) > LINE_MAX || text.includes('\n'), type: inputType(schema, text) });
  const shared = { defaultValue: text, required: isRequired, readOnly: schema.readOnly ?? false };
  const { minLength, maxLength, minimum, maximum } = schema;
  if (isNumber) {
    return (
      <Around of={props} more={rangeOf(schema)}>
        <input {...shared} type="number" step="any" min={minimum} max={maximum} onInput={(event) => change(event.currentTarget)} />
      </Around>
    );
  }
  if (first.current.isLong) {
    return (
      <Around of={props}>
        <textarea {...shared} minLength={minLength} maxLength={maxLength} rows={4} onInput={(event) => change(event.currentTarget)} />
      </Around>
    );
  }
  const type = first.current.type as 'text';
  return (
    <Around of={props}>
      <input
        {...shared} type={type} step={first.current.type === 'time' ? 1 : undefined} autocomplete="off"
        minLength={minLength} maxLength={maxLength} onInput={(event) => change(event.currentTarget)}
      />
    </Around>
  );
}

function rangeOf({ minimum, maximum }: Schema): string {
  if (minimum !== undefined && maximum !== undefined) return `${minimum} to ${maximum}`;
  if (minimum !== undefined) return `At least ${minimum}`;
  return maximum === undefined ? '' : `At most ${maximum}`;
}

function FlagField(props: FieldProps) {
  const { schema, value, put } = props;
  return (
    <div class="field">
      <label class="row">
        <input type="checkbox" defaultChecked={value === true} disabled={schema.readOnly ?? false} onChange={(event) => put(event.currentTarget.checked)} />
        <span class="title">{titleOf(props)}</span>
      </label>
      {schema.description && <p class="hint">{schema.description}</p>}
    </div>
  );
}

function ChoiceField(props: FieldProps) {
  const { schema, value, put, isRequired } = props;
  const options = optionsOf(schema);
  const now = options.findIndex((option) => option.value === value);
  // What is stored and not offered stays until something else is chosen.
  const other = now < 0 && value !== undefined ? `${JSON.stringify(value)} (not offered)` : isRequired ? 'choose' : 'none';
  const needsOther = now < 0 || !isRequired;
  return (
    <Around of={props}>
      <select
        required={isRequired}
        disabled={schema.readOnly ?? false}
        onChange={({ currentTarget: { value: at } }) => put(at === '' ? undefined : options[Number(at)]?.value)}
      >
        {needsOther && <option value="" selected={now < 0}>{other}</option>}
        {options.map((option, at) => <option key={at} value={at} selected={at === now}>{option.title}</option>)}
      </select>
    </Around>
  );
}

/** Several of a choice, each once. */
function SeveralField(props: FieldProps) {
  const { schema, put } = props;
  const chosen = useRef<readonly unknown[]>(Array.isArray(props.value) ? props.value : []);
  const set = (value: unknown, isOn: boolean) => {
    const others = chosen.current.filter((one) => one !== value);
    chosen.current = isOn ? [...others, value] : others;
    put(chosen.current);
  };
  return (
    <Group of={props}>
      {optionsOf(schema.items ?? {}).map(({ value, title }) => (
        <label key={title} class="row">
          <input type="checkbox" defaultChecked={chosen.current.includes(value)} onChange={(event) => set(value, event.currentTarget.checked)} />
          {title}
        </label>
      ))}
    </Group>
  );
}

/** A part that no field knows, as JSON. */
function JsonField(props: FieldProps & { readonly why: string }) {
  const { value, put, isRequired, why } = props;
  const change = (input: HTMLTextAreaElement) => {
    try {
      const read = input.value.trim() === '' ? undefined : (JSON.parse(input.value) as unknown);
      input.setCustomValidity('');
      put(read);
    } catch (error) {
      input.setCustomValidity(`This is not JSON: ${error instanceof Error ? error.message : ''}`);
    }
  };
  const text = pretty(value);
  return (
    <Around of={props} more={`Given as JSON: ${why}.`}>
      <textarea class="code" rows={Math.min(12, text.split('\n').length + 1)} spellcheck={false} defaultValue={text} required={isRequired} onInput={(event) => change(event.currentTarget)} />
    </Around>
  );
}

/** A part with parts; the outermost has no frame. */
function Group({ of, more, children }: { readonly of: FieldProps; readonly more?: ComponentChildren; readonly children: ComponentChildren }) {
  const id = useId();
  const { schema, depth } = of;
  if (depth === 0) return <>{children}</>;
  return (
    <fieldset aria-describedby={schema.description ? id : undefined}>
      <legend>{titleOf(of)}{more}</legend>
      {schema.description && <p id={id} class="hint">{schema.description}</p>}
      {children}
    </fieldset>
  );
}

function ObjectField(props: FieldProps) {
  const { schema, put, isRequired, depth } = props;
  const current = useRef<Members>(isMembers(props.value) ? props.value : {});
  // What nobody needs, but needs something itself, is left out until somebody wants it.
  const canBeOut = !isRequired && (schema.required?.length ?? 0) > 0;
  const isOut = useSignal(canBeOut && props.value === undefined);
  const set = (name: string, value: unknown) => {
    const { [name]: _, ...others } = current.current;
    current.current = value === undefined ? others : { ...current.current, [name]: value };
    put(current.current);
  };
  const change = (wantsOut: boolean) => {
    const made = filled(schema, undefined);
    current.current = isMembers(made) ? made : {};
    isOut.value = wantsOut;
    put(wantsOut ? undefined : current.current);
  };
  if (isOut.value) {
    return <Group of={props}><button type="button" onClick={() => change(false)}>Set {titleOf(props)}</button></Group>;
  }
  const others = unnamed(schema, current.current);
  return (
    <Group of={props}>
      {Object.entries(schema.properties ?? {}).map(([name, part]) => (
        <Field
          key={name} name={name} schema={part} value={current.current[name]} depth={depth + 1}
          isRequired={schema.required?.includes(name) ?? false} put={(value) => set(name, value)}
        />
      ))}
      {others.length > 0 && <p class="hint">Kept as they are: {others.join(', ')}.</p>}
      {canBeOut && <button type="button" onClick={() => change(true)}>Leave {titleOf(props)} out</button>}
    </Group>
  );
}

interface Item {
  readonly id: number;
  readonly value: unknown;
}

function ListField(props: FieldProps) {
  const { schema, put, depth, isRequired } = props;
  const nextId = useRef(0);
  const made = (value: unknown): Item => ({ id: nextId.current++, value });
  const items = useSignal<readonly Item[]>([]);
  const first = useRef(true);
  if (first.current) {
    first.current = false;
    items.value = (Array.isArray(props.value) ? props.value : []).map(made);
  }
  const frame = useRef<HTMLDivElement>(null);
  const added = useRef(-1);
  // Whoever adds one wants to write into it.
  useLayoutEffect(() => {
    if (added.current < 0) return;
    frame.current?.querySelector<HTMLElement>(`[data-item="${added.current}"] :is(input, select, textarea)`)?.focus();
    added.current = -1;
  }, [items.value]);
  const tell = (list: readonly Item[]) => put(list.length === 0 && !isRequired && props.value === undefined ? undefined : list.map((one) => one.value));
  const set = (list: readonly Item[]) => {
    items.value = list;
    tell(list);
  };
  const move = (at: number, by: number) => {
    const list = [...items.value];
    const [taken] = list.splice(at, 1);
    if (taken) list.splice(at + by, 0, taken);
    set(list);
  };
  const add = () => {
    const one = made(filled(schema.items ?? {}, undefined));
    added.current = one.id;
    set([...items.value, one]);
  };
  // What an item holds is told, and drawn by the item alone.
  const change = (id: number, value: unknown) => {
    const list = items.peek().map((one) => (one.id === id ? { id, value } : one));
    items.value = list;
    tell(list);
  };
  const title = titleOf(props);
  const count = items.value.length;
  const name = (at: number) => `${schema.items?.title ?? title} ${at + 1}`;
  return (
    <Group of={props}>
      <div ref={frame} class="items">
        {items.value.map(({ id, value }, at) => (
          <div key={id} class="item" data-item={id}>
            <Field name={name(at)} schema={{ ...schema.items, title: name(at) }} value={value} depth={depth + 1} isRequired put={(now) => change(id, now)} />
            <span class="moves">
              <button type="button" class="plain" aria-label={`Move ${name(at)} up`} disabled={at === 0} onClick={() => move(at, -1)}>↑</button>
              <button type="button" class="plain" aria-label={`Move ${name(at)} down`} disabled={at === count - 1} onClick={() => move(at, 1)}>↓</button>
              <button
                type="button" class="plain" aria-label={`Remove ${name(at)}`} disabled={count <= (schema.minItems ?? 0)}
                onClick={() => set(items.value.filter((one) => one.id !== id))}
              >×</button>
            </span>
          </div>
        ))}
      </div>
      {count === 0 && <p class="hint">None yet.</p>}
      <button type="button" disabled={count >= (schema.maxItems ?? Number.POSITIVE_INFINITY)} onClick={add}>Add to {title}</button>
    </Group>
  );
}
