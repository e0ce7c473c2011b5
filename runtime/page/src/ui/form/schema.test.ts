import assert from 'node:assert/strict';
import test from 'node:test';
import { complaint, filled, inputType, optionsOf, partOf, pretty, type Schema, typed, unnamed } from './schema';

test('each type has its field', () => {
  const kinds: readonly [Schema, string][] = [
    [{ type: 'string' }, 'text'],
    [{ type: ['integer', 'null'] }, 'number'],
    [{ type: 'boolean' }, 'flag'],
    [{ properties: { a: {} } }, 'object'],
    [{ type: 'array', items: { type: 'string' } }, 'list'],
    [{ type: 'array', items: { enum: ['a'] }, uniqueItems: true } as Schema, 'several'],
    [{ type: 'string', enum: ['a', 'b'] }, 'choice'],
    [{ oneOf: [{ const: 1, title: 'One' }, { const: 2 }] }, 'choice'],
    [{ const: 'x' }, 'constant'],
    [{ type: 'object' }, 'json'],
    [{ type: ['string', 'number'] }, 'json'],
    [{ type: 'array', items: [{}] as unknown as Schema }, 'json'],
    [{ oneOf: [{ type: 'string' }, { type: 'number' }] }, 'json'],
    [true as unknown as Schema, 'json'],
  ];
  for (const [schema, kind] of kinds) assert.equal(partOf(schema, undefined).kind, kind, JSON.stringify(schema));
});

test('a part with a keyword that no field knows is given as JSON, and says so', () => {
  const { kind, why } = partOf({ type: 'object', properties: {}, patternProperties: {} } as Schema, {});
  assert.equal(kind, 'json');
  assert.match(why ?? '', /patternProperties/);
  assert.equal(partOf({ type: 'object', properties: {}, additionalProperties: { type: 'string' } } as Schema, {}).kind, 'json');
  assert.equal(partOf({ type: 'object', properties: {}, additionalProperties: false, 'ui:order': [] } as Schema, {}).kind, 'object');
  assert.match(partOf({ type: 'string' }, 7).why ?? '', /another kind/);
  assert.equal(partOf({ type: ['string', 'null'] }, null).kind, 'text');
  assert.equal(partOf({ type: 'string' }, 'x', 8).kind, 'json');
});

test('a choice has titles', () => {
  assert.deepEqual(optionsOf({ enum: ['a', 1], enumNames: ['A'] }), [{ value: 'a', title: 'A' }, { value: 1, title: '1' }]);
  assert.deepEqual(optionsOf({ anyOf: [{ const: 'x', title: 'X' }] }), [{ value: 'x', title: 'X' }]);
});

test('defaults are filled in where nothing is, and nothing is lost', () => {
  const schema: Schema = {
    type: 'object',
    required: ['flag', 'must'],
    properties: {
      limit: { type: 'number', default: 3 },
      flag: { type: 'boolean' },
      off: { type: 'boolean' },
      must: { type: 'object', properties: { a: { type: 'string' } } },
      may: { type: 'object', properties: { a: { type: 'string' } } },
      given: { type: 'object', properties: { a: { type: 'string', default: 'x' } } },
      list: { type: 'array', items: { type: 'object', properties: { n: { type: 'number', default: 1 } } } },
    },
  };
  assert.deepEqual(filled(schema, undefined), { limit: 3, flag: false, must: {}, given: { a: 'x' } });
  assert.deepEqual(
    filled(schema, { limit: 0, own: [1], list: [{}, { n: 0 }], given: { b: 2 } }),
    { limit: 0, own: [1], list: [{ n: 1 }, { n: 0 }], given: { b: 2, a: 'x' }, flag: false, must: {} },
  );
  assert.deepEqual(unnamed(schema, { limit: 0, own: 1 }), ['own']);
});

test('a number is taken as it was typed', () => {
  const schema: Schema = { type: 'number' };
  assert.deepEqual(['0.1', '-007', '1e3', '+4', '2.', ''].map((text) => typed(schema, text)), [0.1, -7, 1000, 4, 2, undefined]);
  assert.equal(typed({ type: ['number', 'null'] }, ''), null);
  assert.equal(typed({ type: 'string' }, '12'), '12');
  assert.equal(typed(schema, 'x'), 'x');
});

test('what browsers do not check is checked', () => {
  const cases: readonly [Schema, string, RegExp][] = [
    [{ type: 'integer' }, '1.5', /whole/],
    [{ type: 'number', exclusiveMinimum: 0 }, '0', /more than 0/],
    [{ type: 'number', exclusiveMaximum: 5 }, '5', /less than 5/],
    [{ type: 'number', multipleOf: 0.1 }, '0.35', /multiple of 0.1/],
    [{ type: 'string', pattern: '^[a-z]+$' }, 'A', /look like/],
    [{ type: 'string', format: 'date-time' }, '2026-11-30', /2026/],
  ];
  for (const [schema, text, says] of cases) assert.match(complaint(schema, text), says);
  for (const [schema, text] of [
    [{ type: 'number', multipleOf: 0.1 }, '0.3'],
    [{ type: 'string', pattern: '[' }, 'x'],
    [{ type: 'string', pattern: 'b' }, 'abc'],
    [{ type: 'string', format: 'date-time' }, '2026-11-30T14:00:00.5+01:00'],
    [{ type: 'integer' }, ''],
  ] as const) assert.equal(complaint(schema, text), '', text);
});

test('nothing is an empty text', () => {
  assert.equal(pretty(undefined), '');
  assert.equal(pretty({ a: 1 }), '{\n  "a": 1\n}');
});

test('an input that would hide what is stored is a line of text', () => {
  const types = [['date', '2026-11-30'], ['date', 'tomorrow'], ['time', ''], ['time', '14:00:00Z'], ['uri', 'x'], ['other', 'x']].map(([format, text]) => inputType({ format: format ?? '' }, text ?? ''));
  assert.deepEqual(types, ['date', 'text', 'time', 'text', 'url', 'text']);
});
