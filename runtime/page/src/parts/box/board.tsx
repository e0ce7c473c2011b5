// What only boards have: firmware, Wi-Fi, the way back to how they were delivered.
import { useSignal } from '@preact/signals';
import { bytes } from '../../kit/units';
import { ask, Refused } from '../../server/http';
import { Act, say } from '../../ui/act';
import { Ask, FileButton, Line } from '../../ui/ask';
import { Bar } from '../../ui/bar';
import { useLoaded, Wait } from '../../ui/load';
import { type Board, type FirmwareFile, isWhole, read } from './firmware-file';

/** Bytes of a piece: what a board takes at once. */
const PIECE_BYTES = 16 * 1024;
/** A piece that got lost on the air is sent again. */
const TRIES = 5;
const PAUSE_MS = 2000;

export function Firmware() {
  const board = useLoaded<Board>('/skiff/v1/firmware', 5000);
  const file = useSignal<{ bytes: Uint8Array; head: FirmwareFile } | null>(null);
  const sent = useSignal(-1);
  const take = async (chosen: File) => {
    file.value = null;
    if (!board.value) throw new Error('the board has not said yet which chip it has');
    const data = new Uint8Array(await chosen.arrayBuffer());
    const head = read(data, board.value);
    if (!(await isWhole(data, head))) throw new Error('This file is damaged: its hash is not the one in its head');
    file.value = { bytes: data, head };
  };
  const update = async () => {
    if (!file.value) return;
    try {
      await transfer(file.value.bytes, (count) => (sent.value = count));
      say('The new firmware is there; the board starts with it. If it does not prove itself, the one before comes back.');
      file.value = null;
    } finally {
      sent.value = -1;
      await board.again();
    }
  };
  const { value } = board;
  return (
    <section class="card" aria-labelledby="firmware">
      <h2 id="firmware">Firmware</h2>
      <Wait of={board}>
        <p>Version {value?.version} runs{value?.state === 'on-trial' ? ', on trial' : ''}{value?.state === 'restarting' ? '; the board is about to restart' : ''}.</p>
        {value?.rolled_back && <p class="warn">Version {value.rolled_back} did not prove itself; the one before came back.</p>}
        <FileButton label="New firmware (a file of Skiff)" accept=".bin,.skfw,application/octet-stream" take={take} />
        {file.value && (
          <>
            <p>Version {file.value.head.version}, {bytes(file.value.head.bytes)}, for this chip. SHA-256 <code>{file.value.head.sum}</code></p>
            {sent.value >= 0
              ? <Bar name="Sent" used={sent.value} limit={file.value.bytes.length} unit="bytes" />
              : <Act does={update} kind="main" sure={`Update to ${file.value.head.version}? The board restarts; it takes about a minute. Do not switch it off.`}>Update</Act>}
          </>
        )}
      </Wait>
    </section>
  );
}

/** Sends a file piece by piece; goes on where the board says that it waits. */
async function transfer(file: Uint8Array, tell: (count: number) => void): Promise<void> {
  let at = 0;
  let tries = 0;
  while (at < file.length) {
    tell(at);
    const end = Math.min(at + PIECE_BYTES, file.length);
    try {
      await ask('POST', `/skiff/v1/firmware?offset=${at}`, new Blob([new Uint8Array(file.subarray(at, end))]));
      [at, tries] = [end, 0];
    } catch (error) {
      // Only what was lost on the way is sent again; a refusal stays one.
      if (!(error instanceof Refused) || error.status !== 0 || ++tries >= TRIES) throw error;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      const { received, state } = await ask<Board>('GET', '/skiff/v1/firmware').catch(() => ({ received: at, state: '' }));
      if (state === 'restarting') return;
      at = received ?? 0;
    }
  }
}

interface Wifi {
  readonly ssid: string | null;
  readonly mode: string;
  readonly up: boolean;
}

export function WifiSettings() {
  const wifi = useLoaded<Wifi>('/skiff/v1/wifi', 5000);
  const join = async ({ ssid, password }: Readonly<Record<string, string>>) => {
    if (!window.confirm(`The board restarts and joins ${ssid}. This page is found there then, not here.`)) throw new Error('Nothing was changed');
    await ask('PUT', '/skiff/v1/wifi', password ? { ssid, password } : { ssid });
    say(`The board restarts and joins ${ssid}.`);
  };
  const forget = async () => {
    await ask('DELETE', '/skiff/v1/wifi');
    say('The board restarts and makes its own network.');
  };
  const { value } = wifi;
  return (
    <section class="card" aria-labelledby="wifi">
      <h2 id="wifi">Wi-Fi</h2>
      <Wait of={wifi}>
        <p>{value?.mode === 'set-up' ? 'It makes its own network' : `It joins ${value?.ssid ?? 'a network'}`}, {value?.up ? 'and is connected' : 'and is not connected'}.</p>
        <Ask label="Join a network" action="Join" does={join}>
          <Line label="Network"><input name="ssid" required maxLength={32} autocomplete="off" autocapitalize="off" /></Line>
          <Line label="Password of the network" hint="Empty for an open one."><input name="password" type="password" minLength={8} maxLength={63} autocomplete="off" /></Line>
        </Ask>
        {value?.ssid && <Act does={forget} kind="danger" sure={`Forget ${value.ssid}? The board restarts and makes its own network: this page is found there then.`}>Forget the network</Act>}
      </Wait>
    </section>
  );
}

export function FactoryReset() {
  const reset = async () => {
    await ask('POST', '/skiff/v1/factory-reset');
    say('The board restarts as it was delivered.');
  };
  return (
    <section class="card" aria-labelledby="factory-reset">
      <h2 id="factory-reset">Factory reset</h2>
      <p class="wrong">Everything goes: plugins, configurations, tokens, the network. The firmware stays.</p>
      <Act does={reset} kind="danger" sure="Remove everything from this board? There is no way back.">Reset to how it was delivered</Act>
    </section>
  );
}
