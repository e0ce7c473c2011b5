// What the gateway may send to the bus: whether it is a device there, which paths it tells, what programs may send through it.
import { useSignal } from '@preact/signals';
import { ask } from '../../server/http';
import { say, wordsOf } from '../../ui/act';
import { Line, Pick } from '../../ui/ask';
import { useLoaded, Wait } from '../../ui/load';
import { type Allowance, linesOf, RELAYS, type RelayKind, relayKind, relayOf } from './allowance';

const PATH = '/skiff/v1/n2k';

export function Allowed() {
  const file = useLoaded<Allowance>(PATH);
  return (
    <>
      <h3>What may be sent</h3>
      <Wait of={file}>{file.value && <Form key={JSON.stringify(file.value)} of={file.value} again={file.again} />}</Wait>
    </>
  );
}

function Form({ of, again }: { readonly of: Allowance; readonly again: () => Promise<void> }) {
  const isNode = useSignal(of.node);
  const send = useSignal(of.send.join('\n'));
  const relay = useSignal<RelayKind>(relayKind(of.relay));
  const pgns = useSignal(Array.isArray(of.relay) ? of.relay.join(' ') : '');
  const wrong = useSignal('');
  const keep = async (event: Event) => {
    event.preventDefault();
    wrong.value = '';
    try {
      const wanted = { node: isNode.value, send: linesOf(send.value), ...(of.relay === undefined ? {} : { relay: relayOf(relay.value, pgns.value) }) };
      const { waits } = await ask<Allowance>('PUT', PATH, wanted);
      say(waits ? 'Kept: some of it holds from the next start.' : 'Kept, and in force.');
      await again();
    } catch (error) {
      wrong.value = wordsOf(error);
    }
  };
  return (
    <form class="fields" aria-label="What may be sent" onSubmit={keep}>
      <p><label class="row"><input type="checkbox" checked={isNode.value} disabled={of.isNodeByCommandLine} onChange={({ currentTarget }) => (isNode.value = currentTarget.checked)} />The gateway is a device on the bus, with an address of its own</label></p>
      {of.isNodeByCommandLine && <p class="hint">The command line says so.</p>}
      <Line label="Paths whose values are told" hint="One a line; * stands for any text: environment.wind.* Nothing that came from the bus goes back to it.">
        <textarea class="code" rows={3} spellcheck={false} value={send.value} onInput={({ currentTarget }) => (send.value = currentTarget.value)} />
      </Line>
      {of.relay !== undefined && <Pick label="Messages of programs that are connected" value={relay.value} options={RELAYS} pick={(value) => (relay.value = value as RelayKind)} />}
      {of.relay !== undefined && relay.value === 'some' && (
        <Line label="PGNs" hint="Numbers with blanks or commas between."><input value={pgns.value} inputMode="numeric" autocomplete="off" onInput={({ currentTarget }) => (pgns.value = currentTarget.value)} /></Line>
      )}
      {wrong.value && <p class="wrong" role="alert">{wrong.value}</p>}
      {of.waits && <p class="warn">Some of it holds from the next start: a device says what it tells when it comes.</p>}
      <p class="actions"><button class="main">Keep</button></p>
    </form>
  );
}
