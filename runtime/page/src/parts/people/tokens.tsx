// Devices that were let in, and tokens for programs.
import { useSignal } from '@preact/signals';
import { ask } from '../../server/http';
import { Act, say } from '../../ui/act';
import { Ask, Line } from '../../ui/ask';
import { Copy } from '../../ui/copy';
import { Dialog } from '../../ui/dialog';
import { type Loaded, useLoaded, Wait } from '../../ui/load';
import { now } from '../../vessel/values';
import { type Device, ENDS, endOf, ROLES, type Token } from './rows';

const nameOf = ({ description, clientId }: Device) => description || clientId;
const words = (role: string) => ROLES.find(([one]) => one === role)?.[1] ?? role;

export function Devices({ of }: { readonly of: Loaded<readonly Device[]> }) {
  const changing = useSignal<Device | null>(null);
  const change = async (device: Device, { permissions, expiration }: Readonly<Record<string, string>>) => {
    await ask('PUT', `/skServer/security/devices/${encodeURIComponent(device.clientId)}`, { permissions, ...(expiration ? { expiration } : {}) });
    say(`${nameOf(device)} is changed.`);
    changing.value = null;
    await of.again();
  };
  const remove = async (id: string) => {
    await ask('DELETE', `/skServer/security/devices/${encodeURIComponent(id)}`);
    await of.again();
  };
  return (
    <section class="card" aria-labelledby="devices">
      <h2 id="devices">Devices</h2>
      <Wait of={of}>
        {of.value?.length === 0 && <p class="hint">None was let in yet.</p>}
        {(of.value?.length ?? 0) > 0 && (
          <table class="people">
            <thead><tr><th>Device</th><th>Role</th><th>End</th><th><span class="hidden">What can be done</span></th></tr></thead>
            <tbody>
              {of.value?.map((device) => (
                <tr key={device.clientId}>
                  <td>{nameOf(device)} {device.description && <span class="hint">{device.clientId}</span>}</td>
                  <td>{words(device.permissions)}</td>
                  <td>{endOf(device.expires, now())}</td>
                  <td class="actions">
                    <button type="button" aria-label={`Change ${nameOf(device)}`} onClick={() => (changing.value = device)}>Change</button>
                    <Act does={() => remove(device.clientId)} kind="danger" sure={`Shut ${nameOf(device)} out?`} label={`Shut out ${nameOf(device)}`}>Shut out</Act>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </Wait>
      {changing.value && (
        <Dialog title={`Change ${nameOf(changing.value)}`} onClose={() => (changing.value = null)}>
          <Ask label={`Change ${nameOf(changing.value)}`} action="Keep" does={(given) => (changing.value ? change(changing.value, given) : Promise.resolve())}>
            <Line label="Role"><select name="permissions">{ROLES.map(([role, title]) => <option key={role} value={role} selected={role === changing.value?.permissions}>{title}</option>)}</select></Line>
            <Line label="End"><select name="expiration"><option value="">{`as it is: ${endOf(changing.value.expires, now())}`}</option>{ENDS.map(([end, title]) => <option key={end} value={end}>{title}</option>)}</select></Line>
          </Ask>
        </Dialog>
      )}
    </section>
  );
}

export function Tokens() {
  const tokens = useLoaded<readonly Token[]>('/skServer/security/tokens');
  const made = useSignal<{ name: string; token: string } | null>(null);
  const at = (name: string) => `/skServer/security/tokens/${encodeURIComponent(name)}`;
  const make = async ({ name = '', role, expiration, description }: Readonly<Record<string, string>>) => {
    const { token } = await ask<{ token: string }>('POST', at(name), { role, expiration, description });
    made.value = { name, token };
    await tokens.again();
  };
  const revoke = async (name: string) => {
    await ask('DELETE', at(name));
    await tokens.again();
  };
  return (
    <section class="card" aria-labelledby="tokens">
      <h2 id="tokens">Tokens</h2>
      <p class="hint">A program with a token need not be let in by its own request.</p>
      <Wait of={tokens}>
        {(tokens.value?.length ?? 0) > 0 && (
          <table class="people">
            <thead><tr><th>Name</th><th>Role</th><th>End</th><th><span class="hidden">What can be done</span></th></tr></thead>
            <tbody>
              {tokens.value?.map(({ name, role, description, expires }) => (
                <tr key={name}>
                  <td>{name} <span class="hint">{description}</span></td>
                  <td>{words(role)}</td>
                  <td>{endOf(expires, now())}</td>
                  <td class="actions"><Act does={() => revoke(name)} kind="danger" sure={`Revoke ${name}? Programs that use it are shut out at once.`} done={`${name} is revoked.`} label={`Revoke ${name}`}>Revoke</Act></td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </Wait>
      <h3>Make one</h3>
      <Ask label="Make a token" action="Make" does={make}>
        <Line label="Name"><input name="name" required maxLength={64} autocomplete="off" autocapitalize="off" /></Line>
        <Line label="For what"><input name="description" maxLength={200} autocomplete="off" /></Line>
        <Line label="Role"><select name="role">{ROLES.map(([role, title]) => <option key={role} value={role}>{title}</option>)}</select></Line>
        <Line label="End"><select name="expiration">{ENDS.map(([end, title]) => <option key={end} value={end}>{title}</option>)}</select></Line>
      </Ask>
      {made.value && (
        <Dialog title={`Token ${made.value.name}`} onClose={() => (made.value = null)}>
          <p>It is shown this once. Whoever has it may do what its role allows.</p>
          <textarea class="code token" readOnly rows={3} aria-label={`Token ${made.value.name}`} value={made.value.token} />
          <p class="actions"><Copy text={() => made.value?.token ?? ''}>Copy</Copy></p>
        </Dialog>
      )}
    </section>
  );
}
