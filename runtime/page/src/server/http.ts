// Requests to the gateway: JSON both ways, one kind of error.
import { isSignedOut, token } from './session';

/** The gateway said no, or could not be reached (status 0). */
export class Refused extends Error {
  constructor(readonly status: number, clause: string, readonly body: unknown = null) {
    super(clause);
  }
}

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** Sends a request and gives the answer's JSON, or its text where it is no JSON. */
export async function ask<T = unknown>(method: Method, path: string, body?: unknown): Promise<T> {
  return parsed(await (await send(method, path, body)).text()) as T;
}

/** Sends a request and gives an answer that says yes, for those who want its text or its bytes. */
export async function send(method: Method, path: string, body?: unknown): Promise<Response> {
  const isFile = body instanceof Blob;
  const headers: Record<string, string> = {};
  if (token) headers['authorization'] = `Bearer ${token}`;
  if (body !== undefined) headers['content-type'] = isFile ? 'application/octet-stream' : 'application/json';
  let answer: Response;
  try {
    const init: RequestInit = { method, headers, credentials: 'same-origin', cache: 'no-store' };
    if (body !== undefined) init.body = isFile ? body : JSON.stringify(body);
    answer = await fetch(path, init);
  } catch {
    throw new Refused(0, 'the gateway does not answer');
  }
  if (answer.ok) return answer;
  const value = parsed(await answer.text());
  if (answer.status === 401 && !token) isSignedOut.value = true;
  throw new Refused(answer.status, clause(answer.status, value), value);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** What an answer says went wrong: Signal K has `message`, Skiff `error`. */
function clause(status: number, value: unknown): string {
  if (typeof value === 'object' && value !== null) {
    const { message, error } = value as { message?: unknown; error?: unknown };
    for (const text of [message, error]) if (typeof text === 'string' && text) return text;
  }
  if (typeof value === 'string' && value && value.length < 200 && !value.startsWith('<')) return value;
  return `the gateway answered ${status}`;
}
