// Who we are to the gateway, and what this gateway has.
import { signal } from '@preact/signals';

/** A token given in the address opens the page where no cookie is; it is kept here, and not in the address. */
export const token = new URLSearchParams(location.search).get('token');
if (token) history.replaceState(null, '', location.pathname + location.hash);

export type Role = 'readonly' | 'readwrite' | 'admin';

/** `GET /skiff/v1/machine`. */
export interface Machine {
  readonly version: string;
  /** `linux`, `esp32c6`, `qemu-riscv32`. */
  readonly board: string;
  /** Which of the two ports this page came by; a chip has one, which is both. */
  readonly door: 'boat' | 'admin' | 'both';
  /** Where the other port is, if this machine has two. */
  readonly otherPort: number | null;
  /** What this machine has of what another may lack. */
  readonly has: readonly string[];
  /** Who asks. */
  readonly login: LoginStatus;
}

/** As `GET /skServer/loginStatus` has it, too. */
export interface LoginStatus {
  readonly status: 'loggedIn' | 'notLoggedIn';
  readonly username?: string;
  readonly userLevel?: Role;
  readonly authenticationRequired?: boolean;
}

export const machine = signal<Machine | null>(null);
export const login = signal<LoginStatus>({ status: 'notLoggedIn' });
/** The gateway does not know us any more: whoever sees this signs in again. */
export const isSignedOut = signal(false);

const ROLES: readonly Role[] = ['readonly', 'readwrite', 'admin'];

/** Whether we may do what needs a role; a wrong guess here is corrected by the gateway's answer. */
export function may(role: Role): boolean {
  const have = token ? 'admin' : login.value.userLevel;
  return have !== undefined && ROLES.indexOf(have) >= ROLES.indexOf(role);
}

/** Whether this machine has a part, `wifi` say. */
export function has(part: string): boolean {
  return machine.value?.has.includes(part) ?? false;
}

/** Whether settings can be changed here: at the admin's port, or at the only one. */
export function isAdminDoor(): boolean {
  return machine.value !== null && machine.value.door !== 'boat';
}

/** The page at the other port. */
export function otherDoor(path = '/'): string | null {
  const port = machine.value?.otherPort;
  return port ? `${location.protocol}//${location.hostname}:${port}${path}` : null;
}
