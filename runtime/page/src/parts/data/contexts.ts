// Where a context's tree is in the API.

/** `vessels.urn:mrn:imo:mmsi:211` is below `/signalk/v1/api/vessels/urn:mrn:imo:mmsi:211`. */
export function address(context: string, path: string): string {
  const dot = context.indexOf('.');
  const [group, id] = context === 'self' ? ['vessels', 'self'] : [context.slice(0, dot), context.slice(dot + 1)];
  return `/signalk/v1/api/${[group, id, ...path.split('.')].map((segment) => encodeURIComponent(segment).replace(/%3A/g, ':')).join('/')}`;
}

/** The line that asks for a path on a terminal. */
export function curl(origin: string, context: string, path: string, isOpen: boolean): string {
  const who = isOpen ? '' : ' -H "Authorization: Bearer $TOKEN"';
  return `curl -s${who} '${origin}${address(context, path)}'`;
}

/** Paths in which each word of a filter is, in any order. */
export function filtered(paths: readonly string[], filter: string): readonly string[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return paths;
  return paths.filter((path) => {
    const text = path.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}
