// The app store: packages by name from the registry of npm. The gateway loads them, one after the other.
import { useComputed, useSignal } from '@preact/signals';
import { ask } from '../../server/http';
import { Act, say, wordsOf } from '../../ui/act';
import { Ask, Line } from '../../ui/ask';
import { OPENED, useEvents } from '../../ui/events';
import { useLoaded } from '../../ui/load';
import type { Asking } from './consent';
import { nameAndVersion, type Row, type WebApp } from './rows';

interface Offer {
  readonly name: string;
  readonly version: string;
  readonly description?: string;
  readonly author?: string;
  readonly npmUrl?: string | null;
  readonly isPlugin?: boolean;
  readonly isWebapp?: boolean;
  readonly installedVersion?: string;
}
interface Offers {
  readonly available: readonly Offer[];
  readonly updates: readonly Offer[];
  readonly installing: readonly (Offer & { readonly installFailed?: boolean; readonly isWaiting?: boolean; readonly isInstalling?: boolean; readonly isRemoving?: boolean })[];
  readonly storeAvailable: boolean;
}
interface Ended {
  readonly code: number;
  readonly log: string;
  readonly version: string | null;
}
interface StoreProps {
  readonly again: () => Promise<void>;
  readonly onAsks: (asking: Asking) => void;
}

/** Offers that are drawn at once; the rest is found by its name. */
const SHOWN_MAX = 30;

export function Store({ again, onAsks }: StoreProps) {
  const offers = useLoaded<Offers>('/skServer/appstore/available');
  const sought = useSignal('');
  const waited = useSignal<readonly string[]>([]);
  const wrong = useSignal('');
  useEvents(({ type }) => {
    if (type === 'APP_STORE_CHANGED' || (type === OPENED && waited.peek().length > 0)) look().catch((error: unknown) => (wrong.value = wordsOf(error)));
  });
  // Packages that this page has asked for, and that have come or failed since.
  const look = async () => {
    const { installing } = await ask<Offers>('GET', '/skServer/appstore/available');
    for (const name of waited.peek()) {
      // What was done under this name before is told until this is done, too.
      if (installing.some((one) => one.name === name && (one.isWaiting || one.isInstalling || one.isRemoving))) continue;
      const ended = await ask<Ended>('GET', `/skServer/appstore/installLog/${name}`).catch(() => null);
      if (!ended) continue;
      waited.value = waited.peek().filter((one) => one !== name);
      if (ended.code) wrong.value = `${name} was not installed: ${ended.log}.`;
      else await came(name, onAsks);
      await again();
    }
    await offers.again();
  };
  const install = async (name: string, version: string) => {
    wrong.value = '';
    const wanted = version || (await ask<Offer>('GET', `/skServer/appstore/plugin/${name}`)).version;
    await ask('POST', `/skServer/appstore/install/${name}/${encodeURIComponent(wanted)}`);
    waited.value = [...waited.peek().filter((one) => one !== name), name];
    say(`${name} ${wanted} is being loaded.`);
    await look();
  };
  const updates = offers.value?.updates ?? [];
  return (
    <>
      <Ask label="Install by name" action="Install" does={({ name = '' }) => install(...nameAndVersion(name))}>
        <Line label="By name, from the registry" hint="NAME or NAME@VERSION, @acme/tide-predictor say.">
          <input name="name" required autocomplete="off" autocapitalize="off" spellcheck={false} pattern="\s*(@[^@\s\/]+\/)?[^@\s\/]+(@\S+)?\s*" />
        </Line>
      </Ask>
      {waited.value.length > 0 && <p role="status">Being loaded: {waited.value.join(', ')} …</p>}
      {wrong.value && <p class="wrong" role="alert">{wrong.value}</p>}
      {updates.length > 0 && <h3>Updates</h3>}
      <List of={updates} install={install} word="Update" />
      <h3>App store</h3>
      {offers.wrong && <p class="wrong" role="alert">{offers.wrong}</p>}
      {offers.value && !offers.value.storeAvailable && <p class="hint">The registry cannot be reached now: no list.</p>}
      {offers.value?.storeAvailable && <Search of={offers.value.available} sought={sought} install={install} />}
      <Act
        does={async () => {
          await ask('POST', '/skServer/appstore/refresh');
          await offers.again();
        }}
      >Ask the registry again</Act>
    </>
  );
}

/** A package has come: what it asks for is asked now. */
async function came(name: string, onAsks: (asking: Asking) => void): Promise<void> {
  const row = (await ask<readonly Row[]>('GET', '/skServer/plugins')).find((one) => one.packageName === name);
  const asks = row?.skiff.waiting?.asks ?? row?.skiff.asks;
  if (row && asks?.length) {
    const { waiting } = row.skiff;
    return onAsks({ id: row.id, name: row.name, asks, isApp: false, isNew: !waiting, ...(waiting ? { version: waiting.version } : {}) });
  }
  const app = row ? undefined : (await ask<readonly WebApp[]>('GET', '/skiff/v1/webapps')).find((one) => one.name === name);
  if (app?.asks.length) return onAsks({ id: app.id, name, asks: app.asks, isApp: true, isNew: true });
  return say(`${name} is installed.`);
}

interface SearchProps {
  readonly of: readonly Offer[];
  readonly sought: { value: string };
  readonly install: (name: string, version: string) => Promise<void>;
}

function Search({ of, sought, install }: SearchProps) {
  const found = useComputed(() => {
    const words = sought.value.toLowerCase().split(/\s+/).filter((word) => word);
    return of.filter(({ name, description }) => words.every((word) => `${name} ${description ?? ''}`.toLowerCase().includes(word)));
  });
  return (
    <>
      <Line label={`Search ${of.length} packages`}>
        <input type="search" value={sought.value} onInput={(event) => (sought.value = event.currentTarget.value)} />
      </Line>
      <List of={found.value.slice(0, SHOWN_MAX)} install={install} word="Install" />
      {found.value.length > SHOWN_MAX && <p class="hint">{found.value.length - SHOWN_MAX} more: search for a word of them.</p>}
    </>
  );
}

function List({ of, install, word }: { readonly of: readonly Offer[]; readonly word: string } & Pick<SearchProps, 'install'>) {
  return (
    <ul class="plain">
      {of.map((offer) => {
        const verb = offer.installedVersion ? 'Update' : word;
        return (
          <li key={offer.name} class="plugin-head">
            <span>
              <strong>{offer.name}</strong> <span class="hint">{offer.version}{offer.author && `, ${offer.author}`}{offer.isWebapp && ', web app'}</span>
              <br />{offer.description}
            </span>
            {offer.installedVersion === offer.version
              ? <span class="state good">installed</span>
              : <Act does={() => install(offer.name, offer.version)} label={`${verb} ${offer.name}`}>{verb}</Act>}
          </li>
        );
      })}
    </ul>
  );
}
