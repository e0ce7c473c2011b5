// `GET /skiff/v1/status`, as the parts read it.
export interface Input {
  readonly label: string;
  readonly state: string;
  readonly reason?: string;
  readonly address?: string;
  readonly frames: number;
  readonly messages: number;
  readonly sentences: number;
  readonly deltas: number;
  readonly bad_lines: number;
  readonly drops: number;
  readonly lost: number;
  /** Frames or lines a second; nothing or 0 when none come. */
  readonly rate?: number;
  readonly age_ms?: number | null;
}
export interface MemoryRow {
  readonly row: string;
  readonly reserved: number;
  readonly used: number | null;
  readonly limit: number;
}
export interface Clock {
  readonly state: string;
  readonly source?: string;
  readonly silent_s?: number;
}
export interface Status {
  readonly version: string;
  readonly board: string;
  readonly uptime_ms: number;
  readonly clock: Clock;
  readonly health: string;
  readonly frames: number;
  readonly messages: number;
  readonly deltas: Readonly<Record<string, number>>;
  readonly drops: Readonly<Record<string, number>>;
  readonly restarts: number;
  readonly streams: number;
  readonly unauthorised: number;
  readonly model: { readonly paths: number; readonly bytes: number; readonly contexts: number };
  readonly inputs?: readonly Input[];
  readonly outputs?: readonly Readonly<Record<string, unknown>>[];
  readonly can?: readonly Readonly<Record<string, unknown>>[];
  readonly relay?: Readonly<Record<string, number>>;
  readonly memory: { readonly limit: number; readonly reserved: number; readonly rows: readonly MemoryRow[] };
}

export const STATUS = '/skiff/v1/status';
/** Time between two looks at it. */
export const STATUS_MS = 5000;
