// Web apps of the boat's port: with icon and name, those that can be inside open inside.
import { useEffect, useRef } from 'preact/hooks';
import { useSignal } from '@preact/signals';
import { useLoaded, Wait } from '../../ui/load';
import type { Part } from '../part';
import { type App, iconOf, readApps } from './list';

function View({ rest: [name] }: { readonly rest: readonly string[] }) {
  const loaded = useLoaded<unknown>('/skServer/webapps');
  const apps = readApps(loaded.value);
  const inside = apps.find((app) => app.name === name);
  if (inside?.isEmbeddable) return <Inside app={inside} />;
  return (
    <Wait of={loaded}>
      {name && loaded.value !== null && <p class="wrong" role="alert">There is no app {name} that opens here.</p>}
      {apps.length === 0
        ? <p class="hint">No web app is installed. The administrator installs them with the plugins.</p>
        : <ul class="apps">{apps.map((app) => <li key={app.name}><Card app={app} /></li>)}</ul>}
    </Wait>
  );
}

function Card({ app }: { readonly app: App }) {
  const isBroken = useSignal(false);
  const icon = iconOf(app);
  return (
    <a class="card app" href={app.isEmbeddable ? `#/apps/${encodeURIComponent(app.name)}` : app.location}>
      {icon && !isBroken.value
        ? <img src={icon} alt="" width="64" height="64" loading="lazy" onError={() => (isBroken.value = true)} />
        : <span class="letter" aria-hidden="true">{app.title.slice(0, 1).toUpperCase()}</span>}
      <span><b>{app.title}</b>{app.description && <small>{app.description}</small>}<small class="hint">{app.name} {app.version}</small></span>
    </a>
  );
}

/** An app inside the page; its own origin's pages alone (`frame-src 'self'`). */
function Inside({ app }: { readonly app: App }) {
  const wrong = useSignal<string | null>(null);
  const node = useRef<HTMLIFrameElement>(null);
  useEffect(() => {
    // Some are made to be drawn by Signal K's admin page and have no page of their own.
    fetch(app.location, { method: 'HEAD', credentials: 'same-origin' })
      .then(({ ok, status }) => (wrong.value = ok ? null : status === 404 ? 'This app has no page of its own: it is made for Signal K\'s admin page.' : `The gateway answered ${status}.`))
      .catch(() => (wrong.value = 'The gateway does not answer.'));
    node.current?.focus();
  }, [app.location]);
  return (
    <div class="inside">
      <p class="acts"><a href="#/apps">← All apps</a><b>{app.title}</b><a href={app.location}>by itself</a></p>
      {wrong.value ? <p class="wrong" role="alert">{wrong.value}</p> : <div class="frame"><iframe ref={node} src={app.location} title={app.title} /></div>}
    </div>
  );
}

export const apps: Part = { id: 'apps', title: 'Apps', door: 'boat', needs: 'webapps', View };
