// A package comes in: as a file, by its name, or from the list of the app store. It is asked about before it runs.
import { bytes } from '../../kit/units';
import { ask, Refused } from '../../server/http';
import { has } from '../../server/session';
import { say } from '../../ui/act';
import { FileButton } from '../../ui/ask';
import type { Asking } from './consent';
import type { Installed } from './rows';
import { Store } from './store';

interface InstallProps {
  readonly again: () => Promise<void>;
  readonly onAsks: (asking: Asking) => void;
}

export function Install({ again, onAsks }: InstallProps) {
  const take = async (file: File) => {
    try {
      const now = await ask<Installed>('POST', '/skiff/v1/plugins', file);
      say(`${now.name} ${now.version} is ${wordsOfState(now)}${now.reason && !now.asks?.length ? `: ${now.reason}` : '.'}`);
      if (now.asks?.length) {
        const isUpdate = now.state === 'waiting';
        onAsks({ id: now.id, name: now.name, asks: now.asks, isApp: now.webapp ?? false, isNew: !isUpdate, ...(isUpdate ? { version: now.version } : {}) });
      }
    } catch (error) {
      throw new Error(`not installed: ${refusal(error)}`);
    } finally {
      await again();
    }
  };
  return (
    <section class="card" aria-labelledby="install">
      <h2 id="install">Install</h2>
      <FileButton label="From a file (.tgz, as npm pack makes it)" accept=".tgz,.tar.gz,application/gzip" take={take} />
      {has('appstore') && <Store again={again} onAsks={onAsks} />}
    </section>
  );
}

function wordsOfState({ state, asks }: Installed): string {
  if (state === 'waiting') return 'here, and waits';
  return asks?.length ? 'here, and off' : state;
}

/** What a refusal says; with the room that there is, where that is why. */
function refusal(error: unknown): string {
  if (!(error instanceof Refused)) return String(error);
  const { needed, free } = (error.body ?? {}) as { needed?: unknown; free?: unknown };
  const hasRoom = error.status === 507 && typeof needed === 'number' && typeof free === 'number';
  return hasRoom ? `${error.message}. It needs ${bytes(Number(needed))}, ${bytes(Number(free))} are free.` : `${error.message}.`;
}
