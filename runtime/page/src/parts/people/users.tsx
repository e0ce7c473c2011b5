// People with a name and a password.
import { useSignal } from '@preact/signals';
import { ask } from '../../server/http';
import { login } from '../../server/session';
import { Act, say } from '../../ui/act';
import { Ask, Line, Pick } from '../../ui/ask';
import { Dialog } from '../../ui/dialog';
import { useLoaded, Wait } from '../../ui/load';
import { ROLES, type User } from './rows';

const at = (name: string) => `/skServer/security/users/${encodeURIComponent(name)}`;

export function Users() {
  const users = useLoaded<readonly User[]>('/skServer/security/users');
  const changing = useSignal('');
  const add = async ({ name = '', password = '', type = '' }: Readonly<Record<string, string>>) => {
    await ask('POST', at(name), { password, type });
    say(`${name} can sign in now.`);
    await users.again();
  };
  const change = async (name: string, what: object) => {
    try {
      await ask('PUT', at(name), what);
    } finally {
      // A role that was refused goes back to what it is.
      await users.again();
    }
  };
  const remove = async (name: string) => {
    await ask('DELETE', at(name));
    await users.again();
  };
  const self = login.value.username;
  return (
    <section class="card" aria-labelledby="users">
      <h2 id="users">People</h2>
      <Wait of={users}>
        <table class="people">
          <thead><tr><th>Name</th><th>Role</th><th><span class="hidden">What can be done</span></th></tr></thead>
          <tbody>
            {users.value?.map(({ userId: name, type }) => (
              <tr key={`${name} ${type}`}>
                <td>{name}{name === self && ' (you)'}</td>
                <td>{name === self ? ROLES.find(([role]) => role === type)?.[1] ?? type : <Role name={name} role={type} change={change} />}</td>
                <td class="actions">
                  <button type="button" aria-label={`New password for ${name}`} onClick={() => (changing.value = name)}>Password</button>
                  {name !== self && <Act does={() => remove(name)} kind="danger" sure={`Remove ${name}? Who is signed in under this name is signed out.`} done={`${name} is removed.`} label={`Remove ${name}`}>Remove</Act>}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
        {users.value?.length === 0 && <p class="hint">Nobody yet: the owner signs in with the link of the console or a token.</p>}
      </Wait>
      <h3>Add somebody</h3>
      <Ask label="Add somebody" action="Add" does={add}>
        <Line label="Name"><input name="name" required maxLength={64} autocomplete="off" autocapitalize="off" /></Line>
        <Line label="Password"><input name="password" type="password" required autocomplete="new-password" /></Line>
        <Line label="Role"><select name="type">{ROLES.map(([role, words]) => <option key={role} value={role}>{words}</option>)}</select></Line>
      </Ask>
      {changing.value && (
        <Dialog title={`New password for ${changing.value}`} onClose={() => (changing.value = '')}>
          <Ask
            label="What it is to be" action="Set it"
            does={async ({ password }) => {
              await change(changing.value, { password });
              say(`${changing.value} has a new password.`);
              changing.value = '';
            }}
          >
            <Line label="Password"><input name="password" type="password" required autocomplete="new-password" /></Line>
          </Ask>
        </Dialog>
      )}
    </section>
  );
}

function Role({ name, role, change }: { readonly name: string; readonly role: string; readonly change: (name: string, what: object) => Promise<void> }) {
  const wanted = useSignal(role);
  return (
    <span class="actions">
      <Pick isBare label={`Role of ${name}`} value={wanted.value} options={ROLES} pick={(value) => (wanted.value = value)} />
      {wanted.value !== role && <Act does={() => change(name, { type: wanted.value })} kind="main" done={`${name} has another role.`} label={`Keep the role of ${name}`}>Keep</Act>}
    </span>
  );
}
