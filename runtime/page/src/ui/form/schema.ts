// What of a JSON schema (draft 7) a form is made of, without a page: which field a part needs, what stands in it at first,
// what is wrong with what was typed.

export interface Schema {
  readonly type?: string | readonly string[];
  readonly title?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly enumNames?: readonly string[];
  readonly oneOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly multipleOf?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly format?: string;
  readonly readOnly?: boolean;
}
export type Members = Readonly<Record<string, unknown>>;

export type Kind = 'object' | 'list' | 'several' | 'choice' | 'text' | 'number' | 'flag' | 'constant' | 'json';
export interface Part {
  readonly kind: Kind;
  /** Why it is given as JSON. */
  readonly why?: string;
}
export interface Option {
  readonly value: unknown;
  readonly title: string;
}

/** Parts that are deeper are given as JSON: nobody finds his way in more. */
const DEPTH_MAX = 8;
const ALWAYS = 'type title description default examples $schema $id $comment readOnly writeOnly deprecated definitions $defs';
/** Keywords that each field knows, or that do not change which field is needed. */
const KEYWORDS: Readonly<Record<Kind, string>> = {
  object: 'properties required additionalProperties minProperties maxProperties propertyOrder',
  list: 'items minItems maxItems uniqueItems',
  several: 'items minItems maxItems uniqueItems',
  choice: 'enum enumNames oneOf anyOf',
  text: 'format pattern minLength maxLength contentMediaType',
  number: 'minimum maximum exclusiveMinimum exclusiveMaximum multipleOf format',
  flag: '',
  constant: 'const',
  json: '',
};

export function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The one type of a part, beside `null`; '' if there are several or none. */
export function typeOf(schema: Schema): string {
  const types = (Array.isArray(schema.type) ? schema.type : [schema.type]).filter((one) => one && one !== 'null');
  if (types.length === 1) return String(types[0]);
  if (types.length > 1) return '';
  if (schema.properties) return 'object';
  return schema.items ? 'array' : '';
}

/** What a choice offers; nothing where the part is no choice. */
export function optionsOf(schema: Schema): readonly Option[] {
  const isPlain = (value: unknown) => value === null || typeof value !== 'object';
  if (schema.enum?.every(isPlain)) {
    return schema.enum.map((value, at) => ({ value, title: schema.enumNames?.[at] ?? String(value) }));
  }
  const several = schema.oneOf ?? schema.anyOf;
  if (!several?.length || !several.every((one) => isMembers(one) && isPlain(one.const ?? {}))) return [];
  return several.map((one) => ({ value: one.const, title: one.title ?? String(one.const) }));
}

/** Which field a part needs, with what it holds now. */
export function partOf(schema: Schema, value: unknown, depth = 0): Part {
  if (!isMembers(schema)) return { kind: 'json', why: 'the schema says nothing of it' };
  const kind = wanted(schema);
  const known = `${ALWAYS} ${KEYWORDS[kind]}`.split(' ');
  const unknown = Object.keys(schema).filter((key) => !known.includes(key) && !/^(ui:|x-)/.test(key));
  const { additionalProperties } = schema as { additionalProperties?: unknown };
  if (kind === 'object' && isMembers(additionalProperties)) unknown.push('additionalProperties');
  if (unknown.length > 0) return { kind: 'json', why: `no field knows ${unknown.join(', ')}` };
  if (kind === 'json') return { kind, why: 'the schema does not say what stands in it' };
  if (depth >= DEPTH_MAX) return { kind: 'json', why: 'it is too deep' };
  if (!holds(kind, schema, value)) return { kind: 'json', why: 'what is stored is of another kind' };
  return { kind };
}

function wanted(schema: Schema): Kind {
  if (schema.const !== undefined) return 'constant';
  if (optionsOf(schema).length > 0) return 'choice';
  switch (typeOf(schema)) {
    case 'object':
      return schema.properties ? 'object' : 'json';
    case 'array': {
      if (!isMembers(schema.items)) return 'json';
      return (schema as { uniqueItems?: boolean }).uniqueItems && optionsOf(schema.items).length > 0 ? 'several' : 'list';
    }
    case 'string':
      return 'text';
    case 'number':
    case 'integer':
      return 'number';
    case 'boolean':
      return 'flag';
    default:
      return 'json';
  }
}

function holds(kind: Kind, schema: Schema, value: unknown): boolean {
  if (value === undefined || (value === null && Array.isArray(schema.type) && schema.type.includes('null'))) return true;
  switch (kind) {
    case 'object':
      return isMembers(value);
    case 'list':
    case 'several':
      return Array.isArray(value);
    case 'text':
      return typeof value === 'string';
    case 'number':
      return typeof value === 'number';
    case 'flag':
      return typeof value === 'boolean';
    default:
      return true;
  }
}

/** A value with what its schema gives where nothing is; members that the schema does not know stay. */
export function filled(schema: Schema, value: unknown, isRequired = true, depth = 0): unknown {
  const start = value === undefined && isMembers(schema) ? copy(schema.default) : value;
  const { kind } = partOf(schema, start, depth);
  if (start === undefined) {
    if (kind === 'constant') return isRequired ? schema.const : undefined;
    if (kind === 'flag') return isRequired ? false : undefined;
    if (kind === 'several' || kind === 'list') return isRequired ? [] : undefined;
    if (kind !== 'object') return undefined;
    // An object that nobody needs is there once one of its members is.
    const made = members(schema, {}, depth);
    return isRequired || Object.keys(made).length > 0 ? made : undefined;
  }
  if (kind === 'object' && isMembers(start)) return members(schema, start, depth);
  if (kind === 'list' && Array.isArray(start)) return start.map((one: unknown) => filled(schema.items ?? {}, one, true, depth + 1));
  return start;
}

function members(schema: Schema, start: Members, depth: number): Members {
  const all: Record<string, unknown> = { ...start };
  for (const [name, part] of Object.entries(schema.properties ?? {})) {
    const value = filled(part, all[name], schema.required?.includes(name) ?? false, depth + 1);
    if (value !== undefined) all[name] = value;
  }
  return all;
}

function copy(value: unknown): unknown {
  return value === undefined ? undefined : (JSON.parse(JSON.stringify(value)) as unknown);
}

/** Members of a value that its schema says nothing of. */
export function unnamed(schema: Schema, value: unknown): readonly string[] {
  return isMembers(value) ? Object.keys(value).filter((name) => !(name in (schema.properties ?? {}))) : [];
}

/** What was typed into a field, as a value; nothing for an empty one. */
export function typed(schema: Schema, text: string): unknown {
  if (text === '') return Array.isArray(schema.type) && schema.type.includes('null') ? null : undefined;
  if (wanted(schema) !== 'number') return text;
  const number = Number(text);
  // What is no number stays as it was typed: the browser and the gateway say what they think of it.
  return Number.isFinite(number) ? number : text;
}

const INPUT_TYPES: Readonly<Record<string, string>> = { date: 'date', time: 'time', uri: 'url', url: 'url', email: 'email', password: 'password' };
/** What the browser's inputs of these types can show; anything else they would hide. */
const SHOWN: Readonly<Record<string, RegExp>> = { date: /^\d{4}-\d\d-\d\d$/, time: /^\d\d:\d\d(:\d\d(\.\d{1,3})?)?$/ };

/** The type of the input for a text that is stored. */
export function inputType({ format = '' }: Schema, text: string): string {
  const type = INPUT_TYPES[format] ?? 'text';
  return text === '' || (SHOWN[type]?.test(text) ?? true) ? type : 'text';
}

/** What is wrong with a text that was typed; '' if nothing is. Limits that browsers know are theirs to tell. */
export function complaint(schema: Schema, text: string): string {
  if (text === '') return '';
  return wanted(schema) === 'number' ? numberComplaint(schema, Number(text)) : textComplaint(schema, text);
}

function numberComplaint(schema: Schema, number: number): string {
  const { exclusiveMinimum: above, exclusiveMaximum: below, multipleOf } = schema;
  if (!Number.isFinite(number)) return 'A number is needed';
  if (typeOf(schema) === 'integer' && !Number.isInteger(number)) return 'A whole number is needed';
  if (typeof above === 'number' && number <= above) return `It must be more than ${above}`;
  if (typeof below === 'number' && number >= below) return `It must be less than ${below}`;
  if (multipleOf && Math.abs(number / multipleOf - Math.round(number / multipleOf)) > 1e-9) return `It must be a multiple of ${multipleOf}`;
  return '';
}

/** RFC 3339. */
const DATE_TIME = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?([Zz]|[+-]\d\d:?\d\d)$/;

function textComplaint(schema: Schema, text: string): string {
  if (schema.format === 'date-time' && !(DATE_TIME.test(text) && Number.isFinite(Date.parse(text)))) {
    return 'A time like 2026-11-30T14:00:00Z is needed';
  }
  if (!schema.pattern) return '';
  try {
    return new RegExp(schema.pattern, 'u').test(text) ? '' : schema.description || `It must look like ${schema.pattern}`;
  } catch {
    // A pattern that is none forbids nothing here; the plugin says what it thinks.
    return '';
  }
}

/** A value as text for people: indented. */
export function pretty(value: unknown): string {
  return value === undefined ? '' : JSON.stringify(value, null, 2);
}
