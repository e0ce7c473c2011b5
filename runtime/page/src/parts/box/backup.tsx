// Backups: everything in one file, and back again.
import { useSignal } from '@preact/signals';
import { ask, send } from '../../server/http';
import { Act, say } from '../../ui/act';
import { FileButton } from '../../ui/ask';
import { backupPart } from './words';

export function Backup() {
  const withPackages = useSignal(true);
  const found = useSignal<readonly string[]>([]);
  const wanted = useSignal<readonly string[]>([]);
  const waits = useSignal(false);
  const save = async () => {
    const answer = await send('GET', `/skServer/backup${withPackages.value ? '?includePlugins=true' : ''}`);
    const name = /filename="([^"]+)"/.exec(answer.headers.get('content-disposition') ?? '')?.[1] ?? 'skiff.backup';
    const address = URL.createObjectURL(await answer.blob());
    const link = Object.assign(document.createElement('a'), { href: address, download: name });
    link.click();
    // The browser has begun to save it by then.
    window.setTimeout(() => URL.revokeObjectURL(address), 60_000);
    say(`${name} is saved. It holds secrets: keep it where nobody else reads it.`);
  };
  const look = async (file: File) => {
    [found.value, waits.value] = [[], false];
    found.value = await ask<readonly string[]>('POST', '/skServer/validateBackup', file);
    wanted.value = found.value;
  };
  const restore = async () => {
    await ask('POST', '/skServer/restore', Object.fromEntries(wanted.value.map((name) => [name, true])));
    [found.value, waits.value] = [[], true];
  };
  const turn = (name: string) => {
    wanted.value = wanted.value.includes(name) ? wanted.value.filter((one) => one !== name) : [...wanted.value, name];
  };
  return (
    <section class="card" aria-labelledby="backup">
      <h2 id="backup">Backup</h2>
      <p><label class="row"><input type="checkbox" checked={withPackages.value} onChange={(event) => (withPackages.value = event.currentTarget.checked)} />With the plugins and web apps themselves</label></p>
      <Act does={save} kind="main">Save a backup</Act>
      <h3>Bring one back</h3>
      <FileButton label="A backup of Skiff or of Signal K Server" accept=".backup,.zip,application/zip" take={look} />
      {found.value.length > 0 && (
        <>
          <p>It takes the place of what is here, part by part. What it does not have stays.</p>
          <ul class="plain">
            {found.value.map((name) => (
              <li key={name}><label class="row"><input type="checkbox" checked={wanted.value.includes(name)} onChange={() => turn(name)} />{backupPart(name)}</label></li>
            ))}
          </ul>
          <Act does={restore} kind="danger" disabled={wanted.value.length === 0} sure="Put this in the place of what is here at the next start?">Bring it back</Act>
        </>
      )}
      {waits.value && <p class="warn" role="status">It takes its place at the next start: restart the gateway.</p>}
    </section>
  );
}
