// Web apps that were installed: which are served.
import { useEffect } from 'preact/hooks';
import { ask } from '../../server/http';
import { Act, say } from '../../ui/act';
import { useLoaded } from '../../ui/load';
import type { Asking } from './consent';
import type { WebApp } from './rows';

interface WebAppsProps {
  readonly turn: number;
  readonly again: () => Promise<void>;
  readonly onAsks: (asking: Asking) => void;
}

export function WebApps({ turn, again, onAsks }: WebAppsProps) {
  const apps = useLoaded<readonly WebApp[]>('/skiff/v1/webapps');
  useEffect(() => void (turn > 0 && apps.again()), [turn]);
  if (apps.wrong) return <p class="wrong" role="alert">{apps.wrong}</p>;
  if (!apps.value?.length) return null;
  return (
    <section class="card" aria-labelledby="web-apps">
      <h2 id="web-apps">Web apps</h2>
      <ul class="plain">
        {apps.value.map((app) => <AppRow key={app.id} app={app} again={again} onAsks={onAsks} />)}
      </ul>
    </section>
  );
}

function AppRow({ app, again, onAsks }: { readonly app: WebApp } & Omit<WebAppsProps, 'turn'>) {
  const at = encodeURIComponent(app.id);
  const stop = async () => {
    await ask('POST', `/skiff/v1/webapps/${at}`, { enabled: false });
    say(`${app.name} is no longer served.`);
    await again();
  };
  const remove = async () => {
    await ask('DELETE', `/skiff/v1/plugins/${at}`);
    say(`${app.name} is removed.`);
    await again();
  };
  const isServed = app.state === 'enabled';
  return (
    <li class="plugin-head">
      <span>{app.name} <span class="hint">{app.version}</span> <span class={`state ${isServed ? 'good' : 'off'}`}>{isServed ? 'served' : 'not served'}</span></span>
      <span class="actions">
        {isServed
          ? <Act does={stop} label={`Stop serving ${app.name}`}>Stop serving</Act>
          : <button type="button" class="main" aria-label={`Serve ${app.name}`} onClick={() => onAsks({ id: app.id, name: app.name, asks: ['webapp'], isApp: true })}>Serve</button>}
        <Act does={remove} kind="danger" sure={`Remove ${app.name}?`} label={`Remove ${app.name}`}>Remove</Act>
      </span>
    </li>
  );
}
