// The frame around the parts: name, state of the link, the parts that may be seen, who is signed in.
import { computed } from '@preact/signals';
import type { Part } from '../parts/part';
import { ask } from '../server/http';
import { has, isAdminDoor, isSignedOut, login, machine, may, otherDoor, token } from '../server/session';
import { link } from '../server/stream';
import { Act, Notice } from '../ui/act';
import { leaf } from '../vessel/values';
import { theme, THEMES, type Theme } from './choices';
import { route } from './route';

const LINK_WORDS = { opening: 'connecting', open: 'live', lost: 'no connection' } as const;

/** Whether this visitor sees a part here. */
function isShown(part: Part): boolean {
  const door = machine.value?.door;
  const isHere = part.door === 'both' || door === 'both' || part.door === door;
  return isHere && (!part.role || may(part.role)) && (!part.needs || has(part.needs));
}

export function Frame({ parts }: { readonly parts: readonly Part[] }) {
  const shown = computed(() => parts.filter(isShown));
  if (isSignedOut.value) return <SignIn />;
  if (!machine.value) return <p class="hint">…</p>;
  const current = shown.value.find((part) => part.id === route.value[0]) ?? shown.value[0];
  if (!current) return <SignIn />;
  return (
    <>
      <header class="top">
        <h1>{name()}</h1>
        <span class={`link ${link.value}`} role="status">{LINK_WORDS[link.value]}</span>
        <nav aria-label="Parts">
          {shown.value.map((part) => (
            <a key={part.id} href={`#/${part.id}`} aria-current={part === current ? 'page' : undefined}>{part.title}</a>
          ))}
          <OtherDoor />
        </nav>
        <Visitor />
      </header>
      <main id={current.id}>
        <current.View rest={route.value.slice(1)} />
      </main>
      <Notice />
    </>
  );
}

function name(): string {
  const said = leaf('name').value.value;
  return typeof said === 'string' && said ? said : 'Skiff';
}

/** A link to the page at the other port; never with a handle on this page. */
function OtherDoor() {
  const there = otherDoor();
  if (!there) return null;
  return <a href={there} rel="noopener noreferrer">{isAdminDoor() ? 'Boat' : 'Administration'} ↗</a>;
}

function Visitor() {
  const { status, username } = login.value;
  const leave = async () => {
    await ask('PUT', '/signalk/v1/auth/logout');
    location.reload();
  };
  return (
    <div class="visitor">
      <label>
        <span class="hidden">Colours</span>
        <select value={theme.value} onChange={(event) => (theme.value = event.currentTarget.value as Theme)}>
          {THEMES.map((one) => <option key={one}>{one}</option>)}
        </select>
      </label>
      {status === 'loggedIn' && <span>{username}</span>}
      {status === 'loggedIn' && !token && <Act does={leave} kind="plain">Sign out</Act>}
      {status !== 'loggedIn' && !token && has('accounts') && <a href="/login">Sign in</a>}
    </div>
  );
}

function SignIn() {
  return (
    <main>
      <h1>Sign in to this boat</h1>
      {has('accounts') || !machine.value
        ? <p><a class="main" href={`/login?destination=${encodeURIComponent(location.pathname + location.hash)}`}>Sign in</a></p>
        : <p>Open this page by the link with the token that the console printed.</p>}
    </main>
  );
}
