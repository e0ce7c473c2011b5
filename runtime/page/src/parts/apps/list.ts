// The rows of `/skServer/webapps`, which quote what packages say of themselves.

export interface App {
  readonly name: string;
  readonly version: string;
  readonly title: string;
  readonly description: string;
  readonly location: string;
  readonly icon: string;
  readonly isEmbeddable: boolean;
}

const text = (value: unknown) => (typeof value === 'string' ? value : '');

/** Those with a place on this gateway, by title. */
export function readApps(rows: unknown): readonly App[] {
  if (!Array.isArray(rows)) return [];
  return rows.map(app).filter((one) => /^\/[^/\\]/.test(one.location)).sort((one, other) => one.title.localeCompare(other.title));
}

function app(row: unknown): App {
  const of = (row ?? {}) as Record<string, unknown>;
  const own = (of['signalk'] ?? {}) as Record<string, unknown>;
  const name = text(of['name']);
  return {
    name,
    version: text(of['version']),
    title: text(own['displayName']) || name,
    description: text(of['description']),
    location: text(of['location']),
    icon: text(own['appIcon']),
    isEmbeddable: of['embeddable'] === true,
  };
}

/** The address of an app's picture, which lies among its own files; none where it would be elsewhere. */
export function iconOf({ icon, location }: App): string | null {
  if (!icon) return null;
  const base = 'http://here';
  try {
    const found = new URL(icon.replace(/^\.?\//, ''), base + location);
    return found.origin === base && found.pathname.startsWith(location) ? found.pathname : null;
  } catch {
    return null;
  }
}
