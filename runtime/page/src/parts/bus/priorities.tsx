// Which source is preferred where several tell the same path.
import { useSignal } from '@preact/signals';
import { ask } from '../../server/http';
import { Act, say } from '../../ui/act';
import { Dialog } from '../../ui/dialog';
import { useLoaded, Wait } from '../../ui/load';
import type { Aliases } from './devices';

interface Ranked {
  readonly sourceRef: string;
  /** Milliseconds without a value of those before it after which it stands in. */
  readonly timeout?: number;
}
type Overrides = Readonly<Record<string, readonly Ranked[]>>;
type Several = Readonly<Record<string, readonly string[]>>;

const LOOK_MS = 10_000;
/** As Signal K Server has it where nobody chooses. */
const STANDS_IN_MS = 15_000;

export function Priorities({ aliases }: { readonly aliases: Aliases }) {
  const several = useLoaded<Several>('/skServer/multiSourcePaths', LOOK_MS);
  const overrides = useLoaded<Overrides>('/skServer/priorityOverrides');
  const ranking = useSignal<string | null>(null);
  const paths = [...new Set([...Object.keys(several.value ?? {}), ...Object.keys(overrides.value ?? {})])].sort();
  const name = (ref: string) => (aliases[ref] ? `${aliases[ref]} (${ref})` : ref);
  return (
    <section class="card" aria-labelledby="priorities">
      <h2 id="priorities">Paths that several sources tell</h2>
      <Wait of={several}>
        <Wait of={overrides}>
          {paths.length === 0 && <p class="hint">None now.</p>}
          <ul class="plain">
            {paths.map((path) => {
              const ranked = overrides.value?.[path];
              return (
                <li key={path} class="plugin-head">
                  <span>
                    <strong>{path}</strong><br />
                    {ranked ? ranked.map(({ sourceRef }) => name(sourceRef)).join(', then ') : `whoever told it last: ${(several.value?.[path] ?? []).map(name).join(', ')}`}
                  </span>
                  <button type="button" aria-label={`Rank ${path}`} onClick={() => (ranking.value = path)}>Rank</button>
                </li>
              );
            })}
          </ul>
        </Wait>
      </Wait>
      {ranking.value !== null && (
        <Ranking
          key={ranking.value} path={ranking.value} name={name} overrides={overrides.value ?? {}} sources={several.value?.[ranking.value] ?? []}
          onDone={() => {
            ranking.value = null;
            void overrides.again();
          }}
        />
      )}
    </section>
  );
}

interface RankingProps {
  readonly path: string;
  readonly sources: readonly string[];
  readonly overrides: Overrides;
  readonly name: (ref: string) => string;
  readonly onDone: () => void;
}

function Ranking({ path, sources, overrides, name, onDone }: RankingProps) {
  const known = overrides[path] ?? [];
  const rows = useSignal<readonly Ranked[]>([...known, ...sources.filter((ref) => known.every((one) => one.sourceRef !== ref)).map((sourceRef) => ({ sourceRef, timeout: STANDS_IN_MS }))]);
  const move = (at: number) => {
    const list = [...rows.value];
    const [taken] = list.splice(at, 1);
    if (taken) list.splice(at - 1, 0, taken);
    rows.value = list;
  };
  const wait = (at: number, seconds: number) => {
    rows.value = rows.value.map((one, place) => (place === at ? { ...one, timeout: Math.round(seconds * 1000) } : one));
  };
  const keep = async (list: readonly Ranked[] | null) => {
    const { [path]: _, ...others } = overrides;
    // The first stands in for nobody.
    const ranked = list?.map((one, at) => (at === 0 ? { ...one, timeout: 0 } : { ...one, timeout: one.timeout || STANDS_IN_MS }));
    await ask('PUT', '/skServer/priorityOverrides', ranked ? { ...others, [path]: ranked } : others);
    say(list ? `${path}: ${name(list[0]?.sourceRef ?? '')} is preferred.` : `${path} has no ranking any more.`);
    onDone();
  };
  return (
    <Dialog title={path} onClose={onDone}>
      <p class="hint">The first is believed while it tells something. Another stands in when those before it were silent for its time.</p>
      <ol class="plain">
        {rows.value.map(({ sourceRef, timeout }, at) => (
          <li key={sourceRef} class="plugin-head">
            <span>{at + 1}. {name(sourceRef)}</span>
            <span class="actions">
              {at > 0 && (
                <label class="row">
                  after <input type="number" class="short" min={0.1} max={86_400} step="any" value={(timeout || STANDS_IN_MS) / 1000} aria-label={`Seconds until ${sourceRef} stands in`} onChange={(event) => wait(at, Number(event.currentTarget.value))} /> s
                </label>
              )}
              <button type="button" aria-label={`Move ${sourceRef} up`} disabled={at === 0} onClick={() => move(at)}>↑</button>
            </span>
          </li>
        ))}
      </ol>
      <p class="actions">
        <Act does={() => keep(rows.value)} kind="main" disabled={rows.value.length === 0}>Keep this order</Act>
        {known.length > 0 && <Act does={() => keep(null)}>No ranking</Act>}
      </p>
    </Dialog>
  );
}
