// Connections out of `GET /skiff/v1/status`, to be looked at: of who is no admin, and of a chip, which has the bus alone.
import type { Status } from '../../ui/status';
import type { Connection, Counters } from './connection';

export function rowsOf({ inputs = [], outputs = [], can = [] }: Status): readonly Connection[] {
  const shared = { kind: '', from: '', editable: false, enabled: true };
  return [
    ...inputs.map((one): Connection => {
      // An interface says more of itself than that it is read.
      const bus = can.find((row) => row['interface'] === one.label);
      const lost = one.lost + (typeof bus?.['lost'] === 'number' ? bus['lost'] : 0);
      return {
        ...shared, id: `input.${one.label}`, direction: 'input', name: one.label, address: one.address ?? (bus ? 'NMEA 2000' : ''), format: '',
        state: bus ? `can-${String(bus['state'])}` : one.state, reason: one.reason ?? null, status: { ...one, lost },
      };
    }),
    ...outputs.map((one): Connection => ({
      ...shared, id: `output.${String(one['name'])}`, direction: 'output', name: String(one['name']), address: String(one['address'] ?? ''),
      format: String(one['format'] ?? ''), state: String(one['state'] ?? ''), reason: typeof one['reason'] === 'string' ? one['reason'] : null, status: one as Counters,
    })),
  ];
}
