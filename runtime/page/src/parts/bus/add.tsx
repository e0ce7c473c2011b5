// A form for a new connection, and a try of its address.
import { useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import { ask } from '../../server/http';
import { Act, say, wordsOf } from '../../ui/act';
import { Line, Pick } from '../../ui/ask';
import { type Direction, FORMATS, type Given, hasFormat, type Heard, heardOf, type Kind, KINDS, urlOf } from './connection';

const PATH = '/skiff/v1/connections';

export function Add({ direction, again }: { readonly direction: Direction; readonly again: () => Promise<void> }) {
  const kinds = KINDS[direction];
  const kind = useSignal<Kind>(kinds[0]?.[0] ?? 'tcp');
  const form = useRef<HTMLFormElement>(null);
  const isOpen = useSignal(false);
  const wrong = useSignal('');
  const given = (): Given => Object.fromEntries([...new FormData(form.current ?? undefined)].map(([name, value]) => [name, String(value).trim()]));
  const url = () => {
    // The browser says which line is missing.
    if (!form.current?.reportValidity()) throw new Error('Something is missing in the form');
    return urlOf(kind.value, given());
  };
  const submit = async (event: Event) => {
    event.preventDefault();
    const name = given()['name'];
    wrong.value = '';
    try {
      const made = await ask<{ name: string }>('POST', PATH, { direction, url: url(), ...(name ? { name } : {}) });
      say(`${made.name} is added.`);
      isOpen.value = false;
      await again();
    } catch (error) {
      wrong.value = wordsOf(error);
    }
  };
  const what = direction === 'input' ? 'an input' : 'an output';
  if (!isOpen.value) return <p><button type="button" onClick={() => (isOpen.value = true)}>Add {what}</button></p>;
  return (
    <form ref={form} class="fields" aria-label={`Add ${what}`} onSubmit={submit}>
      <Pick label="Kind" value={kind.value} options={kinds} pick={(value) => (kind.value = value as Kind)} />
      <Where key={kind.value} kind={kind.value} direction={direction} />
      {hasFormat(direction, kind.value) && (
        <Line label="Format"><select name="format">{FORMATS[direction].map(([value, title]) => <option key={value} value={value}>{title}</option>)}</select></Line>
      )}
      <Line label="Name" hint="Letters, digits, - _ . and blanks; empty for one made of the address."><input name="name" maxLength={64} autocomplete="off" /></Line>
      <Test direction={direction} url={url} />
      {wrong.value && <p class="wrong" role="alert">{wrong.value}</p>}
      <p class="actions">
        <button class="main">Add</button>
        <button type="button" onClick={() => (isOpen.value = false)}>Cancel</button>
      </p>
    </form>
  );
}

function Where({ kind, direction }: { readonly kind: Kind; readonly direction: Direction }) {
  const text = (name: string, label: string, value = '', hint = '') => (
    <Line label={label} {...(hint ? { hint } : {})}><input name={name} required defaultValue={value} autocomplete="off" autocapitalize="off" spellcheck={false} /></Line>
  );
  const port = (value = '') => <Line label="Port"><input name="port" type="number" required min={1} max={65_535} defaultValue={value} /></Line>;
  switch (kind) {
    case 'can':
      return text('device', 'Interface', 'can0');
    case 'file':
      return text('device', 'File', '', 'With its whole path on the gateway.');
    case 'serial':
      return (
        <>
          {text('device', 'Device', '/dev/ttyUSB0')}
          <Line label="Bits a second"><input name="baud" type="number" required min={300} max={4_000_000} defaultValue={direction === 'output' ? '4800' : '115200'} /></Line>
        </>
      );
    case 'ws':
      return <>{text('host', 'Host')}{port('3000')}<Line label="Token" hint="Where it wants one."><input name="token" autocomplete="off" spellcheck={false} /></Line></>;
    case 'tcp':
      return <>{text('host', 'Host')}{port('10110')}</>;
    default:
      return <>{text('host', direction === 'output' && kind === 'udp' ? 'Address' : 'On which address', direction === 'output' && kind === 'udp' ? '255.255.255.255' : '0.0.0.0', '0.0.0.0 is every one of this machine.')}{port('10110')}</>;
  }
}

/** Tries an address for some seconds; nothing of what is heard reaches the boat's data. */
export function Test({ direction, url }: { readonly direction: Direction; readonly url: () => string }) {
  const said = useSignal('');
  const test = async () => {
    said.value = 'Listening …';
    try {
      said.value = heardOf(await ask<Heard>('POST', `${PATH}/test`, { direction, url: url() }));
    } catch (error) {
      said.value = '';
      throw error;
    }
  };
  return <p class="actions"><Act does={test}>Try it</Act><span role="status">{said.value}</span></p>;
}
